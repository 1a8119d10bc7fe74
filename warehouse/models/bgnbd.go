package models

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// BGNBD is the beta-geometric/NBD model (Fader, P. S., Hardie, B. G. S., Lee, K. L.,
// 2005. "Counting your customers" the easy way. Marketing Science 24(2), 275–284).
//
// While active a customer buys at rate λ ~ Gamma(R, rate Alpha), and after each
// repeat purchase leaves with probability p ~ Beta(A, B).
//
// Caveat: who has not bought again could not leave yet, so P(alive) is 1 for every
// one-time buyer, for ever.
type BGNBD struct{ R, Alpha, A, B float64 }

// CaveatBGNBD is what must stand beside a P(alive) of BG/NBD.
const CaveatBGNBD = "BG/NBD lets nobody leave before a second purchase: it calls every one-time buyer alive for ever. Take P(alive) from Pareto/NBD or MBG/NBD."

// FitBGNBD finds the maximum of the likelihood. Errors: ErrTooFew,
// ErrNotConverged, or a cell that no customer can have.
func FitBGNBD(cells []Cell) (BGNBD, Fit, error) {
	v, fit, err := fitPurchases(NameBGNBD, []string{"r", "alpha", "a", "b"}, cells, bgSum, dropoutStarts(cells))
	if err != nil {
		return BGNBD{}, fit, err
	}
	return BGNBD{v[0], v[1], v[2], v[3]}, fit, nil
}

// fitPurchases fits a model of cells.
func fitPurchases(name string, names []string, cells []Cell, of likelihood[Cell], starts [][]float64) ([]float64, Fit, error) {
	if err := checkCells(cells); err != nil {
		return nil, Fit{Model: name, Names: names}, err
	}
	p := problem[Cell]{model: name, names: names, cells: cells, of: of, starts: starts, weight: func(c *Cell) float64 { return c.Customers }}
	return p.maximise()
}

// dropoutStarts are starts for models with dropout after purchases. α's are on
// the scale of the ages.
func dropoutStarts(cells []Cell) [][]float64 {
	age := meanAge(cells)
	return [][]float64{{1, age / 2, 1, 1}, {0.3, age / 10, 0.5, 3}, {2, age, 2, 8}, {0.5, age / 4, 0.2, 0.5}}
}

func meanAge(cells []Cell) float64 {
	sum, n := 0.0, 0.0
	for i := range cells {
		sum += cells[i].Age * cells[i].Customers
		n += cells[i].Customers
	}
	return math.Max(sum/n, 1e-3)
}

// Name of the model.
func (m BGNBD) Name() string { return NameBGNBD }

// LogLikelihood of these customers, without the constants that parameters do not
// touch; as Fader & Hardie 2013 ("Overcoming the BG/NBD model's #NUM! error problem")
// arrange it:
//
//	Γ(r+x) α^r / Γ(r) · Γ(a+b) Γ(b+x) / (Γ(b) Γ(a+b+x)) ·
//	    [ (α+T)^{−(r+x)} + δ_{x>0} a/(b+x−1) (α+t_x)^{−(r+x)} ]
func (m BGNBD) LogLikelihood(cells []Cell) float64 {
	return bgSum([]float64{m.R, m.Alpha, m.A, m.B}, cells, make([]float64, 4))
}

func bgSum(v []float64, cells []Cell, gradient []float64) float64 {
	r, alpha, a, b := v[0], v[1], v[2], v[3]
	sum, lnAlpha, lnA := 0.0, math.Log(alpha), math.Log(a)
	var front, frontR, frontA, frontB float64 // of x alone
	for i := range cells {
		c := &cells[i]
		x := float64(c.X)
		if i == 0 || c.X != cells[i-1].X {
			front = lgamma(r+x) - lgamma(r) + r*lnAlpha + lgamma(a+b) + lgamma(b+x) - lgamma(b) - lgamma(a+b+x)
			frontR = mathext.Digamma(r+x) - mathext.Digamma(r) + lnAlpha
			frontA = mathext.Digamma(a+b) - mathext.Digamma(a+b+x)
			frontB = frontA + mathext.Digamma(b+x) - mathext.Digamma(b)
		}
		n, lnAge := c.Customers, math.Log(alpha+c.Age)
		stay := -(r + x) * lnAge
		if c.X == 0 {
			sum += n * (front + stay)
			gradient[0] += n * (frontR - lnAge)
			gradient[1] += n * (r/alpha - r/(alpha+c.Age))
			continue
		}
		lnRecency := math.Log(alpha + c.Recency)
		left := lnA - math.Log(b+x-1) - (r+x)*lnRecency
		both := logSum(stay, left)
		wStay, wLeft := math.Exp(stay-both), math.Exp(left-both)
		sum += n * (front + both)
		gradient[0] += n * (frontR - wStay*lnAge - wLeft*lnRecency)
		gradient[1] += n * (r/alpha - (r+x)*(wStay/(alpha+c.Age)+wLeft/(alpha+c.Recency)))
		gradient[2] += n * (frontA + wLeft/a)
		gradient[3] += n * (frontB - wLeft/(b+x-1))
	}
	return sum
}

// Expected is E[X(t)] = (a+b−1)/(a−1) [1 − (α/(α+t))^r ₂F₁(r, b; a+b−1; t/(α+t))].
func (m BGNBD) Expected(t float64) float64 { return untilDropout(m.R, m.Alpha, m.A, m.B, t) }

// Alive is 1/(1 + δ_{x>0} a/(b+x−1) ((α+T)/(α+t_x))^{r+x}).
func (m BGNBD) Alive(x int, recency, age float64) float64 {
	if x == 0 {
		return 1
	}
	n := float64(x)
	odds := math.Log(m.A) - math.Log(m.B+n-1) + (m.R+n)*math.Log1p((age-recency)/(m.Alpha+recency))
	return 1 / (1 + math.Exp(odds))
}

// Conditional is P(alive) · (a+b+x−1)/(a−1) [1 − ((α+T)/(α+T+t))^{r+x}
// ₂F₁(r+x, b+x; a+b+x−1; t/(α+T+t))]: who is active has λ ~ Gamma(r+x, α+T),
// p ~ Beta(a, b+x).
func (m BGNBD) Conditional(t float64, x int, recency, age float64) float64 {
	n := float64(x)
	return m.Alive(x, recency, age) * untilDropout(m.R+n, m.Alpha+age, m.A, m.B+n, t)
}

package models

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// MBGNBD is the modified BG/NBD model (Batislam, E. P., Denizel, M., Filiztekin, A.,
// 2007. Empirical validation and comparison of models for customer base analysis.
// Int. J. of Research in Marketing 24(3), 201–209; Hoppe, D., Wagner, U., 2007. Customer
// base analysis: the case for a central variant of the betageometric/NBD model.
// Marketing – JRM 3(2), 75–90).
//
// It is BG/NBD whose customers may also leave right after the first purchase, so
// that one-time buyers fade too.
type MBGNBD struct{ R, Alpha, A, B float64 }

// FitMBGNBD finds the maximum of the likelihood; errors as FitBGNBD.
func FitMBGNBD(cells []Cell) (MBGNBD, Fit, error) {
	v, fit, err := fitPurchases(NameMBGNBD, []string{"r", "alpha", "a", "b"}, cells, mbgSum, dropoutStarts(cells))
	if err != nil {
		return MBGNBD{}, fit, err
	}
	return MBGNBD{v[0], v[1], v[2], v[3]}, fit, nil
}

// Name of the model.
func (m MBGNBD) Name() string { return NameMBGNBD }

// LogLikelihood of these customers:
//
//	Γ(r+x) α^r / Γ(r) · Γ(a+b) Γ(b+x) / (Γ(b) Γ(a+b+x+1)) ·
//	    [ (b+x) (α+T)^{−(r+x)} + a (α+t_x)^{−(r+x)} ]
func (m MBGNBD) LogLikelihood(cells []Cell) float64 {
	return mbgSum([]float64{m.R, m.Alpha, m.A, m.B}, cells, make([]float64, 4))
}

func mbgSum(v []float64, cells []Cell, gradient []float64) float64 {
	r, alpha, a, b := v[0], v[1], v[2], v[3]
	sum, lnAlpha, lnA := 0.0, math.Log(alpha), math.Log(a)
	var front, frontR, frontA, frontB float64 // of x alone
	for i := range cells {
		c := &cells[i]
		x := float64(c.X)
		if i == 0 || c.X != cells[i-1].X {
			front = lgamma(r+x) - lgamma(r) + r*lnAlpha + lgamma(a+b) + lgamma(b+x) - lgamma(b) - lgamma(a+b+x+1)
			frontR = mathext.Digamma(r+x) - mathext.Digamma(r) + lnAlpha
			frontA = mathext.Digamma(a+b) - mathext.Digamma(a+b+x+1)
			frontB = frontA + mathext.Digamma(b+x) - mathext.Digamma(b)
		}
		n, lnAge, lnRecency := c.Customers, math.Log(alpha+c.Age), math.Log(alpha+c.Recency)
		stay, left := math.Log(b+x)-(r+x)*lnAge, lnA-(r+x)*lnRecency
		both := logSum(stay, left)
		wStay, wLeft := math.Exp(stay-both), math.Exp(left-both)
		sum += n * (front + both)
		gradient[0] += n * (frontR - wStay*lnAge - wLeft*lnRecency)
		gradient[1] += n * (r/alpha - (r+x)*(wStay/(alpha+c.Age)+wLeft/(alpha+c.Recency)))
		gradient[2] += n * (frontA + wLeft/a)
		gradient[3] += n * (frontB + wStay/(b+x))
	}
	return sum
}

// Expected is E[X(t)] = b/(a−1) [1 − (α/(α+t))^r ₂F₁(r, b+1; a+b; t/(α+t))].
func (m MBGNBD) Expected(t float64) float64 {
	// b/(a+b) stay at all, and these have p ~ Beta(a, b+1).
	return m.B / (m.A + m.B) * untilDropout(m.R, m.Alpha, m.A, m.B+1, t)
}

// Alive is 1/(1 + a/(b+x) ((α+T)/(α+t_x))^{r+x}).
func (m MBGNBD) Alive(x int, recency, age float64) float64 {
	n := float64(x)
	odds := math.Log(m.A) - math.Log(m.B+n) + (m.R+n)*math.Log1p((age-recency)/(m.Alpha+recency))
	return 1 / (1 + math.Exp(odds))
}

// Conditional is P(alive) · (a+b+x)/(a−1) [1 − ((α+T)/(α+T+t))^{r+x}
// ₂F₁(r+x, b+x+1; a+b+x; t/(α+T+t))].
func (m MBGNBD) Conditional(t float64, x int, recency, age float64) float64 {
	n := float64(x)
	return m.Alive(x, recency, age) * untilDropout(m.R+n, m.Alpha+age, m.A, m.B+n+1, t)
}

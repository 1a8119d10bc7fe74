package models

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// ParetoNBD is the Pareto/NBD model (Schmittlein, D. C., Morrison, D. G., Colombo, R.,
// 1987. Counting your customers: who are they and what will they do next?
// Management Science 33(1), 1–24; formulas as in Fader & Hardie 2005, "A note on
// deriving the Pareto/NBD model and related expressions").
//
// A customer buys at rate λ ~ Gamma(R, rate Alpha) for a life of rate
// μ ~ Gamma(S, rate Beta), and may leave at any moment.
type ParetoNBD struct{ R, Alpha, S, Beta float64 }

// FitParetoNBD finds the maximum of the likelihood; errors as FitBGNBD.
func FitParetoNBD(cells []Cell) (ParetoNBD, Fit, error) {
	age := meanAge(cells)
	starts := [][]float64{{1, age / 2, 1, age / 2}, {0.5, age / 4, 0.5, age / 8}, {2, age, 0.3, age}, {0.3, age / 10, 2, age * 2}}
	v, fit, err := fitPurchases(NameParetoNBD, []string{"r", "alpha", "s", "beta"}, cells, paretoSum, starts)
	if err != nil {
		return ParetoNBD{}, fit, err
	}
	return ParetoNBD{v[0], v[1], v[2], v[3]}, fit, nil
}

// Name of the model.
func (m ParetoNBD) Name() string { return NameParetoNBD }

// LogLikelihood of these customers, without the constants that parameters do not
// touch:
//
//	Γ(r+x) α^r β^s / Γ(r) · [ (α+T)^{−(r+x)} (β+T)^{−s} + s ∫ (α+τ)^{−(r+x)} (β+τ)^{−(s+1)} dτ ]
//
// the integral (over the possible moments τ of leaving) from t_x to T. The papers
// write it with the difference of two ₂F₁; the integral has no difference to lose
// digits in.
func (m ParetoNBD) LogLikelihood(cells []Cell) float64 {
	return paretoSum([]float64{m.R, m.Alpha, m.S, m.Beta}, cells, make([]float64, 4))
}

func paretoSum(v []float64, cells []Cell, gradient []float64) float64 {
	r, alpha, s, beta := v[0], v[1], v[2], v[3]
	sum, lnAlpha, lnBeta, lnS := 0.0, math.Log(alpha), math.Log(beta), math.Log(s)
	var front, frontR float64 // of x alone
	for i := range cells {
		c := &cells[i]
		x := float64(c.X)
		if i == 0 || c.X != cells[i-1].X {
			front = lgamma(r+x) - lgamma(r) + r*lnAlpha + s*lnBeta
			frontR = mathext.Digamma(r+x) - mathext.Digamma(r) + lnAlpha
		}
		n, lnA, lnB := c.Customers, math.Log(alpha+c.Age), math.Log(beta+c.Age)
		stay := -(r+x)*lnA - s*lnB
		in := departures(r+x, alpha, s+1, beta, c.Recency, c.Age)
		left := lnS + in.log
		both := logSum(stay, left)
		wStay, wLeft := math.Exp(stay-both), math.Exp(left-both)
		sum += n * (front + both)
		gradient[0] += n * (frontR - wStay*lnA - wLeft*in.lnAlpha)
		gradient[1] += n * (r/alpha - (r+x)*(wStay/(alpha+c.Age)+wLeft*in.overAlpha))
		gradient[2] += n * (lnBeta - wStay*lnB + wLeft*(1/s-in.lnBeta))
		gradient[3] += n * (s/beta - wStay*s/(beta+c.Age) - wLeft*(s+1)*in.overBeta)
	}
	return sum
}

// Expected is E[X(t)] = rβ/(α(s−1)) [1 − (β/(β+t))^{s−1}].
func (m ParetoNBD) Expected(t float64) float64 {
	return m.R / m.Alpha * m.Beta * faded(m.S, t/m.Beta)
}

// faded is [1 − (1+u)^{−(s−1)}]/(s−1), ln(1+u) at s = 1.
func faded(s, u float64) float64 {
	l := math.Log1p(u)
	if d := (s - 1) * l; math.Abs(d) > 1e-12 {
		return -math.Expm1(-d) / (s - 1)
	}
	return l
}

// Alive is the first term of the likelihood's bracket over both.
func (m ParetoNBD) Alive(x int, recency, age float64) float64 {
	n := float64(x)
	stay := -(m.R+n)*math.Log(m.Alpha+age) - m.S*math.Log(m.Beta+age)
	left := math.Log(m.S) + departures(m.R+n, m.Alpha, m.S+1, m.Beta, recency, age).log
	return 1 / (1 + math.Exp(left-stay))
}

// Conditional is P(alive) · (r+x)(β+T)/((α+T)(s−1)) [1 − ((β+T)/(β+T+t))^{s−1}].
func (m ParetoNBD) Conditional(t float64, x int, recency, age float64) float64 {
	n := float64(x)
	return m.Alive(x, recency, age) * (m.R + n) / (m.Alpha + age) * (m.Beta + age) * faded(m.S, t/(m.Beta+age))
}

// departure is an integral over the moments of leaving, and means under its
// integrand.
type departure struct {
	log                float64 // ln of the integral; −Inf when it is empty
	lnAlpha, overAlpha float64 // means of ln(α+τ) and 1/(α+τ)
	lnBeta, overBeta   float64 // means of ln(β+τ) and 1/(β+τ)
}

const (
	// panelLength and panelDecay bound a panel of the rule in v and in the change of
	// the logarithm of the integrand: 16 points are then good to 1e-15.
	panelLength = 3.0
	panelDecay  = 12.0
	// negligible is by how much the logarithm of the integrand may fall before the
	// rest is left out.
	negligible = 45.0
)

// departures is ∫ (α+τ)^{−p} (β+τ)^{−q} dτ from from to to, by the 16-point rule in
// v = ln(m+τ), m the smaller of α and β: there the integrand is log-concave, and
// its singularities are at least π away. Relative error about 1e-14 (tried against
// the papers' ₂F₁).
func departures(p, alpha, q, beta, from, to float64) departure {
	if from >= to {
		return departure{log: math.Inf(-1)}
	}
	m, d, pm, pd := alpha, beta-alpha, p, q
	if beta < alpha {
		m, d, pm, pd = beta, alpha-beta, q, p
	}
	v, end := math.Log(m+from), math.Log(m+to)
	at := func(v float64) float64 { return -(pm-1)*v - pd*math.Log(d+math.Exp(v)) }
	top := at(v)
	var sum, lnM, overM, lnD, overD float64
	for v < end {
		h := panel(v, end, pm-1, pd, d)
		middle, half := v+h/2, h/2
		for i := range 2 * len(gauss16) {
			g := gauss16[i/2]
			u := middle + half*g[0]*float64(1-2*(i&1))
			e := math.Exp(u)
			l := math.Log(d + e)
			w := half * g[1] * math.Exp(-(pm-1)*u-pd*l-top)
			sum, lnM, overM, lnD, overD = sum+w, lnM+w*u, overM+w/e, lnD+w*l, overD+w/(d+e)
		}
		v += h
		now := at(v)
		if now > top {
			f := math.Exp(top - now)
			sum, lnM, overM, lnD, overD, top = sum*f, lnM*f, overM*f, lnD*f, overD*f, now
		} else if top-now > negligible {
			break // log-concave: it only falls from here
		}
	}
	out := departure{top + math.Log(sum), lnM / sum, overM / sum, lnD / sum, overD / sum}
	if beta < alpha {
		out.lnAlpha, out.overAlpha, out.lnBeta, out.overBeta = out.lnBeta, out.overBeta, out.lnAlpha, out.overAlpha
	}
	return out
}

// panel is how far from v the rule may reach.
func panel(v, end, pm, pd, d float64) float64 {
	h := min(end-v, panelLength)
	if (math.Abs(pm)+pd)*h <= panelDecay {
		return h
	}
	for {
		e := math.Exp(v + h)
		if slope := math.Abs(pm) + pd*e/(d+e); slope*h <= panelDecay {
			return h
		}
		h /= 2
	}
}

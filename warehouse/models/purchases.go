package models

import "math"

// Names of the models, as tables and reports have them.
const (
	NameBGNBD      = "BG/NBD"
	NameMBGNBD     = "MBG/NBD"
	NameParetoNBD  = "Pareto/NBD"
	NameNBD        = "NBD"
	NameGammaGamma = "Gamma-Gamma"
)

// Purchases predicts how often customers buy. Times are in the unit of the fit
// (weeks, in this package's runs); x, recency and age are a Customer's.
type Purchases interface {
	// Name of the model.
	Name() string
	// LogLikelihood of these customers.
	LogLikelihood(cells []Cell) float64
	// Expected is E[X(t)]: repeat purchases of a random customer up to age t.
	Expected(t float64) float64
	// Alive is the probability that a customer may still buy.
	Alive(x int, recency, age float64) float64
	// Conditional is E[Y(t)]: purchases of a customer in the next t.
	Conditional(t float64, x int, recency, age float64) float64
}

// uneven is how near a−1 or a+b−1 may come to 0 before the closed form loses more
// than 1e-11 to cancellation.
const uneven = 1e-4

// untilDropout is E[(1 − e^{−λpt})/p] for λ ~ Gamma(r, rate α), p ~ Beta(a, b): what
// someone buys in t who buys at rate λ and leaves after each purchase with
// probability p.
//
//	(a+b−1)/(a−1) · [1 − (α/(α+t))^r ₂F₁(r, b; a+b−1; t/(α+t))]
//
// (Fader, Hardie & Lee 2005, eq. 9). Near a = 1 and a+b = 1, where that divides 0 by
// 0, it is the integral over u in (0, t) of its derivative
//
//	r/α · (α/(α+u))^{r+1} ₂F₁(r+1, b; a+b; u/(α+u))
//
// NaN where the series does not converge.
func untilDropout(r, alpha, a, b, t float64) float64 {
	if t <= 0 {
		return 0
	}
	c := a + b - 1
	if math.Abs(a-1) < uneven || math.Abs(c) < uneven {
		return untilDropoutByParts(r, alpha, a, b, t)
	}
	return c / (a - 1) * (1 - tilted(r, b, c, t/(alpha+t)))
}

func untilDropoutByParts(r, alpha, a, b, t float64) float64 {
	// In v = ln(m+u) with m = α/(1+r), the time to the first purchase, the derivative
	// is smooth: 16 points for each half of a unit are good to 1e-9.
	m := alpha / (1 + r)
	length := math.Log1p(t / m)
	sum, steps := 0.0, math.Ceil(2*length)
	for from := 0.0; from < steps; from++ {
		sum += integrate(from/steps*length, (from+1)/steps*length, func(v float64) float64 {
			u := m * math.Expm1(v)
			return m * math.Exp(v) * r / alpha * tilted(r+1, b, a+b, u/(alpha+u))
		})
	}
	return sum
}

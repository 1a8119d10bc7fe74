package models

import "math"

// Names of the models, as tables and reports have them.
const (
	NameBGNBD      = "BG/NBD"
	NameMBGNBD     = "MBG/NBD"
	NameParetoNBD  = "Pareto/NBD"
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
// (Fader, Hardie & Lee 2005, eq. 9), taken in Euler's form, whose terms do not
// grow with r and b:
//
//	(α/(α+t))^r ₂F₁(r, b; c; z) = (1−z)^{a−1} ₂F₁(c−r, a−1; c; z),  c = a+b−1
//
// Near a = 1 and a+b = 1, where that divides 0 by 0, it is the integral over (0, t)
// of its derivative r/α (1−w)^{a} ₂F₁(a+b−r−1, a; a+b; w), w = u/(α+u).
// NaN where the series does not converge.
func untilDropout(r, alpha, a, b, t float64) float64 {
	if t <= 0 {
		return 0
	}
	c := a + b - 1
	if math.Abs(a-1) < uneven || math.Abs(c) < uneven {
		return untilDropoutByParts(r, alpha, a, b, t)
	}
	z := t / (alpha + t)
	f, err := hypergeometric(c-r, a-1, c, z)
	if err != nil {
		return math.NaN()
	}
	return c / (a - 1) * (1 - math.Exp((a-1)*math.Log1p(-z))*f)
}

func untilDropoutByParts(r, alpha, a, b, t float64) float64 {
	sum, steps := 0.0, math.Ceil(2*math.Log1p(t/alpha))
	for from := 0.0; from < steps; from++ {
		// Steps of equal size in ln(α+u), where the derivative is smooth.
		sum += integrate(from/steps*math.Log1p(t/alpha), (from+1)/steps*math.Log1p(t/alpha), func(v float64) float64 {
			w := -math.Expm1(-v)
			f, err := hypergeometric(a+b-r-1, a, a+b, w)
			if err != nil {
				return math.NaN()
			}
			return r * math.Exp(v-a*v) * f
		})
	}
	return sum
}

package models

import (
	"errors"
	"math"
)

const (
	// maxTerms bounds a series: at z = 0.9999 some 400,000 are needed.
	maxTerms = 2_000_000
	// seriesError is where a series ends: the rest is at most this share of the sum.
	seriesError = 1e-16
	// tooLarge is the size of a term at which a series is scaled down.
	tooLarge = 1e200
	// fewSigns is how many terms may change their sign.
	fewSigns = 4
)

// errSeries says that a hypergeometric series did not end within maxTerms.
var errSeries = errors.New("models: the hypergeometric series does not converge: its argument is too close to 1")

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// logSum is ln(e^p + e^q), without overflow.
func logSum(p, q float64) float64 {
	if p < q {
		p, q = q, p
	}
	if math.IsInf(q, -1) {
		return p
	}
	return p + math.Log1p(math.Exp(q-p))
}

// hypergeometric is Gauss's ₂F₁(a, b; c; z) for 0 ≤ z < 1 and c not 0, −1, −2, …, as
// value · e^scale, so that it cannot overflow:
//
//	Σ (a)ₖ (b)ₖ / ((c)ₖ k!) zᵏ
//
// Error: the terms left out are together at most seriesError of the sum (the
// ratio of terms tends to z from one side, so the rest is below a geometric
// series); rounding adds about 1e-16 for each order of magnitude that the largest
// term is above the sum, none where all terms have one sign.
func hypergeometric(a, b, c, z float64) (value, scale float64, err error) {
	sum, term := 1.0, 1.0
	for k := range maxTerms {
		n := float64(k)
		term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
		sum += term
		if term == 0 {
			return sum, scale, nil
		}
		if math.Abs(term) > tooLarge {
			sum, term, scale = sum/tooLarge, term/tooLarge, scale+math.Log(tooLarge)
		}
		n++
		ratio := math.Abs((a + n) * (b + n) / ((c + n) * (n + 1)) * z)
		ratio = math.Max(ratio, z)
		if n > -c && n > -a && n > -b && ratio < 1 && math.Abs(term)*ratio/(1-ratio) <= seriesError*math.Abs(sum) {
			return sum, scale, nil
		}
	}
	return math.NaN(), 0, errSeries
}

// tilted is (1−z)^r ₂F₁(r, b; c; z) for r, b > 0 and c > −1, NaN where the series does
// not converge. Euler's form of it,
//
//	(1−z)^{c−b} ₂F₁(c−r, c−b; c; z),
//
// has small terms where r and b are large together (many purchases); but its first
// r−c terms change their sign and cancel, so beyond a few the plain form is taken,
// whose terms have one sign.
func tilted(r, b, c, z float64) float64 {
	if c-r > -fewSigns {
		f, scale, err := hypergeometric(c-r, c-b, c, z)
		if err != nil {
			return math.NaN()
		}
		return f * math.Exp(scale+(c-b)*math.Log1p(-z))
	}
	f, scale, err := hypergeometric(r, b, c, z)
	if err != nil {
		return math.NaN()
	}
	return f * math.Exp(scale+r*math.Log1p(-z))
}

// gauss16 are the nodes in (0, 1) and weights of the 16-point Gauss–Legendre rule
// on (−1, 1), by its symmetry.
var gauss16 = [8][2]float64{
	{0.0950125098376374402, 0.1894506104550684963},
	{0.2816035507792589132, 0.1826034150449235889},
	{0.4580167776572273863, 0.1691565193950025382},
	{0.6178762444026437484, 0.1495959888165767321},
	{0.7554044083550030339, 0.1246289712555338720},
	{0.8656312023878317439, 0.0951585116824927848},
	{0.9445750230732325761, 0.0622535239386478929},
	{0.9894009349916499326, 0.0271524594117540949},
}

// integrate is ∫ f over (from, to) by the 16-point rule: exact for polynomials to
// degree 31.
func integrate(from, to float64, f func(float64) float64) float64 {
	middle, half := (from+to)/2, (to-from)/2
	sum := 0.0
	for _, g := range gauss16 {
		sum += g[1] * (f(middle-half*g[0]) + f(middle+half*g[0]))
	}
	return half * sum
}

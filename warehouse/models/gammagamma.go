package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// GammaGamma is the model of spend per purchase (Fader, P. S., Hardie, B. G. S., 2013.
// The Gamma-Gamma model of monetary value; Colombo & Jiang 1999; Fader, Hardie &
// Lee 2005, RFM and CLV. J. of Marketing Research 42(4), 415–430).
//
// A customer's purchases are Gamma(P, rate ν) around the own mean, ν ~ Gamma(Q, rate
// Gamma). Spend per purchase is taken to be independent of how often one buys.
type GammaGamma struct{ P, Q, Gamma float64 }

// Spend counts the customers with the same number and mean of repeat purchases.
type Spend struct {
	X         int
	Mean      float64 // major units, above 0
	Customers float64
}

// CountSpend gathers the customers that bought again for money, ascending by X and
// Mean.
func CountSpend(customers []Customer) []Spend {
	var all []Spend
	for i := range customers {
		if c := &customers[i]; c.X > 0 && c.Mean > 0 {
			all = append(all, Spend{c.X, c.Mean, 1})
		}
	}
	slices.SortFunc(all, func(a, b Spend) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Mean, b.Mean)) })
	out := all[:0]
	for _, s := range all {
		if n := len(out); n > 0 && out[n-1].X == s.X && out[n-1].Mean == s.Mean {
			out[n-1].Customers++
			continue
		}
		out = append(out, s)
	}
	return out
}

// FitGammaGamma finds the maximum of the likelihood. Errors: ErrTooFew,
// ErrNotConverged, or a spend that cannot be.
func FitGammaGamma(spends []Spend) (GammaGamma, Fit, error) {
	names := []string{"p", "q", "gamma"}
	if len(spends) == 0 {
		return GammaGamma{}, Fit{Model: NameGammaGamma, Names: names}, fmt.Errorf("%w: nobody bought again for money", ErrTooFew)
	}
	mean, n := 0.0, 0.0
	for i := range spends {
		s := &spends[i]
		if s.X <= 0 || !(s.Mean > 0) || math.IsInf(s.Mean, 0) || !(s.Customers > 0) {
			return GammaGamma{}, Fit{}, fmt.Errorf("models: no customer can have x = %d and a mean spend of %v here (count %v): both must be above 0", s.X, s.Mean, s.Customers)
		}
		mean, n = mean+s.Mean*s.Customers, n+s.Customers
	}
	mean /= n
	p := problem[Spend]{model: NameGammaGamma, names: names, cells: spends, of: spendSum, weight: func(s *Spend) float64 { return s.Customers },
		starts: [][]float64{{5, 4, mean / 2}, {1, 2, mean}, {20, 8, mean / 3}}}
	v, fit, err := p.maximise()
	if err != nil {
		return GammaGamma{}, fit, err
	}
	return GammaGamma{v[0], v[1], v[2]}, fit, nil
}

// Name of the model.
func (m GammaGamma) Name() string { return NameGammaGamma }

// LogLikelihood of these customers:
//
//	Γ(px+q) / (Γ(px) Γ(q)) · γ^q z^{px−1} x^{px} / (γ+xz)^{px+q}
//
// z the mean spend of x purchases.
func (m GammaGamma) LogLikelihood(spends []Spend) float64 {
	return spendSum([]float64{m.P, m.Q, m.Gamma}, spends, make([]float64, 3))
}

func spendSum(v []float64, spends []Spend, gradient []float64) float64 {
	p, q, gamma := v[0], v[1], v[2]
	sum, lnGamma := 0.0, math.Log(gamma)
	var front, frontP, frontQ float64 // of x alone
	for i := range spends {
		s := &spends[i]
		x, n := float64(s.X), s.Customers
		if i == 0 || s.X != spends[i-1].X {
			front = lgamma(p*x+q) - lgamma(p*x) - lgamma(q) + q*lnGamma + p*x*math.Log(x)
			both := mathext.Digamma(p*x + q)
			frontP = x * (both - mathext.Digamma(p*x) + math.Log(x))
			frontQ = both - mathext.Digamma(q) + lnGamma
		}
		lnMean, lnAll := math.Log(s.Mean), math.Log(gamma+x*s.Mean)
		sum += n * (front + (p*x-1)*lnMean - (p*x+q)*lnAll)
		gradient[0] += n * (frontP + x*(lnMean-lnAll))
		gradient[1] += n * (frontQ - lnAll)
		gradient[2] += n * (q/gamma - (p*x+q)/(gamma+x*s.Mean))
	}
	return sum
}

// Mean is the mean spend per purchase of all customers, pγ/(q−1); +Inf for q ≤ 1,
// where the model has none.
func (m GammaGamma) Mean() float64 {
	if m.Q <= 1 {
		return math.Inf(1)
	}
	return m.P * m.Gamma / (m.Q - 1)
}

// Conditional is a customer's expected spend per purchase, p(γ+xz)/(px+q−1): between
// the own mean z and that of all. Without a repeat it is Mean.
func (m GammaGamma) Conditional(x int, mean float64) float64 {
	n := float64(x)
	if x == 0 || m.P*n+m.Q <= 1 {
		return m.Mean()
	}
	return m.P * (m.Gamma + n*mean) / (m.P*n + m.Q - 1)
}

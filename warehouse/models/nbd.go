package models

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// NBD is the model without dropout (Ehrenberg, A. S. C., 1959. The pattern of consumer
// purchases. Applied Statistics 8(1), 26–41): rates λ ~ Gamma(R, rate Alpha) for ever.
// The other purchase models come to it where their dropout goes to nothing; it is
// fitted to see whether they say more, and stands in where they have no maximum.
type NBD struct{ R, Alpha float64 }

// FitNBD finds the maximum of the likelihood; errors as FitBGNBD.
func FitNBD(cells []Cell) (NBD, Fit, error) {
	age := meanAge(cells)
	v, fit, err := fitPurchases(NameNBD, []string{"r", "alpha"}, cells, nbdSum, [][]float64{{1, age / 2}, {0.3, age / 10}, {3, age}})
	if err != nil {
		return NBD{}, fit, err
	}
	return NBD{v[0], v[1]}, fit, nil
}

// Name of the model.
func (m NBD) Name() string { return NameNBD }

// LogLikelihood of these customers: Γ(r+x) α^r / (Γ(r) (α+T)^{r+x}), to be compared with
// that of the other purchase models.
func (m NBD) LogLikelihood(cells []Cell) float64 {
	return nbdSum([]float64{m.R, m.Alpha}, cells, make([]float64, 2))
}

func nbdSum(v []float64, cells []Cell, gradient []float64) float64 {
	r, alpha := v[0], v[1]
	sum, lnAlpha := 0.0, math.Log(alpha)
	var front, frontR float64 // of x alone
	for i := range cells {
		c := &cells[i]
		x, n, lnAge := float64(c.X), c.Customers, math.Log(alpha+c.Age)
		if i == 0 || c.X != cells[i-1].X {
			front = lgamma(r+x) - lgamma(r) + r*lnAlpha
			frontR = mathext.Digamma(r+x) - mathext.Digamma(r) + lnAlpha
		}
		sum += n * (front - (r+x)*lnAge)
		gradient[0] += n * (frontR - lnAge)
		gradient[1] += n * (r/alpha - (r+x)/(alpha+c.Age))
	}
	return sum
}

// Expected is E[X(t)] = rt/α.
func (m NBD) Expected(t float64) float64 { return m.R * t / m.Alpha }

// Alive is 1: nobody leaves.
func (m NBD) Alive(int, float64, float64) float64 { return 1 }

// Conditional is (r+x) t / (α+T).
func (m NBD) Conditional(t float64, x int, _, age float64) float64 {
	return (m.R + float64(x)) * t / (m.Alpha + age)
}

package models

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func off(have, want float64) float64 { return math.Abs(have-want) / math.Max(math.Abs(want), 1e-300) }

func TestHypergeometric(t *testing.T) {
	for _, z := range []float64{0, 1e-12, 0.1, 0.5, 0.9, 0.99, 0.9999} {
		for _, c := range []struct {
			what       string
			a, b, c, z float64
			want       float64
		}{
			{"-ln(1-z)/z", 1, 1, 2, z, -math.Log1p(-z) / z},
			{"(1-z)^-a", 2.5, 0.7, 0.7, z, math.Pow(1-z, -2.5)},
			{"(1-z)^-a, a < 0", -0.3, 1.7, 1.7, z, math.Pow(1-z, 0.3)},
			{"atanh(√z)/√z", 0.5, 1, 1.5, z, math.Atanh(math.Sqrt(z)) / math.Sqrt(z)},
			{"a polynomial", -2, 3, 5, z, 1 - 2*3./5*z + 3*4./(5*6)*z*z},
		} {
			if z == 0 {
				c.want = 1
			}
			have, scale, err := hypergeometric(c.a, c.b, c.c, c.z)
			have *= math.Exp(scale)
			if err != nil || off(have, c.want) > 2e-12 {
				t.Errorf("%s at %v: %v, want %v, %v", c.what, z, have, c.want, err)
			}
		}
	}
	if f, scale, err := hypergeometric(1500, 3, 3, 0.9); err != nil || off(math.Log(f)+scale, 1500*math.Log(10)) > 1e-13 {
		t.Errorf("10^1500 is e^%v, %v", math.Log(f)+scale, err)
	}
	if _, _, err := hypergeometric(1, 1, 2, 1-1e-9); !errors.Is(err, errSeries) {
		t.Errorf("so near 1 the series takes too long: %v", err)
	}
}

// paretoInPrint is the likelihood of one customer as Fader & Hardie 2005 print it.
func paretoInPrint(m ParetoNBD, x int, recency, age float64) float64 {
	n := float64(x)
	d, b, base := m.Alpha-m.Beta, m.S+1, m.Alpha
	if m.Alpha < m.Beta {
		d, b, base = m.Beta-m.Alpha, m.R+n, m.Beta
	}
	all := m.R + m.S + n
	part := func(at float64) float64 {
		f, _, err := hypergeometric(all, b, all+1, d/(base+at))
		if err != nil {
			return math.NaN()
		}
		return f * math.Pow(base+at, -all)
	}
	return math.Log(math.Pow(m.Alpha+age, -m.R-n)*math.Pow(m.Beta+age, -m.S)+m.S/all*(part(recency)-part(age))) +
		lgamma(m.R+n) - lgamma(m.R) + m.R*math.Log(m.Alpha) + m.S*math.Log(m.Beta)
}

func randomCell(rng *rand.Rand) Cell {
	c := Cell{X: rng.IntN(12), Age: 1 + 100*rng.Float64(), Customers: 1}
	if c.X > 0 {
		c.Recency = c.Age * rng.Float64()
	}
	return c
}

func between(rng *rand.Rand, low, high float64) float64 {
	return low * math.Pow(high/low, rng.Float64())
}

// The integral over the moments of leaving is the papers' difference of ₂F₁, where
// that still has its digits.
func TestParetoIsWhatIsPrinted(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	worst := 0.0
	for range 5000 {
		m := ParetoNBD{between(rng, 0.1, 5), between(rng, 0.5, 50), between(rng, 0.1, 5), between(rng, 0.5, 50)}
		c := randomCell(rng)
		have, want := m.LogLikelihood([]Cell{c}), paretoInPrint(m, c.X, c.Recency, c.Age)
		if !(math.Abs(have-want) < 1e-9) {
			t.Fatalf("%+v %+v: %v, in print %v", m, c, have, want)
		}
		worst = max(worst, math.Abs(have-want))
	}
	t.Logf("largest difference %.1e", worst)
	// Far apart, where the integrand is steepest, against many small panels.
	for _, c := range []struct{ p, alpha, q, beta, from, to float64 }{
		{0.2, 100, 1.1, 1e-3, 0, 50}, {0.2, 1e-3, 1.1, 100, 0, 50}, {1000.5, 4, 1.6, 10, 30, 39}, {12, 1e-4, 9, 1e4, 0.1, 100}, {2, 1e4, 30, 1e-4, 0, 1e4},
	} {
		low, high := math.Log(min(c.alpha, c.beta)+c.from), math.Log(min(c.alpha, c.beta)+c.to)
		d, pm, pd := math.Abs(c.alpha-c.beta), c.p, c.q
		if c.beta < c.alpha {
			pm, pd = pd, pm
		}
		top := -(pm-1)*low - pd*math.Log(d+math.Exp(low))
		const n = 20_000
		sum := 0.0
		for i := range n {
			sum += integrate(low+(high-low)*float64(i)/n, low+(high-low)*float64(i+1)/n, func(v float64) float64 {
				return math.Exp(-(pm-1)*v - pd*math.Log(d+math.Exp(v)) - top)
			})
		}
		if have := departures(c.p, c.alpha, c.q, c.beta, c.from, c.to); math.Abs(have.log-top-math.Log(sum)) > 1e-12 {
			t.Errorf("%+v: %v, want %v", c, have.log, top+math.Log(sum))
		}
	}
}

// Gradients are what differences say.
func TestGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	models := map[string]likelihood[Cell]{NameBGNBD: bgSum, NameMBGNBD: mbgSum, NameParetoNBD: paretoSum}
	check := func(name string, v []float64, of func(v, gradient []float64) float64) {
		t.Helper()
		gradient := make([]float64, len(v))
		of(v, gradient)
		for i := range v {
			h := 1e-5 * v[i]
			up, down := append([]float64(nil), v...), append([]float64(nil), v...)
			up[i], down[i] = v[i]+h, v[i]-h
			none := make([]float64, len(v))
			want := (of(up, none) - of(down, none)) / (2 * h)
			if math.Abs(gradient[i]-want)*v[i] > 1e-6*(1+math.Abs(want)*v[i]) {
				t.Fatalf("%s at %v: derivative %d is %v, by differences %v", name, v, i, gradient[i], want)
			}
		}
	}
	for range 300 {
		var cells []Cell
		var spends []Spend
		for range 5 {
			cells = append(cells, randomCell(rng))
			spends = append(spends, Spend{1 + rng.IntN(9), between(rng, 0.1, 1000), 1})
		}
		cells = merged(cells)
		for name, of := range models {
			v := []float64{between(rng, 0.1, 5), between(rng, 0.5, 50), between(rng, 0.1, 5), between(rng, 0.5, 50)}
			check(name, v, func(v, gradient []float64) float64 { return of(v, cells, gradient) })
		}
		check(NameNBD, []float64{between(rng, 0.1, 5), between(rng, 0.5, 50)}, func(v, gradient []float64) float64 { return nbdSum(v, cells, gradient) })
		check(NameGammaGamma, []float64{between(rng, 0.5, 20), between(rng, 0.5, 20), between(rng, 1, 100)}, func(v, gradient []float64) float64 { return spendSum(v, spends, gradient) })
	}
}

// The closed form and the integral of its derivative are the same, also next to
// where the closed form divides 0 by 0.
func TestUntilDropout(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for range 2000 {
		r, alpha, a, b, at := between(rng, 0.1, 50), between(rng, 1, 100), between(rng, 0.05, 5), between(rng, 0.1, 50), between(rng, 0.1, 200)
		// At most what is bought by someone who never leaves.
		have, want := untilDropout(r, alpha, a, b, at), untilDropoutByParts(r, alpha, a, b, at)
		if off(have, want) > 1e-8 || have > r/alpha*at {
			t.Fatalf("r %v, α %v, a %v, b %v, t %v: %v, by parts %v", r, alpha, a, b, at, have, want)
		}
	}
	for _, a := range []float64{1 - 1e-3, 1 - 1.01e-4, 1 - 1e-6, 1, 1 + 1e-9, 1 + 1.01e-4} {
		if have, want := untilDropout(0.25, 4, a, 2, 30), untilDropout(0.25, 4, 1, 2, 30); off(have, want) > 2e-3 {
			t.Errorf("a = %v: %v, at 1 %v", a, have, want)
		}
	}
	if have := untilDropout(0.25, 4, 0.4, 0.6, 30); math.IsNaN(have) || off(have, untilDropout(0.25, 4, 0.4, 0.601, 30)) > 1e-2 {
		t.Errorf("a+b = 1: %v", have)
	}
}

// A customer with a thousand purchases breaks nothing.
func TestAThousandPurchases(t *testing.T) {
	list := []Purchases{BGNBD{0.2426, 4.414, 0.793, 2.426}, MBGNBD{0.525, 6.183, 0.891, 1.614}, ParetoNBD{0.553, 10.578, 0.606, 11.669}}
	for _, m := range list {
		was := math.Inf(1)
		for _, recency := range []float64{38.86, 38.8, 38, 35, 20} {
			alive, next := m.Alive(1000, recency, 38.86), m.Conditional(39, 1000, recency, 38.86)
			value := m.LogLikelihood([]Cell{{X: 1000, Recency: recency, Age: 38.86, Customers: 1}})
			if !(alive >= 0 && alive <= 1) || !(next >= 0 && next <= was) || math.IsNaN(value) || math.IsInf(value, 0) {
				t.Errorf("%s, t_x = %v: P(alive) %v, E[Y(39)] %v, LL %v", m.Name(), recency, alive, next, value)
			}
			was = next
		}
		// Who bought 1,000 times to the very day goes on at that rate, or nearly.
		if next := m.Conditional(1, 1000, 38.86, 38.86); math.Abs(next-1000/38.86) > 6 {
			t.Errorf("%s: %v in the next week", m.Name(), next)
		}
	}
	m := BGNBD{0.2426, 4.414, 0.793, 2.426}
	have := m.Conditional(39, 1000, 38.8, 38.86)
	want := m.Alive(1000, 38.8, 38.86) * untilDropoutByParts(m.R+1000, m.Alpha+38.86, m.A, m.B+1000, 39)
	if off(have, want) > 1e-9 {
		t.Errorf("E[Y(39)] is %v, by parts %v", have, want)
	}
	cells := []Cell{{0, 0, 30, 500}, {1, 10, 30, 100}, {2, 25, 38, 50}, {3, 12, 20, 30}, {1000, 38.8, 38.86, 1}}
	if _, fit, err := FitBGNBD(cells); err != nil {
		t.Errorf("a fit with one such customer: %v %+v", err, fit)
	}
}

// Over all customers, what is expected of each after age T adds up to what is
// expected between T and T+t: each formula is held by the others.
func TestExpectationsAgree(t *testing.T) {
	const n, age, next = 20_000, 40.0, 39.0
	s := newShop(5)
	bg, mbg, pareto := BGNBD{0.25, 4.5, 0.8, 2.5}, MBGNBD{0.5, 6, 0.9, 1.6}, ParetoNBD{0.55, 10.5, 0.6, 11.7}
	for _, c := range []struct {
		m   Purchases
		one func() Customer
	}{
		{bg, func() Customer { return s.bg(bg, age) }},
		{mbg, func() Customer { return s.mbg(mbg, age) }},
		{pareto, func() Customer { return s.pareto(pareto, age) }},
	} {
		var sum, squares, bought float64
		for range n {
			who := c.one()
			y := c.m.Conditional(next, who.X, who.Recency, who.Age)
			sum, squares, bought = sum+y, squares+y*y, bought+float64(who.X)
		}
		mean, want := sum/n, c.m.Expected(age+next)-c.m.Expected(age)
		deviation := math.Sqrt((squares/n - mean*mean) / n)
		if math.Abs(mean-want) > 4*deviation {
			t.Errorf("%s: %.4f ± %.4f purchases each, want %.4f", c.m.Name(), mean, deviation, want)
		}
		t.Logf("%s: %.4f ± %.4f, want %.4f; bought %.4f, want %.4f", c.m.Name(), mean, deviation, want, bought/n, c.m.Expected(age))
	}
}

// Where nobody leaves, the models with dropout come to NBD, and a run takes it.
func TestNobodyLeaves(t *testing.T) {
	s, m := newShop(3), NBD{0.8, 10}
	customers := s.many(5_000, func(age float64) Customer {
		return s.history(s.gamma(m.R, m.Alpha), age, math.Inf(1), func() bool { return true })
	})
	fitted, fit, err := FitNBD(Count(customers))
	if err != nil || math.Abs(fitted.R-m.R) > 3*fit.StandardErrors[0] || math.Abs(fitted.Alpha-m.Alpha) > 3*fit.StandardErrors[1] {
		t.Fatalf("%+v %v", fit, err)
	}
	var plain, own float64
	limit := BGNBD{m.R, m.Alpha, 1e-9, 1}
	for _, c := range customers[:100] {
		own, plain = own+limit.Conditional(20, c.X, c.Recency, c.Age), plain+m.Conditional(20, c.X, c.Recency, c.Age)
	}
	if off(own, plain) > 1e-6 || off(limit.LogLikelihood(Count(customers)), m.LogLikelihood(Count(customers))) > 1e-6 || off(limit.Expected(9), m.Expected(9)) > 1e-6 {
		t.Errorf("BG/NBD without dropout: %v, NBD %v", own, plain)
	}
	f := fitAll(customers)
	for i := range f.purchases[:nbdIndex] {
		t.Logf("%s: %.3f, NBD %.3f: %v", f.runs[i].Model, f.runs[i].LogLikelihood, fit.LogLikelihood, f.runs[i].Problem)
		if f.purchases[i] != nil && f.runs[i].LogLikelihood < fit.LogLikelihood-1e-6 {
			t.Errorf("%s is below its own limit", f.runs[i].Model)
		}
	}
	p := &population{customers: customers, ids: make([]string, len(customers)), scope: scope{asOf: wallClock, cut: wallClock.AddDate(0, 0, -30)}}
	r, err := p.fit(Options{Now: wallClock, DiscountRate: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, m := range r.Models {
		told = told || strings.Contains(m.Caveat, "almost nobody leaving")
	}
	if !told || r.Alive < 0.99*float64(r.Customers) {
		t.Errorf("alive %v of %v, told: %v", r.Alive, r.Customers, told)
	}
}

// Data that no parameters fit are an error, not numbers.
func TestNoFit(t *testing.T) {
	for what, cells := range map[string][]Cell{
		"nobody bought again":    {{0, 0, 10, 100}, {0, 0, 20, 100}},
		"a repeat after the end": {{1, 20, 10, 1}},
		"no repeat, but an age":  {{0, 3, 10, 1}},
		"all alike":              {{5, 25, 30, 1000}},
	} {
		_, _, e1 := FitBGNBD(cells)
		_, _, e2 := FitMBGNBD(cells)
		_, _, e3 := FitParetoNBD(cells)
		if e1 == nil || e2 == nil || e3 == nil {
			t.Errorf("%s: %v, %v, %v", what, e1, e2, e3)
		}
		t.Logf("%s: %v", what, e3)
	}
	if _, _, err := FitGammaGamma([]Spend{{2, 10, 500}}); err == nil {
		t.Error("all spend the same")
	}
	if _, _, err := FitGammaGamma(nil); !errors.Is(err, ErrTooFew) {
		t.Errorf("nobody: %v", err)
	}
}

func TestPredict(t *testing.T) {
	m := BGNBD{0.2426, 4.414, 0.793, 2.426}
	g := GammaGamma{6.25, 3.74, 15.44}
	p := Predictor{Purchases: m, Alive: ParetoNBD{0.553, 10.578, 0.606, 11.669}, OrderValue: g.Conditional}
	c := Customer{X: 2, Recency: 30.43, Age: 38.86, Mean: 22.35}
	v := p.Predict(c)
	if off(v.Purchases, m.Conditional(365/7., 2, 30.43, 38.86)) > 1e-12 || off(v.Discounted, v.Spend) > 1e-12 || off(v.Spend, v.Purchases*g.Conditional(2, 22.35)) > 1e-12 {
		t.Errorf("without discount: %+v", v)
	}
	p.DiscountRate = 0.1
	d := p.Predict(c)
	if !(d.Discounted < d.Spend && d.Discounted > d.Spend/1.1) || d.Spend != v.Spend {
		t.Errorf("discounted: %+v", d)
	}
	all := p.PredictAll([]Customer{c, {Age: 3}, c})
	if all[0] != d || all[2] != d || all[1] != p.Predict(Customer{Age: 3}) {
		t.Errorf("together %+v, alone %+v", all, d)
	}
}

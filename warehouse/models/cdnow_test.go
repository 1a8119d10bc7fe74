package models

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/ingest/history"
)

// buyer is a customer of the sample up to the end of calibration, and after it.
type buyer struct {
	Customer
	later      int     // purchases after it
	laterSpend float64 // dollars
}

// cdnowBuyers reads the sample: weeks, one purchase a day, calibration to the end
// of 30 September 1997, hold-out to the end of the data, 39 weeks later.
func cdnowBuyers(t testing.TB) []buyer {
	t.Helper()
	text, err := history.Data.ReadFile(history.CDNOWSample)
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]map[time.Time]float64{}
	for row := range strings.Lines(string(text)) {
		f := strings.Fields(row)
		day, err := time.Parse("20060102", f[2])
		if err != nil {
			t.Fatal(err)
		}
		dollars, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		if days[f[0]] == nil {
			days[f[0]] = map[time.Time]float64{}
		}
		days[f[0]][day] += dollars
	}
	end := time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC)
	weeks := func(d time.Duration) float64 { return d.Hours() / 24 / 7 }
	var out []buyer
	for _, spend := range days {
		var b buyer
		var first, last time.Time
		for _, day := range sortedDays(spend) {
			switch {
			case day.After(end):
				b.later++
				b.laterSpend += spend[day]
			case first.IsZero():
				first, last = day, day
			default:
				b.X, last = b.X+1, day
				b.Mean += spend[day]
			}
		}
		b.Recency, b.Age = weeks(last.Sub(first)), weeks(end.Sub(first))
		if b.X > 0 {
			b.Mean /= float64(b.X)
		}
		out = append(out, b)
	}
	return out
}

func sortedDays(m map[time.Time]float64) []time.Time {
	var out []time.Time
	for d := range m {
		out = append(out, d)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

func cdnowCells(t testing.TB) ([]buyer, []Customer) {
	buyers := cdnowBuyers(t)
	customers := make([]Customer, len(buyers))
	for i, b := range buyers {
		customers[i] = b.Customer
	}
	return buyers, customers
}

// near asks for a figure as it is printed: within half a unit of its last digit.
func near(t *testing.T, what string, have float64, printed string) {
	t.Helper()
	want, err := strconv.ParseFloat(printed, 64)
	if err != nil {
		t.Fatal(err)
	}
	_, fraction, _ := strings.Cut(printed, ".")
	if !(math.Abs(have-want) <= 0.5000001*math.Pow10(-len(fraction))) {
		t.Errorf("%s is %.9g, in print %s", what, have, printed)
	}
}

// Fader, Hardie & Lee 2005, table 2 and section 5; the workbook that goes with it.
func TestBGNBDOfCDNOW(t *testing.T) {
	_, customers := cdnowCells(t)
	m, fit, err := FitBGNBD(Count(customers))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", fit)
	near(t, "customers", fit.Customers, "2357")
	for i, want := range []string{".2426", "4.414", ".793", "2.426"} {
		near(t, fit.Names[i], fit.Values[i], want)
	}
	for i, want := range []string{".012557", ".378224", ".185734", ".705414"} {
		near(t, "the standard error of "+fit.Names[i], fit.StandardErrors[i], want)
	}
	near(t, "the log-likelihood", fit.LogLikelihood, "-9582.429")
	if math.Abs(fit.LogLikelihood+9582.4292066739) > 1e-6 {
		t.Errorf("the log-likelihood is %.10f", fit.LogLikelihood)
	}
	for _, e := range []struct {
		t    float64
		want string
	}{{1, ".0532"}, {3, ".1506"}, {32, "1.0437"}} {
		near(t, "E[X(t)]", m.Expected(e.t), e.want)
	}
	// In print 1.8576 at 78 weeks: the workbook's series, cut after 150 terms, where
	// those left out are still 0.0003. The whole series is 1.85796, and so is the
	// expectation as an integral over p, which needs no series.
	z := 78 / (m.Alpha + 78)
	term, cut := 1.0, 1.0
	for k := range 150 {
		n := float64(k)
		term *= (m.R + n) * (m.B + n) / ((m.A + m.B - 1 + n) * (n + 1)) * z
		cut += term
	}
	near(t, "E[X(78)] of the workbook", (m.A+m.B-1)/(m.A-1)*(1-math.Pow(1-z, m.R)*cut), "1.8576")
	if have, want := m.Expected(78), expectedByDropout(m, 78); math.Abs(have/want-1) > 1e-7 {
		t.Errorf("E[X(78)] is %.10g, as an integral %.10g", have, want)
	}
	near(t, "E[X(78)]", m.Expected(78), "1.85796")
	near(t, "E[Y(39)] of the first customer", m.Conditional(39, 2, 30.43, 38.86), "1.226")
	near(t, "P(alive) of the first customer", m.Alive(2, 30.43, 38.86), ".7266")
}

// expectedByDropout is E[X(t)] = ∫ (1 − (α/(α+pt))^r)/p Beta(p; a, b) dp by midpoints in
// u = p^¼, which makes the integrand smooth at 0.
func expectedByDropout(m BGNBD, t float64) float64 {
	const n = 400_000
	sum := 0.0
	for i := range n {
		u := (float64(i) + 0.5) / n
		p := u * u * u * u
		sum += (1 - math.Pow(m.Alpha/(m.Alpha+p*t), m.R)) / p * math.Pow(p, m.A-1) * math.Pow(1-p, m.B-1) * 4 * u * u * u / n
	}
	return sum / math.Exp(lgamma(m.A)+lgamma(m.B)-lgamma(m.A+m.B))
}

// Fader & Hardie 2005, a note on the Pareto/NBD; Fader, Hardie & Lee 2005, table 2.
func TestParetoNBDOfCDNOW(t *testing.T) {
	_, customers := cdnowCells(t)
	_, fit, err := FitParetoNBD(Count(customers))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", fit)
	for i, want := range []string{".553", "10.578", ".606", "11.669"} {
		near(t, fit.Names[i], fit.Values[i], want)
	}
	near(t, "the log-likelihood", fit.LogLikelihood, "-9594.976")
}

// Fader & Hardie 2013, "The Gamma-Gamma model of monetary value".
func TestGammaGammaOfCDNOW(t *testing.T) {
	_, customers := cdnowCells(t)
	_, fit, err := FitGammaGamma(CountSpend(customers))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", fit)
	near(t, "customers", fit.Customers, "946")
	for i, want := range []string{"6.25", "3.74", "15.44"} {
		near(t, fit.Names[i], fit.Values[i], want)
	}
	near(t, "the log-likelihood", fit.LogLikelihood, "-4055.918")
}

// The spend of the 39 weeks after calibration, predicted: Σ over all 2,357
// customers of BG/NBD's E[Y(39)] times Gamma-Gamma's expected spend per purchase,
// one-time buyers with the mean of all, pγ/(q−1); actual: all dollars of these
// weeks. This is how lifetime-value workbooks of the sample multiply the two models;
// the repeat buyers alone make 48,761.58, and Pareto/NBD's purchases 60,449.31.
func TestSpendOfCDNOW(t *testing.T) {
	buyers, customers := cdnowCells(t)
	m, _, err := FitBGNBD(Count(customers))
	if err != nil {
		t.Fatal(err)
	}
	g, _, err := FitGammaGamma(CountSpend(customers))
	if err != nil {
		t.Fatal(err)
	}
	predicted, actual := 0.0, 0.0
	for _, b := range buyers {
		predicted += m.Conditional(39, b.X, b.Recency, b.Age) * g.Conditional(b.X, b.Mean)
		actual += b.laterSpend
	}
	near(t, "the predicted spend", predicted, "59931.63")
	near(t, "the actual spend", actual, "70976.39")
}

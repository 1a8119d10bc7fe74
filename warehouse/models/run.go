package models

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/punchcard/punchcard/warehouse"
)

// Options say how to run.
type Options struct {
	// Now is the wall clock: the run's time and id.
	Now time.Time
	// DiscountRate is yearly; 0 is DefaultDiscountRate. At most 1.
	DiscountRate float64
}

// What predictions take from a model.
const (
	UsedForPurchases  = "expected_purchases"
	UsedForAlive      = "p_alive"
	UsedForOrderValue = "order_value"
)

// modelMean is the name where Gamma-Gamma has no fit, or no mean.
const modelMean = "mean of repeat purchases"

// ModelRun is one model of a run.
type ModelRun struct {
	Fit
	// Problem says why there is no fit; nil: there is.
	Problem error
	// UsedFor is what the predictions take from it: one of the constants, or nothing.
	UsedFor string
	// Test is the back-test: of the model fitted on the calibration alone.
	Test Backtest
	// Caveat must stand beside the figures.
	Caveat string
}

// Report is a run.
type Report struct {
	RunID             string
	Time              time.Time
	AsOf, Cut         time.Time // days: the last one known, and that of the calibration
	Currency          string
	Customers         int
	Orders, Simulated int64 // real orders, and simulated ones that do not count
	DiscountRate      float64
	Models            []ModelRun
	// Spend and Discounted are the sums of the predictions, major units;
	// Purchases and Alive those of expected purchases and of P(alive).
	Purchases, Alive, Spend, Discounted float64
	// Predictions are of customers, by id ascending.
	ids       []string
	customers []Customer
	values    []Value
	models    [3]string // of purchases, alive, order value
}

// Run reads the customers as of the newest tick, fits all models, tests them on
// the last quarter of the time, predicts 12 months and writes it all to model_runs
// and model_predictions. w must be able to write. Errors: ErrTooFew,
// ErrNotConverged (no purchase model has a fit), what the warehouse says.
func Run(ctx context.Context, w *warehouse.Warehouse, o Options) (*Report, error) {
	if o.DiscountRate == 0 {
		o.DiscountRate = DefaultDiscountRate
	}
	if !(o.DiscountRate > 0 && o.DiscountRate <= maxDiscountRate) {
		return nil, fmt.Errorf("models: a discount rate of %v a year: it must be above 0 and at most %v", o.DiscountRate, maxDiscountRate)
	}
	p, err := read(ctx, w)
	if err != nil {
		return nil, err
	}
	r, err := p.fit(o)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r, r.write(ctx, w)
}

// Daily is Run unless a run of the same UTC day (of o.Now) is there; nil then.
func Daily(ctx context.Context, w *warehouse.Warehouse, o Options) (*Report, error) {
	_, rows, err := w.Ask(ctx, "SELECT toString(toDate(max(run_time))) FROM model_runs", nil)
	if err != nil {
		return nil, err
	}
	if len(rows) == 1 && fmt.Sprint(rows[0][0]) == o.Now.UTC().Format(time.DateOnly) {
		return nil, nil
	}
	return Run(ctx, w, o)
}

// Places in fits.
const (
	bgIndex = iota
	mbgIndex
	paretoIndex
	nbdIndex
	spendIndex
)

// noDropout is the mean P(alive) above which the data show nobody leaving.
const noDropout = 0.99

// fits are all models of the same customers.
type fits struct {
	purchases [4]Purchases // BG/NBD, MBG/NBD, Pareto/NBD, NBD; nil without a fit
	runs      [5]ModelRun
	spend     *GammaGamma
	mean      float64 // of the repeat purchases
}

func fitAll(customers []Customer) *fits {
	f := &fits{}
	cells, spends := Count(customers), CountSpend(customers)
	keep := func(i int, m Purchases, fit Fit, err error) {
		f.runs[i] = ModelRun{Fit: fit, Problem: err}
		if err == nil {
			f.purchases[i] = m
		}
	}
	bg, fit, err := FitBGNBD(cells)
	keep(bgIndex, bg, fit, err)
	mbg, fit, err := FitMBGNBD(cells)
	keep(mbgIndex, mbg, fit, err)
	pareto, fit, err := FitParetoNBD(cells)
	keep(paretoIndex, pareto, fit, err)
	nbd, fit, err := FitNBD(cells)
	keep(nbdIndex, nbd, fit, err)
	gg, fit, err := FitGammaGamma(spends)
	f.runs[spendIndex] = ModelRun{Fit: fit, Problem: err}
	if err == nil {
		f.spend = &gg
	}
	sum, n := 0.0, 0.0
	for i := range customers {
		sum, n = sum+customers[i].Mean*float64(customers[i].X), n+float64(customers[i].X)
	}
	f.mean = math.Max(sum/math.Max(n, 1), 0)
	return f
}

// orderValue is Gamma-Gamma's, or where it has no fit or no mean, that of all
// repeat purchases.
func (f *fits) orderValue() (of func(x int, mean float64) float64, name string) {
	if f.spend == nil || f.spend.Q <= 1 {
		return func(int, float64) float64 { return f.mean }, modelMean
	}
	return func(x int, mean float64) float64 {
		// The model knows no purchases for nothing: who has only those counts as new.
		if mean <= 0 {
			x = 0
		}
		return f.spend.Conditional(x, mean)
	}, NameGammaGamma
}

// choose takes expected purchases from BG/NBD and P(alive) from Pareto/NBD, whose
// one-time buyers fade. MBG/NBD stands in for either, NBD where none of them has a
// maximum: the data show no dropout then, and NBD is what they all come to.
func (f *fits) choose() (purchases, alive int, err error) {
	purchases, alive = -1, -1
	for _, i := range []int{bgIndex, mbgIndex, paretoIndex, nbdIndex} {
		if purchases < 0 && f.purchases[i] != nil {
			purchases = i
		}
	}
	for _, i := range []int{paretoIndex, mbgIndex, nbdIndex} {
		if alive < 0 && f.purchases[i] != nil {
			alive = i
		}
	}
	if purchases < 0 || alive < 0 {
		return 0, 0, errors.Join(f.runs[bgIndex].Problem, f.runs[mbgIndex].Problem, f.runs[paretoIndex].Problem, f.runs[nbdIndex].Problem)
	}
	return purchases, alive, nil
}

func (p *population) fit(o Options) (*Report, error) {
	s := &p.scope
	now := o.Now.UTC().Truncate(time.Millisecond)
	r := &Report{RunID: now.Format("2006-01-02T15:04:05.000Z"), Time: now, AsOf: s.asOf, Cut: s.cut, Currency: s.currency,
		Customers: len(p.ids), Orders: s.real, Simulated: s.simulated, DiscountRate: o.DiscountRate, ids: p.ids, customers: p.customers}
	all := fitAll(p.customers)
	purchases, alive, err := all.choose()
	if err != nil {
		return nil, err
	}
	value, valueName := all.orderValue()
	predictor := Predictor{Purchases: all.purchases[purchases], Alive: all.purchases[alive], OrderValue: value, DiscountRate: o.DiscountRate}
	r.values = predictor.PredictAll(p.customers)
	for i := range r.values {
		v := &r.values[i]
		if math.IsNaN(v.Spend) || math.IsNaN(v.Alive) || math.IsInf(v.Spend, 0) {
			return nil, fmt.Errorf("models: customer %s has no prediction: %+v of %+v", p.ids[i], *v, p.customers[i])
		}
		r.Purchases, r.Alive, r.Spend, r.Discounted = r.Purchases+v.Purchases, r.Alive+v.Alive, r.Spend+v.Spend, r.Discounted+v.Discounted
	}
	r.models = [3]string{predictor.Purchases.Name(), predictor.Alive.Name(), valueName}
	all.runs[purchases].UsedFor = UsedForPurchases
	if alive == purchases {
		all.runs[purchases].UsedFor += ", " + UsedForAlive
	} else {
		all.runs[alive].UsedFor = UsedForAlive
	}
	if valueName == NameGammaGamma {
		all.runs[spendIndex].UsedFor = UsedForOrderValue
	}
	p.backtest(all)
	all.caveats(p.customers)
	if mean := r.Alive / float64(r.Customers); mean > noDropout {
		all.runs[alive].Caveat += fmt.Sprintf(" These data show almost nobody leaving: P(alive) is %.3f on average and tells customers apart by nothing. Take churn from the days since the last order. (Data that begin in the middle of customers' lives, or end in the high season, do this.)", mean)
	}
	r.Models = all.runs[:]
	return r, nil
}

// backtest fits the calibration and predicts what came after it.
func (p *population) backtest(all *fits) {
	weeks := float64(days(p.scope.cut, p.scope.asOf)) / week
	early := fitAll(p.calibration)
	value, _ := early.orderValue()
	for i := range early.purchases {
		if m := early.purchases[i]; m != nil && all.runs[i].Problem == nil {
			all.runs[i].Test = TestPurchases(m, value, p.calibration, p.later, weeks)
		}
	}
	if early.spend != nil && all.runs[spendIndex].Problem == nil {
		all.runs[spendIndex].Test = TestSpend(value, p.calibration, p.later, weeks)
	}
}

func (f *fits) caveats(customers []Customer) {
	f.runs[bgIndex].Caveat = CaveatBGNBD
	f.runs[mbgIndex].Caveat = "MBG/NBD lets customers leave right after any purchase, also the first, and at no other moment."
	f.runs[paretoIndex].Caveat = "Pareto/NBD lets customers leave at any moment, at a rate that stays the same for each."
	f.runs[nbdIndex].Caveat = "NBD lets nobody leave at all. It is here to compare, and stands in where the others find no dropout in the data."
	f.runs[spendIndex].Caveat = fmt.Sprintf("Gamma-Gamma takes spend per purchase to be independent of how often one buys; among these customers the correlation is %+.2f.", correlation(customers))
	if f.spend != nil && f.spend.Q <= 1 {
		f.runs[spendIndex].Caveat += " With q at most 1 it has no mean: the mean of all repeat purchases is used instead."
	}
	for i := range f.runs {
		if f.runs[i].Problem == nil && f.runs[i].Test.Weeks == 0 {
			f.runs[i].Caveat += " Not back-tested: there is no fit on the calibration."
		}
	}
}

// correlation of the number and the mean spend of repeat purchases; 0 where it is
// not defined.
func correlation(customers []Customer) float64 {
	var n, x, y, xx, yy, xy float64
	for i := range customers {
		if c := &customers[i]; c.X > 0 && c.Mean > 0 {
			a, b := float64(c.X), c.Mean
			n, x, y, xx, yy, xy = n+1, x+a, y+b, xx+a*a, yy+b*b, xy+a*b
		}
	}
	if d := (n*xx - x*x) * (n*yy - y*y); d > 0 {
		return (n*xy - x*y) / math.Sqrt(d)
	}
	return 0
}

package models

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"
)

// BenchmarkRun is all of a run: read from the engine, fit, back-test, predict, write.
func BenchmarkRun(b *testing.B) {
	const n = 100_000
	w := empty(b)
	s := newShop(1)
	end := time.Date(2025, 12, 31, 12, 0, 0, 0, time.UTC)
	pareto, spend := ParetoNBD{0.55, 10.5, 0.6, 11.7}, GammaGamma{6.25, 3.74, 15.44}
	var orders []order
	for i := range n {
		age := 10 + 94*s.rng.Float64()
		nu, rate, life := s.gamma(spend.Q, spend.Gamma), s.gamma(pareto.R, pareto.Alpha), s.exponential(s.gamma(pareto.S, pareto.Beta))
		for at := 0.0; at <= math.Min(age, life); at += s.exponential(rate) {
			day := end.AddDate(0, 0, -int((age-at)*7))
			orders = append(orders, order{account: fmt.Sprint("c", i), id: fmt.Sprint("o", len(orders)), currency: "USD", at: day, minor: int64(100 * s.gamma(spend.P, nu))})
		}
	}
	insert(b, w, orders)
	tell(b, w, "INSERT INTO entries (sequence, entry_time) VALUES (1, '2025-12-31 23:00:00')")
	b.ReportMetric(float64(len(orders)), "orders")
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		p, err := read(context.Background(), w)
		if err != nil {
			b.Fatal(err)
		}
		read := time.Since(began)
		r, err := p.fit(Options{Now: end.AddDate(0, 0, i), DiscountRate: DefaultDiscountRate})
		if err != nil {
			b.Fatal(err)
		}
		fit := time.Since(began)
		if err := r.write(context.Background(), w); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(read.Seconds(), "read-s")
		b.ReportMetric((fit - read).Seconds(), "fit+test+predict-s")
		b.ReportMetric((time.Since(began) - fit).Seconds(), "write-s")
		b.ReportMetric(float64(r.Models[0].Cells), "cells")
	}
}

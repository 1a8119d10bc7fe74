package program

import (
	"fmt"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// BenchmarkApplyOrder: orders of two lines of members with some history, on a
// warm state in memory.
func BenchmarkApplyOrder(b *testing.B) {
	book := testBook()
	book.RFM.Method = ScorePopulation
	w := newWorld(b, book)
	w.m.CutPoints = &event.CutPoints{Day: day0, Customers: 4_000, RecencyDays5: [4]int64{50, 100, 200, 500}, OrdersCount5: [4]int64{5, 10, 15, 30}, SpendMinor5: [4]int64{50_000, 100_000, 200_000, 400_000}}
	const customers = 1_000
	ids := make([]string, customers)
	for i := range ids {
		ids[i] = fmt.Sprintf("customer-%05d", i)
		w.apply(named(ids[i], event.NameSignedUp, noon(0)))
	}
	for day := range 5 {
		w.to(noon(day), ids...)
		for i, id := range ids {
			w.apply(orderOf(id, fmt.Sprintf("warm-%d-%d", day, i), noon(day), line("A", 2, 1_999), line("B", 1, 2_499)))
		}
	}
	orders := make([]event.Event, b.N)
	for i := range orders {
		orders[i] = orderOf(ids[i%customers], fmt.Sprintf("order-%08d", i), w.m.Clock, line("A", 2, 1_999), line("B", 1, 2_499))
		orders[i].MessageID = "m"
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range orders {
		var e event.Entry
		w.l.Apply(w.st, w.m, &orders[i], &e)
	}
}

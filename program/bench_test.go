package program

import (
	"fmt"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// warmState keeps cores and histograms and writes new orders, index keys and
// lots to nowhere: what is measured is the rules and the encoding, not the growth
// of a map.
type warmState struct{ *MemState }

func (s warmState) Put(key, value []byte, due event.Time) {
	switch key[0] {
	case kindOrder, kindNewest, kindLot:
		return
	}
	v, known := s.values[string(key)]
	if !known {
		s.MemState.Put(key, value, due)
		return
	}
	v.value, v.due = append(v.value[:0], value...), due
	s.values[string(key)] = v
}

// BenchmarkApplyOrder: orders of two lines of members with some history.
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
	st := warmState{w.st}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range orders {
		var e event.Entry
		w.l.Apply(st, w.m, &orders[i], &e)
	}
}

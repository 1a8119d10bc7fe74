package segments

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// quietState keeps what there is up to date and forgets what orders add for ever:
// what is measured is the rules, not the growth of a map.
type quietState struct{ *program.MemState }

func (s quietState) Put(key, value []byte, due event.Time) {
	switch key[0] {
	case 'o', 'n', 'l', kindEvent:
		return
	}
	s.MemState.Put(key, value, due)
}

// cpuTime is what the process has computed so far, in nanoseconds: of a machine
// that others use at the same time, the truer measure.
func cpuTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// benchSet makes n different segments, as a shop would have them: some on what
// customers bought, some on their standing, on events and facts, some nested.
func benchSet(b *testing.B, n int) *Set {
	files := map[string]string{}
	for i := range n {
		v := i/10 + 1
		var who string
		switch i % 10 {
		case 0:
			who = fmt.Sprintf("{all: [{member: true}, {days_since_last_order: {more_than: %d}}, {orders: {at_least: %d}}]}", 5+v, 1+v%5)
		case 1:
			who = fmt.Sprintf("{count: {of: order, in: %d days, at_least: %d}}", 30+v%300, 5+v%40)
		case 2:
			who = fmt.Sprintf("{sum: {of: order, in: %d days, at_least: %d.00}}", 30+v%300, 300+100*v)
		case 3:
			who = fmt.Sprintf("{all: [{tier: {at_least: silver}}, {balance: {at_least: %d}}, {not: {recency: {at_most: %d}}}]}", 500*v, 1+v%5)
		case 4:
			who = fmt.Sprintf("{all: [{count: {of: Product Viewed, where: {category: c%d}, in: 30 days, at_least: 2}}, {never: {of: order, where: {category: c%d}}}]}", v, v)
		case 5:
			who = fmt.Sprintf("{any: [{spend: {at_least: %d.00}}, {all: [{frequency: {at_least: %d}}, {tier: gold}]}]}", 500*v, 1+v%5)
		case 6:
			who = fmt.Sprintf("{all: [{fact: {name: country, is: C%d}}, {fact: {name: consent.email, is: true}}]}", v)
		case 7:
			who = fmt.Sprintf("{overdue: {times: %d.%02d, orders: 3}}", 1+v%4, v%100)
		case 8:
			who = fmt.Sprintf("{all: [{days_to_expiry: {at_most: %d}}, {expiring_points: {at_least: %d}}]}", v%60, v)
		case 9:
			who = fmt.Sprintf("{all: [{segment: s%d}, {segment: s%d}]}", i-9, i-7)
		}
		files[fmt.Sprintf("segments/s%d.yaml", i)] = "who: " + who
	}
	return mustParse(b, testBook(b), files)
}

func benchmarkOrders(b *testing.B, n int) {
	var s *Set
	if n > 0 {
		s = benchSet(b, n)
	}
	w := newWorld(b, testBook(b), s)
	const customers = 500
	ids := make([]string, customers)
	start := event.Day(20_000).Start(time.UTC)
	for i := range ids {
		ids[i] = fmt.Sprintf("customer-%05d", i)
		w.m.Clock = start
		w.apply(event.Event{AccountID: ids[i], Name: event.NameSignedUp, EventTime: start})
		w.apply(event.Event{AccountID: ids[i], Type: event.TypeIdentify, EventTime: start, Traits: props("country", fmt.Sprintf("C%d", i%30), "consent.email", true)})
	}
	for day := range 5 {
		w.m.Clock = start.Add(time.Duration(day*9) * 24 * time.Hour)
		for i, id := range ids {
			w.to(w.m.Clock, id)
			w.apply(orderOf(id, fmt.Sprintf("warm-%d-%d", day, i), w.m.Clock, int64(1_999+37*i)))
			w.apply(event.Event{AccountID: id, Name: "Product Viewed", EventTime: w.m.Clock, Properties: props("category", fmt.Sprintf("c%d", i%20))})
		}
	}
	orders := make([]event.Event, b.N)
	for i := range orders {
		orders[i] = orderOf(ids[i%customers], fmt.Sprintf("order-%08d", i), w.m.Clock, 2_499)
		orders[i].MessageID, orders[i].Type = "m", event.TypeTrack
	}
	st := quietState{w.st}
	in := Input{Clock: w.m.Clock, Cause: event.SegmentByEvent}
	members := 0
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for i := range orders {
		e := event.Entry{Sequence: int64(i)}
		w.lib.Apply(st, w.m, &orders[i], &e)
		in.Event = &orders[i]
		w.keeper.Step(st, s, in, &e)
		members += len(e.Standing.Segments)
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(members)/float64(b.N), "segments/customer")
}

func BenchmarkOrders(b *testing.B) {
	for _, n := range []int{0, 10, 100, 1000} {
		b.Run(fmt.Sprintf("segments=%d", n), func(b *testing.B) { benchmarkOrders(b, n) })
	}
}

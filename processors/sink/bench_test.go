package sink

import (
	"fmt"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event/stream"
)

// BenchmarkImport carries history like the real one: orders of 25 lines, with
// points and standing.
func BenchmarkImport(b *testing.B) {
	w := newWorld(b)
	const orders, lines = 20_000, 25
	var recs []*stream.Record
	rows := 0
	for range orders {
		e := w.ledger.next()
		for e.Standing == nil || e.Order == nil || len(e.Order.Lines) == 0 {
			recs = append(recs, w.record(e))
			e = w.ledger.next()
		}
		for len(e.Order.Lines) < lines {
			l := e.Order.Lines[0]
			l.ProductID = fmt.Sprint("p", len(e.Order.Lines))
			e.Order.Lines = append(e.Order.Lines, l)
		}
		rows += lines + 9
		recs = append(recs, w.record(e))
	}
	must(b, w.publisher.Publish(b.Context(), recs...))
	b.ResetTimer()
	for b.Loop() {
		c := w.config()
		c.CollectFor = DefaultCollectFor
		s := New(c)
		started := time.Now()
		stop := w.run(s)
		must(b, s.WaitFor(b.Context(), w.ledger.sequence))
		took := time.Since(started).Seconds()
		must(b, stop())
		b.ReportMetric(float64(rows)/took, "rows/s")
		b.ReportMetric(float64(len(recs))/took, "entries/s")
		b.StopTimer()
		started = time.Now()
		w.verify()
		b.ReportMetric(time.Since(started).Seconds(), "s/verify")
		for _, t := range tableNames {
			w.ask("TRUNCATE TABLE " + t)
		}
		b.StartTimer()
	}
}

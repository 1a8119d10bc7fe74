package customer

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
)

// BenchmarkCustomerSegments is the whole customer processor of BenchmarkCustomer
// with that many segments. Run it with the same fixed count for all. cpu-µs/event is
// of the whole process, broker and all: of a machine that others use too, the truer
// measure.
func BenchmarkCustomerSegments(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	cost, computed := map[int]float64{}, map[int]float64{}
	for _, n := range []int{0, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := benchCluster(b)
			fill(b, c, benchSegments(n))
			b.ResetTimer()
			before := cpuTime()
			runProcessor(b, c)
			computed[n] = float64(cpuTime()-before) / 1e3 / float64(b.N)
			cost[n] = float64(b.Elapsed().Microseconds()) / float64(b.N)
			b.ReportMetric(computed[n], "cpu-µs/event")
			report(b)
		})
	}
	if cost[10] > 0 && cost[1000] > 0 {
		for _, c := range []struct {
			what string
			of   map[int]float64
		}{{"takes", cost}, {"computes", computed}} {
			fmt.Fprintf(os.Stderr, "segments: an event %s %.0f µs with none, %.0f with 10, %.0f with 100, %.0f with 1,000; 1,000 cost %.2f × 10\n",
				c.what, c.of[0], c.of[10], c.of[100], c.of[1000], c.of[1000]/c.of[10])
		}
	}
}

func cpuTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// benchSegments makes n different segments, as a shop would have them: on orders,
// on their lines, on how a customer stands, on what has not happened, nested.
func benchSegments(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		v := i/10 + 1
		var who string
		switch i % 10 {
		case 0:
			who = fmt.Sprintf("{all: [{member: true}, {days_since_last_order: {more_than: %d}}, {orders: {at_least: %d}}]}", 5+v, 1+v%5)
		case 1:
			who = fmt.Sprintf("{count: {of: order, in: %d days, at_least: %d}}", 30+v%300, 2+v%20)
		case 2:
			who = fmt.Sprintf("{sum: {of: order, in: %d days, at_least: %d.00}}", 30+v%300, 20*v)
		case 3:
			who = fmt.Sprintf("{all: [{tier: {at_least: gold}}, {balance: {at_least: %d}}, {not: {recency: {at_most: %d}}}]}", 20*v, 1+v%5)
		case 4:
			who = fmt.Sprintf("{count: {of: order, where: {product: SKU-%d}, in: 90 days, at_least: 1}}", 7*v)
		case 5:
			who = fmt.Sprintf("{any: [{spend: {at_least: %d.00}}, {all: [{frequency: {at_least: %d}}, {tier: gold}]}]}", 20*v, 1+v%5)
		case 6:
			who = fmt.Sprintf("{all: [{fact: {name: country, is: C%d}}, {never: Product Reviewed}]}", v)
		case 7:
			who = fmt.Sprintf("{overdue: {times: %d.%02d, orders: 3}}", 1+v%4, v%100)
		case 8:
			who = fmt.Sprintf("{all: [{days_to_expiry: {at_most: %d}}, {expiring_points: {at_least: %d}}]}", 1+v%10, v)
		case 9:
			who = fmt.Sprintf("{all: [{segment: s%d}, {segment: s%d}]}", i-9, i-7)
		}
		files[fmt.Sprintf("segments/s%d.yaml", i)] = "who: " + who + "\n"
	}
	return files
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// Latency as a shop sees it, on the real program. Benchmarks never fail a build:
// they print. The load is open loop: an event is due at its time whether the last
// one is answered or not, and its latency counts from that time.

const (
	benchRate      = 1000 // events a second
	benchSeconds   = 15
	benchCustomers = 20_000
	benchRedeems   = 50 // redemptions a second
)

// servedPlace is a running program with a small bundle.
func servedPlace(b testing.TB) *place {
	p := newPlace(b)
	dir := filepath.Join(b.TempDir(), "bundle")
	p.mustRun("program", "new", dir)
	pr := p.spawn("serve")
	until(b, "listening", time.Minute, func() bool {
		r, err := findRunning(&Settings{Data: p.data})
		return err == nil && r != nil
	})
	p.mustRun("program", "activate", dir)
	p.awaitReady(pr, time.Minute)
	return p
}

// BenchmarkEntryLatency: from the time an event is due to be published until a
// read_committed consumer has its entry.
func BenchmarkEntryLatency(b *testing.B) {
	p := servedPlace(b)
	ctx := context.Background()
	r, err := findRunning(&Settings{Data: p.data})
	if err != nil || r == nil {
		b.Fatal(err)
	}
	prefix := (&Settings{Tenant: p.tenant}).prefix()
	c, err := stream.Open(ctx, stream.Config{Brokers: r.Kafka, ClientID: "bench", Prefix: prefix})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	pub, err := c.Publisher(stream.PublisherOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer pub.Close()
	b.ResetTimer()
	for range b.N {
		report(b, "event → entry", measureEntries(ctx, b, c, pub, prefix))
	}
}

func measureEntries(ctx context.Context, b *testing.B, c *stream.Cluster, pub *stream.Publisher, prefix string) []time.Duration {
	run := fmt.Sprintf("bench-%d-", time.Now().UnixNano())
	total := benchRate * benchSeconds
	due := make([]time.Time, total)
	seen := make(chan []time.Duration, 1)
	ready := make(chan struct{})
	go func() { seen <- awaitEntries(ctx, b, c, run, due, ready) }()
	<-ready
	start := time.Now().Add(100 * time.Millisecond)
	for i := range total {
		due[i] = start.Add(time.Duration(i) * time.Second / benchRate)
	}
	for i := range total {
		time.Sleep(time.Until(due[i])) // the open loop's own rhythm
		e := event.Event{
			Type: event.TypeTrack, Name: event.NameOrderCompleted, MessageID: fmt.Sprintf("%s%d", run, i),
			AccountID: fmt.Sprintf("c%d", i*7919%benchCustomers), EventTime: wallClock(),
			Order: &event.Order{OrderID: fmt.Sprintf("%s%d", run, i), Currency: "GBP", Lines: []event.OrderLine{
				{ProductID: "p1", Quantity: 2, AmountMinor: 1999}, {ProductID: "p2", Quantity: 1, AmountMinor: 550},
			}},
		}
		value, err := e.Encode()
		if err != nil {
			b.Error(err)
		}
		pub.Send(ctx, &stream.Record{Topic: prefix + event.TopicEvents, Key: []byte(e.AccountID), Value: value}, func(_ *stream.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	select {
	case d := <-seen:
		return d
	case <-time.After(time.Minute):
		b.Fatal("not all entries came within a minute")
		return nil
	}
}

// awaitEntries reads the ledger from its end until each event has its entry.
func awaitEntries(ctx context.Context, b *testing.B, c *stream.Cluster, run string, due []time.Time, ready chan<- struct{}) []time.Duration {
	ends, err := c.Ends(ctx, event.TopicLedger, stream.ReadUncommitted)
	if err != nil {
		b.Error(err)
	}
	from := map[int32]int64{}
	for p, r := range ends {
		from[p] = r.End
	}
	r, err := c.Reader(ctx, stream.ReaderOptions{Topic: event.TopicLedger, Partitions: from, Isolation: stream.ReadCommitted})
	if err != nil {
		b.Error(err)
	}
	defer r.Close()
	close(ready)
	got := map[int]bool{}
	out := make([]time.Duration, 0, len(due))
	for len(got) < len(due) {
		recs, err := r.Poll(ctx, 10_000)
		if err != nil {
			b.Error(err)
			return out
		}
		now := time.Now()
		for _, rec := range recs {
			var e event.Entry
			if event.DecodeEntry(rec.Value, &e) != nil || e.Kind != event.KindEvent || !strings.HasPrefix(e.Cause.ID, run) {
				continue
			}
			var i int
			if _, err := fmt.Sscan(e.Cause.ID[len(run):], &i); err == nil && !got[i] {
				got[i] = true
				out = append(out, now.Sub(due[i]))
			}
		}
	}
	return out
}

// BenchmarkRedemption: one HTTP call from the till to the new balance.
func BenchmarkRedemption(b *testing.B) {
	p := servedPlace(b)
	ctx := context.Background()
	p.giveEachPoints(ctx, 200)
	b.ResetTimer()
	for range b.N {
		var mu sync.Mutex
		var wg sync.WaitGroup
		var out []time.Duration
		start, run := time.Now(), time.Now().UnixNano()
		for i := range benchRedeems * benchSeconds {
			due := start.Add(time.Duration(i) * time.Second / benchRedeems)
			time.Sleep(time.Until(due)) // the open loop's own rhythm
			wg.Go(func() {
				status, answer, err := p.call(ctx, "server", "/v1/redemptions", map[string]any{
					"idempotency_key": fmt.Sprintf("r%d-%d", run, i), "customer_id": fmt.Sprintf("c%d", i%200), "points": 100,
				})
				if err != nil || status != 200 && status != 422 {
					b.Errorf("redemption: %d %v %v", status, answer, err)
				}
				mu.Lock()
				defer mu.Unlock()
				out = append(out, time.Since(due))
			})
		}
		wg.Wait()
		report(b, "redemption in one call", out)
	}
}

// giveEachPoints lets customers c0…cN order once each, so that they have points.
func (p *place) giveEachPoints(ctx context.Context, customers int) {
	p.t.Helper()
	for i := range customers {
		status, answer, err := p.call(ctx, "server", "/v1/batch", map[string]any{"batch": []map[string]any{
			{"type": "track", "event": event.NameSignedUp, "userId": fmt.Sprintf("c%d", i), "messageId": fmt.Sprintf("s%d", i)},
			{"type": "track", "event": event.NameOrderCompleted, "userId": fmt.Sprintf("c%d", i), "messageId": fmt.Sprintf("o%d", i), "properties": map[string]any{
				"order_id": fmt.Sprintf("o%d", i), "currency": "GBP", "products": []map[string]any{{"product_id": "p", "price": "9000.00", "quantity": 1}},
			}},
		}})
		if err != nil || status != 200 {
			text, _ := json.Marshal(answer)
			p.t.Fatalf("order: %d %s %v", status, text, err)
		}
	}
}

// report prints the distribution and hands it to the benchmark.
func report(b *testing.B, what string, d []time.Duration) {
	slices.Sort(d)
	if len(d) == 0 {
		b.Error(what, ": nothing measured")
		return
	}
	at := func(q float64) time.Duration { return d[min(len(d)-1, int(q*float64(len(d))))] }
	broker := "embedded"
	if kafka() != "" {
		broker = "Apache Kafka"
	}
	fmt.Fprintf(os.Stderr, "%-24s %-13s n=%d  p50 %s  p99 %s  max %s\n", what, broker, len(d),
		at(.5).Round(100*time.Microsecond), at(.99).Round(100*time.Microsecond), d[len(d)-1].Round(100*time.Microsecond))
	b.ReportMetric(float64(at(.5).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(at(.99).Microseconds())/1000, "p99-ms")
}

// BenchmarkImport: Online Retail, from the start of the program to the last row
// in ClickHouse.
func BenchmarkImport(b *testing.B) {
	for range b.N {
		p := newPlace(b)
		began := time.Now()
		pr := p.spawn("demo", "--no-live")
		until(b, "imported", 5*time.Minute, func() bool { return strings.Contains(pr.out.String(), "nothing more is coming in") })
		fmt.Fprintf(os.Stderr, "import of 541,909 lines, from the start to the last ClickHouse row: %.1f s\n", time.Since(began).Seconds())
		pr.interrupt()
	}
}

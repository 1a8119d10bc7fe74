package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	benchSeconds   = 15
	benchCustomers = 20_000
	benchRedeems   = 50 // redemptions a second
)

// benchRates are events a second.
var benchRates = []int{1000, 10_000}

// servedPlace is a running program with a small bundle, and what is added to it.
func servedPlace(b testing.TB, more map[string]string) *place {
	p := newPlace(b)
	dir := filepath.Join(b.TempDir(), "bundle")
	p.mustRun("program", "new", dir)
	for name, text := range more {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
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
	for _, rate := range benchRates {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			l := openLatency(b, nil, rate)
			for range b.N {
				report(b, fmt.Sprintf("event → entry, %d/s", rate), l.measure(b, event.TopicLedger, func(rec *stream.Record) string {
					var e event.Entry
					if event.DecodeEntry(rec.Value, &e) != nil || e.Kind != event.KindEvent {
						return ""
					}
					return e.Cause.ID
				}))
			}
		})
	}
}

// benchCampaign answers every order, so that each event is a message; its segment
// is left and entered all the time.
var benchCampaign = map[string]string{
	"campaigns.yaml":     "global_holdout: 0\n", // no night, nobody held out
	"segments/even.yaml": "who: {balance: {at_least: 5000}}\n",
	"campaigns/thanks.yaml": `purpose: service
channel: email
when: {event: Order Completed}
again: always
message: {subject: "Thank you", text: "You have {{balance}} points."}
`,
}

// BenchmarkMessageLatency: from the time an event is due to be published until a
// consumer has the message that a campaign answers it with.
func BenchmarkMessageLatency(b *testing.B) {
	for _, rate := range benchRates {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			l := openLatency(b, benchCampaign, rate)
			for range b.N {
				report(b, fmt.Sprintf("event → message, %d/s", rate), l.measure(b, event.TopicCampaigns(event.ChannelEmail), func(rec *stream.Record) string {
					var m event.CampaignMessage
					if event.DecodeCampaignMessage(rec.Value, &m) != nil {
						return ""
					}
					return m.Cause.ID
				}))
			}
		})
	}
}

// latency publishes events at a rate and waits for what comes of them.
type latency struct {
	rate   int
	c      *stream.Cluster
	pub    *stream.Publisher
	prefix string
}

func openLatency(b *testing.B, more map[string]string, rate int) *latency {
	return servedPlace(b, more).openLatency(b, rate)
}

func (p *place) openLatency(b *testing.B, rate int) *latency {
	r, err := findRunning(&Settings{Data: p.data})
	if err != nil || r == nil {
		b.Fatal(err)
	}
	l := &latency{rate: rate, prefix: (&Settings{Tenant: p.tenant}).prefix()}
	if l.c, err = stream.Open(context.Background(), stream.Config{Brokers: r.Kafka, ClientID: "bench", Prefix: l.prefix}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.c.Close)
	if l.pub, err = l.c.Publisher(stream.PublisherOptions{}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.pub.Close)
	b.ResetTimer()
	return l
}

// measure publishes for benchSeconds and returns each event's time to a record of
// the topic, by the id of the event behind it.
func (l *latency) measure(b *testing.B, topic string, causeID func(*stream.Record) string) []time.Duration {
	ctx := context.Background()
	run := fmt.Sprintf("bench-%d-", time.Now().UnixNano())
	total := l.rate * benchSeconds
	due := make([]time.Time, total)
	seen := make(chan []time.Duration, 1)
	ready := make(chan struct{})
	go func() { seen <- l.await(ctx, b, topic, run, causeID, due, ready) }()
	<-ready
	start := time.Now().Add(100 * time.Millisecond)
	for i := range total {
		due[i] = start.Add(time.Duration(i) * time.Second / time.Duration(l.rate))
	}
	for i := range total {
		time.Sleep(time.Until(due[i])) // the open loop's own rhythm
		l.send(ctx, b, fmt.Sprintf("%s%d", run, i), fmt.Sprintf("c%d", i*7919%benchCustomers))
	}
	select {
	case d := <-seen:
		return d
	case <-time.After(2 * time.Minute):
		b.Fatal("not all came within two minutes")
		return nil
	}
}

func (l *latency) send(ctx context.Context, b *testing.B, id, account string) {
	l.pub.Send(ctx, l.order(b, id, account), func(_ *stream.Record, err error) {
		if err != nil {
			b.Error(err)
		}
	})
}

// order is an order of two lines on topic events.
func (l *latency) order(b *testing.B, id, account string) *stream.Record {
	e := event.Event{
		Type: event.TypeTrack, Name: event.NameOrderCompleted, MessageID: id, AccountID: account, EventTime: wallClock(),
		Order: &event.Order{OrderID: id, Currency: "GBP", Lines: []event.OrderLine{
			{ProductID: "p1", Quantity: 2, AmountMinor: 1999}, {ProductID: "p2", Quantity: 1, AmountMinor: 550},
		}},
	}
	value, err := e.Encode()
	if err != nil {
		b.Error(err)
	}
	return &stream.Record{Topic: l.prefix + event.TopicEvents, Key: []byte(account), Value: value}
}

// await reads the topic from its end until each event has its record.
func (l *latency) await(ctx context.Context, b *testing.B, topic, run string, causeID func(*stream.Record) string, due []time.Time, ready chan<- struct{}) []time.Duration {
	ends, err := l.c.Ends(ctx, topic, stream.ReadUncommitted)
	if err != nil {
		b.Error(err)
	}
	from := map[int32]int64{}
	for p, r := range ends {
		from[p] = r.End
	}
	r, err := l.c.Reader(ctx, stream.ReaderOptions{Topic: topic, Partitions: from, Isolation: stream.ReadCommitted})
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
			id, ours := strings.CutPrefix(causeID(rec), run)
			i, err := strconv.Atoi(id)
			if ours && err == nil && !got[i] {
				got[i] = true
				out = append(out, now.Sub(due[i]))
			}
		}
	}
	return out
}

// BenchmarkRedemption: one HTTP call from the till to the new balance.
func BenchmarkRedemption(b *testing.B) {
	p := servedPlace(b, nil)
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

package customer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/program"
)

const (
	benchPartitions = 8
	benchCustomers  = 20_000
	benchPage       = 8192
	benchBatch      = processors.DefaultMaxBatch
)

// BenchmarkCustomer compares the customer processor with its ceiling: the bare
// loop of the same reader and writer over the same records. Run it with a fixed
// count, such as -benchtime=200000x.
func BenchmarkCustomer(b *testing.B) {
	// As cmd/punchcard does it, and the same for both.
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	ceiling := 0.0
	b.Run("bare", func(b *testing.B) {
		c := benchCluster(b)
		fill(b, c, nil)
		b.ResetTimer()
		bareLoop(b, c)
		ceiling = report(b)
	})
	b.Run("processor", func(b *testing.B) {
		c := benchCluster(b)
		fill(b, c, nil)
		b.ResetTimer()
		runProcessor(b, c)
		rate := report(b)
		if ceiling > 0 {
			b.ReportMetric(100*rate/ceiling, "%ofbare")
		}
	})
}

func report(b *testing.B) float64 {
	b.StopTimer()
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "events/s")
	return rate
}

func benchCluster(b *testing.B) *stream.Cluster {
	ctx := context.Background()
	br, err := embedded.Start(ctx, embedded.Config{Dir: b.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { br.Close() })
	c, err := stream.Open(ctx, stream.Config{Brokers: []string{br.Addr()}, WriterEpoch: br.Epoch()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	size := map[string]string{"max.message.bytes": strconv.Itoa(event.MaxRecordBytes)}
	err = c.EnsureTopics(ctx, []stream.TopicSpec{
		{Name: event.TopicEvents, Partitions: benchPartitions, Config: size},
		{Name: event.TopicLedger, Partitions: benchPartitions, Config: size},
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// fill publishes rules with those segments, a tick, and b.N orders of two lines.
func fill(b *testing.B, c *stream.Cluster, segments map[string]string) {
	p, err := c.Publisher(stream.PublisherOptions{ManualPartition: true})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	topic := c.Topic(event.TopicEvents)
	send := func(recs []*stream.Record) {
		if err := p.Publish(context.Background(), recs...); err != nil {
			b.Fatal(err)
		}
	}
	bundle := bundleOf(rules, 0)
	maps.Copy(bundle.Bundle.Files, segments)
	bundle.Bundle.ID = program.BundleID(bundle.Bundle.Files)
	for _, ev := range []*event.Event{bundle, tickAt(start, 0)} {
		value, _ := ev.Encode()
		for q := range int32(benchPartitions) {
			send([]*stream.Record{{Topic: topic, Partition: q, Value: value}})
		}
	}
	for done := 0; done < b.N; {
		recs := make([]*stream.Record, 0, benchPage)
		for ; done < b.N && len(recs) < benchPage; done++ {
			recs = append(recs, benchOrder(topic, done))
		}
		send(recs)
	}
}

func benchOrder(topic string, i int) *stream.Record {
	id := fmt.Sprintf("customer-%05d", i*7919%benchCustomers)
	ev := &event.Event{
		Type: event.TypeTrack, Name: event.NameOrderCompleted, MessageID: fmt.Sprintf("0f3b7c1e-%08d", i), AccountID: id,
		EventTime: start.Add(time.Duration(i%3600) * time.Second * -1), ReceivedTime: start, BodyHash: fmt.Sprintf("%016x", i),
		Context: &event.Context{Source: "web", Library: "analytics.js/4.1", Channel: "web", Country: "GB"},
		Order: &event.Order{OrderID: fmt.Sprintf("order-%08d", i), Currency: "GBP", Lines: []event.OrderLine{
			{ProductID: fmt.Sprintf("SKU-%d", i%4070), Name: "White hanging heart t-light holder", Category: "Home", Quantity: 6, AmountMinor: int64(500 + i%2000)},
			{ProductID: fmt.Sprintf("SKU-%d", i%1031), Name: "Regency cakestand 3 tier", Category: "Home", Quantity: 1, AmountMinor: int64(1200 + i%700)},
		}},
	}
	value, err := ev.Encode()
	if err != nil {
		panic(err)
	}
	return &stream.Record{Topic: topic, Partition: stream.PartitionOf([]byte(id), benchPartitions), Key: []byte(id), Value: value}
}

func benchEnds(b *testing.B, c *stream.Cluster) map[int32]stream.Range {
	ends, err := c.Ends(context.Background(), event.TopicEvents, stream.ReadUncommitted)
	if err != nil {
		b.Fatal(err)
	}
	return ends
}

// bareLoop copies each partition of events to the ledger.
func bareLoop(b *testing.B, c *stream.Cluster) {
	var g errgroup.Group
	for p, r := range benchEnds(b, c) {
		g.Go(func() error { return copyPartition(c, p, r.End) })
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

func copyPartition(c *stream.Cluster, p int32, end int64) error {
	ctx := context.Background()
	w, err := c.Writer(ctx, stream.WriterOptions{TransactionalID: fmt.Sprintf("bare-%d", p), Topic: event.TopicLedger, Partition: p})
	if err != nil {
		return err
	}
	defer w.Close()
	r, err := c.Reader(ctx, stream.ReaderOptions{Topic: event.TopicEvents, Partition: p, Isolation: stream.ReadUncommitted})
	if err != nil {
		return err
	}
	defer r.Close()
	for next := int64(0); next < end; {
		in, err := r.Poll(ctx, benchBatch)
		if err != nil {
			return err
		}
		out := make([]*stream.Record, len(in))
		for i, rec := range in {
			out[i] = &stream.Record{Key: rec.Key, Value: rec.Value}
		}
		if err := w.Commit(ctx, out); err != nil {
			return err
		}
		next = in[len(in)-1].Offset + 1
	}
	return nil
}

// runProcessor decides everything with the whole runtime.
func runProcessor(b *testing.B, c *stream.Cluster) {
	done := make(chan struct{}, 1)
	r, err := processors.New(processors.Config{
		Cluster: c, Name: "customer", Input: event.TopicEvents, Output: event.TopicLedger, Dir: b.TempDir(),
		New:      func(p int32) processors.Function { return New(p) },
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Takeover: Takeover, Expire: Expire(), Fresh: Fresh, Collect: 10 * time.Millisecond,
		Committed: func(int32, []*stream.Record) {
			select {
			case done <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	ends := benchEnds(b, c)
	for left := true; left; {
		select {
		case err := <-ended:
			b.Fatal(errors.Join(errors.New("the runtime ended"), err))
		case <-done:
		}
		left = false
		for _, s := range r.Status() {
			left = left || s.Position < ends[s.Partition].End
		}
	}
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

package stream

import (
	"context"
	"fmt"
	"os"
	"testing"
)

const (
	// benchBatch is the size of one transaction in the loop.
	benchBatch = 8192
	// benchValue is about an event's size in JSON.
	benchValue = 400
)

// BenchmarkCommit is one writer's commit of ten records, back to back: on the
// embedded broker the price of the disk's syncs, on Apache Kafka also the wait
// for the marker of the transaction before.
func BenchmarkCommit(b *testing.B) {
	commits := func(b *testing.B, c *Cluster) {
		ctx := context.Background()
		ensure(b, ctx, c, "ledger", 1)
		w := openWriter(b, ctx, c, "w", "ledger")
		b.ResetTimer()
		for range b.N {
			mustCommit(b, ctx, w, numbered("n", 0, 10))
		}
	}
	b.Run("embedded", func(b *testing.B) {
		br := startEmbedded(b, b.TempDir())
		commits(b, openCluster(b, Config{Brokers: []string{br.Addr()}, WriterEpoch: br.Epoch()}))
	})
	if addr := os.Getenv("PUNCHCARD_TEST_KAFKA"); addr != "" {
		b.Run("apache", func(b *testing.B) { commits(b, openCluster(b, Config{Brokers: []string{addr}})) })
	}
}

// BenchmarkLoop is the ceiling of every processor: one partition read with a
// Reader and written with a Writer, nothing between. It reports events/s.
func BenchmarkLoop(b *testing.B) {
	for _, codec := range []string{"none", "snappy", "lz4"} {
		b.Run("embedded/"+codec, func(b *testing.B) {
			br := startEmbedded(b, b.TempDir())
			loop(b, openCluster(b, Config{Brokers: []string{br.Addr()}, WriterEpoch: br.Epoch()}), codec)
		})
		if addr := os.Getenv("PUNCHCARD_TEST_KAFKA"); addr != "" {
			b.Run("apache/"+codec, func(b *testing.B) {
				loop(b, openCluster(b, Config{Brokers: []string{addr}}), codec)
			})
		}
	}
}

func loop(b *testing.B, c *Cluster, codec string) {
	ctx := context.Background()
	ensure(b, ctx, c, "events", 1)
	ensure(b, ctx, c, "ledger", 1)
	fill(b, ctx, c, codec)
	r, err := c.Reader(ctx, ReaderOptions{Topic: "events"})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	w, err := c.Writer(ctx, WriterOptions{TransactionalID: "loop", Topic: "ledger", Compression: codec})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	b.ResetTimer()
	for done := 0; done < b.N; {
		in, err := r.Poll(ctx, min(benchBatch, b.N-done))
		if err != nil {
			b.Fatal(err)
		}
		out := make([]*Record, len(in))
		for i, rec := range in {
			out[i] = &Record{Key: rec.Key, Value: rec.Value}
		}
		if err := w.Commit(ctx, out); err != nil {
			b.Fatal(err)
		}
		done += len(in)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// fill publishes b.N events that compress about as JSON does.
func fill(b *testing.B, ctx context.Context, c *Cluster, codec string) {
	p, err := c.Publisher(PublisherOptions{Compression: codec})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	topic := c.Topic("events")
	for done := 0; done < b.N; {
		recs := make([]*Record, min(benchBatch, b.N-done))
		for i := range recs {
			v := fmt.Appendf(nil, `{"v":1,"id":"%d","name":"Order Completed","customer":"c-%d","items":[`, done+i, (done+i)*7919%100003)
			for len(v) < benchValue {
				v = fmt.Appendf(v, `{"product":"P%d","quantity":%d,"price_minor":%d},`, (done+len(v))*31%4070, len(v)%12, (done+i)*17%9999)
			}
			recs[i] = &Record{Topic: topic, Key: fmt.Appendf(nil, "c-%d", i), Value: v}
		}
		if err := p.Publish(ctx, recs...); err != nil {
			b.Fatal(err)
		}
		done += len(recs)
	}
}

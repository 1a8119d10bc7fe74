package stream

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func abort(t *testing.T, ctx context.Context, w *Writer, recs []*Record) {
	t.Helper()
	begin(t, ctx, w, recs)
	if err := w.cl.EndTransaction(ctx, kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}

func tail(t *testing.T, ctx context.Context, c *Cluster, n int) []string {
	t.Helper()
	recs, err := c.Tail(ctx, "ledger", 0, n)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range recs {
		out = append(out, string(r.Value))
	}
	return out
}

func TestTailSkipsAbortedAndMarkers(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "ledger", 1)
		if got := tail(t, ctx, c, 2); len(got) != 0 {
			t.Fatalf("tail of an empty partition is %v", got)
		}
		w := openWriter(t, ctx, c, "w", "ledger")
		abort(t, ctx, w, numbered("none", 0, 3))
		if got := tail(t, ctx, c, 2); len(got) != 0 {
			t.Fatalf("tail of aborted records is %v", got)
		}
		mustCommit(t, ctx, w, numbered("a", 0, 3))
		if got := tail(t, ctx, c, 5); !slices.Equal(got, []string{"a-0", "a-1", "a-2"}) {
			t.Fatalf("tail is %v, want all three", got)
		}
		// More than the first window holds, in one transaction and in many.
		abort(t, ctx, w, numbered("none", 0, 5*tailWindow))
		for i := range 10 {
			abort(t, ctx, w, numbered("none", i, i+1))
		}
		if got := tail(t, ctx, c, 2); !slices.Equal(got, []string{"a-1", "a-2"}) {
			t.Fatalf("tail is %v, want a-1 a-2", got)
		}
		mustCommit(t, ctx, w, numbered("b", 0, 1))
		if got := tail(t, ctx, c, 1); !slices.Equal(got, []string{"b-0"}) {
			t.Fatalf("tail is %v, want b-0", got)
		}
		// What a dead writer left open is no obstacle once there is a new one.
		begin(t, ctx, w, numbered("open", 0, 7))
		openWriter(t, ctx, c, "w", "ledger")
		if got := tail(t, ctx, c, 1); !slices.Equal(got, []string{"b-0"}) {
			t.Fatalf("tail is %v, want b-0", got)
		}
	})
}

func TestReaderReadsCommittedInOrderFromAnOffset(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "ledger", 1)
		w := openWriter(t, ctx, c, "w", "ledger")
		first := numbered("a", 0, 100)
		mustCommit(t, ctx, w, first)
		abort(t, ctx, w, numbered("none", 0, 20))
		mustCommit(t, ctx, w, numbered("b", 0, 100))
		r, err := c.Reader(ctx, ReaderOptions{Topic: "ledger", From: first[50].Offset})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var got, want []string
		for i := 50; i < 100; i++ {
			want = append(want, fmt.Sprintf("a-%d", i))
		}
		for i := range 100 {
			want = append(want, fmt.Sprintf("b-%d", i))
		}
		for len(got) < len(want) {
			recs, err := r.Poll(ctx, 7)
			if err != nil {
				t.Fatal(err)
			}
			if len(recs) > 7 {
				t.Fatalf("Poll returned %d records, more than 7", len(recs))
			}
			for _, rec := range recs {
				got = append(got, string(rec.Value))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("read %v", got)
		}
		stopped, cancel := context.WithCancel(ctx)
		cancel()
		_, err = r.Poll(stopped, 1)
		mustBe(t, err, context.Canceled)
	})
}

func TestReaderNamesAMissingOffset(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "ledger", 1)
		w := openWriter(t, ctx, c, "w", "ledger")
		mustCommit(t, ctx, w, numbered("a", 0, 3))
		r, err := c.Reader(ctx, ReaderOptions{Topic: "ledger", From: 1000})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		_, err = r.Poll(ctx, 1)
		mustBe(t, err, ErrDataLoss)
		_, err = c.Scan(ctx, "ledger", 0, 1000, 1001, ReadCommitted, func(*Record) error { return nil })
		mustBe(t, err, ErrDataLoss)
	})
}

func TestReaderOfSeveralPartitions(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "events", 4)
		p, err := c.Publisher(PublisherOptions{ManualPartition: true})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		var recs []*Record
		for i := range 40 {
			recs = append(recs, &Record{Topic: c.Topic("events"), Partition: int32(i % 4), Value: fmt.Append(nil, i)})
		}
		if err := p.Publish(ctx, recs...); err != nil {
			t.Fatal(err)
		}
		r, err := c.Reader(ctx, ReaderOptions{Topic: "events", Partitions: map[int32]int64{1: 0, 3: 4}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		seen := map[int32][]int64{}
		for n := 0; n < 16; {
			got, err := r.Poll(ctx, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range got {
				seen[rec.Partition] = append(seen[rec.Partition], rec.Offset)
				n++
			}
		}
		if fmt.Sprint(seen) != "map[1:[0 1 2 3 4 5 6 7 8 9] 3:[4 5 6 7 8 9]]" || r.Position(3) != 10 {
			t.Fatalf("read offsets %v, position of 3 is %d", seen, r.Position(3))
		}
	})
}

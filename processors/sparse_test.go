package processors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/table"
)

// thirds makes an entry of every third input, and counts what it has seen before
// it in memory alone, as a Sparse function may.
type thirds struct {
	partition int32
	seen      *atomic.Int64
	hook      func(offset int64) error
	careless  bool // writes state without an entry
}

func (f *thirds) Apply(in *stream.Record, tx *table.Tx, out *Output) error {
	f.seen.Add(1)
	if f.hook != nil {
		if err := f.hook(in.Offset); err != nil {
			return err
		}
	}
	third := string(in.Value) == "third"
	if third || f.careless {
		tx.Put(in.Key, in.Value, 0)
	}
	if !third {
		return nil
	}
	e := event.Entry{
		Partition: f.partition, Sequence: out.Sequence(), SourceOffset: out.Source(),
		AccountID: string(in.Key), Kind: event.KindEvent, Outcome: event.OutcomeApplied,
	}
	out.Append(in.Key, e.Append(nil))
	return nil
}

// sendThirds writes inputs in transactions, as a ledger is written: the third, the
// sixth, ... make an entry.
func (b *bench) sendThirds(from, n int) {
	b.t.Helper()
	w, err := b.cluster.Writer(testContext(b.t), stream.WriterOptions{TransactionalID: fmt.Sprintf("source-%d", from), Topic: "events"})
	if err != nil {
		b.t.Fatal(err)
	}
	defer w.Close()
	recs := make([]*stream.Record, n)
	for i := range recs {
		value := "other"
		if (from+i)%3 == 2 {
			value = "third"
		}
		recs[i] = &stream.Record{Key: fmt.Appendf(nil, "k%d", from+i), Value: []byte(value)}
	}
	if err := w.Commit(testContext(b.t), recs); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) caughtUp(r *Runtime) func() bool {
	return func() bool { return r.CaughtUp(context.Background()) == nil }
}

// ledgerKeys are the keys of all entries of partition 0, in order.
func (b *bench) ledgerKeys() (keys []string, values []string) {
	b.t.Helper()
	ctx := testContext(b.t)
	ends, err := b.cluster.Ends(ctx, "ledger", stream.ReadUncommitted)
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = b.cluster.Scan(ctx, "ledger", 0, 0, ends[0].End, stream.ReadCommitted, func(rec *stream.Record) error {
		keys, values = append(keys, string(rec.Key)), append(values, string(rec.Value))
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return keys, values
}

func (b *bench) checkThirds(n int) {
	b.t.Helper()
	keys, values := b.ledgerKeys()
	if len(keys) != n/3 {
		b.t.Fatalf("%d entries of %d inputs: %v", len(keys), n, keys)
	}
	for i, k := range keys {
		if k != fmt.Sprintf("k%d", 3*i+2) || !strings.Contains(values[i], fmt.Sprintf(`"sequence":%d,`, i+1)) {
			b.t.Fatalf("entry %d is of %s: %s", i, k, values[i])
		}
	}
}

func (b *bench) sparse(dir string, seen *atomic.Int64, hook func(int64) error) Config {
	cfg := b.config(dir)
	cfg.Sparse, cfg.Isolation = true, stream.ReadCommitted
	cfg.New = func(p int32) Function { return &thirds{partition: p, seen: seen, hook: hook} }
	return cfg
}

// TestSparseReadsAgainWhatMadeNothing: the position is that of the last entry, so
// inputs after it are read again, and the ledger is the same.
func TestSparseReadsAgainWhatMadeNothing(t *testing.T) {
	b := newBench(t, 1)
	dir := t.TempDir()
	var seen atomic.Int64
	b.sendThirds(0, 5) // entries of 2; 3 and 4 make none
	r, stop := b.start(b.sparse(dir, &seen, nil))
	b.until("caught up past the transaction's marker", b.caughtUp(r))
	if s := r.Status()[0]; s.Sequence != 1 || s.Records != 5 || s.Entries != 1 || s.Commits != 1 || s.Lag != 0 {
		t.Fatalf("status %+v", s)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	seen.Store(0)
	r, stop = b.start(b.sparse(dir, &seen, nil))
	b.until("caught up again", b.caughtUp(r))
	if n := seen.Load(); n != 2 {
		t.Fatalf("%d inputs read again, want the 2 after the last entry", n)
	}
	if s := r.Status()[0]; s.Commits != 0 {
		t.Fatalf("a batch without entries was committed: %+v", s)
	}
	b.checkThirds(5)
	b.sendThirds(5, 25)
	b.until("caught up", b.caughtUp(r))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.checkThirds(30)
}

// TestSparseAfterFences: a zombie takes the partition at inputs with and without
// entries; the ledger is as if nothing had happened.
func TestSparseAfterFences(t *testing.T) {
	b := newBench(t, 1)
	var seen, fences atomic.Int64
	hook := func(offset int64) error {
		if offset%11 != 4 || fences.Add(1) > 8 {
			return nil
		}
		w, err := b.cluster.Writer(context.Background(), stream.WriterOptions{TransactionalID: "counter-0", Topic: "ledger"})
		if err != nil {
			return err
		}
		w.Close()
		return nil
	}
	cfg := b.sparse(t.TempDir(), &seen, hook)
	cfg.MaxBatch = 7
	r, _ := b.start(cfg)
	for from := 0; from < 120; from += 20 {
		b.sendThirds(from, 20)
	}
	b.until("caught up", b.caughtUp(r))
	b.checkThirds(120)
	if fences.Load() < 8 {
		t.Fatalf("only %d fences", fences.Load())
	}
}

func TestSparseMayNotWriteWithoutAnEntry(t *testing.T) {
	b := newBench(t, 1)
	b.sendThirds(0, 4)
	var seen atomic.Int64
	cfg := b.sparse(t.TempDir(), &seen, nil)
	cfg.New = func(p int32) Function { return &thirds{partition: p, seen: &seen, careless: true} }
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(testContext(t)); err == nil || !strings.Contains(err.Error(), "state was written without an entry") {
		t.Fatalf("ran with %v", err)
	}
}

func TestWithoutSparseEachInputNeedsAnEntry(t *testing.T) {
	b := newBench(t, 1)
	b.sendThirds(0, 4)
	var seen atomic.Int64
	cfg := b.sparse(t.TempDir(), &seen, nil)
	cfg.Sparse = false
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(testContext(t)); err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no entry was made") {
		t.Fatalf("ran with %v", err)
	}
}

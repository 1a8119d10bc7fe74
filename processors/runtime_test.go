package processors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/processors/table"
)

const testDeadline = 60 * time.Second

// counter counts the records of each key; every third record makes two entries.
// hook, if set, is called before an input is decided.
type counter struct {
	partition int32
	hook      func(partition int32, offset int64) error
}

func (c *counter) Apply(in *stream.Record, tx *table.Tx, out *Output) error {
	if c.hook != nil {
		if err := c.hook(c.partition, in.Offset); err != nil {
			return err
		}
	}
	var n uint64
	if raw, ok := tx.Get(in.Key); ok {
		n = binary.BigEndian.Uint64(raw)
	}
	tx.Put(in.Key, binary.BigEndian.AppendUint64(nil, n+1), event.Time(n+1))
	out.SetClock(event.Time(in.Offset + 1))
	for i := int32(0); i <= int32((in.Offset%3)/2); i++ {
		e := event.Entry{
			Partition: c.partition, Sequence: out.Sequence(), SourceOffset: out.Source(), SourceIndex: i,
			AccountID: string(in.Key), Kind: event.KindEvent, Outcome: event.OutcomeApplied, EntryTime: event.Time(in.Offset + 1),
			Cause: event.Cause{Type: event.TypeTrack, ID: fmt.Sprint(n + 1)},
		}
		out.Append(in.Key, e.Append(nil))
	}
	return nil
}

type bench struct {
	t       *testing.T
	cluster *stream.Cluster
	pub     *stream.Publisher
	n       int32
	prefix  string // of keys
	sent    map[string]uint64
	total   int64
}

func newBench(t *testing.T, partitions int32) *bench {
	t.Helper()
	ctx := testContext(t)
	b, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	c, err := stream.Open(ctx, stream.Config{Brokers: []string{b.Addr()}, WriterEpoch: b.Epoch()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.EnsureTopics(ctx, []stream.TopicSpec{{Name: "events", Partitions: partitions}, {Name: "ledger", Partitions: partitions}}); err != nil {
		t.Fatal(err)
	}
	pub, err := c.Publisher(stream.PublisherOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pub.Close)
	return &bench{t: t, cluster: c, pub: pub, n: partitions, prefix: "k", sent: map[string]uint64{}}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), testDeadline)
	t.Cleanup(cancel)
	return ctx
}

// send publishes records of a few keys.
func (b *bench) send(n int) {
	b.t.Helper()
	recs := make([]*stream.Record, n)
	for i := range recs {
		key := fmt.Sprintf("%s%d", b.prefix, i%17)
		b.sent[key]++
		b.total++
		recs[i] = &stream.Record{Topic: b.cluster.Topic("events"), Key: []byte(key), Value: []byte("x")}
	}
	if err := b.pub.Publish(context.Background(), recs...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) config(dir string) Config {
	return Config{
		Cluster: b.cluster, Name: "counter", Input: "events", Output: "ledger", Dir: dir, Collect: time.Millisecond,
		RetryWait: time.Millisecond, FencedWait: time.Millisecond,
		New: func(p int32) Function { return &counter{partition: p} },
	}
}

// start runs a runtime until stop, which returns what Run returned.
func (b *bench) start(cfg Config) (r *Runtime, stop func() error) {
	b.t.Helper()
	r, err := New(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	b.t.Cleanup(func() { _ = stop() })
	return r, stop
}

// until polls a condition up to the test's deadline.
func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(testDeadline); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("never happened: %s", what)
		}
	}
}

func (b *bench) decided(rs ...*Runtime) bool {
	ends, err := b.cluster.Ends(context.Background(), "events", stream.ReadUncommitted)
	if err != nil {
		b.t.Fatal(err)
	}
	for p := range b.n {
		at := int64(-1)
		for _, r := range rs {
			for _, s := range r.Status() {
				if s.Partition == p && s.Owned {
					at = max(at, s.Position)
				}
			}
		}
		if at < ends[p].End {
			return false
		}
	}
	return true
}

// checkLedger reads all partitions: sequences dense, each input once with all its
// entries, counts as sent. It returns the sequences.
func (b *bench) checkLedger() map[int32]int64 {
	b.t.Helper()
	ctx := testContext(b.t)
	ends, err := b.cluster.Ends(ctx, "ledger", stream.ReadUncommitted)
	if err != nil {
		b.t.Fatal(err)
	}
	counted, inputs, last := map[string]string{}, int64(0), map[int32]int64{}
	for p := range b.n {
		source, index := int64(-1), int32(0)
		_, err := b.cluster.Scan(ctx, "ledger", p, 0, ends[p].End, stream.ReadCommitted, func(rec *stream.Record) error {
			var e event.Entry
			if err := event.DecodeEntry(rec.Value, &e); err != nil {
				return err
			}
			if e.Sequence != last[p]+1 {
				return fmt.Errorf("partition %d: sequence %d after %d", p, e.Sequence, last[p])
			}
			last[p] = e.Sequence
			switch {
			case e.Kind == event.KindTakeover:
				return nil
			case e.SourceOffset == source+1 && e.SourceIndex == 0:
				inputs++
			case e.SourceOffset != source || e.SourceIndex != index+1:
				return fmt.Errorf("partition %d: source %d.%d after %d.%d", p, e.SourceOffset, e.SourceIndex, source, index)
			}
			source, index = e.SourceOffset, e.SourceIndex
			counted[e.AccountID] = e.Cause.ID
			return nil
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if inputs != b.total {
		b.t.Fatalf("%d inputs decided, %d sent", inputs, b.total)
	}
	for k, n := range b.sent {
		if counted[k] != fmt.Sprint(n) {
			b.t.Fatalf("%s counted to %s, sent %d", k, counted[k], n)
		}
	}
	return last
}

// checkState compares the tables with what was sent.
func (b *bench) checkState(r *Runtime) {
	b.t.Helper()
	for k, n := range b.sent {
		p := stream.PartitionOf([]byte(k), b.n)
		for _, read := range []func(context.Context, int32, func(*table.View) error) error{r.Read, r.ReadAll} {
			err := read(context.Background(), p, func(v *table.View) error {
				if raw, ok := v.Get([]byte(k)); !ok || binary.BigEndian.Uint64(raw) != n {
					return fmt.Errorf("%s: state %x, sent %d", k, raw, n)
				}
				return nil
			})
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

func TestEachRecordOnceThroughFencesAndRestarts(t *testing.T) {
	b := newBench(t, 2)
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	var fences atomic.Int64
	hook := func(p int32, offset int64) error {
		if offset%101 != 57 || fences.Add(1) > 12 {
			return nil
		}
		// A zombie: it takes the partition between the decision and the commit.
		w, err := b.cluster.Writer(context.Background(), stream.WriterOptions{TransactionalID: fmt.Sprintf("counter-%d", p), Topic: "ledger", Partition: p})
		if err != nil {
			return err
		}
		w.Close()
		return nil
	}
	cfg := b.config(dir)
	cfg.New = func(p int32) Function { return &counter{partition: p, hook: hook} }
	cfg.MaxBatch = 40
	for round := range 4 {
		r, stop := b.start(cfg)
		for range 5 {
			b.send(50 + rng.IntN(100))
		}
		if round%2 == 0 {
			b.until("all decided", func() bool { return b.decided(r) })
			b.checkState(r)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	r, _ := b.start(cfg)
	b.until("all decided", func() bool { return b.decided(r) })
	b.checkLedger()
	b.checkState(r)
	if fences.Load() < 5 {
		t.Fatalf("only %d fences", fences.Load())
	}
}

func TestTableDeletedIsMadeAgain(t *testing.T) {
	b := newBench(t, 2)
	dir := t.TempDir()
	r, stop := b.start(b.config(dir))
	b.send(300)
	b.until("decided", func() bool { return b.decided(r) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	b.send(100)
	r, _ = b.start(b.config(dir))
	b.until("decided", func() bool { return b.decided(r) })
	b.checkLedger()
	b.checkState(r)
}

func TestStaleTableCatchesUp(t *testing.T) {
	b := newBench(t, 1)
	dir, old := t.TempDir(), filepath.Join(t.TempDir(), "old")
	r, stop := b.start(b.config(dir))
	b.send(200)
	b.until("decided", func() bool { return b.decided(r) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	r, stop = b.start(b.config(dir))
	b.send(150)
	b.until("decided", func() bool { return b.decided(r) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.send(50)
	r, _ = b.start(b.config(old))
	b.until("decided", func() bool { return b.decided(r) })
	b.checkLedger()
	b.checkState(r)
	if s := r.Status()[0]; s.Clock != 400 {
		t.Fatalf("clock %d, want 400", s.Clock)
	}
}

func TestTableAheadOfTheLedgerIsRefused(t *testing.T) {
	b := newBench(t, 1)
	dir := t.TempDir()
	r, stop := b.start(b.config(dir))
	b.send(100)
	b.until("decided", func() bool { return b.decided(r) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for name, sent := range map[string]int{"shorter ledger": 10, "longer ledger of another cluster": 500} {
		t.Run(name, func(t *testing.T) {
			other := newBench(t, 1)
			other.prefix = "z"
			cfg := other.config(t.TempDir())
			r, stop := other.start(cfg)
			other.send(sent)
			other.until("decided", func() bool { return other.decided(r) })
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			mine := filepath.Join(t.TempDir(), "mine")
			if err := os.CopyFS(mine, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			wrong, err := New(other.config(mine))
			if err != nil {
				t.Fatal(err)
			}
			err = wrong.Run(testContext(t))
			if err == nil || !strings.Contains(err.Error(), "the ledger was cut, or the state belongs to another cluster") {
				t.Fatalf("ran with %v", err)
			}
		})
	}
}

func TestHoleOrDoubleInTheLedgerHalts(t *testing.T) {
	for name, step := range map[string]int64{"double": 0, "hole": 2} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1)
			r, stop := b.start(b.config(t.TempDir()))
			b.send(10)
			b.until("decided", func() bool { return b.decided(r) })
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			e := event.Entry{Sequence: r.Status()[0].Sequence + step, SourceOffset: 10, Kind: event.KindEvent, Outcome: event.OutcomeApplied}
			w, err := b.cluster.Writer(testContext(t), stream.WriterOptions{TransactionalID: "intruder", Topic: "ledger"})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			rec := &stream.Record{Value: e.Append(nil), Headers: []stream.Header{{Key: event.HeaderState, Value: event.AppendState(nil, nil)}}}
			if err := w.Commit(testContext(t), []*stream.Record{rec}); err != nil {
				t.Fatal(err)
			}
			again, err := New(b.config(t.TempDir()))
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Run(testContext(t)); err == nil || !strings.Contains(err.Error(), "a hole or a double") {
				t.Fatalf("ran with %v", err)
			}
		})
	}
}

func TestFunctionErrorHaltsWithoutATrace(t *testing.T) {
	b := newBench(t, 1)
	cfg := b.config(t.TempDir())
	bug := errors.New("a bug of ours")
	cfg.New = func(p int32) Function {
		return &counter{partition: p, hook: func(_ int32, offset int64) error {
			if offset == 25 {
				return bug
			}
			return nil
		}}
	}
	cfg.MaxBatch = 10
	b.send(40)
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(testContext(t)); !errors.Is(err, bug) || !strings.Contains(err.Error(), "offset 25") {
		t.Fatalf("ran with %v", err)
	}
	mended, _ := b.start(b.config(cfg.Dir))
	b.until("decided", func() bool { return b.decided(mended) })
	b.checkLedger()
	b.checkState(mended)
}

func TestTakeoverMovesNoPosition(t *testing.T) {
	b := newBench(t, 1)
	cfg := b.config(t.TempDir())
	cfg.Takeover = func(_ *table.Tx, out *Output) error {
		e := event.Entry{Sequence: out.Sequence(), SourceOffset: out.Source(), Kind: event.KindTakeover, Outcome: event.OutcomeApplied}
		out.Append(nil, e.Append(nil))
		return nil
	}
	for range 3 {
		r, stop := b.start(cfg)
		b.until("open", func() bool { s := r.Status(); return len(s) == 1 && s[0].Owned })
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	r, stop := b.start(cfg)
	b.send(30)
	b.until("decided", func() bool { return b.decided(r) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.send(30)
	r, _ = b.start(cfg)
	b.until("decided", func() bool { return b.decided(r) })
	if last := b.checkLedger(); last[0] != 60+20+5 {
		t.Fatalf("sequence %d, want 60 first entries, 20 second ones and 5 takeovers", last[0])
	}
}

func TestTwoProcessesShareAndHandOver(t *testing.T) {
	b := newBench(t, 4)
	var mu sync.Mutex
	told := map[int32]int64{}
	cfg := func(name string) Config {
		c := b.config(filepath.Join(t.TempDir(), name))
		c.GroupID, c.MemberData = "counters", []byte(name)
		c.Committed = func(p int32, recs []*stream.Record) {
			mu.Lock()
			defer mu.Unlock()
			for _, rec := range recs {
				_, seq, _, _ := event.EntryPosition(rec.Value)
				if seq != told[p]+1 {
					t.Errorf("partition %d: told of %d after %d", p, seq, told[p])
				}
				told[p] = seq
			}
		}
		return c
	}
	owned := func(r *Runtime) (n int) {
		for _, s := range r.Status() {
			if s.Owned {
				n++
			}
		}
		return n
	}
	first, stopFirst := b.start(cfg("first"))
	b.send(200)
	b.until("first decides all", func() bool { return b.decided(first) })
	second, _ := b.start(cfg("second"))
	b.until("shared", func() bool { b.send(5); return owned(first) == 2 && owned(second) == 2 })
	b.send(300)
	b.until("both decide", func() bool { return b.decided(first, second) })
	members, err := second.Members(testContext(t))
	if err != nil || len(members) != 2 || len(members[0].Data) == 0 {
		t.Fatalf("members %+v, %v", members, err)
	}
	if err := stopFirst(); err != nil {
		t.Fatal(err)
	}
	b.send(100)
	b.until("second has all", func() bool { return owned(second) == 4 && b.decided(second) })
	last := b.checkLedger()
	b.checkState(second)
	b.until("told of all", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return maps.Equal(told, last)
	})
	if err := first.Read(context.Background(), 0, func(*table.View) error { return nil }); !errors.Is(err, ErrNotOwner) {
		t.Fatalf("a stopped runtime reads: %v", err)
	}
}

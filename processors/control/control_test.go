package control

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/customer"
	"github.com/punchcard/punchcard/program"
)

const partitions = 3

// bench is a control with real processors behind it, on a real broker.
type bench struct {
	t       *testing.T
	ctx     context.Context
	control *Control
	cluster *stream.Cluster
}

func start(t *testing.T, more ...stream.TopicSpec) *bench {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	broker, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := stream.Open(ctx, stream.Config{Brokers: []string{broker.Addr()}, ClientID: "test", WriterEpoch: broker.Epoch()})
	if err != nil {
		t.Fatal(err)
	}
	size := map[string]string{"max.message.bytes": fmt.Sprint(event.MaxRecordBytes)}
	if err := cluster.EnsureTopics(ctx, append([]stream.TopicSpec{
		{Name: event.TopicEvents, Partitions: partitions, Config: size}, {Name: event.TopicLedger, Partitions: partitions, Config: size},
	}, more...)); err != nil {
		t.Fatal(err)
	}
	runtime, err := processors.New(processors.Config{
		Cluster: cluster, Name: "customer", Input: event.TopicEvents, Output: event.TopicLedger, Dir: t.TempDir(),
		New: func(p int32) processors.Function { return customer.New(p) }, Takeover: customer.Takeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := NewWatcher(cluster, partitions)
	c, err := New(cluster, w)
	if err != nil {
		t.Fatal(err)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return runtime.Run(gctx) })
	g.Go(func() error { return w.Run(gctx) })
	t.Cleanup(func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		c.Close()
		cluster.Close()
		broker.Close()
	})
	return &bench{t: t, ctx: ctx, control: c, cluster: cluster}
}

func (b *bench) activate() *program.Book {
	b.t.Helper()
	files := program.Starter()
	book, problems := program.Parse(files)
	if len(problems) > 0 {
		b.t.Fatal(problems)
	}
	if err := b.control.Activate(b.ctx, event.Bundle{ID: book.ID, Semantics: book.Semantics, Files: files}); err != nil {
		b.t.Fatal(err)
	}
	return book
}

// clock runs a clock whose time the test sets.
func (b *bench) clock(now *atomic.Int64, cfg ClockConfig) (stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan error, 1)
	cfg.Now = func() event.Time { return event.Time(now.Load()) }
	cfg.Poll = time.Millisecond
	go func() { done <- b.control.RunClock(ctx, cfg) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
}

func (b *bench) await(what string, ok func(p *Partition) bool) {
	b.t.Helper()
	err := b.control.Wait(b.ctx, func(parts []Partition) bool {
		for i := range parts {
			if !ok(&parts[i]) {
				return false
			}
		}
		return true
	})
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func at(t *testing.T, s string) event.Time {
	t.Helper()
	v, err := event.ParseTime(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ticks reads the times of all applied ticks of a partition.
func (b *bench) ticks(p int32) []string {
	b.t.Helper()
	ends, err := b.cluster.Ends(b.ctx, event.TopicLedger, stream.ReadUncommitted)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	_, err = b.cluster.Scan(b.ctx, event.TopicLedger, p, 0, ends[p].End, stream.ReadCommitted, func(rec *stream.Record) error {
		var e event.Entry
		if err := event.DecodeEntry(rec.Value, &e); err != nil {
			return err
		}
		if e.Tick != nil && e.Tick.Slice == 0 && e.Outcome == event.OutcomeApplied {
			out = append(out, e.EventTime.String())
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// Time goes forward in every partition, stops at each UTC midnight on the way,
// and neither goes back nor jumps.
func TestClock(t *testing.T) {
	b := start(t)
	b.activate()
	var now atomic.Int64
	var mu sync.Mutex
	var said []string
	now.Store(int64(at(t, "2026-03-01T22:00:00Z")))
	stop := b.clock(&now, ClockConfig{Step: time.Minute, MaxJump: 3 * time.Hour, Warn: func(s string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, s)
	}})
	b.await("first tick", func(p *Partition) bool { return p.Clock == at(t, "2026-03-01T22:00:00Z") })
	now.Store(int64(at(t, "2026-03-02T00:30:20Z"))) // over midnight
	b.await("over midnight", func(p *Partition) bool { return p.Clock == at(t, "2026-03-02T00:30:00Z") })
	now.Store(int64(at(t, "2026-03-01T23:00:00Z"))) // an hour back: it waits
	now.Store(int64(at(t, "2026-03-02T00:31:00Z")))
	b.await("forward again", func(p *Partition) bool { return p.Clock == at(t, "2026-03-02T00:31:00Z") })
	now.Store(int64(at(t, "2027-03-02T00:00:00Z"))) // a year ahead: refused, and said
	for {
		mu.Lock()
		refused := len(said) > 0
		mu.Unlock()
		if refused || b.ctx.Err() != nil {
			break
		}
		time.Sleep(time.Millisecond) // between looks; the warning decides
	}
	stop()
	if got := strings.Join(said, "\n"); !strings.Contains(got, "--clock-jump") {
		t.Errorf("said %q", got)
	}
	want := "2026-03-01T22:00:00.000Z 2026-03-02T00:00:00.000Z 2026-03-02T00:30:00.000Z 2026-03-02T00:31:00.000Z"
	for p := range int32(partitions) {
		if got := strings.Join(b.ticks(p), " "); got != want {
			t.Errorf("partition %d ticked at %s, want %s", p, got, want)
		}
	}
}

// A program's Monday midnight makes every partition count; the quintiles of that
// day come into force in all of them; a second control changes nothing.
func TestCutPointsGoRound(t *testing.T) {
	b := start(t)
	book := b.activate()
	ctx, cancel := context.WithCancel(b.ctx)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.control.RunCutPoints(ctx) })
	g.Go(func() error { return b.control.RunCutPoints(ctx) }) // as a second process would
	var now atomic.Int64
	now.Store(int64(at(t, "2026-03-01T22:00:00Z"))) // a Sunday
	stop := b.clock(&now, ClockConfig{MaxJump: 24 * time.Hour})
	b.await("first tick", func(p *Partition) bool { return p.Clock > 0 })
	now.Store(int64(at(t, "2026-03-02T01:00:00Z")))
	monday := book.CountsDay(at(t, "2026-03-02T01:00:00Z"))
	b.await("cut points", func(p *Partition) bool { return p.CutPointsDay == monday })
	stop()
	if err := b.control.Settle(b.ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if monday.String() != "2026-03-02" {
		t.Errorf("counted %s", monday)
	}
	b.control.Look(func(parts []Partition) {
		for i := range parts {
			if len(parts[i].Counts) != 0 || parts[i].MoreDue {
				t.Errorf("partition %d is not settled: %+v", i, parts[i])
			}
		}
	})
}

// A bundle is sent once; a partition that lacks it gets it; rules that the
// processors refuse are an error, not a wait.
func TestActivate(t *testing.T) {
	b := start(t)
	book := b.activate()
	ends, err := b.cluster.Ends(b.ctx, event.TopicEvents, stream.ReadUncommitted)
	if err != nil {
		t.Fatal(err)
	}
	b.activate()
	again, err := b.cluster.Ends(b.ctx, event.TopicEvents, stream.ReadUncommitted)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(ends) != fmt.Sprint(again) {
		t.Errorf("the second activation wrote: %v, before %v", again, ends)
	}
	got, err := b.control.ActiveBundleFiles(b.ctx)
	if err != nil || got == nil || got.ID != book.ID || len(got.Files) != len(program.Starter()) {
		t.Errorf("active bundle: %+v %v", got, err)
	}
	err = b.control.Activate(b.ctx, event.Bundle{ID: "nonsense", Semantics: 1, Files: map[string]string{"program.yaml": "no: program"}})
	if err == nil || !strings.Contains(err.Error(), "refuses bundle nonsense") {
		t.Errorf("nonsense was activated: %v", err)
	}
}

func TestNextMidnight(t *testing.T) {
	for _, c := range []struct{ at, want string }{
		{"2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00Z"},
		{"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"},
	} {
		if got := nextMidnight(at(t, c.at)); got != at(t, c.want) {
			t.Errorf("after %s: %s, want %s", c.at, got, c.want)
		}
	}
}

package stream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ownership counts who holds each partition; held twice is an error for ever.
type ownership struct {
	mu      sync.Mutex
	holder  map[int32]string
	doubles []string
	changed chan struct{}
}

func newOwnership() *ownership {
	return &ownership{holder: map[int32]string{}, changed: make(chan struct{}, 1)}
}

func (o *ownership) take(who string, ps []int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range ps {
		if h := o.holder[p]; h != "" {
			o.doubles = append(o.doubles, fmt.Sprintf("%d given to %s while %s holds it", p, who, h))
		}
		o.holder[p] = who
	}
	o.signal()
}

func (o *ownership) give(who string, ps []int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range ps {
		if o.holder[p] == who {
			delete(o.holder, p)
		}
	}
	o.signal()
}

func (o *ownership) signal() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

func (o *ownership) counts() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := map[string]int{}
	for _, who := range o.holder {
		n[who]++
	}
	return n
}

// await waits until each member holds so many partitions.
func (o *ownership) await(t *testing.T, ctx context.Context, want map[string]int) {
	t.Helper()
	for {
		if got := o.counts(); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
		select {
		case <-o.changed:
		case <-ctx.Done():
			t.Fatalf("partitions are held %v; want %v", o.counts(), want)
		}
	}
}

func (o *ownership) join(t *testing.T, ctx context.Context, c *Cluster, who string) *Group {
	t.Helper()
	g, err := c.Group(ctx, GroupOptions{
		ID: "processor", InstanceID: who, Topic: "events", Data: []byte("addr-of-" + who), SessionTimeout: 6 * time.Second,
		Assigned: func(_ context.Context, ps []int32) { o.take(who, ps) },
		Revoked:  func(_ context.Context, ps []int32) { o.give(who, ps) },
		Failed:   func(err error) { t.Errorf("%s: %v", who, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func TestGroupHandsPartitionsOver(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "events", 8)
		o := newOwnership()
		a := o.join(t, ctx, c, "a")
		o.await(t, ctx, map[string]int{"a": 8})
		if err := a.CommitPositions(ctx, map[int32]int64{0: 0, 7: 0}); err != nil {
			t.Fatal(err)
		}
		b := o.join(t, ctx, c, "b")
		o.await(t, ctx, map[string]int{"a": 4, "b": 4})
		awaitMembers(t, ctx, b, o)
		if err := a.Leave(ctx); err != nil {
			t.Fatal(err)
		}
		o.await(t, ctx, map[string]int{"b": 8})
		if o.doubles != nil {
			t.Fatalf("partitions had two owners: %v", o.doubles)
		}
	})
}

// awaitMembers waits until the coordinator shows both members with their data
// and with what they hold.
func awaitMembers(t *testing.T, ctx context.Context, g *Group, o *ownership) {
	t.Helper()
	for {
		ms, err := g.Members(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ok := len(ms) == 2
		for _, m := range ms {
			ok = ok && string(m.Data) == "addr-of-"+m.InstanceID && len(m.Partitions) == 4
			for _, p := range m.Partitions {
				o.mu.Lock()
				ok = ok && o.holder[p] == m.InstanceID
				o.mu.Unlock()
			}
		}
		if ok {
			return
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			t.Fatalf("members are %+v, holders %v", ms, o.holder)
		}
	}
}

// A static member that comes back gets its own partitions, and its new data
// is shown.
func TestGroupRestartMovesNothing(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "events", 8)
		o := newOwnership()
		a := o.join(t, ctx, c, "a")
		o.await(t, ctx, map[string]int{"a": 8})
		o.join(t, ctx, c, "b")
		o.await(t, ctx, map[string]int{"a": 4, "b": 4})
		before := held(o, "a")
		a.Close()
		o.await(t, ctx, map[string]int{"b": 4})
		o.join(t, ctx, c, "a")
		o.await(t, ctx, map[string]int{"a": 4, "b": 4})
		if after := held(o, "a"); !slices.Equal(before, after) {
			t.Fatalf("a held %v, after its restart %v", before, after)
		}
	})
}

func held(o *ownership, who string) []int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []int32
	for p, h := range o.holder {
		if h == who {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// The owner must have stopped before anyone else may start.
func TestRevokedBlocksTheHandover(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "events", 2)
		o := newOwnership()
		asked, stopped := make(chan struct{}), make(chan struct{})
		var once sync.Once
		a, err := c.Group(ctx, GroupOptions{
			ID: "processor", Topic: "events",
			Assigned: func(_ context.Context, ps []int32) { o.take("a", ps) },
			Revoked: func(_ context.Context, ps []int32) {
				once.Do(func() { close(asked); <-stopped })
				o.give("a", ps)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		o.await(t, ctx, map[string]int{"a": 2})
		o.join(t, ctx, c, "b")
		<-asked
		// b asks its coordinator meanwhile; that it gets nothing in some time
		// cannot prove it never would, the doubles below do.
		if got := o.counts()["b"]; got != 0 {
			t.Fatalf("b holds %d partitions while a is stopping", got)
		}
		close(stopped)
		o.await(t, ctx, map[string]int{"a": 1, "b": 1})
		if o.doubles != nil {
			t.Fatalf("partitions had two owners: %v", o.doubles)
		}
	})
}

// The group's client must not read what the partitions' own readers read.
func TestGroupFetchesNothing(t *testing.T) {
	kf, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	var fetches atomic.Int64
	kf.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		fetches.Add(1)
		return nil, nil, false
	})
	ctx := testContext(t)
	c := openCluster(t, Config{Brokers: kf.ListenAddrs()})
	ensure(t, ctx, c, "events", 8)
	o := newOwnership()
	g := o.join(t, ctx, c, "a")
	o.await(t, ctx, map[string]int{"a": 8})
	p, err := c.Publisher(PublisherOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := range 50 {
		if err := p.Publish(ctx, &Record{Topic: c.Topic("events"), Key: fmt.Append(nil, i), Value: []byte("v")}); err != nil {
			t.Fatal(err)
		}
		if err := g.CommitPositions(ctx, map[int32]int64{0: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := fetches.Load(); n != 0 {
		t.Fatalf("the group's client fetched %d times", n)
	}
	if n, err := c.Partitions(ctx, "events"); n != 8 || err != nil {
		t.Fatal(n, err)
	}
	if got := scanned(t, ctx, c, "events", ReadCommitted, ReadCommitted); fetches.Load() == 0 {
		t.Fatalf("a scan that read %d records was not counted as fetching", len(got))
	}
}

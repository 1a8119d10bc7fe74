package projector

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
)

const partitions = 2

func open(t *testing.T) (context.Context, *stream.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	broker, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	c, err := stream.Open(ctx, stream.Config{Brokers: []string{broker.Addr()}, ClientID: "test", WriterEpoch: broker.Epoch()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	size := map[string]string{"max.message.bytes": fmt.Sprint(event.MaxRecordBytes)}
	var specs []stream.TopicSpec
	for _, name := range []string{event.TopicLedger, event.TopicCustomers, event.TopicState} {
		specs = append(specs, stream.TopicSpec{Name: name, Partitions: partitions, Config: size})
	}
	if err := c.EnsureTopics(ctx, specs); err != nil {
		t.Fatal(err)
	}
	return ctx, c
}

// ledger is a ledger being written: customers in partition p stand at balance
// = sequence.
type ledger struct {
	t    *testing.T
	c    *stream.Cluster
	w    [partitions]*stream.Writer
	next [partitions]int64
}

func newLedger(ctx context.Context, t *testing.T, c *stream.Cluster) *ledger {
	l := &ledger{t: t, c: c}
	for p := range l.w {
		w, err := c.Writer(ctx, stream.WriterOptions{TransactionalID: fmt.Sprint("w", p), Topic: event.TopicLedger, Partition: int32(p)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		l.w[p] = w
	}
	return l
}

// add commits n entries in partition p; every third has no standing.
func (l *ledger) add(ctx context.Context, p, n int) {
	l.t.Helper()
	var recs []*stream.Record
	for range n {
		l.next[p]++
		seq := l.next[p]
		e := event.Entry{Partition: int32(p), Sequence: seq, SourceOffset: seq, Kind: event.KindEvent, Outcome: event.OutcomeApplied, EntryTime: 1}
		id := fmt.Sprintf("c%d-%d", p, seq%5)
		var writes []event.StateWrite
		if seq%3 != 0 {
			e.AccountID = id
			e.Standing = &event.Standing{CustomerID: id, Balance: seq}
			writes = append(writes, event.StateWrite{Key: []byte(id), Value: []byte{byte(seq)}, Due: event.Time(seq)})
		} else {
			writes = append(writes, event.StateWrite{Key: []byte(id)})
		}
		recs = append(recs, &stream.Record{Key: []byte(e.AccountID), Value: e.Append(nil), Headers: []stream.Header{{Key: event.HeaderState, Value: event.AppendState(nil, writes)}}})
	}
	if err := l.w[p].Commit(ctx, recs); err != nil {
		l.t.Fatal(err)
	}
}

// read takes all records of a topic's partition.
func read(ctx context.Context, t *testing.T, c *stream.Cluster, topic string, p int32) []*stream.Record {
	t.Helper()
	ends, err := c.Ends(ctx, topic, stream.ReadUncommitted)
	if err != nil {
		t.Fatal(err)
	}
	var out []*stream.Record
	_, err = c.Scan(ctx, topic, p, 0, ends[p].End, stream.ReadUncommitted, func(rec *stream.Record) error {
		out = append(out, rec)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// runUntil runs a projector until it has the ledger's newest entries.
func runUntil(ctx context.Context, t *testing.T, c *stream.Cluster, l *ledger, stopAt func(p *Projector) bool) {
	t.Helper()
	pr := New(c, partitions, slog.New(slog.DiscardHandler), Customers(), State())
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- pr.Run(ctx) }()
	for !stopAt(pr) && ctx.Err() == nil {
		time.Sleep(time.Millisecond) // between looks; stopAt decides
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func caughtUp(l *ledger) func(p *Projector) bool {
	return func(p *Projector) bool {
		for i := range int32(partitions) {
			if p.Sequence(event.TopicCustomers, i) < l.next[i] || p.Sequence(event.TopicState, i) < l.next[i] {
				return false
			}
		}
		return true
	}
}

// However often the projector is stopped, at whatever moment: each standing of
// the ledger is on the topic, in order; what repeats is the same; the newest
// record of a customer is how they stand; and the state topic holds the state.
func TestStoppedAtRandomMoments(t *testing.T) {
	ctx, c := open(t)
	l := newLedger(ctx, t, c)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 8 {
		for p := range partitions {
			l.add(ctx, p, 1+r.IntN(60))
		}
		deadline := time.Now().Add(time.Duration(r.IntN(30)) * time.Millisecond)
		runUntil(ctx, t, c, l, func(*Projector) bool { return time.Now().After(deadline) })
	}
	runUntil(ctx, t, c, l, caughtUp(l))
	for p := range int32(partitions) {
		checkCustomers(t, read(ctx, t, c, event.TopicCustomers, p), p, l.next[p])
		checkState(t, read(ctx, t, c, event.TopicState, p), p, l.next[p])
	}
}

func checkCustomers(t *testing.T, recs []*stream.Record, p int32, upTo int64) {
	t.Helper()
	bySequence := map[int64]string{}
	newest := map[string]int64{}
	repeats := 0
	for _, rec := range recs {
		var s event.Customer
		if err := event.DecodeCustomer(rec.Value, &s); err != nil {
			t.Fatal(err)
		}
		if was, ok := bySequence[s.Sequence]; ok {
			repeats++
			if was != string(rec.Value) {
				t.Errorf("sequence %d differs when repeated: %s, before %s", s.Sequence, rec.Value, was)
			}
		}
		bySequence[s.Sequence] = string(rec.Value)
		newest[string(rec.Key)] = s.Sequence
	}
	for seq := int64(1); seq <= upTo; seq++ {
		if _, ok := bySequence[seq]; ok != (seq%3 != 0) {
			t.Errorf("partition %d sequence %d: on the topic %v", p, seq, ok)
		}
	}
	for id, seq := range newest {
		for later := seq + 5; later <= upTo; later += 5 {
			if later%3 != 0 {
				t.Errorf("%s: the newest record is of %d, the ledger has %d", id, seq, later)
			}
		}
	}
	t.Logf("partition %d: %d entries, %d records, %d repeats", p, upTo, len(recs), repeats)
}

func checkState(t *testing.T, recs []*stream.Record, p int32, upTo int64) {
	t.Helper()
	state := map[string]string{}
	for _, rec := range recs {
		if rec.Value == nil {
			delete(state, string(rec.Key))
			continue
		}
		state[string(rec.Key)] = fmt.Sprint(binary.BigEndian.Uint64(rec.Value), rec.Value[8:])
	}
	for k := range int64(5) {
		newest := upTo - ((upTo-k)%5+5)%5
		id := fmt.Sprintf("c%d-%d", p, k)
		want := ""
		if newest > 0 && newest%3 != 0 {
			want = fmt.Sprint(newest, []byte{byte(newest)})
		}
		if state[id] != want {
			t.Errorf("state %s: %q, want %q", id, state[id], want)
		}
	}
}

// A topic that someone else writes to is refused, named.
func TestForeignTopicIsRefused(t *testing.T) {
	ctx, c := open(t)
	pub, err := c.Publisher(stream.PublisherOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := pub.Publish(ctx, &stream.Record{Topic: c.Topic(event.TopicCustomers), Key: []byte("x"), Value: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	err = New(c, partitions, slog.New(slog.DiscardHandler), Customers()).Run(ctx)
	if err == nil || ctx.Err() != nil {
		t.Fatalf("a foreign record was taken: %v", err)
	}
	t.Log(err)
}

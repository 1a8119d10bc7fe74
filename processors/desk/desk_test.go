package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/customer"
	"github.com/punchcard/punchcard/program"
)

const (
	testDeadline = 60 * time.Second
	testKey      = "a key of sixteen bytes or more"
	partitions   = 4
)

func testCluster(t *testing.T) *stream.Cluster {
	t.Helper()
	ctx := context.Background()
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
	if err := c.EnsureTopics(ctx, []stream.TopicSpec{{Name: event.TopicEvents, Partitions: partitions}, {Name: event.TopicLedger, Partitions: partitions}}); err != nil {
		t.Fatal(err)
	}
	return c
}

// process is a desk with a runtime, as one process of the group has them.
func process(t *testing.T, c *stream.Cluster) (*Desk, *processors.Runtime) {
	t.Helper()
	d, err := New(Config{Cluster: c, Partitions: partitions, Group: "customers", Listen: "127.0.0.1:0", Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	r, err := processors.New(processors.Config{
		Cluster: c, Name: "customer", Input: event.TopicEvents, Output: event.TopicLedger, Dir: t.TempDir(), Collect: time.Millisecond,
		New:     func(p int32) processors.Function { return customer.New(p) },
		GroupID: "customers", MemberData: []byte(d.Addr()), Committed: d.Committed,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Serve(r)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d, r
}

func owned(r *processors.Runtime) (n int) {
	for p := range int32(partitions) {
		if r.Owns(p) {
			n++
		}
	}
	return n
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(testDeadline); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

func publish(t *testing.T, c *stream.Cluster, p int32, ev *event.Event) {
	t.Helper()
	pub, err := c.Publisher(stream.PublisherOptions{ManualPartition: true})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	value, err := ev.Encode()
	if err != nil {
		t.Fatal(err)
	}
	rec := &stream.Record{Topic: c.Topic(event.TopicEvents), Partition: p, Value: value}
	if ev.AccountID != "" {
		rec.Key = []byte(ev.AccountID)
	}
	if err := pub.Publish(context.Background(), rec); err != nil {
		t.Fatal(err)
	}
}

// Answers and reads are the same from the owner, from another process of the group,
// and from a process that has no partitions.
func TestAnswersFromAnyProcess(t *testing.T) {
	c := testCluster(t)
	one, r1 := process(t, c)
	two, r2 := process(t, c)
	door, err := New(Config{Cluster: c, Partitions: partitions, Group: "customers", Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(door.Close)
	until(t, "partitions are shared", func() bool { return owned(r1) == 2 && owned(r2) == 2 })
	files := program.Starter()
	at := event.At(time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC))
	for p := range int32(partitions) {
		publish(t, c, p, &event.Event{Type: event.TypeBundle, MessageID: "b", EventTime: 1, Bundle: &event.Bundle{ID: program.BundleID(files), Semantics: 1, Files: files}})
		publish(t, c, p, &event.Event{Type: event.TypeTick, MessageID: "t", EventTime: at, Tick: &event.Tick{}})
	}
	ctx, cancel := context.WithTimeout(context.Background(), testDeadline)
	defer cancel()
	asked := map[int32]bool{}
	for i := range 12 {
		id, message := fmt.Sprintf("c%d", i), fmt.Sprintf("m%d", i)
		p := stream.PartitionOf([]byte(id), partitions)
		asked[p] = true
		var tickets []*Ticket
		for _, d := range []*Desk{one, two, door} {
			if _, err := d.Customer(ctx, id); !errors.Is(err, ErrUnknown) {
				t.Fatalf("%s before its order: %v", id, err)
			}
			ticket, err := d.Expect(id, message)
			if err != nil {
				t.Fatal(err)
			}
			defer ticket.Cancel()
			tickets = append(tickets, ticket)
		}
		publish(t, c, p, &event.Event{Type: event.TypeTrack, Name: event.NameOrderCompleted, MessageID: message, AccountID: id, EventTime: at,
			Order: &event.Order{OrderID: message, Currency: "GBP", Lines: []event.OrderLine{{ProductID: "P", Quantity: 1, AmountMinor: 1000}}}})
		for n, ticket := range tickets {
			e, err := ticket.Wait(ctx)
			if err != nil || !e.Answer || e.Cause.ID != message || e.AccountID != id || e.Partition != p {
				t.Fatalf("ticket %d of %s: %+v, %v", n, id, e, err)
			}
		}
		for n, d := range []*Desk{one, two, door} {
			if err := d.After(ctx, id, message); err != nil {
				t.Fatalf("desk %d, after %s: %v", n, message, err)
			}
			got, err := d.Customer(ctx, id)
			if err != nil || got.Standing.CustomerID != id || got.Standing.Orders != 1 || got.Partition != p || got.Sequence < 3 || got.Clock != at {
				t.Fatalf("desk %d: %+v, %v", n, got, err)
			}
		}
	}
	if len(asked) != partitions {
		t.Fatalf("only partitions %v were asked", asked)
	}
	if n := one.open + two.open; n == 0 {
		t.Fatal("no ticket was registered at an owner")
	}
}

func TestThePortWantsTheKey(t *testing.T) {
	if _, err := New(Config{Partitions: 1, Listen: "127.0.0.1:0", Key: "short"}); err == nil {
		t.Fatal("a port without a key is open")
	}
	d, err := New(Config{Partitions: 1, Listen: "127.0.0.1:0", Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for key, want := range map[string]int{"": http.StatusUnauthorized, "wrong key of some length": http.StatusUnauthorized, testKey: http.StatusMisdirectedRequest} {
		req, _ := http.NewRequest(http.MethodGet, "http://"+d.Addr()+pathCustomer+"?account=c", nil)
		req.Header.Set(keyHeader, key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("key %q: %s", key, resp.Status)
		}
	}
}

func TestTicketsAreBoundedAndGivenBack(t *testing.T) {
	d, err := New(Config{Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	var tickets []*Ticket
	for i := range MaxTickets {
		ticket, err := d.Expect("c", fmt.Sprint(i%3))
		if err != nil {
			t.Fatalf("ticket %d: %v", i, err)
		}
		tickets = append(tickets, ticket)
		if i%1000 == 0 {
			ticket.Cancel()
			ticket.Cancel()
		}
	}
	for i := 0; i <= MaxTickets/1000; i++ {
		if _, err := d.Expect("d", "m"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Expect("d", "m"); !errors.Is(err, ErrBusy) {
		t.Fatalf("beyond the bound: %v", err)
	}
	for _, ticket := range tickets {
		ticket.Cancel()
	}
	if len(d.tickets) != 1 || len(d.tickets["d"]) != MaxTickets/1000+1 {
		t.Fatalf("%d accounts wait", len(d.tickets))
	}
}

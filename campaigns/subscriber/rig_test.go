package subscriber

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
)

// within bounds every wait of these tests; all are for a condition.
const within = 60 * time.Second

// start is when the first message of a test was decided.
const start = event.Time(1_700_000_000_000)

// rig is a tenant on a broker: the embedded one, or PUNCHCARD_TEST_KAFKA.
type rig struct {
	t      *testing.T
	broker string
	prefix string
	out    *stream.Publisher
	n      int64 // messages made
}

func newRig(t *testing.T, partitions int32) *rig {
	t.Helper()
	var b [6]byte
	_, _ = rand.Read(b[:])
	r := &rig{t: t, broker: os.Getenv("PUNCHCARD_TEST_KAFKA"), prefix: "t" + hex.EncodeToString(b[:]) + "."}
	if r.broker == "" {
		e, err := embedded.Start(context.Background(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		r.broker = e.Addr()
	}
	c, err := stream.Open(context.Background(), stream.Config{Brokers: []string{r.broker}, Prefix: r.prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var topics []stream.TopicSpec
	for _, channel := range event.Channels {
		topics = append(topics, stream.TopicSpec{Name: event.TopicCampaigns(channel), Partitions: partitions, Config: map[string]string{"retention.ms": "-1"}})
	}
	if err := c.EnsureTopics(context.Background(), topics); err != nil {
		t.Fatal(err)
	}
	if r.out, err = c.Publisher(stream.PublisherOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.out.Close)
	return r
}

// message is one as the campaign processor decides it; id names it.
func message(id, customer string) *event.Message {
	return &event.Message{
		MessageID: id, CustomerID: customer, CampaignID: "welcome", Version: "0123456789abcdef", Arm: "a", Channel: event.ChannelEmail,
		Purpose: "marketing", Template: "welcome", Locale: "en", Variables: map[string]string{"balance": "120"},
		Subject: "Welcome", Text: "Hello {{first_name}}, you have 120 points.", Trigger: "enters", Detail: "new-customers",
		Cause: event.Cause{Type: event.TypeTrack, Name: "Order Completed", ID: "m-" + id}, NotBefore: start, ExpiresTime: start.Add(7 * 24 * time.Hour),
	}
}

// publish puts messages on their topics, in order.
func (r *rig) publish(messages ...*event.Message) {
	r.t.Helper()
	for _, m := range messages {
		r.record(m, time.Time{})
	}
}

// record puts a message on its topic with that record time, zero: now. Brokers
// refuse the future, and our publisher what is older than its time-out.
func (r *rig) record(m *event.Message, at time.Time) {
	r.t.Helper()
	r.n++
	r.send(&stream.Record{Topic: event.TopicCampaigns(m.Channel), Key: []byte(m.CustomerID), Timestamp: at,
		Value: m.AppendCampaignMessage(nil, 3, r.n, start.Add(time.Duration(r.n)*time.Millisecond))})
}

func (r *rig) send(rec *stream.Record) {
	r.t.Helper()
	rec.Topic = r.prefix + rec.Topic
	if err := r.out.Publish(context.Background(), rec); err != nil {
		r.t.Fatal(err)
	}
}

// many makes n messages to as many customers.
func many(tag string, n int) (out []*event.Message) {
	for i := range n {
		id := fmt.Sprintf("%s-%d", tag, i)
		out = append(out, message(id, "customer-"+id))
	}
	return out
}

func (r *rig) config() Config {
	return Config{Brokers: []string{r.broker}, Group: "tool", Prefix: r.prefix, Channels: []string{event.ChannelEmail}, Pause: time.Millisecond,
		Session: MinSession, Now: func() time.Time { return start.Std() }}
}

// inbox is what a handler was given.
type inbox struct {
	mu  sync.Mutex
	ids []string
}

func (b *inbox) take(_ context.Context, m event.CampaignMessage) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids = append(b.ids, m.MessageID)
	return nil
}

func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.ids)
}

// member is a subscriber at work.
type member struct {
	t    *testing.T
	s    *Subscriber
	stop context.CancelFunc
	done chan error
	once sync.Once
}

func (r *rig) run(c Config, handle Handler) *member {
	r.t.Helper()
	s, err := New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &member{t: r.t, s: s, stop: stop, done: make(chan error, 1)}
	go func() { m.done <- s.Run(ctx, handle) }()
	r.t.Cleanup(func() { m.once.Do(func() { stop(); m.ended() }) })
	return m
}

// ended waits for Run.
func (m *member) ended() error {
	m.t.Helper()
	select {
	case err := <-m.done:
		return err
	case <-time.After(within):
		m.t.Error("Run has not ended")
		return errors.New("Run has not ended")
	}
}

// leave ends Run in good order.
func (m *member) leave() {
	m.t.Helper()
	m.once.Do(func() {
		m.stop()
		if err := m.ended(); err != nil {
			m.t.Errorf("Run: %v", err)
		}
	})
}

// failed waits for Run to end by itself.
func (m *member) failed() (err error) {
	m.t.Helper()
	m.once.Do(func() { err = m.ended() })
	return err
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// count is how often each id is there.
func count(ids []string) map[string]int {
	out := map[string]int{}
	for _, id := range ids {
		out[id]++
	}
	return out
}

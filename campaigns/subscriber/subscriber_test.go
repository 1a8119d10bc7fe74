package subscriber

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// TestMessages: all of two channels, whole, in the customer's order; none of
// another channel.
func TestMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3)
	var want []string
	for i := range 30 {
		m := message(fmt.Sprintf("m-%d", i), fmt.Sprintf("c-%d", i%7))
		m.Channel = []string{event.ChannelEmail, event.ChannelPush, event.ChannelSMS}[i%3]
		if i%3 < 2 {
			want = append(want, m.MessageID)
		}
		r.publish(m)
	}
	c := r.config()
	c.Channels = []string{event.ChannelEmail, event.ChannelPush}
	var in inbox
	last, first := map[string]int64{}, make(chan event.CampaignMessage, 1)
	w := r.run(c, func(ctx context.Context, m event.CampaignMessage) error {
		in.mu.Lock()
		if m.Sequence <= last[m.CustomerID+m.Channel] {
			t.Errorf("message %d of %s came after %d", m.Sequence, m.CustomerID, last[m.CustomerID+m.Channel])
		}
		last[m.CustomerID+m.Channel] = m.Sequence
		in.mu.Unlock()
		if m.MessageID == "m-0" {
			first <- m
		}
		return in.take(ctx, m)
	})
	until(t, "all messages", func() bool { return w.s.Counts().Handled == int64(len(want)) })
	w.leave()
	got := in.all()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("handled %v\nwant %v", got, want)
	}
	m := <-first
	if m.V != 1 || m.Partition != 3 || m.Subject != "Welcome" || m.Variables["balance"] != "120" || m.Cause.ID != "m-m-0" || m.ExpiresTime != start.Add(7*24*time.Hour) {
		t.Errorf("%+v", m)
	}
}

// TestRepeats: within the horizon an id is handed out once, also by who takes the
// partition later; beyond it again.
func TestRepeats(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	a, b, c, d, e := message("a", "1"), message("b", "1"), message("c", "1"), message("d", "1"), message("e", "1")
	cfg := r.config()
	cfg.Horizon = Horizon{Messages: 3}
	var in inbox
	r.publish(a, b, a, c, d, a /* 3 before: repeat */, b /* 5 before: handed out */, e)
	w := r.run(cfg, in.take)
	until(t, "8 records", func() bool { n := w.s.Counts(); return n.Handled+n.Repeated == 8 })
	if n := w.s.Counts(); n.Repeated != 2 || strings.Join(in.all(), "") != "abcdbe" {
		t.Errorf("handled %v, %+v", in.all(), n)
	}
	w.leave()
	r.publish(a /* 3 before, by the former member */, e /* 2 before */, c /* long before */)
	w = r.run(cfg, in.take)
	until(t, "3 records", func() bool { n := w.s.Counts(); return n.Handled+n.Repeated == 3 })
	if n := w.s.Counts(); n.Repeated != 2 || strings.Join(in.all(), "") != "abcdbec" {
		t.Errorf("after the restart: handled %v, %+v", in.all(), n)
	}
}

// TestRepeatsByAge: the horizon ends by the records' times too.
func TestRepeatsByAge(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	cfg := r.config()
	cfg.Horizon = Horizon{Age: time.Minute}
	var in inbox
	now := time.Now().Truncate(time.Millisecond)
	r.record(message("a", "1"), now)
	r.record(message("b", "1"), now)
	r.record(message("a", "1"), now.Add(time.Minute))
	r.record(message("b", "1"), now.Add(time.Minute+time.Millisecond))
	w := r.run(cfg, in.take)
	until(t, "4 records", func() bool { n := w.s.Counts(); return n.Handled+n.Repeated == 4 })
	if got := strings.Join(in.all(), ""); got != "abb" {
		t.Errorf("handled %s, want abb", got)
	}
}

// TestExpired: what is too late goes to the hook, and only there.
func TestExpired(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	old, edge, forever := message("old", "1"), message("edge", "1"), message("for-ever", "1")
	old.ExpiresTime, edge.ExpiresTime, forever.ExpiresTime = start-1, start, 0
	r.publish(old, edge, forever)
	var in, late inbox
	cfg := r.config()
	fails := 1
	cfg.Expired = func(ctx context.Context, m event.CampaignMessage) error {
		if fails > 0 {
			fails--
			return errors.New("tried again as a handler is")
		}
		return late.take(ctx, m)
	}
	w := r.run(cfg, in.take)
	until(t, "3 records", func() bool { n := w.s.Counts(); return n.Handled+n.Expired == 3 })
	if !slices.Equal(in.all(), []string{"edge", "for-ever"}) || !slices.Equal(late.all(), []string{"old"}) {
		t.Errorf("handled %v, expired %v", in.all(), late.all())
	}
}

// TestGroupOfTwo: members come and go in good order, in the middle of handlers:
// every message is handed out once.
func TestGroupOfTwo(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4)
	const n = 400
	cfg := r.config()
	var in inbox
	by := [2]atomic.Int64{}
	slow := make(chan struct{}, 1) // holds one handler of member 0 while 1 joins
	release := make(chan struct{})
	handler := func(i int) Handler {
		return func(ctx context.Context, m event.CampaignMessage) error {
			if by[i].Add(1) == 20 && i == 0 {
				slow <- struct{}{}
				<-release
			}
			return in.take(ctx, m)
		}
	}
	messages := many("g", n)
	r.publish(messages[:n/2]...)
	first := r.run(cfg, handler(0))
	<-slow
	second := r.run(cfg, handler(1))
	close(release)
	r.publish(messages[n/2:]...)
	// More until the second one has had a share: the group moves at heartbeats.
	extra := 0
	until(t, "a share for the second member", func() bool {
		extra++
		r.publish(message(fmt.Sprintf("x-%d", extra), fmt.Sprintf("x-%d", extra)))
		return by[1].Load() > 0
	})
	first.leave()
	r.publish(many("y", 40)...)
	total := n + extra + 40
	until(t, "all messages", func() bool { return len(in.all()) >= total })
	second.leave()
	got := count(in.all())
	if len(got) != total {
		t.Errorf("%d messages, want %d", len(got), total)
	}
	for id, times := range got {
		if times != 1 {
			t.Errorf("%s was handled %d times", id, times)
		}
	}
	t.Logf("the first member handled %d, the second %d; repeats dropped: %d, %d", by[0].Load(), by[1].Load(), first.s.Counts().Repeated, second.s.Counts().Repeated)
}

// TestHandlerErrors: tried again in place; given up with an error, and handed out
// again to the next who runs.
func TestHandlerErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.publish(many("h", 5)...)
	broken, reports := errors.New("the mail server is down"), atomic.Int64{}
	cfg := r.config()
	cfg.Attempts, cfg.Report = 3, func(err error) {
		if errors.Is(err, broken) {
			reports.Add(1)
		}
	}
	var tried, in inbox
	w := r.run(cfg, func(ctx context.Context, m event.CampaignMessage) error {
		_ = tried.take(ctx, m)
		if m.MessageID == "h-1" && count(tried.all())["h-1"] < 3 || m.MessageID == "h-3" {
			return broken
		}
		return in.take(ctx, m)
	})
	err := w.failed()
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "message h-3, attempt 3") || !strings.Contains(err.Error(), "campaigns.email/0@3") {
		t.Errorf("Run: %v", err)
	}
	if want := map[string]int{"h-0": 1, "h-1": 3, "h-2": 1, "h-3": 3}; !maps.Equal(count(tried.all()), want) {
		t.Errorf("tried %v, want %v", count(tried.all()), want)
	}
	if reports.Load() != 4 { // the last failure is returned
		t.Errorf("%d failures reported, want 4", reports.Load())
	}
	if !slices.Equal(in.all(), []string{"h-0", "h-1", "h-2"}) {
		t.Errorf("handled %v", in.all())
	}
	w = r.run(cfg, in.take)
	until(t, "the rest", func() bool { return w.s.Counts().Handled == 2 })
	if !slices.Equal(in.all(), []string{"h-0", "h-1", "h-2", "h-3", "h-4"}) {
		t.Errorf("handled %v", in.all())
	}
}

// TestUnreadable: a record that is no message ends Run, or is passed over if asked.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.publish(message("a", "1"))
	r.send(&stream.Record{Topic: event.TopicCampaigns(event.ChannelEmail), Value: []byte(`{"v":1}`)})
	r.publish(message("b", "1"))
	var in inbox
	cfg := r.config()
	if err := r.run(cfg, in.take).failed(); err == nil || !strings.Contains(err.Error(), "@1: no campaign message: no message_id") {
		t.Errorf("Run: %v", err)
	}
	var odd []string
	cfg.Unreadable = func(_ context.Context, m kafka.Message, _ error) error {
		odd = append(odd, string(m.Value))
		return nil
	}
	w := r.run(cfg, in.take)
	until(t, "the message after it", func() bool { return w.s.Counts().Handled == 1 })
	w.leave()
	if strings.Join(in.all(), "") != "ab" || !slices.Equal(odd, []string{`{"v":1}`}) {
		t.Errorf("handled %v, unreadable %q", in.all(), odd)
	}
}

// TestWrongPlace: a wrong address or prefix is told at once.
func TestWrongPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	cfg := r.config()
	cfg.Prefix = "nobody."
	if err := r.run(cfg, nil).failed(); err == nil || !strings.Contains(err.Error(), `topic nobody.campaigns.email`) || !strings.Contains(err.Error(), "prefix") {
		t.Errorf("wrong prefix: %v", err)
	}
	cfg = r.config()
	cfg.Brokers = []string{"127.0.0.1:1"}
	if err := r.run(cfg, nil).failed(); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("wrong broker: %v", err)
	}
	_, err := New(Config{Channels: []string{"fax", event.ChannelSMS, event.ChannelSMS}, Horizon: Horizon{Messages: -1}, Attempts: -1, Session: time.Second})
	for _, want := range []string{"Brokers", "Group", `"fax"`, "sms is named twice", "Horizon", "Attempts", "Session"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a configuration with %s wrong: %v", want, err)
		}
	}
}

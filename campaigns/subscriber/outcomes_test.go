package subscriber

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/ingest"
)

const doorKey = "server-secret-1"

// door is the real one, with a log in memory.
type door struct {
	mu     sync.Mutex
	events []event.Event
	refuse []error // of the next calls to Publish
}

func (d *door) Publish(_ context.Context, records []ingest.Outgoing) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.refuse) > 0 {
		err := d.refuse[0]
		d.refuse = d.refuse[1:]
		return err
	}
	for _, rec := range records {
		if rec.Topic != event.TopicEvents {
			continue
		}
		var e event.Event
		if err := event.Decode(rec.Value, &e); err != nil {
			return err
		}
		d.events = append(d.events, e)
	}
	return nil
}

func newDoor(t *testing.T) (*door, *Outcomes) {
	t.Helper()
	d := &door{}
	gate, err := ingest.New(ingest.Config{Log: d, Keys: []ingest.Key{{Kind: ingest.KeyServer, Name: "tool", Secret: doorKey}}, Now: func() time.Time { return start.Std() }})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gate.Handler())
	t.Cleanup(s.Close)
	o, err := NewOutcomes(DoorConfig{URL: s.URL, Key: doorKey})
	if err != nil {
		t.Fatal(err)
	}
	return d, o
}

// TestOutcomes: each kind through the real door, to the event that enters the log.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	ctx, at := context.Background(), start.Add(-time.Minute).Std()
	d, o := newDoor(t)
	m := event.CampaignMessage{Message: *message("r1", "17850")}
	sms, app := m, m
	sms.Channel, app.Channel, app.IsSimulated = event.ChannelSMS, event.ChannelInApp, true
	for _, err := range []error{
		o.Delivered(ctx, m, at), o.Opened(ctx, m, at), o.Clicked(ctx, m, "https://ann:secret@shop.example/sale?email=a@b.example#me", at),
		o.Bounced(ctx, m, at), o.Unsubscribed(ctx, sms, at), o.Complained(ctx, m, time.Time{}), o.Delivered(ctx, app, at),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	var got []string
	for _, e := range d.events {
		p := map[string]string{}
		for name, raw := range e.Properties {
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				t.Error(err)
			}
			p[name] = text
		}
		if p["message_id"] != "r1" || p["campaign_id"] != "welcome" || p["arm"] != "a" || e.AccountID != "17850" || e.Type != event.TypeTrack {
			t.Errorf("%+v", e)
		}
		got = append(got, fmt.Sprint(e.Name, "|", e.MessageID, "|", p["channel"], "|", p["link_url"], "|", int64(e.EventTime-start)/1000, "|", e.IsSimulated))
	}
	want := []string{
		"Email Delivered|r1/delivered|email||-60|false",
		"Email Opened|r1/opened|email||-60|false",
		"Email Link Clicked|r1/clicked/dbbb0b0a3adf6d87|email|https://shop.example/sale|-60|false",
		"Email Bounced|r1/bounced|email||-60|false",
		"Unsubscribed|r1/unsubscribed|sms||-60|false",
		"Email Marked as Spam|r1/complained|email||0|false",
		"In-App Delivered|r1/delivered|in_app||-60|true",
	}
	for i, text := range got {
		if i >= len(want) || text != want[i] {
			t.Errorf("event %d: %s", i, text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
}

// TestOutcomeIDs: the same report has the same id, another link another.
func TestOutcomeIDs(t *testing.T) {
	t.Parallel()
	m := event.CampaignMessage{Message: *message("r1", "17850")}
	id := func(o Outcome) string {
		t.Helper()
		call, err := trackOf(&o)
		if err != nil {
			t.Fatal(err)
		}
		return call.MessageID
	}
	ids := map[string]bool{}
	for _, kind := range []OutcomeKind{Delivered, Opened, Bounced, Unsubscribed, Complained} {
		ids[id(Outcome{Kind: kind, Message: m})] = true
	}
	for _, link := range []string{"https://shop.example/a", "https://shop.example/b", "https://shop.example/a?who=1"} {
		ids[id(Outcome{Kind: Clicked, Message: m, Link: link, At: time.Now()})] = true
	}
	if len(ids) != 7 {
		t.Errorf("ids %v: want one a kind, and two of three links", slices.Sorted(maps.Keys(ids)))
	}
	for _, bad := range []Outcome{{Kind: "sold", Message: m}, {Kind: Opened}, {Kind: Clicked, Message: m}, {Kind: Clicked, Message: m, Link: "%zz"}} {
		if _, err := trackOf(&bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestBusyDoor: 429 and 503 are tried again, with the same bytes; a refusal for
// good is not.
func TestBusyDoor(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d, o := newDoor(t)
	d.refuse = []error{ingest.ErrBusy} // the door says 429 and Retry-After 1
	m := event.CampaignMessage{Message: *message("r1", "17850")}
	if err := o.Report(ctx, Outcome{Kind: Delivered, Message: m}, Outcome{Kind: Opened, Message: m}); err != nil || len(d.events) != 2 {
		t.Errorf("%v; %d events", err, len(d.events))
	}
	m.CustomerID = "anon:1"
	var refused *Rejected
	err := o.Report(ctx, Outcome{Kind: Opened, Message: m})
	if !errors.As(err, &refused) || refused.Rejected != 1 || !strings.Contains(err.Error(), "invalid_field userId") {
		t.Errorf("to one who has no user id: %v", err)
	}
	o.config.Key = "wrong-secret-1"
	if err := o.Report(ctx, Outcome{Kind: Opened, Message: m}); err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("with a wrong key: %v", err)
	}
	if err := o.Report(ctx, make([]Outcome, MaxReport+1)...); err == nil {
		t.Error("more than MaxReport were taken")
	}
}

// TestRetryAfter: how long to wait is what the door says, and attempts are bounded.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	calls, header := atomic.Int64{}, atomic.Value{}
	header.Store("7")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Retry-After", header.Load().(string))
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	o, err := NewOutcomes(DoorConfig{URL: s.URL, Key: doorKey, Attempts: 3})
	if err != nil {
		t.Fatal(err)
	}
	if after, err := o.once(context.Background(), nil); after != 7*time.Second || err == nil {
		t.Errorf("again after %v: %v", after, err)
	}
	header.Store("0")
	calls.Store(0)
	if err := o.post(context.Background(), nil); err == nil || calls.Load() != 3 || !strings.Contains(err.Error(), "after 3 attempts") {
		t.Errorf("%d calls: %v", calls.Load(), err)
	}
	for _, bad := range []DoorConfig{{URL: "127.0.0.1:8080", Key: "k"}, {URL: s.URL}, {URL: s.URL, Key: "k", Attempts: -1}} {
		if _, err := NewOutcomes(bad); err == nil {
			t.Errorf("%q with %d attempts was taken", bad.URL, bad.Attempts)
		}
	}
}

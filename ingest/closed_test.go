package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestClosed: when events may not enter, the sender is told when to try again,
// and nothing is written.
func TestClosed(t *testing.T) {
	for _, c := range []struct {
		reason string
		status int
		code   string
	}{
		{ClosedHistory, 503, "history_import"}, {ClosedDisk, 503, "disk_full"}, {ClosedBroker, 429, "broker_slow"}, {"on fire", 503, "unavailable"},
	} {
		r := newRig(t, func(cfg *Config) {
			cfg.Gate = gateFunc(func() (string, time.Duration, bool) { return c.reason, 1500 * time.Millisecond, false })
			cfg.Desk = newFakeDesk()
		})
		for path, body := range map[string]string{"/v1/page": page1, "/v1/batch": `{"batch":[]}`, "/v1/redemptions": `{"idempotency_key":"k","customer_id":"u1","points":1}`} {
			got := r.post(path, body)
			got.wants(t, c.status, c.code)
			if got.header.Get("Retry-After") != "2" {
				t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
			}
		}
		r.balanced()
		if len(r.log.records) != 0 {
			t.Error("something was written")
		}
	}
}

// TestLogRefuses: 200 only when the broker has it.
func TestLogRefuses(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{ErrBusy, 429, "broker_slow"}, {fmt.Errorf("buffer: %w", ErrBusy), 429, "broker_slow"}, {errors.New("leader gone"), 503, "broker_unavailable"},
	} {
		r := newRig(t, func(cfg *Config) { cfg.Desk = newFakeDesk() })
		r.log.onPublish = func([]Outgoing) error { return c.err }
		for path, body := range map[string]string{
			"/v1/page": page1, "/v1/batch": `{"batch":[{"type":"page","userId":"u"},{"type":"x"}]}`,
			"/v1/redemptions": `{"idempotency_key":"k","customer_id":"u1","points":1}`,
		} {
			got := r.post(path, body)
			got.wants(t, c.status, c.code)
			if got.header.Get("Retry-After") == "" || strings.Contains(string(got.body), "leader gone") {
				t.Errorf("%v %s", got.header, got.body)
			}
		}
		r.balanced()
		if n := r.door.Counts(); n.TurnedAway != 4 || n.Accepted+n.Rejected != 0 {
			t.Errorf("%+v", n)
		}
		if (len(r.told) > 0) != (c.status == 503) {
			t.Errorf("reported %v", r.told)
		}
	}
}

// TestHungUp: what was handed to the log is counted though the caller is gone.
func TestHungUp(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	r.log.onPublish = func([]Outgoing) error { cancel(); return nil }
	req := httptest.NewRequest("POST", "/v1/page", strings.NewReader(page1)).WithContext(ctx)
	req.SetBasicAuth(serverKey, "")
	r.serv.ServeHTTP(httptest.NewRecorder(), req)
	if r.door.Counts().Accepted != 1 {
		t.Errorf("%+v", r.door.Counts())
	}
	r.balanced()
}

// TestTooManyCalls: calls beyond the slots are refused, and slots come back.
func TestTooManyCalls(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Concurrent = 1 })
	inside, goOn := make(chan struct{}), make(chan struct{})
	r.log.onPublish = func([]Outgoing) error { inside <- struct{}{}; <-goOn; return nil }
	done := make(chan answered)
	go func() { done <- r.post("/v1/page", page1) }()
	<-inside
	r.post("/v1/page", page1).wants(t, 429, "too_many_calls")
	close(goOn)
	if got := <-done; got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	r.log.onPublish = nil
	r.post("/v1/page", page1).taken(t)
	r.balanced()
}

// TestPanic: a bug of ours is answered, counted and reported, without a trace.
func TestPanic(t *testing.T) {
	r := newRig(t, nil)
	r.log.onPublish = func([]Outgoing) error { panic("a bug") }
	got := r.post("/v1/page", page1)
	got.wants(t, 500, "internal")
	if strings.Contains(string(got.body), "a bug\n") || strings.Contains(string(got.body), ".go") {
		t.Errorf("%s", got.body)
	}
	if r.door.Counts().Panics != 1 || len(r.told) != 1 {
		t.Errorf("%+v %v", r.door.Counts(), r.told)
	}
}

func TestBrowser(t *testing.T) {
	r := newRig(t, nil)
	got := r.call("OPTIONS", "/v1/t", "", nil, "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
	if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(got.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("%d %v", got.status, got.header)
	}
	if got := r.call("POST", "/v1/p", publicKey, []byte(page1)); got.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", got.header)
	}
	if got := r.call("OPTIONS", "/v1/redemptions", "", nil); got.status != 405 || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

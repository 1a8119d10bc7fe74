package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// fakeDesk decides redemptions as the customer processor would: one at a time,
// each key once, a repeat answered with the stored answer.
type fakeDesk struct {
	mu       sync.Mutex
	balance  map[string]int64
	decided  map[string]event.Entry // by account and message id
	hashes   map[string]string
	waiting  map[string][]chan event.Entry
	done     map[string]chan struct{}
	open     int // tickets not cancelled
	sequence int64
	refuse   error // of Expect, Customer and After
}

func newFakeDesk() *fakeDesk {
	return &fakeDesk{balance: map[string]int64{}, decided: map[string]event.Entry{}, hashes: map[string]string{},
		waiting: map[string][]chan event.Entry{}, done: map[string]chan struct{}{}}
}

// decide takes records as the processor takes them from the log.
func (d *fakeDesk) decide(records []Outgoing) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range records {
		var e event.Event
		if r.Topic != event.TopicEvents || event.Decode(r.Value, &e) != nil || e.Redeem == nil {
			continue
		}
		id := e.AccountID + "\x00" + e.MessageID
		d.sequence++
		entry, seen := d.decided[id]
		switch {
		case seen && d.hashes[id] != e.BodyHash:
			entry = event.Entry{Outcome: event.OutcomeConflict}
		case seen:
			entry.Outcome = event.OutcomeDuplicate
		default:
			entry = d.first(&e)
			d.decided[id], d.hashes[id] = entry, e.BodyHash
			close(d.signal(id))
		}
		entry.Sequence = d.sequence
		for _, c := range d.waiting[id] {
			c <- entry
		}
		delete(d.waiting, id)
	}
	return nil
}

func (d *fakeDesk) first(e *event.Event) event.Entry {
	balance, member := d.balance[e.AccountID]
	entry := event.Entry{Outcome: event.OutcomeRejected}
	switch {
	case !member:
		entry.Reason = event.ReasonNotMember
		return entry
	case balance < e.Redeem.Points:
		entry.Reason = event.ReasonInsufficientPoints
	default:
		entry.Outcome = event.OutcomeApplied
		balance -= e.Redeem.Points
		d.balance[e.AccountID] = balance
	}
	entry.Redemption = &event.Redemption{RedemptionID: e.Redeem.RedemptionID, Points: e.Redeem.Points,
		Accepted: entry.Reason == "", Balance: balance}
	return entry
}

func (d *fakeDesk) signal(id string) chan struct{} {
	if d.done[id] == nil {
		d.done[id] = make(chan struct{})
	}
	return d.done[id]
}

type fakeTicket struct {
	d    *fakeDesk
	c    chan event.Entry
	once sync.Once
}

func (t *fakeTicket) Wait(ctx context.Context) (*event.Entry, error) {
	select {
	case e := <-t.c:
		return &e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t *fakeTicket) Cancel() {
	t.once.Do(func() {
		t.d.mu.Lock()
		defer t.d.mu.Unlock()
		t.d.open--
	})
}

func (d *fakeDesk) Expect(accountID, messageID string) (Ticket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return nil, d.refuse
	}
	d.open++
	c := make(chan event.Entry, 1)
	id := accountID + "\x00" + messageID
	d.waiting[id] = append(d.waiting[id], c)
	return &fakeTicket{d: d, c: c}, nil
}

func (d *fakeDesk) Customer(_ context.Context, accountID string) (CustomerReading, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return CustomerReading{}, d.refuse
	}
	b, ok := d.balance[accountID]
	if !ok {
		return CustomerReading{}, fmt.Errorf("%s: %w", accountID, ErrUnknownCustomer)
	}
	return CustomerReading{Standing: event.Standing{CustomerID: accountID, Member: true, Balance: b}, Partition: 3, Sequence: 42, Clock: event.At(now)}, nil
}

func (d *fakeDesk) After(ctx context.Context, accountID, messageID string) error {
	d.mu.Lock()
	refuse, c := d.refuse, d.signal(accountID+"\x00"+messageID)
	d.mu.Unlock()
	if refuse != nil {
		return refuse
	}
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// deskRig is a rig whose log is decided at once by its desk.
func deskRig(t testing.TB, change func(*Config)) (*rig, *fakeDesk) {
	desk := newFakeDesk()
	r := newRig(t, func(c *Config) {
		c.Desk = desk
		if change != nil {
			change(c)
		}
	})
	r.log.onPublish = desk.decide
	return r, desk
}

func redemptionOf(key, customer string, points int) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"customer_id":%q,"points":%d,"order_id":"o1"}`, key, customer, points)
}

func TestRedemptions(t *testing.T) {
	r, desk := deskRig(t, nil)
	desk.balance["u1"] = 100
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{redemptionOf("k1", "u1", 60), 200, `{"accepted":true,"redemption_id":"k1","customer_id":"u1","points":60,"balance":40}`},
		{redemptionOf("k2", "u1", 60), 422, `{"accepted":false,"redemption_id":"k2","customer_id":"u1","points":60,"balance":40,"code":"insufficient_points"}`},
		{redemptionOf("k3", "u1", 40), 200, `{"accepted":true,"redemption_id":"k3","customer_id":"u1","points":40,"balance":0}`},
		// The same key gets the same answer, whatever came since.
		{redemptionOf("k1", "u1", 60), 200, `{"accepted":true,"redemption_id":"k1","customer_id":"u1","points":60,"balance":40}`},
		{`{"order_id":"o1","points":60,"customer_id":"u1","idempotency_key":"k2","context":{"is_simulated":true}}`, 422,
			`{"accepted":false,"redemption_id":"k2","customer_id":"u1","points":60,"balance":40,"code":"insufficient_points"}`},
		{redemptionOf("k4", "stranger", 1), 422, `{"accepted":false,"redemption_id":"k4","customer_id":"stranger","points":1,"balance":0,"code":"not_member"}`},
	} {
		got := r.post("/v1/redemptions", c.body)
		if got.status != c.status || strings.TrimSpace(string(got.body)) != c.want {
			t.Errorf("%s: %d %s\nwant %d %s", c.body, got.status, got.body, c.status, c.want)
		}
	}
	r.post("/v1/redemptions", redemptionOf("k1", "u1", 61)).wants(t, 409, "idempotency_conflict")
	if e := r.log.events(t)[0]; e.MessageID != "redeem:k1" || e.Type != event.TypeRedeem || e.EventTime != event.At(now) ||
		*e.Redeem != (event.Redeem{RedemptionID: "k1", Points: 60, OrderID: "o1"}) {
		t.Errorf("%+v", e)
	}
	if desk.open != 0 {
		t.Errorf("%d tickets are open", desk.open)
	}
	r.balanced()
}

func TestBadRedemptions(t *testing.T) {
	for body, want := range map[string]string{
		`{"customer_id":"u1","points":1}`:                                          "missing_field idempotency_key",
		`{"idempotency_key":"k","points":1}`:                                       "missing_field customer_id",
		`{"idempotency_key":"k","customer_id":"u1"}`:                               "missing_field points",
		redemptionOf("k", "u1", 0):                                                 "invalid_field points",
		redemptionOf("k", "u1", -5):                                                "invalid_field points",
		`{"idempotency_key":"k","customer_id":"u1","points":1.5}`:                  "invalid_field points",
		`{"idempotency_key":"k","customer_id":"u1","points":99999999999999999999}`: "invalid_field points",
		redemptionOf(strings.Repeat("k", 194), "u1", 1):                            "invalid_field idempotency_key",
		redemptionOf("k", strings.Repeat("u", 201), 1):                             "invalid_field customer_id",
		`{"idempotency_key":"k","customer_id":"u1","points":1,"Points":2}`:         "invalid_field body",
		`{"idempotency_key":"k","customer_id":"u1","points":1}{}`:                  "invalid_json ",
		`[]`: "invalid_json ",
		`{"idempotency_key":"k","customer_id":"u1","points":1,"context":"x"}`: "invalid_field context",
	} {
		r, _ := deskRig(t, nil)
		got := r.post("/v1/redemptions", body)
		var f failure
		got.into(t, &f)
		if said := f.Error.Code + " " + f.Error.Field; got.status != 400 || said != want {
			t.Errorf("%s: %d %q, want %q", body, got.status, said, want)
		}
		r.balanced()
		if c := r.door.Counts(); c.Rejected != 1 || c.Accepted != 0 {
			t.Errorf("%+v", c)
		}
	}
	r, desk := deskRig(t, nil)
	r.post("/v1/redemptions", strings.Repeat(" ", MaxRedemptionBytes)+redemptionOf("k", "u1", 1)).wants(t, 413, event.RejectTooLarge)
	desk.refuse = errors.New("no owner at 10.0.0.7")
	if got := r.post("/v1/redemptions", redemptionOf("k", "u1", 1)); strings.Contains(string(got.body), "10.0.0.7") {
		t.Errorf("%s", got.body)
	} else {
		got.wants(t, 503, "not_reached")
	}
}

// TestRedemptionPending: a wait that is too long is 202 and the id, never a
// failure; asking again gets the answer.
func TestRedemptionPending(t *testing.T) {
	r, desk := deskRig(t, func(c *Config) { c.Wait = 5 * time.Millisecond })
	desk.balance["u1"] = 10
	var held []Outgoing
	r.log.onPublish = func(records []Outgoing) error { held = append(held, records...); return nil }
	got := r.post("/v1/redemptions", redemptionOf("k", "u1", 10))
	if got.status != 202 || strings.TrimSpace(string(got.body)) != `{"status":"pending","message_id":"redeem:k"}` {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := r.call("GET", "/v1/customers/u1?after=redeem:k", readKey, nil); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
	_ = desk.decide(held)
	if got := r.call("GET", "/v1/customers/u1?after=redeem:k", readKey, nil); got.status != 200 || !strings.Contains(string(got.body), `"balance":0`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	r.log.onPublish = desk.decide
	if got := r.post("/v1/redemptions", redemptionOf("k", "u1", 10)); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if desk.open != 0 || r.door.Counts().Pending != 2 {
		t.Errorf("%d open, %+v", desk.open, r.door.Counts())
	}
	r.balanced()
}

// TestConcurrentRedemptions: many at once, each key twice; never below zero, and
// both callers of a key hear the same.
func TestConcurrentRedemptions(t *testing.T) {
	r, desk := deskRig(t, func(c *Config) { c.Waiting = 4096; c.Wait = 30 * time.Second })
	const keys, points = 500, 7
	desk.balance["u1"] = 1000
	var wg sync.WaitGroup
	answers := [2][keys]string{}
	for i := range keys {
		for twice := range 2 {
			wg.Go(func() {
				got := r.post("/v1/redemptions", redemptionOf(fmt.Sprint("k", i), "u1", points))
				answers[twice][i] = fmt.Sprint(got.status, string(got.body))
			})
		}
	}
	wg.Wait()
	accepted := 0
	for i := range keys {
		if answers[0][i] != answers[1][i] {
			t.Errorf("one key, two answers: %s and %s", answers[0][i], answers[1][i])
		}
		if strings.HasPrefix(answers[0][i], "200") {
			accepted++
		} else if !strings.HasPrefix(answers[0][i], "422") {
			t.Errorf("%s", answers[0][i])
		}
	}
	if accepted != 1000/points || desk.balance["u1"] != 1000%points || desk.open != 0 {
		t.Errorf("%d accepted, balance %d, %d tickets open", accepted, desk.balance["u1"], desk.open)
	}
	r.balanced()
}

// TestNoAnswer: an entry that answers nothing is our bug and said to be.
func TestNoAnswer(t *testing.T) {
	r, desk := deskRig(t, nil)
	desk.decided["u1\x00redeem:k"] = event.Entry{}
	r.post("/v1/redemptions", redemptionOf("k", "u1", 1)).wants(t, 409, "idempotency_conflict")
	e := r.log.events(t)[0]
	desk.hashes["u1\x00redeem:k"] = e.BodyHash
	r.post("/v1/redemptions", redemptionOf("k", "u1", 1)).wants(t, 500, "internal")
	if len(r.told) != 1 {
		t.Errorf("%v", r.told)
	}
}

func TestCustomer(t *testing.T) {
	r, desk := deskRig(t, func(c *Config) { c.Wait = 5 * time.Millisecond })
	desk.balance["anon:a1"], desk.balance["a/b"] = 5, 6
	got := r.call("GET", "/v1/customers/anon:a1", readKey, nil)
	var v reading
	got.into(t, &v)
	if got.status != 200 || v.V != 1 || v.Standing.Balance != 5 || v.Partition != 3 || v.Sequence != 42 || v.Clock != event.At(now) {
		t.Errorf("%d %s", got.status, got.body)
	}
	// An id with a slash, escaped. (kin-openapi's router finds no such path.)
	req := httptest.NewRequest("GET", "/v1/customers/a%2Fb", nil)
	req.SetBasicAuth(readKey, "")
	w := httptest.NewRecorder()
	if r.serv.ServeHTTP(w, req); w.Code != 200 || !strings.Contains(w.Body.String(), `"balance":6`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r.call("GET", "/v1/customers/nobody", readKey, nil).wants(t, 404, "unknown_customer")
	if got := r.call("GET", "/v1/customers/nobody?after=m1", readKey, nil); got.status != 202 || !strings.Contains(string(got.body), `"m1"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	r.call("GET", "/v1/customers/x?after="+strings.Repeat("m", 201), readKey, nil).wants(t, 400, "invalid_field")
	desk.refuse = errors.New("gone")
	r.call("GET", "/v1/customers/x", readKey, nil).wants(t, 503, "not_reached")
}

func TestEntries(t *testing.T) {
	var asked []string
	fail := false
	r := newRig(t, func(c *Config) {
		c.Entries = entriesFunc(func(_ context.Context, id string, before int64, limit int) ([]json.RawMessage, error) {
			asked = append(asked, fmt.Sprint(id, " ", before, " ", limit))
			if fail {
				return nil, errors.New("clickhouse: code 241")
			}
			all := []json.RawMessage{[]byte(`{"sequence":9}`), []byte(`{"sequence":4}`)}
			return all[:min(limit, 2)], nil
		})
	})
	for path, want := range map[string]string{
		"/v1/customers/u1/entries":                   `{"v":1,"customer_id":"u1","entries":[{"sequence":9},{"sequence":4}]}`,
		"/v1/customers/u1/entries?limit=2&before=10": `{"v":1,"customer_id":"u1","entries":[{"sequence":9},{"sequence":4}],"next_before":4}`,
	} {
		if got := r.call("GET", path, readKey, nil); got.status != 200 || strings.TrimSpace(string(got.body)) != want {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if len(asked) != 2 || !strings.Contains(strings.Join(asked, ","), "u1 10 2") || !strings.Contains(strings.Join(asked, ","), "u1 0 50") {
		t.Errorf("asked %q", asked)
	}
	fail = true
	if got := r.call("GET", "/v1/customers/u1/entries", readKey, nil); strings.Contains(string(got.body), "241") {
		t.Errorf("%s", got.body)
	} else {
		got.wants(t, 503, "warehouse_unavailable")
	}
}

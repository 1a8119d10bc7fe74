package ingest

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	analytics "github.com/segmentio/analytics-go/v3"

	"github.com/punchcard/punchcard/event"
)

// outcomes is the client's callback: what it thinks became of its messages.
type outcomes struct {
	mu   sync.Mutex
	good int
	bad  []error
}

func (o *outcomes) Success(analytics.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.good++
}

func (o *outcomes) Failure(_ analytics.Message, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bad = append(o.bad, err)
}

func (o *outcomes) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.good + len(o.bad)
}

// TestSegmentGoClient: Segment's own client, unmodified, with another endpoint;
// also while the log is busy at first, which the client repeats.
func TestSegmentGoClient(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Now = time.Now })
	calls := 0
	r.log.onPublish = func([]Outgoing) error {
		if calls++; calls == 1 {
			return ErrBusy
		}
		return nil
	}
	s := httptest.NewServer(r.serv)
	defer s.Close()
	var o outcomes
	client, err := analytics.NewWithConfig(serverKey, analytics.Config{Endpoint: s.URL, BatchSize: 7, Callback: &o,
		RetryAfter: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	happened := time.Now().Add(-time.Hour)
	for _, m := range []analytics.Message{
		analytics.Identify{UserId: "u1", Traits: analytics.NewTraits().SetEmail("a@b.example").Set("country", "GB")},
		analytics.Track{UserId: "u1", Event: "Order Completed", Timestamp: happened, Properties: analytics.NewProperties().
			SetOrderId("o1").SetCurrency("GBP").SetDiscount(0.5).SetProducts(
			analytics.Product{ID: "p1", SKU: "sku1", Name: "Tea", Price: 2.55},
			analytics.Product{SKU: "sku2", Price: 1.1})},
		analytics.Track{AnonymousId: "a1", Event: "Product Viewed"},
		analytics.Page{AnonymousId: "a1", Name: "Home"},
		analytics.Screen{UserId: "u1", Name: "Cart"},
		analytics.Group{UserId: "u1", GroupId: "g1"},
		analytics.Alias{UserId: "u1", PreviousId: "a1"},
	} {
		if err := client.Enqueue(m); err != nil {
			t.Fatal(err)
		}
	}
	// The client drops what it would repeat when it is closed.
	for end := time.Now().Add(10 * time.Second); o.count() < 7 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if o.good != 7 || len(o.bad) != 0 || calls != 2 {
		t.Fatalf("%d good, bad %v, %d calls", o.good, o.bad, calls)
	}
	es := r.log.events(t)
	if len(es) != 7 || len(r.log.rejects(t)) != 0 {
		t.Fatalf("%d events, rejects %+v", len(es), r.log.rejects(t))
	}
	order := es[1]
	if order.Order == nil || order.Order.NetMinor() != 315 || order.Order.Lines[1].ProductID != "sku2" || order.Context.Library != "analytics-go/3.0.0" {
		t.Errorf("%+v %+v", order.Order, order.Context)
	}
	// Corrected by the sender's sentAt: as long ago as it was when sent.
	if off := order.EventTime - event.At(happened); off < -1000 || off > 60_000 {
		t.Errorf("the order happened at %v, the door says %v", event.At(happened), order.EventTime)
	}
	if es[2].AccountID != "anon:a1" || es[0].MessageID == "" || string(es[0].Traits["country"]) != `"GB"` {
		t.Errorf("%+v", es)
	}
	if got := r.door.Counts(); got.TurnedAway != 7 || got.Accepted != 7 {
		t.Errorf("%+v", got)
	}
	r.balanced()
}

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// sent is a message of a campaign at noon.
func sent(e Effect, n int) *event.CampaignMessage {
	at := event.At(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	return &event.CampaignMessage{EntryTime: at, Message: event.Message{
		MessageID: fmt.Sprintf("%s-%s-%d", e.Campaign, e.Arm, n), CustomerID: "c1", CampaignID: e.Campaign, Arm: e.Arm, Channel: e.Channel,
		NotBefore: at, ExpiresTime: at.Add(7 * 24 * time.Hour),
	}}
}

// Over 10,000 messages of each campaign and arm, what comes of them has the
// planted shares: within four standard deviations.
func TestReactionsHaveThePlantedShares(t *testing.T) {
	const n = 10_000
	for _, e := range append(PlantedEffects(), unknown("somebody's own", "a", event.ChannelEmail)) {
		counts := map[Act]float64{}
		for i := range n {
			for _, s := range React(1, sent(e, i)) {
				counts[s.Act]++
			}
		}
		for _, c := range []struct {
			what  string
			act   Act
			share float64
		}{
			{"delivered", Delivers, e.Delivered}, {"bounced", Bounces, 1 - e.Delivered}, {"opened", Opens, e.Opened},
			{"clicked", Clicks, e.Clicked}, {"answered", Answers, e.Answered}, {"bought", Buys, e.Extra},
			{"unsubscribed", Unsubscribes, e.Unsubscribed}, {"complained", Complains, complained},
		} {
			got, most := counts[c.act]/n, 4*math.Sqrt(c.share*(1-c.share)/n)
			if math.Abs(got-c.share) > most {
				t.Errorf("%s, %s: %s %.4f, planted %.4f ± %.4f", e.Campaign, e.Arm, c.what, got, c.share, most)
			}
		}
	}
}

// A reaction depends on the seed and the message alone; its acts come in an order
// that makes sense, and an extra order within its time.
func TestAReactionIsAFunctionOfSeedAndMessage(t *testing.T) {
	differ := 0
	for _, e := range PlantedEffects() {
		for i := range 2000 {
			m := sent(e, i)
			got := React(1, m)
			if !reflect.DeepEqual(got, React(1, m)) {
				t.Fatal("the same message gave two reactions")
			}
			if !reflect.DeepEqual(got, React(2, m)) {
				differ++
			}
			if len(got) == 0 || len(got) > maxActs {
				t.Fatalf("%d acts", len(got))
			}
			for k, s := range got {
				if s.Time <= m.EntryTime || k > 0 && (s.Time < got[k-1].Time || s.Act <= got[k-1].Act) {
					t.Fatalf("%s: %v", m.MessageID, got)
				}
				if s.Act == Buys && s.Time > m.EntryTime.Add(e.Within) {
					t.Errorf("%s buys %s after the message, later than %s", m.MessageID, s.Time.Std().Sub(m.EntryTime.Std()), e.Within)
				}
			}
		}
	}
	if differ == 0 {
		t.Error("another seed changes nothing")
	}
}

// taking is a door that keeps what it takes.
type taking struct {
	sync.Mutex
	bodies []map[string]any
}

func (d *taking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct{ Batch []map[string]any }
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil || r.URL.Path != "/v1/batch" {
		http.Error(w, "not a batch", http.StatusBadRequest)
		return
	}
	d.Lock()
	d.bodies = append(d.bodies, call.Batch...)
	d.Unlock()
}

// The audience posts every act of every message, each at its time and marked, and
// the same ids when it reads the same messages again.
func TestTheAudienceActsAtItsTime(t *testing.T) {
	door := &taking{}
	server := httptest.NewServer(door)
	defer server.Close()
	var mu sync.Mutex
	now := sent(PlantedEffects()[0], 0).EntryTime
	a := &Audience{Shop: Learn(pastOf(20)), Seed: 1, Door: server.URL, Key: "key", Now: func() event.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}}
	want := map[string]bool{}
	play := func() map[string]bool {
		messages := make(chan event.CampaignMessage)
		go func() {
			defer close(messages)
			for _, e := range PlantedEffects() {
				for i := range 20 {
					messages <- *sent(e, i)
				}
			}
		}()
		got := map[string]bool{}
		a.Posted = func(acts []Post) {
			for _, p := range acts {
				if p.Time > a.Now() {
					t.Errorf("%v is posted before its time %s", p.Body, p.Time)
				}
				got[p.Body["messageId"].(string)] = true
			}
			mu.Lock()
			now = now.Add(24 * time.Hour) // a day passes with every look at the clock
			mu.Unlock()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		stop := make(chan struct{})
		defer close(stop)
		go func() { // also when nothing is due
			for {
				select {
				case <-stop:
					return
				case <-time.After(glance):
					mu.Lock()
					now = now.Add(6 * time.Hour)
					mu.Unlock()
				}
			}
		}()
		if err := a.Run(ctx, messages); err != nil || ctx.Err() != nil {
			t.Fatal(err, ctx.Err())
		}
		return got
	}
	acts := 0
	for _, e := range PlantedEffects() {
		for i := range 20 {
			acts += len(React(1, sent(e, i)))
		}
	}
	want = play()
	if len(want) != acts {
		t.Errorf("%d ids were posted of %d acts", len(want), acts)
	}
	mu.Lock()
	now = sent(PlantedEffects()[0], 0).EntryTime
	mu.Unlock()
	if again := play(); !reflect.DeepEqual(again, want) {
		t.Error("the same messages again led to other ids")
	}
	checkActs(t, door.bodies)
}

// checkActs holds what the door was sent.
func checkActs(t *testing.T, bodies []map[string]any) {
	t.Helper()
	names := map[string]int{}
	for _, b := range bodies {
		from, _ := b["context"].(map[string]any)
		properties, _ := b["properties"].(map[string]any)
		name, _ := b["event"].(string)
		names[name]++
		if from["is_simulated"] != true || b["userId"] != "c1" || name == "" {
			t.Errorf("not marked or not of the customer: %v", b)
		}
		switch name {
		case event.NameOrderCompleted:
			if products, _ := properties["products"].([]any); len(products) == 0 {
				t.Errorf("an order of nothing: %v", b)
			}
		case event.NameSurveyAnswered:
		default:
			id, _ := properties["message_id"].(string)
			if id == "" || !strings.HasPrefix(b["messageId"].(string), id) {
				t.Errorf("a report of no message: %v", b)
			}
		}
	}
	for _, name := range []string{"Email Delivered", "Email Opened", "Email Link Clicked", "SMS Delivered", "SMS Link Clicked", event.NameOrderCompleted, event.NameSurveyAnswered} {
		if names[name] == 0 {
			t.Errorf("no %s among %v", name, names)
		}
	}
	if names["SMS Opened"] != 0 {
		t.Error("nobody can tell whether a text message was opened")
	}
}

// Who would have bought anyway converts once.
func TestLiftCountsWhoWouldHaveBoughtOnce(t *testing.T) {
	e := Effect{Extra: 0.10}
	if got := e.Lift(0.20); math.Abs(got-0.08) > 1e-9 {
		t.Errorf("lift %f, want 0.08: of the 10 in 100 who buy for the message 2 would have bought anyway", got)
	}
}

func TestEffectsPrint(t *testing.T) {
	var b strings.Builder
	if err := PrintEffects(&b, PlantedEffects()); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
	if lines := strings.Count(b.String(), "\n"); lines != len(PlantedEffects())+1 {
		t.Errorf("%d lines for %d effects", lines, len(PlantedEffects()))
	}
}

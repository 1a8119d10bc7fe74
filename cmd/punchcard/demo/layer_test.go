package demo

import (
	"reflect"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// The layer of a seed is one and the same, another seed's is another, and moving
// the history by whole days moves it and changes nothing else.
func TestTheLayerIsAFunctionOfHistoryAndSeed(t *testing.T) {
	past := pastOf(20)
	first := Layer(past, 1)
	if !reflect.DeepEqual(first, Layer(past, 1)) {
		t.Error("the same seed gave two layers")
	}
	if reflect.DeepEqual(first, Layer(past, 2)) {
		t.Error("two seeds gave the same layer")
	}
	for i := range past {
		past[i].EventTime += 14 * day
	}
	moved := Layer(past, 1)
	for i := range first {
		first[i].EventTime += 14 * day
	}
	if !reflect.DeepEqual(first, moved) {
		t.Error("a shift changed the layer")
	}
}

// Over the real history: everything is marked, valid, within the history and
// after the customer's first order; every id is one event's.
func TestTheLayerKeepsToItsCustomersHistory(t *testing.T) {
	y := lived(t)
	firstOrder, ids := map[string]event.Time{}, map[string]bool{}
	seen := 0
	for i := range y.plan.Events {
		e := &y.plan.Events[i]
		if ids[e.MessageID] {
			t.Fatalf("id %s comes twice", e.MessageID)
		}
		ids[e.MessageID] = true
		if i > 0 && e.EventTime < y.plan.Events[i-1].EventTime {
			t.Fatalf("%s is out of order", e.MessageID)
		}
		if !e.IsSimulated {
			if _, known := firstOrder[e.AccountID]; !known && e.Order != nil {
				firstOrder[e.AccountID] = e.EventTime
			}
			continue
		}
		seen++
		if bad := e.Validate(); bad != nil {
			t.Errorf("%s: %v", e.MessageID, bad)
		}
		first, known := firstOrder[e.AccountID]
		if !known || e.EventTime < first || e.EventTime > y.plan.Last || !event.Identified(e.AccountID) {
			t.Errorf("%s of %q at %s: the first order is of %s, history ends %s", e.MessageID, e.AccountID, e.EventTime, first, y.plan.Last)
		}
		if e.Order != nil || e.Refund != nil {
			t.Errorf("%s is an order or refund", e.MessageID)
		}
	}
	if seen != y.layer || seen != len(y.plan.Events)-len(y.real.Events) {
		t.Errorf("%d events are marked, %d were added", seen, y.layer)
	}
}

// What the plan says of the file, and every event of it, stays as it was.
func TestTheLayerLeavesTheRealAlone(t *testing.T) {
	y := lived(t)
	var real []event.Event
	for i := range y.plan.Events {
		if !y.plan.Events[i].IsSimulated {
			real = append(real, y.plan.Events[i])
		}
	}
	if !reflect.DeepEqual(real, y.real.Events) {
		t.Error("real events were changed, lost or moved")
	}
	with, without := *y.plan, *y.real
	if with.Digest == without.Digest {
		t.Error("an import with the layer has the digest of one without")
	}
	with.Events, without.Events, with.Digest, without.Digest = nil, nil, "", ""
	if !reflect.DeepEqual(with, without) {
		t.Errorf("the plan's figures:\n%+v, before\n%+v", with, without)
	}
}

// Shares over the real customers, each within three points of what is intended.
func TestTheLayersShares(t *testing.T) {
	y := lived(t)
	n := map[string]float64{}
	orders := 0.0
	customers := map[string]bool{}
	for i := range y.plan.Events {
		e := &y.plan.Events[i]
		switch {
		case e.Order != nil && event.Identified(e.AccountID):
			orders++
			customers[e.AccountID] = true
		case e.Type == event.TypeIdentify:
			n["identified"]++
			n["zone "+string(e.Traits["time_zone"])]++
			if e.Traits["birth_month"] != nil {
				n["birthday"]++
			}
			if strings.Contains(string(e.Traits["consent"]), `"email":true`) {
				n["email"]++
			}
			if strings.Contains(string(e.Traits["consent"]), `"sms":true`) {
				n["sms"]++
			}
		case e.Survey != nil:
			n["survey"]++
			if e.Survey.Kind == "nps" {
				n["nps"]++
				if e.Survey.Score <= 6 {
					n["detractor"]++
				}
			}
		case e.Redeem != nil:
			n["redeem"]++
		case e.Name == nameUnsubscribed:
			n["unsubscribed"]++
		}
	}
	t.Logf("%d customers, %.0f orders: %v", len(customers), orders, n)
	all := float64(len(customers))
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"identified", n["identified"] / all, identifiedShare},
		{"consent to e-mail", n["email"] / all, emailShare},
		{"consent to text messages", n["sms"] / all, smsShare},
		{"birthdays", n["birthday"] / n["identified"], birthdayShare},
		{"surveys", n["survey"] / orders, historySurveyShare},
		{"detractors", n["detractor"] / n["nps"], annoyedShare + lukewarmShare/3},
	} {
		if c.got < c.want-0.03 || c.got > c.want+0.03 {
			t.Errorf("%s: %.3f, want about %.3f", c.what, c.got, c.want)
		}
	}
	if n["unsubscribed"] == 0 || n["redeem"] == 0 || n[`zone "Europe/Berlin"`] == 0 {
		t.Errorf("something never happens: %v", n)
	}
}

// Most who go to the counter get what they ask for.
func TestMostRedemptionsAreAccepted(t *testing.T) {
	y := lived(t)
	if y.redeemed == 0 || y.accepted*10 < y.redeemed*8 || y.accepted == y.redeemed {
		t.Errorf("%d of %d redemptions are accepted; want most, and some refused", y.accepted, y.redeemed)
	}
	t.Logf("%d of %d redemptions accepted", y.accepted, y.redeemed)
}

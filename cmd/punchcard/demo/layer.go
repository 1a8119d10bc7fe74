package demo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/ingest/history"
)

// The layer gives real customers what the data set does not have: a profile with
// consent, surveys, reviews, redemptions. Shares are of customers, or of orders.
const (
	identifiedShare  = 0.92 // of customers say who they are, soon after their first order
	emailShare       = 0.80 // of all consent to e-mail; who is identified and does not, refuses
	smsShare         = 0.35 // of all consent to text messages too
	birthdayShare    = 0.60 // of those identified tell month and day
	unsubscribeShare = 0.015
	// maxUnsubscribeDays after the first order, someone unsubscribes, if at all.
	maxUnsubscribeDays = 240

	historySurveyShare = 0.16
	historyReviewShare = 0.06
	historyRedeemShare = 0.12
	// redeemFloor is what an estimate of the balance must be to go to the counter:
	// points can also have expired, and some are refused as at any till.
	redeemFloor = 250
	// welcomePoints come with the second order, as the demo's program gives them.
	welcomePoints = 100
)

// layerSource marks where the layer's events say that they came from.
const layerSource = "simulation"

// Layer is the simulated layer over a history that is sorted by time: identifies,
// surveys, reviews, redemptions and withdrawals of consent of its customers, each
// after the customer's first order and before the history's end, marked
// is_simulated. It is a function of the events and the seed; a shift by whole days
// shifts it. No order or refund is in it.
func Layer(events []event.Event, seed uint64) []event.Event {
	l := &layer{seed: seed, known: map[string]*guest{}}
	if len(events) > 0 {
		l.end = events[len(events)-1].EventTime
	}
	for i := range events {
		if e := &events[i]; e.Order != nil && event.Identified(e.AccountID) {
			l.order(e)
		}
	}
	sort.SliceStable(l.out, func(i, j int) bool {
		a, b := &l.out[i], &l.out[j]
		if a.EventTime != b.EventTime {
			return a.EventTime < b.EventTime
		}
		return a.MessageID < b.MessageID
	})
	return l.out
}

// AddLayer merges the layer into a plan of an import, and returns how many events
// that is. At one time what is real comes first. The plan's own figures stay those
// of the file; its digest becomes another, for it is another import.
func AddLayer(plan *history.Plan, seed uint64) int {
	extra := Layer(plan.Events, seed)
	merged := make([]event.Event, 0, len(plan.Events)+len(extra))
	i := 0
	for _, e := range plan.Events {
		for i < len(extra) && extra[i].EventTime < e.EventTime {
			merged = append(merged, extra[i])
			i++
		}
		merged = append(merged, e)
	}
	plan.Events = append(merged, extra[i:]...)
	plan.Digest += fmt.Sprintf("+layer-%d", seed)
	return len(extra)
}

// layer is a Layer in the making.
type layer struct {
	seed  uint64
	end   event.Time
	known map[string]*guest
	out   []event.Event
}

// guest is what the layer must remember of a customer.
type guest struct {
	persona persona
	orders  int
	points  int64 // an estimate of the balance
}

// draws makes the random numbers of one thing, by its name: they do not depend on
// what else is in the history.
func draws(seed uint64, of string) *rand.Rand {
	return rand.New(rand.NewPCG(seed, xxhash.Sum64String(of)))
}

// order lets follow what follows an order.
func (l *layer) order(e *event.Event) {
	g := l.known[e.AccountID]
	if g == nil {
		g = &guest{persona: personaOf(l.seed, e.AccountID, countryOf(e.Context))}
		l.known[e.AccountID] = g
		l.meet(e, g)
	}
	if g.orders++; g.orders == 2 {
		g.points += welcomePoints
	}
	if g.orders >= 2 {
		g.points += e.Order.NetMinor() / 100
	}
	r := draws(l.seed, "order:"+e.Order.OrderID)
	if r.Float64() < historySurveyShare {
		l.survey(e, g, r)
	}
	if r.Float64() < historyReviewShare {
		l.review(e, g, r)
	}
	if r.Float64() < historyRedeemShare && g.points >= redeemFloor {
		l.redeem(e, g, r)
	}
}

// add adds an event unless the history ends before it.
func (l *layer) add(e event.Event, of *event.Event, at event.Time) {
	if at > l.end {
		return
	}
	e.V, e.AccountID, e.EventTime, e.IsSimulated = event.Version, of.AccountID, at, true
	e.Context = &event.Context{Source: layerSource, Channel: "web"}
	l.out = append(l.out, e)
}

// meet is the profile, minutes after the first order, and perhaps the end of it.
func (l *layer) meet(e *event.Event, g *guest) {
	p := &g.persona
	if !p.identified {
		return
	}
	r := draws(l.seed, "meet:"+e.AccountID)
	// Who came last of all still says who they are.
	at := min(e.EventTime.Add(time.Duration(2+r.IntN(9))*time.Minute), l.end)
	l.add(event.Event{Type: event.TypeIdentify, MessageID: "sim-identify-" + e.AccountID, Traits: rawOf(p.traits())}, e, at)
	if p.email && r.Float64() < unsubscribeShare {
		at = e.EventTime.Add(time.Duration(24+r.IntN(24*maxUnsubscribeDays)) * time.Hour)
		l.add(event.Event{
			Type: event.TypeTrack, Name: nameUnsubscribed, MessageID: "sim-unsubscribed-" + e.AccountID,
			Properties: rawOf(map[string]any{"channel": event.ChannelEmail}),
		}, e, at)
	}
}

// survey is an answer one to five days later.
func (l *layer) survey(e *event.Event, g *guest, r *rand.Rand) {
	s := g.persona.answer(r)
	s.OrderID = e.Order.OrderID
	l.add(event.Event{Type: event.TypeTrack, Name: event.NameSurveyAnswered, MessageID: "sim-" + e.Order.OrderID + "-survey", Survey: &s},
		e, later(e, 1, 4, r))
}

// review is one of a product of the order, three to ten days later.
func (l *layer) review(e *event.Event, g *guest, r *rand.Rand) {
	product := e.Order.Lines[r.IntN(len(e.Order.Lines))].ProductID
	l.add(event.Event{
		Type: event.TypeTrack, Name: event.NameReviewed, MessageID: "sim-" + e.Order.OrderID + "-review",
		Properties: rawOf(map[string]any{"product_id": product, "rating": g.persona.rating(r)}),
	}, e, later(e, 3, 10, r))
}

// later is some days after an order, at about the same time of day.
func later(e *event.Event, from, to int, r *rand.Rand) event.Time {
	return e.EventTime.Add(time.Duration(from+r.IntN(to-from+1))*24*time.Hour + time.Duration(r.IntN(2*3600))*time.Second)
}

// redeem spends a round part of the points within the hour after the order.
func (l *layer) redeem(e *event.Event, g *guest, r *rand.Rand) {
	points := 100 * (1 + r.Int64N(min(g.points/2/100, 5)))
	g.points -= points
	id := "sim-" + e.Order.OrderID + "-redeem"
	l.add(event.Event{Type: event.TypeRedeem, MessageID: "redeem:" + id, Redeem: &event.Redeem{RedemptionID: id, Points: points}},
		e, e.EventTime.Add(time.Duration(10+r.IntN(50))*time.Minute))
}

// rawOf writes traits or properties as JSON.
func rawOf(from map[string]any) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(from))
	for name, v := range from {
		out[name], _ = json.Marshal(v) // texts, numbers and truths only
	}
	return out
}

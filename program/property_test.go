package program

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

// history is what happened, from the entries alone.
type history struct {
	day   map[string]event.Day        // order → its day
	lots  map[string]map[string]int64 // order → reason of posting → points
	trade []pane                      // day by day what orders and refunds did to spend
	sent  []event.Event
}

func (h *history) note(ev *event.Event, e *event.Entry) {
	for _, p := range e.Postings {
		if p.OrderID == "" || p.Account != event.AccountEarned {
			continue
		}
		if h.lots[p.OrderID] == nil {
			h.lots[p.OrderID] = map[string]int64{}
		}
		h.lots[p.OrderID][p.Reason] += p.Points
	}
	if ev == nil || e.Outcome != event.OutcomeApplied {
		return
	}
	at := event.DayOf(ev.EventTime, time.UTC)
	if e.Order != nil {
		h.day[e.Order.OrderID] = at
		h.trade = append(h.trade, pane{day: at, net: e.Order.NetMinor})
	}
	if f := e.Refund; f != nil {
		var found int64
		for _, a := range f.Allocations {
			h.trade = append(h.trade, pane{day: h.day[a.OrderID], net: -a.AmountMinor})
			found += a.AmountMinor
		}
		if f.OrderID == "" {
			h.trade = append(h.trade, pane{day: at, net: -(f.NetMinor - found)})
		}
	}
}

func TestAnyHistoryKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := testBook()
		b.ExpiryMonths, b.ExpiryDays = 0, rapid.SampledFrom([]int{0, 3, 20}).Draw(rt, "expiry days")
		b.Tiers.WindowDays, b.Tiers.ReviewDays, b.RFM.WindowDays = 30, rapid.SampledFrom([]int{0, 25}).Draw(rt, "review days"), 40
		b.Rules[0].MinimumMinor = rapid.SampledFrom([]int64{0, 700}).Draw(rt, "minimum")
		b.Rules[0].PerMinor, b.Rules[0].Rounding = 7, RoundHalfUp
		b.Multipliers = []Multiplier{{ID: "m", Percent: 133, Tiers: []string{"silver"}}}
		b.Tiers.Levels[1].SpendMinor = 3_000
		b.Refunds.Allocate = rapid.Bool().Draw(rt, "allocate")
		w := newWorld(t, b)
		h := &history{day: map[string]event.Day{}, lots: map[string]map[string]int64{}}
		w.join("ann")
		steps := rapid.IntRange(1, 40).Draw(rt, "steps")
		for range steps {
			step(rt, w, h)
		}
		h.checkSpend(rt, w)
		h.checkCounts(rt, w)
		h.refundAll(rt, w)
	})
}

func step(rt *rapid.T, w *world, h *history) {
	days := int((w.m.Clock - noon(0)) / (24 * 3600_000))
	at := noon(days - rapid.SampledFrom([]int{0, 0, 0, 1, 5, 25}).Draw(rt, "late by"))
	orderID := fmt.Sprintf("o%d", rapid.IntRange(0, 8).Draw(rt, "order"))
	var ev event.Event
	switch rapid.SampledFrom([]string{"order", "order", "order", "refund", "refund", "amount", "whole", "redeem", "review", "time", "again"}).Draw(rt, "step") {
	case "order":
		ev = orderOf("ann", orderID, at, lines(rt)...)
		ev.Order.DiscountMinor = rapid.Int64Range(0, ev.Order.NetMinor()).Draw(rt, "discount")
		ev.Order.ShippingMinor = rapid.Int64Range(0, 100).Draw(rt, "shipping")
	case "refund":
		if rapid.Bool().Draw(rt, "without order") {
			orderID = ""
		}
		ev = refundOf("ann", w.message(), orderID, at, lines(rt)...)
	case "amount":
		ev = refundOf("ann", w.message(), orderID, at)
		ev.Refund.Whole, ev.Refund.AmountMinor = false, rapid.Int64Range(1, 1_500).Draw(rt, "amount")
	case "whole":
		ev = refundOf("ann", w.message(), orderID, at)
	case "redeem":
		ev = redeemOf("ann", fmt.Sprintf("x%d", rapid.IntRange(0, 20).Draw(rt, "redemption")), rapid.Int64Range(10, 300).Draw(rt, "points"))
	case "review":
		ev = named("ann", event.NameReviewed, at)
	case "time":
		for _, e := range w.to(w.m.Clock+event.Time(rapid.IntRange(1, 12).Draw(rt, "days")*24*3600_000), "ann") {
			h.note(nil, &e)
		}
		return
	case "again":
		if len(h.sent) == 0 {
			return
		}
		repeat(rt, w, rapid.SampledFrom(h.sent).Draw(rt, "which"))
		return
	}
	e := w.apply(ev)
	h.note(&ev, &e)
	if e.Outcome == event.OutcomeApplied && (ev.Order != nil || ev.Refund != nil || ev.Redeem != nil) {
		h.sent = append(h.sent, ev)
	}
	for id, sum := range h.lots {
		if earned, back := -sum[event.PostEarn], sum[event.PostReverse]; back > earned {
			rt.Fatalf("order %s earned %d and gave back %d", id, earned, back)
		}
	}
}

func repeat(rt *rapid.T, w *world, ev event.Event) {
	ev.MessageID = ""
	before := w.st.Clone()
	e := w.apply(ev)
	switch e.Outcome {
	case event.OutcomeDuplicateOrder, event.OutcomeDuplicateRefund, event.OutcomeDuplicate:
	default:
		rt.Fatalf("a repeat is %s: %+v", e.Outcome, ev)
	}
	if len(e.Postings) > 0 || !before.Equal(w.st) {
		rt.Fatalf("a repeat changed something: %+v", e)
	}
}

func lines(rt *rapid.T) []event.OrderLine {
	n := rapid.IntRange(1, 3).Draw(rt, "lines")
	out := make([]event.OrderLine, n)
	for i := range out {
		out[i] = line(rapid.SampledFrom([]string{"A", "B", "POST"}).Draw(rt, "product"),
			rapid.Int64Range(1, 4).Draw(rt, "quantity"), rapid.Int64Range(0, 2_000).Draw(rt, "amount"))
	}
	return out
}

// checkSpend sums the facts anew.
func (h *history) checkSpend(rt *rapid.T, w *world) {
	s := w.standing("ann")
	today := event.DayOf(w.m.Clock, time.UTC)
	var all, window, tier int64
	for _, p := range h.trade {
		all += p.net
		if p.day > today-40 {
			window += p.net
		}
		if p.day > today-30 {
			tier += p.net
		}
	}
	if s.NetSpendMinor != all || s.WindowNetSpendMinor != window || s.TierSpendMinor != tier {
		rt.Fatalf("facts: %d in all, %d and %d in the windows; %+v", all, window, tier, s)
	}
	if due := w.l.NextDue(w.st, "ann"); due != 0 && due <= w.m.Clock {
		rt.Fatalf("due %s at %s", due, w.m.Clock)
	}
}

func (h *history) checkCounts(rt *rapid.T, w *world) {
	s := w.standing("ann")
	counts := ReadCounts(w.st, 0)
	if s.WindowOrders == 0 {
		if counts.LastOrder != nil || counts.Orders != nil || counts.SpendBucket != nil {
			rt.Fatalf("counted without orders: %+v", counts)
		}
		return
	}
	want := []event.Count{{Value: int64(event.DayOf(s.LastOrderTime, time.UTC)), Customers: 1}, {Value: s.WindowOrders, Customers: 1}, {Value: SpendBucket(s.WindowNetSpendMinor), Customers: 1}}
	for i, got := range [][]event.Count{counts.LastOrder, counts.Orders, counts.SpendBucket} {
		if len(got) != 1 || got[0] != want[i] {
			rt.Fatalf("counted %+v, want %+v", got, want[i])
		}
	}
}

// refundAll gives everything back: no order is left, nothing that orders earned
// is kept, and what was spent of it is owed.
func (h *history) refundAll(rt *rapid.T, w *world) {
	for id := range h.day {
		ev := refundOf("ann", "all-"+id, id, w.m.Clock)
		e := w.apply(ev)
		h.note(&ev, &e)
	}
	s := w.standing("ann")
	if s.Orders != 0 || s.WindowOrders != 0 || s.Scores != (event.Scores{}) || s.LastOrderTime != 0 {
		rt.Fatalf("after refunding all: %+v", s)
	}
	d := w.l.begin(w.st, w.m, "ann", &event.Entry{})
	for id := range h.day {
		for _, g := range d.getOrder(id).grants {
			if g.reversed != g.points {
				rt.Fatalf("order %s: %+v", id, g)
			}
		}
		if earned, back := -h.lots[id][event.PostEarn], h.lots[id][event.PostReverse]; back > earned {
			rt.Fatalf("order %s earned %d and gave back %d", id, earned, back)
		}
	}
	for _, lot := range Lots(w.st, "ann") {
		if lot.OrderID != "" {
			rt.Fatalf("an order's points are still there: %+v", lot)
		}
	}
}

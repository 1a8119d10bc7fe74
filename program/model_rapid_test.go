package program

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

// TestModel drives the evaluator and the second model with the same random
// histories and compares outcome, balance, lots, tier and spend after each step.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		outer, t := t, rt
		b := drawBook(t)
		start := event.DayOn(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 10).Start(b.Zone)
		w := &world{t: shrinking{outer, rt}, st: &MemState{}, l: NewLibrary()}
		w.l.Add(b, 0)
		w.m.Clock = start
		h := &drawn{b: b, clock: start}
		m := newModel(b, start)
		if rapid.Bool().Draw(t, "two versions") {
			m.later, m.from = laterVersion(t, b), start.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "later by"))*24*time.Hour)
			w.l.Add(m.later, m.from)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			ev := h.draw(t)
			w.to(h.clock, "ann")
			m.pass(h.clock)
			if ev != nil {
				t.Logf("%s %s", h.clock, text(ev))
				e := w.apply(*ev)
				outcome, reason := m.apply(ev)
				if e.Outcome != outcome || e.Reason != reason {
					t.Fatalf("outcome %s %q, the model says %s %q", e.Outcome, e.Reason, outcome, reason)
				}
			}
			compare(t, w, m)
		}
	})
}

// shrinking lets the world fail through rapid, so that a failure is made small.
type shrinking struct {
	testing.TB
	rt *rapid.T
}

func (s shrinking) Helper()                           { s.rt.Helper() }
func (s shrinking) Fatal(args ...any)                 { s.rt.Fatal(args...) }
func (s shrinking) Fatalf(format string, args ...any) { s.rt.Fatalf(format, args...) }

func text(ev *event.Event) string {
	b, _ := ev.Encode()
	return string(b)
}

func compare(t *rapid.T, w *world, m *model) {
	t.Helper()
	s, ok := ReadStanding(w.st, w.l, "ann")
	if !ok {
		if len(m.orders) > 0 || m.member || len(m.lots) > 0 {
			t.Fatal("the evaluator knows nothing, the model something")
		}
		return
	}
	var lots []modelLot
	for _, l := range Lots(w.st, "ann") {
		if l.ID == event.LotDebt {
			if -l.Remaining != m.debt {
				t.Fatalf("debt %d, the model says %d", -l.Remaining, m.debt)
			}
			continue
		}
		lots = append(lots, modelLot{id: l.ID, order: l.OrderID, rule: l.RuleID, expires: l.ExpiresOn, points: l.Remaining})
	}
	if !slices.Equal(lots, m.lots) {
		t.Fatalf("lots\n%+v\nthe model says\n%+v", lots, m.lots)
	}
	tierSpend, net := m.windowSpend(m.b.Tiers.WindowDays), m.spend(-forEver, forEver)
	window, orders, last, score := m.scored()
	if s.Balance != m.balance() || s.Tier != m.tierID() || s.Member != m.member || s.TierSpendMinor != tierSpend || s.TierLackingMinor != m.lacking() || s.NetSpendMinor != net ||
		s.WindowNetSpendMinor != window || s.WindowOrders != orders || s.Scores != score || s.Orders != m.standingOrders() || s.LastOrderTime != last {
		t.Fatalf("standing %+v\nthe model says balance %d tier %q member %v tier spend %d lacking %d net %d window %d orders %d scores %+v last %s",
			*s, m.balance(), m.tierID(), m.member, tierSpend, m.lacking(), net, window, orders, score, last)
	}
	for _, o := range m.orders {
		for _, g := range o.grants {
			if g.taken > g.points || g.waived > g.gone {
				t.Fatalf("order %s rule %s: took back %d of %d", o.id, g.rule.ID, g.taken, g.points)
			}
		}
	}
}

// scored sums the window of the scores and scores by the fixed thresholds.
func (m *model) scored() (spend, orders int64, last event.Time, s event.Scores) {
	spend = m.windowSpend(m.b.RFM.WindowDays)
	for _, o := range m.orders {
		if o.units() > 0 {
			last = max(last, o.time)
			if o.day > m.today-event.Day(m.b.RFM.WindowDays) {
				orders++
			}
		}
	}
	if orders == 0 {
		return spend, 0, last, s
	}
	days := max(0, int64(m.today-event.DayOf(last, m.b.Zone)))
	s = event.Scores{R: 5, F: 1, M: 1}
	for i := range 4 {
		if days > m.b.RFM.RecencyDays[i] {
			s.R--
		}
		if orders > m.b.RFM.OrdersCount[i] {
			s.F++
		}
		if spend > m.b.RFM.SpendMinor[i] {
			s.M++
		}
	}
	return spend, orders, last, s
}

// drawBook makes a small program in which much happens within weeks.
func drawBook(t *rapid.T) *Book {
	zone, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Beirut"}).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	round := func(label string) Rounding {
		return rapid.SampledFrom([]Rounding{RoundDown, RoundHalfUp}).Draw(t, label)
	}
	b := &Book{
		ID: "drawn", Currency: "GBP", Zone: zone, Wallet: "points", MaxAgeDays: 30,
		Exclude: Exclusions{Products: []string{"post"}, Categories: []string{"cards"}},
		Enrolment: []EnrolmentRule{
			{ID: "sign-up", SignUp: true},
			{ID: "nth", Order: rapid.Int64Range(1, 3).Draw(t, "nth")},
		},
		Rules: []Rule{
			{ID: "base", Kind: RuleSpend, Points: rapid.Int64Range(1, 3).Draw(t, "points"), PerMinor: rapid.SampledFrom([]int64{7, 100, 250}).Draw(t, "per"),
				MinimumMinor: rapid.SampledFrom([]int64{0, 1500}).Draw(t, "minimum"), Rounding: round("base")},
			{ID: "upper", Kind: RuleSpend, Points: 1, PerMinor: 300, Rounding: round("upper"), Tiers: []string{"silver", "gold"}},
			{ID: "review", Kind: RuleAction, Points: 25, Event: event.NameReviewed, MaxPerDay: rapid.Int64Range(0, 2).Draw(t, "at most")},
			{ID: "gold-review", Kind: RuleAction, Points: 3, Event: event.NameReviewed, Tiers: []string{"gold"}},
			{ID: "welcome", Kind: RuleSignUp, Points: 40},
		},
		Multipliers: []Multiplier{
			{ID: "sunday", Percent: 200, Weekdays: []time.Weekday{time.Sunday, time.Monday}},
			{ID: "silver", Percent: 125, Tiers: []string{"silver"}},
			{ID: "march", Percent: 150, From: event.DayOn(2026, 3, 20).Start(zone), Until: event.DayOn(2026, 4, 2).Start(zone), Rules: []string{"base"}},
		},
		Stacking:   rapid.SampledFrom([]Stacking{StackMultiply, StackAdd, StackHighest}).Draw(t, "stacking"),
		Refunds:    RefundRules{Allocate: rapid.IntRange(0, 4).Draw(t, "allocate") > 0},
		Redemption: RedemptionRules{MinimumPoints: 5},
		Tiers: TierRules{WindowDays: rapid.IntRange(3, 60).Draw(t, "window"), ReviewDays: rapid.IntRange(1, 40).Draw(t, "review"),
			Levels: []TierLevel{{ID: "bronze"}, {ID: "silver", SpendMinor: 5000}, {ID: "gold", SpendMinor: 12000}}},
		RFM: RFMRules{WindowDays: rapid.IntRange(5, 90).Draw(t, "scores window"), Method: ScoreFixed,
			RecencyDays: [4]int64{1, 3, 10, 20}, OrdersCount: [4]int64{1, 2, 3, 5}, SpendMinor: [4]int64{1000, 3000, 6000, 15000}},
	}
	switch rapid.IntRange(0, 2).Draw(t, "expiry") {
	case 0:
		b.ExpiryDays = rapid.IntRange(1, 40).Draw(t, "days")
	case 1:
		b.ExpiryMonths = rapid.IntRange(1, 3).Draw(t, "months")
	}
	return b
}

// laterVersion has other rules of earning; tiers and scores stay.
func laterVersion(t *rapid.T, b *Book) *Book {
	later := drawBook(t)
	later.ID, later.Zone, later.Tiers, later.RFM = "later", b.Zone, b.Tiers, b.RFM
	later.Exclude = Exclusions{Products: []string{"mug"}}
	later.Multipliers = later.Multipliers[1:]
	return later
}

// drawn draws the next input from what came before.
type drawn struct {
	b     *Book
	clock event.Time
	sent  []event.Event
	n     int
}

var products = []string{"mug", "cup", "post"}

func (h *drawn) draw(t *rapid.T) *event.Event {
	h.n++
	h.clock = h.clock.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, 24, 24, 100, 400}).Draw(t, "hours"))*time.Hour + time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes"))*time.Minute)
	at := h.clock
	switch rapid.IntRange(0, 9).Draw(t, "late") {
	case 0:
		at = at.Add(-time.Duration(rapid.IntRange(1, 35*24).Draw(t, "by")) * time.Hour)
	case 1: // the sender's clock is ahead, over midnight
		midnight := (event.DayOf(h.clock, h.b.Zone) + 1).Start(h.b.Zone)
		h.clock = max(h.clock, midnight.Add(-event.MaxFuture/2))
		at = h.clock.Add(event.MaxFuture)
	}
	ev := &event.Event{Type: event.TypeTrack, AccountID: "ann", EventTime: at, MessageID: fmt.Sprintf("m%03d", h.n)}
	switch rapid.IntRange(0, 11).Draw(t, "what") {
	case 0:
		return nil // time passes
	case 1:
		ev.Name = event.NameSignedUp
	case 2:
		ev.Name = rapid.SampledFrom([]string{event.NameReviewed, "Unknown"}).Draw(t, "name")
	case 3, 4:
		ev.Type = event.TypeRedeem
		ev.Redeem = &event.Redeem{RedemptionID: fmt.Sprintf("s%d", rapid.IntRange(0, 9).Draw(t, "redemption")), Points: rapid.Int64Range(1, 120).Draw(t, "points")}
	case 5, 6, 7:
		ev.Name = event.NameOrderRefunded
		ev.Refund = h.refund(t)
	case 8:
		if len(h.sent) > 0 { // again, under another message id
			again := rapid.SampledFrom(h.sent).Draw(t, "again")
			again.MessageID = ev.MessageID
			return &again
		}
		return nil
	default:
		ev.Name = event.NameOrderCompleted
		ev.Order = h.order(t)
	}
	h.sent = append(h.sent, *ev)
	return ev
}

func (h *drawn) lines(t *rapid.T) (out []event.OrderLine) {
	for range rapid.IntRange(1, 3).Draw(t, "lines") {
		l := event.OrderLine{ProductID: rapid.SampledFrom(products).Draw(t, "product"), Quantity: rapid.Int64Range(1, 4).Draw(t, "quantity"), AmountMinor: rapid.Int64Range(0, 6000).Draw(t, "amount")}
		if rapid.IntRange(0, 5).Draw(t, "card") == 0 {
			l.Category = "cards"
		}
		out = append(out, l)
	}
	return out
}

func (h *drawn) order(t *rapid.T) *event.Order {
	o := &event.Order{OrderID: fmt.Sprintf("o%d", rapid.IntRange(0, 12).Draw(t, "order")), Currency: "GBP", Lines: h.lines(t)}
	if rapid.IntRange(0, 30).Draw(t, "euro") == 0 {
		o.Currency = "EUR"
	}
	if rapid.IntRange(0, 2).Draw(t, "discounted") == 0 {
		o.DiscountMinor = rapid.Int64Range(0, o.NetMinor()).Draw(t, "discount")
	}
	if rapid.IntRange(0, 3).Draw(t, "shipped") == 0 {
		o.ShippingMinor, o.TaxMinor = 395, rapid.Int64Range(0, 500).Draw(t, "tax")
	}
	return o
}

func (h *drawn) refund(t *rapid.T) *event.Refund {
	r := &event.Refund{RefundID: fmt.Sprintf("r%d", rapid.IntRange(0, 20).Draw(t, "refund")), Currency: "GBP"}
	how := rapid.IntRange(0, 5).Draw(t, "how")
	if how > 1 {
		r.OrderID = fmt.Sprintf("o%d", rapid.IntRange(0, 12).Draw(t, "order"))
	}
	switch {
	case how == 5:
		r.Whole = true
	case how == 4 || how == 0 && rapid.Bool().Draw(t, "sum"):
		r.AmountMinor = rapid.Int64Range(1, 8000).Draw(t, "amount")
	default:
		r.Lines = h.lines(t)
	}
	return r
}

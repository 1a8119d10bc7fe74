package program

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// world is one partition in memory: the clock, the state, and what a runtime
// does around Apply (due timers first). After every step it checks what must
// always hold.
type world struct {
	t    testing.TB
	st   *MemState
	l    *Library
	m    Moment
	next int
}

const day0 = event.Day(20000) // 2024-10-04, a Friday

// noon is the middle of a day counted from day0.
func noon(day int) event.Time { return (day0 + event.Day(day)).Start(time.UTC).Add(12 * time.Hour) }

func newWorld(t testing.TB, b *Book) *world {
	if b.ID == "" {
		b.ID = "bundle-1"
	}
	if b.Zone == nil {
		b.Zone = time.UTC
	}
	w := &world{t: t, st: &MemState{}, l: NewLibrary()}
	w.l.Add(b, 0)
	w.m.Clock = noon(0)
	return w
}

// testBook: a point a pound, members by sign-up or second order, three tiers.
func testBook() *Book {
	return &Book{
		ID: "bundle-1", Currency: "GBP", Zone: time.UTC, Wallet: "points", ExpiryMonths: 12,
		Enrolment: []EnrolmentRule{{ID: "by-sign-up", SignUp: true}, {ID: "by-second-order", Order: 2}},
		Exclude:   Exclusions{Products: []string{"POST"}, Categories: []string{"Gift cards"}},
		Rules: []Rule{
			{ID: "spend", Kind: RuleSpend, Points: 1, PerMinor: 100},
			{ID: "review", Kind: RuleAction, Event: event.NameReviewed, Points: 50, MaxPerDay: 2},
			{ID: "welcome", Kind: RuleSignUp, Points: 100},
		},
		Refunds:    RefundRules{Allocate: true},
		Redemption: RedemptionRules{MinimumPoints: 10},
		Tiers: TierRules{WindowDays: 365, ReviewDays: 365, Levels: []TierLevel{
			{ID: "bronze"}, {ID: "silver", SpendMinor: 50_000}, {ID: "gold", SpendMinor: 200_000},
		}},
		RFM: RFMRules{
			WindowDays: 365, Method: ScoreFixed, RecencyDays: [4]int64{30, 60, 90, 180},
			OrdersCount: [4]int64{1, 2, 4, 8}, SpendMinor: [4]int64{5_000, 20_000, 50_000, 100_000},
		},
	}
}

func (w *world) message() string { w.next++; return fmt.Sprintf("m%d", w.next) }

// to moves the clock and fires what is due, account by account.
func (w *world) to(t event.Time, accounts ...string) []event.Entry {
	w.t.Helper()
	w.m.Clock = max(w.m.Clock, t)
	var out []event.Entry
	for _, id := range accounts {
		out = append(out, w.fire(id)...)
	}
	return out
}

func (w *world) fire(id string) (out []event.Entry) {
	w.t.Helper()
	var last event.Time
	for n := 0; ; n++ {
		due := w.l.NextDue(w.st, id)
		if due == 0 || due > w.m.Clock {
			return out
		}
		if due < last || n > 5000 {
			w.t.Fatalf("timers of %s do not move on: due %s after %s", id, due, last)
		}
		last = due
		var e event.Entry
		w.l.Fire(w.st, w.m, id, &e)
		if e.EventTime != due || e.Cause.Name == "" {
			w.t.Fatalf("entry of a timer due %s: %+v", due, e)
		}
		w.check(id, &e)
		out = append(out, e)
	}
}

func (w *world) apply(ev event.Event) event.Entry {
	w.t.Helper()
	if ev.MessageID == "" {
		ev.MessageID = w.message()
	}
	if ev.Type == "" {
		ev.Type = event.TypeTrack
	}
	w.fire(ev.AccountID)
	var e event.Entry
	w.l.Apply(w.st, w.m, &ev, &e)
	if e.Outcome == "" {
		w.t.Fatalf("no outcome: %+v", ev)
	}
	w.check(ev.AccountID, &e)
	return e
}

// check holds an entry and the state against the invariants.
func (w *world) check(id string, e *event.Entry) {
	w.t.Helper()
	sums := map[string]int64{}
	var customer int64
	for _, p := range e.Postings {
		sums[p.Wallet] += p.Points
		if p.Account == event.AccountCustomer {
			customer += p.Points
			if p.LotID == "" {
				w.t.Fatalf("a customer posting without lot: %+v", p)
			}
		}
	}
	for wallet, sum := range sums {
		if sum != 0 {
			w.t.Fatalf("postings of %s sum to %d: %+v", wallet, sum, e.Postings)
		}
	}
	var balance int64
	open, debt := false, false
	for _, lot := range Lots(w.st, id) {
		balance += lot.Remaining
		open = open || lot.Remaining > 0
		debt = debt || lot.Remaining < 0
		if lot.Remaining == 0 {
			w.t.Fatalf("an empty lot: %+v", lot)
		}
	}
	if open && debt {
		w.t.Fatal("a debt beside open lots")
	}
	s, ok := ReadStanding(w.st, w.l, id)
	if !ok {
		if e.Standing != nil || customer != 0 {
			w.t.Fatalf("an entry with effect, but no account: %+v", e)
		}
		return
	}
	if s.Balance != balance {
		w.t.Fatalf("balance %d, lots %d", s.Balance, balance)
	}
	if on, points := nextExpiry(Lots(w.st, id)); s.NextExpiryOn != on || s.NextExpiryPoints != points {
		w.t.Fatalf("%d points expire on %s: %+v", points, on, s)
	}
	if e.Standing != nil && !reflect.DeepEqual(e.Standing, s) {
		w.t.Fatalf("standing of the entry\n%+v\nand of the state\n%+v", *e.Standing, *s)
	}
	if (customer != 0 || e.Tier != nil || e.Scores != nil) && e.Standing == nil {
		w.t.Fatalf("a change without standing: %+v", e)
	}
	key := (&keyBuffer{}).core(id)
	if w.st.Due(key) != w.l.NextDue(w.st, id) {
		w.t.Fatal("the core's due is not NextDue")
	}
}

func nextExpiry(lots []Lot) (on event.Day, points int64) {
	for _, lot := range lots {
		if lot.ExpiresOn == 0 || on != 0 && lot.ExpiresOn > on {
			continue
		}
		if on == 0 || lot.ExpiresOn < on {
			on, points = lot.ExpiresOn, 0
		}
		points += lot.Remaining
	}
	return on, points
}

func line(product string, quantity, amount int64) event.OrderLine {
	return event.OrderLine{ProductID: product, Quantity: quantity, AmountMinor: amount}
}

func orderOf(account, id string, at event.Time, lines ...event.OrderLine) event.Event {
	return event.Event{Name: event.NameOrderCompleted, AccountID: account, EventTime: at,
		Order: &event.Order{OrderID: id, Currency: "GBP", Lines: lines}}
}

func refundOf(account, id, orderID string, at event.Time, lines ...event.OrderLine) event.Event {
	return event.Event{Name: event.NameOrderRefunded, AccountID: account, EventTime: at,
		Refund: &event.Refund{RefundID: id, OrderID: orderID, Currency: "GBP", Lines: lines, Whole: len(lines) == 0}}
}

func named(account, name string, at event.Time) event.Event {
	return event.Event{Name: name, AccountID: account, EventTime: at}
}

func redeemOf(account, id string, points int64) event.Event {
	return event.Event{Type: event.TypeRedeem, AccountID: account, EventTime: 1, Redeem: &event.Redeem{RedemptionID: id, Points: points}}
}

// join makes a member without points.
func (w *world) join(id string) {
	w.t.Helper()
	rules := w.l.At(0).Rules
	w.l.at(0).Rules = nil
	if e := w.apply(named(id, event.NameSignedUp, w.m.Clock)); e.Enrolment == nil {
		w.t.Fatalf("not enrolled: %+v", e)
	}
	w.l.at(0).Rules = rules
}

func (w *world) standing(id string) event.Standing {
	w.t.Helper()
	s, ok := ReadStanding(w.st, w.l, id)
	if !ok {
		w.t.Fatalf("nothing is known of %s", id)
	}
	return *s
}

func (w *world) wantBalance(id string, want int64) {
	w.t.Helper()
	if s := w.standing(id); s.Balance != want {
		w.t.Fatalf("balance %d, want %d", s.Balance, want)
	}
}

func wantOutcome(t testing.TB, e event.Entry, outcome event.Outcome, reason string) {
	t.Helper()
	if e.Outcome != outcome || e.Reason != reason {
		t.Fatalf("outcome %s %q, want %s %q", e.Outcome, e.Reason, outcome, reason)
	}
}

// same reports that the state did not change between two moments.
func (w *world) unchanged(before *MemState) {
	w.t.Helper()
	if !before.Equal(w.st) {
		w.t.Fatal("the state changed")
	}
}

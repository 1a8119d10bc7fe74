package program

import (
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

func TestLotsAreSpentFirstExpiringFirst(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.to(noon(10))
	w.apply(orderOf("ann", "late", noon(10), line("A", 1, 5_000)))
	w.apply(orderOf("ann", "early", noon(2), line("A", 1, 3_000))) // a late event: expires first
	e := w.apply(redeemOf("ann", "x1", 40))
	wantOutcome(t, e, event.OutcomeApplied, "")
	if !e.Redemption.Accepted || e.Redemption.Balance != 40 {
		t.Fatalf("%+v", e.Redemption)
	}
	lots := Lots(w.st, "ann")
	if len(lots) != 1 || lots[0].OrderID != "late" || lots[0].Remaining != 40 {
		t.Fatalf("%+v", lots)
	}
	if e.Postings[0].LotID != "early/spend" || e.Postings[0].Points != -30 || e.Postings[2].Points != -10 {
		t.Fatalf("%+v", e.Postings)
	}
}

func TestRedemptions(t *testing.T) {
	w := newWorld(t, testBook())
	wantOutcome(t, w.apply(redeemOf("ann", "x0", 10)), event.OutcomeRejected, event.ReasonNotMember)
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 5_000)))
	wantOutcome(t, w.apply(redeemOf("ann", "x1", 9)), event.OutcomeRejected, event.ReasonMinimumPoints)
	e := w.apply(redeemOf("ann", "x2", 51))
	wantOutcome(t, e, event.OutcomeRejected, event.ReasonInsufficientPoints)
	if e.Redemption == nil || e.Redemption.Accepted || e.Redemption.Balance != 50 {
		t.Fatalf("%+v", e.Redemption)
	}
	first := w.apply(redeemOf("ann", "x3", 20))
	w.apply(orderOf("ann", "o2", noon(0), line("A", 1, 5_000)))
	before := w.st.Clone()
	again := w.apply(redeemOf("ann", "x3", 20))
	wantOutcome(t, again, event.OutcomeDuplicate, "")
	if *again.Redemption != *first.Redemption || again.Postings != nil {
		t.Fatalf("%+v, first %+v", again.Redemption, first.Redemption)
	}
	wantOutcome(t, w.apply(redeemOf("ann", "x3", 21)), event.OutcomeConflict, "")
	// A refusal is an answer, too: for ever the same.
	wantOutcome(t, w.apply(redeemOf("ann", "x2", 51)), event.OutcomeDuplicate, event.ReasonInsufficientPoints)
	w.unchanged(before)
}

func TestLotsExpireAtTheEndOfTheirDay(t *testing.T) {
	b := testBook()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	b.Zone, b.ExpiryMonths, b.ExpiryDays, b.Tiers = zone, 0, 10, TierRules{}
	w := newWorld(t, b)
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 5_000)))
	last := (day0 + 11).Start(zone)
	if due := w.l.NextDue(w.st, "ann"); due != last {
		t.Fatalf("due %s, want %s", due, last)
	}
	if got := w.to(last-1, "ann"); got != nil {
		t.Fatalf("fired early: %+v", got)
	}
	w.wantBalance("ann", 50)
	got := w.to(last, "ann")
	if len(got) != 1 || got[0].Cause.Name != timerExpiry || got[0].EventTime != last || got[0].Postings[0].Points != -50 || got[0].Postings[0].Reason != event.PostExpire {
		t.Fatalf("%+v", got)
	}
	w.wantBalance("ann", 0)
}

func TestLateOrderEarnsAndExpiresInOneEntry(t *testing.T) {
	b := testBook()
	b.ExpiryMonths, b.ExpiryDays = 0, 5
	w := newWorld(t, b)
	w.join("ann")
	w.to(noon(20), "ann")
	e := w.apply(orderOf("ann", "o1", noon(10), line("A", 1, 5_000)))
	if len(e.Postings) != 4 || e.Postings[2].Reason != event.PostExpire || e.Standing.Balance != 0 {
		t.Fatalf("%+v", e.Postings)
	}
	// It lies in the pane of its own day, and a refund owes nothing.
	if e.Standing.WindowNetSpendMinor != 5_000 {
		t.Fatalf("%+v", e.Standing)
	}
	if e = w.apply(orderOf("ann", "o0", noon(3), line("A", 1, 5_000))); e.Standing.LastOrderTime != noon(10) || e.Standing.FirstOrderTime != noon(3) {
		t.Fatalf("%+v", e.Standing)
	}
	if e = w.apply(refundOf("ann", "r1", "o1", noon(20))); len(e.Postings) != 0 || e.Standing.Balance != 0 {
		t.Fatalf("%+v", e.Postings)
	}
}

func TestManyLotsExpireInSlices(t *testing.T) {
	b := testBook()
	b.Rules[1].MaxPerDay = 0
	w := newWorld(t, b)
	w.join("ann")
	// The state is written directly: thousands of applied events would be slow.
	var c core
	key := (&keyBuffer{}).core("ann")
	value, _ := w.st.Get(key)
	if err := c.decode(value, copyName); err != nil {
		t.Fatal(err)
	}
	d := w.l.begin(w.st, w.m, "ann", &event.Entry{})
	d.c, d.book, d.now, d.today = &c, w.l.at(0), w.l.at(0), day0
	for i := range maxLotsPerEntry + 5 {
		d.addLot(string(rune('a'+i%26))+w.message()+"/review", "", "review", day0, 1)
	}
	d.finish(scoreTime)
	w.m.Clock = (day0 + 366).Start(time.UTC)
	first := w.l.NextDue(w.st, "ann")
	var e event.Entry
	w.l.Fire(w.st, w.m, "ann", &e)
	if w.l.NextDue(w.st, "ann") != first || w.standing("ann").Balance != 5 {
		t.Fatalf("due %s, %+v", w.l.NextDue(w.st, "ann"), w.standing("ann"))
	}
	w.fire("ann")
	w.wantBalance("ann", 0)
}

func TestNewPointsSettleADebtFirst(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 5_000)))
	w.apply(redeemOf("ann", "x1", 30))
	e := w.apply(refundOf("ann", "r1", "o1", noon(0)))
	w.wantBalance("ann", -30)
	if e.Refund.Allocations[0].PointsReversed != 50 {
		t.Fatalf("%+v", e.Refund.Allocations)
	}
	wantOutcome(t, w.apply(redeemOf("ann", "x2", 10)), event.OutcomeRejected, event.ReasonInsufficientPoints)
	e = w.apply(orderOf("ann", "o2", noon(0), line("A", 1, 2_000)))
	w.wantBalance("ann", -10)
	if e.Postings[2].Reason != event.PostSettle || e.Postings[3].LotID != event.LotDebt || e.Postings[3].Points != 20 {
		t.Fatalf("%+v", e.Postings)
	}
	w.apply(orderOf("ann", "o3", noon(0), line("A", 1, 4_000)))
	w.wantBalance("ann", 30)
	if lots := Lots(w.st, "ann"); len(lots) != 1 || lots[0].ID != "o3/spend" {
		t.Fatalf("%+v", lots)
	}
	// The points of o2 filled the debt, so they are spent: a refund brings it back,
	// and the other lots fill it.
	w.apply(refundOf("ann", "r2", "o2", noon(0)))
	w.wantBalance("ann", 10)
}

func TestScanAccounts(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.join("bob")
	w.apply(orderOf("bob", "o1", noon(0), line("A", 1, 5_000)))
	w.apply(orderOf("guest:1", "o1", noon(0), line("A", 1, 5_000)))
	var got []AccountTotals
	ScanAccounts(w.st, func(a AccountTotals) bool { got = append(got, a); return true })
	if len(got) != 2 || got[0] != (AccountTotals{"ann", 0, 0}) || got[1] != (AccountTotals{"bob", 50, 50}) {
		t.Fatalf("%+v", got)
	}
}

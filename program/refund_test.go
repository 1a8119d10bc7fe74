package program

import (
	"testing"

	"github.com/punchcard/punchcard/event"
)

// bought returns a world where ann, a member, has order o1: 3 A at 10.00, 1 POST
// at 5.00, 2 B at 2.50 each.
func bought(t *testing.T) *world {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 3, 3_000), line("POST", 1, 500), line("B", 2, 500)))
	w.wantBalance("ann", 35)
	return w
}

func TestRefundByLine(t *testing.T) {
	w := bought(t)
	e := w.apply(refundOf("ann", "r1", "o1", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, e, event.OutcomeApplied, "")
	f := e.Refund
	if f.NetMinor != 1_000 || f.MatchedMinor != 1_000 || f.Lines[0].Match != event.Matched || len(f.Allocations) != 1 ||
		f.Allocations[0] != (event.Allocation{OrderID: "o1", Line: 0, Quantity: 1, AmountMinor: 1_000, PointsReversed: 10}) {
		t.Fatalf("%+v", f)
	}
	w.wantBalance("ann", 25)
	// More than there is: what was ordered goes back, the rest is without effect.
	e = w.apply(refundOf("ann", "r2", "o1", noon(0), line("A", 5, 5_000), line("C", 1, 100)))
	if l := e.Refund.Lines; l[0].Match != event.Partly || l[0].MatchedQuantity != 2 || l[0].MatchedMinor != 2_000 || l[1].Match != event.Unmatched {
		t.Fatalf("%+v", l)
	}
	if s := w.standing("ann"); s.Balance != 5 || s.NetSpendMinor != 1_000 || s.Orders != 1 {
		t.Fatalf("%+v", s)
	}
	wantOutcome(t, w.apply(refundOf("ann", "r3", "o1", noon(0), line("A", 1, 1_000))), event.OutcomeRejected, event.ReasonNothingToRefund)
	w.apply(refundOf("ann", "r4", "o1", noon(0), line("POST", 1, 500), line("B", 2, 500)))
	if s := w.standing("ann"); s.Balance != 0 || s.NetSpendMinor != 0 || s.Orders != 0 || s.WindowOrders != 0 || s.LastOrderTime != 0 || s.Scores != (event.Scores{}) {
		t.Fatalf("%+v", s)
	}
}

func TestRefundByAmount(t *testing.T) {
	w := bought(t)
	amount := func(id string, minor int64) event.Entry {
		ev := refundOf("ann", id, "o1", noon(0))
		ev.Refund.Whole, ev.Refund.AmountMinor = false, minor
		return w.apply(ev)
	}
	// A quarter of 40.00: a quarter of the eligible 35.00 with it.
	e := amount("r1", 1_000)
	if e.Refund.MatchedMinor != 1_000 || e.Refund.Allocations[0].Line != -1 || e.Standing.NetSpendMinor != 3_000 {
		t.Fatalf("%+v", e.Refund)
	}
	w.wantBalance("ann", 26) // 26.25 is left to earn on
	wantOutcome(t, amount("r2", 3_001), event.OutcomeRejected, event.ReasonRefundTooLarge)
	amount("r2", 3_000)
	if s := w.standing("ann"); s.Balance != 0 || s.Orders != 0 || s.NetSpendMinor != 0 {
		t.Fatalf("%+v", s)
	}
	wantOutcome(t, amount("r3", 1), event.OutcomeRejected, event.ReasonNothingToRefund)
}

func TestRefundOfShippingChangesNoSpend(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	ev := orderOf("ann", "o1", noon(0), line("A", 1, 3_000))
	ev.Order.ShippingMinor, ev.Order.TaxMinor = 400, 100
	w.apply(ev)
	back := refundOf("ann", "r1", "o1", noon(0))
	back.Refund.Whole, back.Refund.AmountMinor = false, 3_500
	e := w.apply(back)
	if e.Refund.NetMinor != 3_500 || e.Refund.MatchedMinor != 3_000 || e.Standing.NetSpendMinor != 0 || e.Standing.Balance != 0 {
		t.Fatalf("%+v %+v", e.Refund, e.Standing)
	}
}

func TestRefundIsCountedOnce(t *testing.T) {
	w := bought(t)
	w.apply(refundOf("ann", "r1", "o1", noon(0), line("A", 1, 1_000)))
	before := w.st.Clone()
	e := w.apply(refundOf("ann", "r1", "o1", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, e, event.OutcomeDuplicateRefund, "")
	if e.Refund != nil {
		t.Fatalf("%+v", e.Refund)
	}
	wantOutcome(t, w.apply(refundOf("ann", "r1", "o1", noon(0), line("A", 2, 2_000))), event.OutcomeConflict, "")
	w.unchanged(before)
}

func TestRefundOfAnUnknownOrderWaitsForIt(t *testing.T) {
	w := bought(t)
	before := w.st.Clone()
	e := w.apply(refundOf("ann", "r1", "o2", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, e, event.OutcomeKept, event.ReasonUnknownOrder)
	if e.Refund.Lines[0].Match != event.Unmatched || e.Refund.NetMinor != 1_000 || e.Refund.MatchedMinor != 0 {
		t.Fatalf("%+v", e.Refund)
	}
	w.unchanged(before)
	w.apply(orderOf("ann", "o2", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, w.apply(refundOf("ann", "r1", "o2", noon(0), line("A", 1, 1_000))), event.OutcomeApplied, "")
	w.wantBalance("ann", 35)
}

func TestMinimumSpendLostTakesAllBack(t *testing.T) {
	b := testBook()
	b.Rules[0].MinimumMinor = 2_000
	w := newWorld(t, b)
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 2, 3_000)))
	w.apply(refundOf("ann", "r1", "o1", noon(0), line("A", 1, 1_500)))
	w.wantBalance("ann", 0)
}

func TestRefundUsesTheRulesThatEarned(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 3, 1_000)))
	double := testBook()
	double.ID = "bundle-2"
	double.Rules[0].Points = 2
	w.l.Add(double, noon(1))
	w.to(noon(2), "ann")
	w.apply(orderOf("ann", "o2", noon(2), line("A", 1, 1_000)))
	w.wantBalance("ann", 30)
	e := w.apply(refundOf("ann", "r1", "o1", noon(2), line("A", 1, 333)))
	// 6.67 left at a point a pound.
	if w.wantBalance("ann", 26); e.BundleID != "bundle-1" {
		t.Fatalf("by %s", e.BundleID)
	}
	// A late event goes by the version of its own time.
	if e = w.apply(orderOf("ann", "o3", noon(0), line("A", 1, 1_000))); e.BundleID != "bundle-1" || e.Decisions[0].Points != 10 {
		t.Fatalf("%+v", e)
	}
}

func TestExpiredPointsAreNotReversedTwice(t *testing.T) {
	b := testBook()
	b.ExpiryMonths, b.ExpiryDays = 0, 10
	w := newWorld(t, b)
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 10, 10_000)))
	w.apply(redeemOf("ann", "x1", 40))
	w.to(noon(11), "ann") // 60 expire
	w.wantBalance("ann", 0)
	// With 70 instead of 100 from the start, 40 would have been spent and 30 expired.
	e := w.apply(refundOf("ann", "r1", "o1", noon(11), line("A", 3, 3_000)))
	if len(e.Postings) != 0 {
		t.Fatalf("%+v", e.Postings)
	}
	w.wantBalance("ann", 0)
	// With 30, 10 of the 40 spent would have been missing.
	e = w.apply(refundOf("ann", "r2", "o1", noon(11), line("A", 4, 4_000)))
	if w.wantBalance("ann", -10); e.Refund.Allocations[0].PointsReversed != 10 {
		t.Fatalf("%+v", e.Refund)
	}
	w.apply(refundOf("ann", "r3", "o1", noon(11)))
	w.wantBalance("ann", -40)
}

func TestActionPointsStay(t *testing.T) {
	w := bought(t)
	w.apply(named("ann", event.NameReviewed, noon(0)))
	w.apply(refundOf("ann", "r1", "o1", noon(0)))
	w.wantBalance("ann", 50)
}

func TestRefundWithoutOrderIDIsAllocated(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 2, 2_000), line("B", 1, 1_000)))
	w.to(noon(3), "ann")
	w.apply(orderOf("ann", "o2", noon(3), line("A", 1, 1_000), line("C", 1, 700)))
	w.to(noon(5), "ann")
	w.apply(orderOf("ann", "o3", noon(5), line("A", 9, 9_000)))
	w.wantBalance("ann", 137)
	// Dated before o3: only o2 (newest first) and o1 can be meant.
	e := w.apply(refundOf("ann", "r1", "", noon(4), line("A", 4, 4_000), line("D", 1, 50), line("C", 1, 700)))
	f := e.Refund
	if f.Lines[0].Match != event.Partly || f.Lines[0].MatchedQuantity != 3 || f.Lines[0].MatchedMinor != 3_000 ||
		f.Lines[1].Match != event.Unmatched || f.Lines[2].Match != event.Matched || f.NetMinor != 4_750 || f.MatchedMinor != 3_700 {
		t.Fatalf("%+v", f)
	}
	if len(f.Allocations) != 3 || f.Allocations[0].OrderID != "o2" || f.Allocations[0].PointsReversed != 17 || f.Allocations[1].OrderID != "o1" || f.Allocations[1].PointsReversed != 20 {
		t.Fatalf("%+v", f.Allocations)
	}
	s := w.standing("ann")
	if s.Balance != 100 || s.Orders != 2 || s.NetSpendMinor != 13_700-4_750 || s.WindowNetSpendMinor != s.NetSpendMinor {
		t.Fatalf("%+v", s)
	}
	// The unmatched rest lies in the pane of the refund's own day.
	var c core
	value, _ := w.st.Get((&keyBuffer{}).core("ann"))
	if err := c.decode(value, copyName); err != nil {
		t.Fatal(err)
	}
	want := []pane{{day0, 1, 1_000}, {day0 + 4, 0, -1_050}, {day0 + 5, 1, 9_000}}
	if len(c.panes) != 3 || c.panes[0] != want[0] || c.panes[1] != want[1] || c.panes[2] != want[2] {
		t.Fatalf("%+v", c.panes)
	}
}

func TestRefundWithoutOrderIDNorAllocation(t *testing.T) {
	b := testBook()
	b.Refunds.Allocate = false
	w := newWorld(t, b)
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 2, 2_000)))
	e := w.apply(refundOf("ann", "r1", "", noon(0), line("A", 1, 1_000)))
	if e.Refund.MatchedMinor != 0 || e.Standing.Balance != 20 || e.Standing.NetSpendMinor != 1_000 {
		t.Fatalf("%+v %+v", e.Refund, e.Standing)
	}
}

func TestLastOrderAfterAWholeRefund(t *testing.T) {
	w := newWorld(t, testBook())
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 1_000)))
	w.to(noon(40), "ann")
	w.apply(orderOf("ann", "o2", noon(40), line("A", 1, 1_000)))
	e := w.apply(refundOf("ann", "r1", "o2", noon(40)))
	if s := e.Standing; s.LastOrderTime != noon(0) || s.Scores.R != 4 || s.FirstOrderTime != noon(0) {
		t.Fatalf("%+v", s)
	}
	if e.Scores == nil || e.Scores.Reason != "refund" {
		t.Fatalf("%+v", e.Scores)
	}
}

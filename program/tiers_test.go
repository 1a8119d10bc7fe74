package program

import (
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

func (w *world) wantTier(id, want string) {
	w.t.Helper()
	if s := w.standing(id); s.Tier != want {
		w.t.Fatalf("tier %s, want %s: %+v", s.Tier, want, s)
	}
}

func TestTierUpAtOnceDownAtReview(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.wantTier("ann", "bronze")
	e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	if *e.Tier != (event.TierChange{From: "bronze", To: "silver", Reason: "reached", SpendMinor: 60_000}) {
		t.Fatalf("%+v", e.Tier)
	}
	s := e.Standing
	if s.TierReviewOn != day0+365 || s.TierSince != noon(0) || s.TierSpendMinor != 60_000 {
		t.Fatalf("%+v", s)
	}
	w.to(noon(200), "ann")
	// What was bought on the ground's own day does not count at the review.
	if s := w.standing("ann"); s.TierSpendMinor != 60_000 || s.TierLackingMinor != 50_000 {
		t.Fatalf("%+v", s)
	}
	w.apply(orderOf("ann", "o3", noon(200), line("A", 1, 20_000)))
	if s := w.standing("ann"); s.TierLackingMinor != 30_000 {
		t.Fatalf("%+v", s)
	}
	w.apply(refundOf("ann", "r3", "o3", noon(200)))
	w.apply(orderOf("ann", "o2", noon(200), line("A", 1, 51_000)))
	if s := w.standing("ann"); s.TierLackingMinor != 0 {
		t.Fatalf("%+v", s)
	}
	// At the review the window holds o2 only: confirmed for another year.
	w.to(noon(366), "ann")
	w.wantTier("ann", "silver")
	if s := w.standing("ann"); s.TierReviewOn != day0+730 || s.TierSince != noon(0) || s.TierSpendMinor != 51_000 || s.TierLackingMinor != 50_000 {
		t.Fatalf("%+v", s)
	}
	// o2 leaves the window, but only the review takes the tier.
	w.to(noon(700), "ann")
	w.wantTier("ann", "silver")
	if s := w.standing("ann"); s.TierSpendMinor != 0 || s.WindowOrders != 0 || s.Scores != (event.Scores{}) {
		t.Fatalf("%+v", s)
	}
	got := w.to((day0 + 730).Start(time.UTC), "ann")
	if len(got) != 1 || got[0].Cause.Name != timerReview || got[0].Tier.To != "bronze" || got[0].Tier.Reason != "review" {
		t.Fatalf("%+v", got)
	}
	if s := w.standing("ann"); s.TierReviewOn != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestRefundTakesTheTierBackAtOnce(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	w.to(noon(10), "ann")
	w.apply(orderOf("ann", "o2", noon(10), line("B", 1, 7_718_360)))
	w.wantTier("ann", "gold")
	e := w.apply(refundOf("ann", "r1", "", noon(10)+60_000, line("B", 1, 7_718_360)))
	if e.Tier == nil || e.Tier.To != "silver" || e.Tier.Reason != "refund" {
		t.Fatalf("%+v", e.Tier)
	}
	w.wantBalance("ann", 600)
	w.apply(refundOf("ann", "r2", "o1", noon(10)))
	w.wantTier("ann", "bronze")
	w.wantBalance("ann", 0)
}

func TestRefundOfALaterOrderLeavesTheGround(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	w.to(noon(100), "ann")
	w.apply(orderOf("ann", "o2", noon(100), line("B", 1, 10_000)))
	w.apply(refundOf("ann", "r1", "o2", noon(100)))
	w.wantTier("ann", "silver")
	// An unmatched refund lowers the spend of today, not that of the ground.
	w.apply(refundOf("ann", "r2", "", noon(100), line("Z", 1, 40_000)))
	w.wantTier("ann", "silver")
	if s := w.standing("ann"); s.TierSpendMinor != 20_000 || s.TierReviewOn != day0+365 {
		t.Fatalf("%+v", s)
	}
}

func TestGroundLostButTodaysWindowHolds(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	w.to(noon(100), "ann")
	w.apply(orderOf("ann", "o2", noon(100), line("B", 1, 55_000)))
	w.apply(refundOf("ann", "r1", "o1", noon(100)))
	w.wantTier("ann", "silver")
}

func TestEnrolmentCountsTheSpendBefore(t *testing.T) {
	w := newWorld(t, testBook())
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	if s := w.standing("ann"); s.Tier != "" {
		t.Fatalf("%+v", s)
	}
	e := w.apply(named("ann", event.NameSignedUp, noon(0)))
	if *e.Tier != (event.TierChange{To: "silver", Reason: "enrolled", SpendMinor: 60_000}) {
		t.Fatalf("%+v", e.Tier)
	}
}

func TestTierWithoutReviewFollowsTheWindow(t *testing.T) {
	b := testBook()
	b.Tiers.ReviewDays, b.Tiers.WindowDays = 0, 30
	w := newWorld(t, b)
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	w.to(noon(29), "ann")
	w.wantTier("ann", "silver")
	w.to(noon(30), "ann")
	w.wantTier("ann", "bronze")
}

func TestLateOrderAfterActivationMeetsTodaysLadder(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	next := testBook()
	next.ID = "bundle-2"
	next.Tiers.Levels = []TierLevel{{ID: "basic"}, {ID: "plus", SpendMinor: 10_000}}
	w.l.Add(next, noon(1))
	w.to(noon(2), "ann")
	var e event.Entry
	if !w.l.Rescore(w.st, w.m, "ann", &e) || e.Tier == nil || e.Tier.From != "bronze" || e.Tier.To != "basic" || e.Tier.Reason != "program" {
		t.Fatalf("%+v", e.Tier)
	}
	w.check("ann", &e)
	if w.l.Rescore(w.st, w.m, "ann", &event.Entry{}) {
		t.Fatal("a second sweep changed something")
	}
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	w.wantTier("ann", "plus")
}

// TestMidnightThatDoesNotExist: in São Paulo the clocks skipped midnight.
func TestMidnightThatDoesNotExist(t *testing.T) {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	day := event.DayOn(2018, 11, 4)
	start := day.Start(zone)
	if event.DayOf(start, zone) != day || event.DayOf(start-1, zone) != day-1 {
		t.Fatalf("the day starts at %s", start)
	}
}

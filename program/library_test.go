package program

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

func TestLibraryKnowsWhichVersionWasInForce(t *testing.T) {
	l := NewLibrary()
	if l.At(5) != nil || l.ByID("a") != nil {
		t.Fatal("an empty library knows a version")
	}
	a, b, c, d := &Book{ID: "a"}, &Book{ID: "b"}, &Book{ID: "c"}, &Book{ID: "d"}
	l.Add(a, 100)
	l.Add(c, 300)
	l.Add(b, 200)
	for at, want := range map[event.Time]*Book{-1: a, 0: a, 199: a, 200: b, 299: b, 300: c, math.MaxInt64: c} {
		if got := l.At(at); got != want {
			t.Errorf("at %d: %s, want %s", at, got.ID, want.ID)
		}
	}
	l.Add(d, 200)
	if l.At(250) != d || l.ByID("b") != b || l.At(300) != c {
		t.Error("a version for the same instant did not take its place")
	}
}

func TestExclusions(t *testing.T) {
	b := testBook()
	b.Rules[0].Tiers = []string{"silver"}
	w := newWorld(t, b)
	w.join("ann")
	card := line("C1", 1, 60_000)
	card.Category = "Gift cards"
	e := w.apply(orderOf("ann", "o1", noon(0), card, line("A", 1, 1_000)))
	if !e.Order.Lines[0].Excluded || e.Order.BaseMinor != 1_000 || e.Order.NetMinor != 61_000 || e.Tier.To != "silver" {
		t.Fatalf("%+v %+v", e.Order, e.Tier)
	}
}

func TestMoneyStaysAtTheEnds(t *testing.T) {
	for _, c := range [][3]int64{{math.MaxInt64, 1, math.MaxInt64}, {math.MinInt64, -1, math.MinInt64}, {math.MaxInt64, -1, math.MaxInt64 - 1}, {-5, 3, -2}} {
		if got := addMoney(c[0], c[1]); got != c[2] {
			t.Errorf("%d + %d = %d", c[0], c[1], got)
		}
	}
}

func TestStacksThatDoNotFitMeetTheLimit(t *testing.T) {
	huge := make([]int64, maxMultipliers)
	for i := range huge {
		huge[i] = 1_000_003
	}
	num, den := stack(StackMultiply, huge)
	f := formula{perPoints: 1, perMinor: 1, num: num, den: den}
	if n, limited := f.points(1_000_000); n != event.MaxPoints || !limited {
		t.Fatalf("%d %v", n, limited)
	}
	if num, den := stack(StackAdd, []int64{20, 10}); num != 0 || den != 1 {
		t.Fatalf("%d/%d", num, den)
	}
}

// TestTimersOfAnotherVersion: what was due by rules that are gone moves on.
func TestTimersOfAnotherVersion(t *testing.T) {
	b := testBook()
	b.Tiers.ReviewDays = 10
	w := newWorld(t, b)
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 60_000)))
	next := testBook()
	next.ID, next.Tiers, next.Zone = "bundle-2", TierRules{}, time.FixedZone("west", -8*3600)
	w.l.Add(next, noon(5))
	got := w.to(noon(20), "ann")
	if len(got) != 1 || got[0].BundleID != "bundle-2" {
		t.Fatalf("%+v", got)
	}
	var e event.Entry
	if !w.l.Rescore(w.st, w.m, "ann", &e) || e.Tier.To != "" || e.Tier.Reason != "program" || e.Standing.TierReviewOn != 0 {
		t.Fatalf("%+v", e)
	}
	w.check("ann", &e)
}

func TestRescoreOfNobody(t *testing.T) {
	w := newWorld(t, testBook())
	if w.l.Rescore(w.st, w.m, "nobody", &event.Entry{}) || w.l.NextDue(w.st, "nobody") != 0 {
		t.Fatal("something is known of nobody")
	}
	var e event.Entry
	w.l.Fire(w.st, w.m, "nobody", &e)
	if e.Outcome != "" {
		t.Fatalf("%+v", e)
	}
}

// TestSameHistorySameBytes: two partitions that see the same input write the
// same entries and the same state, whatever else their library has decided.
func TestSameHistorySameBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := newWorld(t, testBook()), newWorld(t, testBook())
		for i := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			at := a.m.Clock
			var ev event.Event
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0, 1:
				ev = orderOf("ann", fmt.Sprintf("o%d", i), at, lines(rt)...)
			case 2:
				ev = refundOf("ann", fmt.Sprintf("r%d", i), "", at, lines(rt)...)
			case 3:
				a.to(at.Add(200*24*time.Hour), "ann")
				b.to(at.Add(200*24*time.Hour), "ann")
				continue
			}
			// The second library is used for another partition in between.
			b.l.Apply(&MemState{}, b.m, &event.Event{Type: event.TypeTrack, AccountID: "bob", EventTime: at, Order: &event.Order{OrderID: "z", Currency: "GBP", Lines: lines(rt)}}, &event.Entry{})
			one, two := a.apply(ev), b.apply(ev)
			if x, y := one.Append(nil), two.Append(nil); !bytes.Equal(x, y) {
				rt.Fatalf("%s\n%s", x, y)
			}
		}
		if !a.st.Equal(b.st) {
			rt.Fatal("the states differ")
		}
	})
}

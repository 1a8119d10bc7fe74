package program

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

func TestFixedScoresMoveWithTime(t *testing.T) {
	b := testBook()
	b.Tiers, b.ExpiryMonths = TierRules{}, 0
	w := newWorld(t, b)
	e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 6_000)))
	if *e.Scores != (event.ScoreChange{To: event.Scores{R: 5, F: 1, M: 2}, Reason: "order"}) {
		t.Fatalf("%+v", e.Scores)
	}
	for _, step := range []struct {
		day int
		r   int8
	}{{30, 5}, {31, 4}, {60, 4}, {61, 3}, {91, 2}, {181, 1}, {364, 1}} {
		w.to(noon(step.day), "ann")
		if s := w.standing("ann"); s.Scores.R != step.r {
			t.Fatalf("day %d: %+v", step.day, s.Scores)
		}
	}
	got := w.to(noon(365), "ann")
	if len(got) != 1 || got[0].Cause.Name != timerWindow || got[0].Scores.To != (event.Scores{}) || got[0].Scores.Reason != "time" {
		t.Fatalf("%+v", got)
	}
	if due := w.l.NextDue(w.st, "ann"); due != 0 {
		t.Fatalf("due %s", due)
	}
}

func TestPopulationScoresMoveWithCutPointsOnly(t *testing.T) {
	b := testBook()
	b.Tiers, b.ExpiryMonths, b.RFM.Method = TierRules{}, 0, ScorePopulation
	w := newWorld(t, b)
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 6_000)))
	if w.l.NextDue(w.st, "ann") != (day0 + 31).Start(time.UTC) {
		t.Fatal("without cut points the fixed thresholds and their timers hold")
	}
	w.to(noon(10), "ann")
	w.m.CutPoints = &event.CutPoints{Day: day0 + 10, Customers: 500,
		RecencyDays5: [4]int64{5, 25, 49, 300}, OrdersCount5: [4]int64{5, 6, 10, 20}, SpendMinor5: [4]int64{100, 20_000, 29_999, 30_001}}
	var e event.Entry
	if !w.l.Rescore(w.st, w.m, "ann", &e) {
		t.Fatal("nothing changed")
	}
	w.check("ann", &e)
	// 10 days (×5 = 50) are above three cuts; 1 order above none; the bucket of
	// 6,000 is 5,984 (×5 = 29,920), above two.
	if e.Scores.To != (event.Scores{R: 2, F: 1, M: 3}) || e.Scores.Reason != "cut_points" || e.Scores.Day != day0+10 {
		t.Fatalf("%+v", e.Scores)
	}
	if due := w.l.NextDue(w.st, "ann"); due != (day0 + 365).Start(time.UTC) {
		t.Fatalf("due %s: R does not move by time", due)
	}
	w.to(noon(100), "ann")
	if s := w.standing("ann"); s.Scores.R != 2 {
		t.Fatalf("%+v", s.Scores)
	}
	e = w.apply(orderOf("ann", "o2", noon(100), line("A", 1, 6_000)))
	if s := e.Standing.Scores; s.R != 5 || s.F != 3 {
		t.Fatalf("%+v", s)
	}
}

func TestSpendBucket(t *testing.T) {
	for _, c := range [][2]int64{{-5, 0}, {0, 0}, {255, 255}, {256, 256}, {257, 256}, {511, 510}, {512, 512}, {6_000, 5_984}, {math.MaxInt64, 255 << 55}} {
		if got := SpendBucket(c[0]); got != c[1] {
			t.Errorf("bucket of %d is %d, want %d", c[0], got, c[1])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(1, math.MaxInt64).Draw(t, "minor")
		low := SpendBucket(v)
		if low > v || SpendBucket(low) != low || (v-low) > v/128 || SpendBucket(v-1) > low {
			t.Fatalf("bucket of %d is %d", v, low)
		}
	})
}

// TestQuintilesAreTypeSeven compares with the textbook formula over the sorted
// list of values.
func TestQuintilesAreTypeSeven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 50), 1, 60).Draw(t, "values")
		parts := make([]*event.Counts, 3)
		for i := range parts {
			parts[i] = &event.Counts{}
		}
		for i, v := range values {
			p := parts[i%3]
			p.Orders = append(p.Orders, event.Count{Value: v, Customers: 1})
			p.LastOrder = append(p.LastOrder, event.Count{Value: 1000 - v, Customers: 1})
			p.SpendBucket = append(p.SpendBucket, event.Count{Value: v * 100, Customers: 1})
		}
		cut := CutPointsOf(parts, 1000, 1)
		slices.SortFunc(values, cmp.Compare)
		for k := 1; k <= 4; k++ {
			h := float64(len(values)-1) * float64(k) / 5
			j := int(math.Floor(h))
			q := float64(values[j])
			if j+1 < len(values) {
				q += (h - float64(j)) * float64(values[j+1]-values[j])
			}
			want := int64(math.Round(5 * q))
			if cut.OrdersCount5[k-1] != want || cut.RecencyDays5[k-1] != want || cut.SpendMinor5[k-1] != 100*want && cut.SpendMinor5[k-1] != int64(math.Round(500*q)) {
				t.Fatalf("cut %d: %+v, want %d", k, cut, want)
			}
		}
		if cut.Fixed || cut.Customers != int64(len(values)) {
			t.Fatalf("%+v", cut)
		}
	})
}

func TestTooFewForCutPoints(t *testing.T) {
	few := []*event.Counts{{Orders: []event.Count{{Value: 1, Customers: 99}}, LastOrder: []event.Count{{Value: 1, Customers: 99}}}}
	if cut := CutPointsOf(few, 5, 100); !cut.Fixed || cut.Customers != 99 || cut.Day != 5 {
		t.Fatalf("%+v", cut)
	}
	if cut := CutPointsOf(nil, 5, 0); !cut.Fixed {
		t.Fatalf("%+v", cut)
	}
}

// TestCountsFollowTheCustomers: orders, refunds, guests and time leave the
// histograms as a recount of all standings would make them.
func TestCountsFollowTheCustomers(t *testing.T) {
	b := testBook()
	b.Tiers, b.ExpiryMonths = TierRules{}, 0
	w := newWorld(t, b)
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 6_000)))
	w.apply(orderOf("bob", "o2", noon(0), line("A", 1, 100)))
	w.apply(orderOf("guest:3", "o3", noon(0), line("A", 1, 100)))
	w.to(noon(5), "ann", "bob")
	w.apply(orderOf("bob", "o4", noon(5), line("A", 1, 100)))
	got := ReadCounts(w.st, day0+5)
	if !slices.Equal(got.LastOrder, []event.Count{{Value: int64(day0), Customers: 1}, {Value: int64(day0 + 5), Customers: 1}}) ||
		!slices.Equal(got.Orders, []event.Count{{Value: 1, Customers: 1}, {Value: 2, Customers: 1}}) ||
		!slices.Equal(got.SpendBucket, []event.Count{{Value: 200, Customers: 1}, {Value: 5_984, Customers: 1}}) {
		t.Fatalf("%+v", got)
	}
	w.apply(refundOf("bob", "r1", "o4", noon(5)))
	w.to(noon(365), "ann", "bob")
	if got = ReadCounts(w.st, day0+365); got.LastOrder != nil || got.Orders != nil || got.SpendBucket != nil {
		t.Fatalf("%+v", got)
	}
}

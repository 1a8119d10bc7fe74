package customer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/processors/table"
)

func TestBundlesComeInForce(t *testing.T) {
	w := newWorld(t)
	if e := w.one(order("c", "o0", start, 1000)); e.Outcome != event.OutcomeKept || e.Reason != event.ReasonNoProgram {
		t.Fatalf("without rules: %s %s", e.Outcome, e.Reason)
	}
	w.settle(start, 0)
	first := bundleOf(rules, start.Add(-time.Hour))
	if e := w.one(first); e.Outcome != event.OutcomeApplied || e.Control.BundleID != first.Bundle.ID || e.Control.Late || e.Cause.ID != first.Bundle.ID {
		t.Fatalf("first %+v", e)
	}
	w.restart()
	if e := w.one(first); e.Outcome != event.OutcomeDuplicate || e.Control.BundleID != first.Bundle.ID {
		t.Fatalf("again %+v", e)
	}
	if e := w.one(order("c", "o1", start, 1000)); e.Standing.Balance != 10 {
		t.Fatalf("balance %d", e.Standing.Balance)
	}
	double := strings.Replace(rules, "points: 1, per", "points: 2, per", 1)
	later := start.Add(time.Hour)
	if e := w.one(bundleOf(double, later)); e.Outcome != event.OutcomeApplied || e.Control.Late {
		t.Fatalf("second %+v", e)
	}
	w.settle(start, 1)
	if e := w.one(order("c", "o2", start, 1000)); e.Standing.Balance != 20 {
		t.Fatalf("before the second is in force: %d", e.Standing.Balance)
	}
	w.settle(later, 0)
	w.restart()
	if e := w.one(order("c", "o3", later, 1000)); e.Standing.Balance != 40 {
		t.Fatalf("the second in force: %d", e.Standing.Balance)
	}
	triple := strings.Replace(rules, "points: 1, per", "points: 3, per", 1)
	if e := w.one(bundleOf(triple, start)); e.Outcome != event.OutcomeApplied || !e.Control.Late {
		t.Fatalf("late %+v", e)
	}
	w.restart()
	for id, want := range map[string]struct {
		at   event.Time
		adds int64
	}{"o4": {later - 1, 10}, "o5": {later, 30}} {
		before, _ := w.standing("c")
		e := w.one(order("c", id, want.at, 1000))
		if got := e.Standing.Balance - before.Balance; got != want.adds {
			t.Fatalf("order at %s adds %d, want %d: a late version applies from its arrival", want.at, got, want.adds)
		}
	}
}

func (w *world) standing(account string) (s event.Standing, ok bool) {
	w.t.Helper()
	w.commit()
	err := w.table.Read(func(v *table.View) error {
		var r Reading
		r, ok = ReadCustomer(v, account)
		s = r.Standing
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s, ok
}

func TestBundleOfHigherSemanticsHalts(t *testing.T) {
	w := newWorld(t)
	ev := bundleOf(rules, 0)
	ev.Bundle.Semantics = 99
	value, _ := ev.Encode()
	if _, err := w.raw(nil, value); err == nil || !strings.Contains(err.Error(), "semantics 99") {
		t.Fatalf("went on with %v", err)
	}
}

func TestBundleThatDoesNotParseOrHasAWrongIDIsRefused(t *testing.T) {
	w := newWorld(t)
	wrong := bundleOf(rules, 0)
	wrong.Bundle.ID = "0123456789abcdef"
	for _, ev := range []*event.Event{bundleOf("program: [", 0), wrong} {
		if e := w.one(ev); e.Outcome != event.OutcomeRejected || e.Reason != event.ReasonInvalid {
			t.Fatalf("%s %s", e.Outcome, e.Reason)
		}
	}
}

func TestActivationSweepsAccounts(t *testing.T) {
	w := running(t)
	for i := range 20 {
		w.one(order(fmt.Sprintf("c%02d", i), fmt.Sprintf("o%d", i), start, 60000))
	}
	lower := strings.Replace(rules, "spend: 1000.00}", "spend: 500.00}", 1)
	w.one(bundleOf(lower, start.Add(time.Hour)))
	if got := w.settle(start, 1); len(got) != 0 {
		t.Fatalf("swept before it is in force: %s", kinds(got))
	}
	got := w.settle(start.Add(time.Hour), 0)
	if len(got) != 20 {
		t.Fatalf("%d accounts changed, want 20: %s", len(got), kinds(got))
	}
	for _, e := range got {
		if e.Kind != event.KindSweep || e.Cause.Type != event.TypeBundle || e.Tier == nil || e.Tier.To != "gold" {
			t.Fatalf("%+v", e)
		}
	}
}

// monday is the first instant of 2026-03-30 in London, an hour before that of UTC:
// the clocks went forward the day before.
var monday = date(2026, time.March, 29, 23, 0)

func TestCountsAreOfTheDaysFirstInstant(t *testing.T) {
	w := running(t)
	w.settle(monday.Add(-2*time.Hour), 0)
	w.one(order("a", "o1", monday.Add(-24*time.Hour), 10000))
	w.one(order("b", "o2", monday.Add(-2*time.Hour), 20000))
	if tick, _ := w.tick(monday.Add(-time.Hour), 0); tick.Counts != nil {
		t.Fatal("counted before midnight")
	}
	tick, _ := w.tick(monday.Add(5*time.Second), 0)
	c := tick.Counts
	if c == nil || c.Day.String() != "2026-03-30" || c.MinimumCustomers != 5 {
		t.Fatalf("counts %+v", c)
	}
	if n := sum(c.LastOrder); n != 2 || sum(c.Orders) != 2 || sum(c.SpendBucket) != 2 {
		t.Fatalf("counted %+v", c)
	}
	w.restart()
	if tick, _ := w.tick(monday.Add(time.Hour), 0); tick.Counts != nil {
		t.Fatal("counted twice")
	}
	next := monday.Add(7 * 24 * time.Hour)
	if tick, _ := w.tick(next, 0); tick.Counts == nil || tick.Counts.Day.String() != "2026-04-06" {
		t.Fatalf("a week later %+v", tick.Counts)
	}
}

func sum(counts []event.Count) (n int64) {
	for _, c := range counts {
		n += c.Customers
	}
	return n
}

// A count waits for all slices of what is due by midnight, and is taken before
// what is due later.
func TestCountWaitsForTimersDueByMidnight(t *testing.T) {
	w := running(t)
	const customers = event.MaxTimersPerTick + 10
	// Two days before midnight less ten days: their lots expire before it.
	w.settle(monday.Add(-13*24*time.Hour), 0)
	for i := range customers {
		w.one(order(fmt.Sprintf("c%03d", i), fmt.Sprintf("o%d", i), monday.Add(-13*24*time.Hour), 1000))
	}
	w.settle(monday.Add(-5*24*time.Hour), 0)
	// Jump to the day after midnight.
	at := monday.Add(26 * time.Hour)
	tick, fired := w.tick(at, 0)
	if tick.Counts != nil || !tick.Tick.MoreDue || len(fired) != event.MaxTimersPerTick || fired[len(fired)-1].EventTime > monday {
		t.Fatalf("first slice: counts %+v, %d fired", tick.Counts, len(fired))
	}
	w.restart()
	tick, fired = w.tick(at, 1)
	if tick.Counts == nil || tick.Counts.Day.String() != "2026-03-30" || sum(tick.Counts.Orders) != customers {
		t.Fatalf("second slice: counts %+v, %d fired", tick.Counts, len(fired))
	}
	if last := fired[len(fired)-1]; last.EventTime <= monday {
		t.Fatalf("nothing was due after midnight: the last was %s", last.EventTime)
	}
}

func TestCutPointsFirstOfADayWins(t *testing.T) {
	w := running(t)
	cut := func(day string, orders int64) *event.Event {
		c := &event.CutPoints{Customers: 10, OrdersCount5: [4]int64{orders, 2 * orders, 3 * orders, 4 * orders}}
		if err := c.Day.UnmarshalText([]byte(day)); err != nil {
			t.Fatal(err)
		}
		return &event.Event{Type: event.TypeCutPoints, MessageID: "cut_points:" + day, EventTime: start, CutPoints: c}
	}
	const customers = maxSweepChanges + 20
	for i := range customers {
		w.one(order(fmt.Sprintf("c%03d", i), fmt.Sprintf("o%d", i), start, 30000))
	}
	if e := w.one(cut("2026-03-09", 2)); e.Outcome != event.OutcomeApplied || e.Cause.ID != "2026-03-09" || e.Control.CutPoints.Customers != 10 {
		t.Fatalf("%+v", e)
	}
	w.restart()
	tick, swept := w.tick(start, 50)
	if !tick.Tick.MoreDue || len(swept) != maxSweepChanges {
		t.Fatalf("first slice: %d swept, more %v", len(swept), tick.Tick.MoreDue)
	}
	w.restart()
	swept = append(swept, w.settle(start, 51)...)
	seen := map[string]bool{}
	for _, e := range swept {
		if e.Kind != event.KindSweep || e.Cause.Type != event.TypeCutPoints || e.Cause.ID != "2026-03-09" || e.Scores == nil || e.Scores.Day.String() != "2026-03-09" || seen[e.AccountID] {
			t.Fatalf("%+v", e)
		}
		seen[e.AccountID] = true
	}
	if len(seen) != customers {
		t.Fatalf("%d accounts scored anew, want %d", len(seen), customers)
	}
	if e := w.one(cut("2026-03-09", 9)); e.Outcome != event.OutcomeDuplicate {
		t.Fatalf("same day: %s", e.Outcome)
	}
	if e := w.one(cut("2026-03-02", 9)); e.Outcome != event.OutcomeRejected || e.Reason != event.ReasonOutdated {
		t.Fatalf("older day: %s %s", e.Outcome, e.Reason)
	}
	if got := w.settle(start, 100); len(got) != 0 {
		t.Fatalf("swept again: %s", kinds(got))
	}
}

// The same records give the same bytes, however they are batched, and through
// restarts at any place.
func TestReplayIsTheSame(t *testing.T) {
	feed := func(t *testing.T, seed uint64, breaks *rand.Rand) *world {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := running(t)
		clock, slice := start, int64(100)
		for i := range 400 {
			id := fmt.Sprintf("c%d", rng.IntN(12))
			switch rng.IntN(8) {
			case 0:
				clock, slice = clock.Add(time.Duration(rng.IntN(60))*time.Hour), 0
				w.feed(tickAt(clock, slice))
			case 1:
				slice++
				w.feed(tickAt(clock, slice))
			case 2:
				w.feed(&event.Event{Type: event.TypeRedeem, MessageID: fmt.Sprintf("r%d", i/2), AccountID: id, EventTime: clock, Redeem: &event.Redeem{RedemptionID: fmt.Sprintf("r%d", i/2), Points: int64(1 + rng.IntN(50))}})
			case 3:
				w.feed(&event.Event{Type: event.TypeTrack, Name: event.NameOrderRefunded, MessageID: fmt.Sprintf("f%d", i), AccountID: id, EventTime: clock,
					Refund: &event.Refund{RefundID: fmt.Sprintf("f%d", i), Currency: "GBP", AmountMinor: int64(1 + rng.IntN(3000))}})
			case 4:
				c := &event.CutPoints{Day: event.DayOf(clock, time.UTC), Customers: 12, OrdersCount5: [4]int64{5, 10, 15, 20}, SpendMinor5: [4]int64{10000, 50000, 90000, 150000}, RecencyDays5: [4]int64{5, 10, 20, 40}}
				w.feed(&event.Event{Type: event.TypeCutPoints, MessageID: "cut", EventTime: clock, CutPoints: c})
			default:
				w.feed(order(id, fmt.Sprintf("o%d", i), clock.Add(-time.Duration(rng.IntN(100))*time.Hour), int64(rng.IntN(40000))))
			}
			if breaks != nil {
				switch breaks.IntN(30) {
				case 0:
					w.restart()
				case 1, 2, 3, 4:
					w.commit()
				}
			}
		}
		w.commit()
		return w
	}
	for seed := range uint64(3) {
		plain := feed(t, seed, nil)
		broken := feed(t, seed, rand.New(rand.NewPCG(seed, 2)))
		if len(plain.ledger) != len(broken.ledger) {
			t.Fatalf("seed %d: %d entries and %d", seed, len(plain.ledger), len(broken.ledger))
		}
		for i, a := range plain.ledger {
			b := broken.ledger[i]
			if !bytes.Equal(a.Key, b.Key) || !bytes.Equal(a.Value, b.Value) || !bytes.Equal(a.Headers[0].Value, b.Headers[0].Value) {
				t.Fatalf("seed %d, entry %d:\n%s\n%s", seed, i, a.Value, b.Value)
			}
		}
	}
}

package program

import (
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

func TestSecondOrderEnrolsAndEarns(t *testing.T) {
	w := newWorld(t, testBook())
	e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 2_599)))
	wantOutcome(t, e, event.OutcomeApplied, "")
	if e.Enrolment != nil || len(e.Postings) != 0 || e.Order.Number != 1 || e.Standing.Member {
		t.Fatalf("the first order: %+v", e)
	}
	e = w.apply(orderOf("ann", "o2", noon(0)+1, line("A", 2, 1_099), line("POST", 1, 500)))
	if e.Enrolment == nil || e.Enrolment.RuleID != "by-second-order" || e.Order.Number != 2 {
		t.Fatalf("the second order: %+v", e)
	}
	// 100 for joining, 10 for £10.99 rounded down; postage never earns.
	w.wantBalance("ann", 110)
	if e.Order.BaseMinor != 1_099 || e.Order.NetMinor != 1_599 || !e.Order.Lines[1].Excluded || e.Order.Lines[0].Excluded {
		t.Fatalf("fact: %+v", e.Order)
	}
	if e.Tier == nil || e.Tier.To != "bronze" || e.Tier.Reason != "enrolled" {
		t.Fatalf("tier: %+v", e.Tier)
	}
	lots := Lots(w.st, "ann")
	if len(lots) != 2 || lots[1].ID != "o2/spend" && lots[0].ID != "o2/spend" || lots[0].ExpiresOn.String() != "2025-10-04" {
		t.Fatalf("lots: %+v", lots)
	}
	if w.standing("ann").NextExpiryPoints != 110 {
		t.Fatalf("next expiry: %+v", w.standing("ann"))
	}
}

func TestWhollyRefundedOrderDoesNotCountTowardsEnrolment(t *testing.T) {
	w := newWorld(t, testBook())
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 1_000)))
	w.apply(refundOf("ann", "r1", "o1", noon(0)))
	if e := w.apply(orderOf("ann", "o2", noon(0), line("A", 1, 1_000))); e.Enrolment != nil || e.Order.Number != 2 {
		t.Fatalf("%+v", e)
	}
}

func TestDiscountIsSpreadOverAllLines(t *testing.T) {
	b := testBook()
	b.Rules[0] = Rule{ID: "spend", Kind: RuleSpend, Points: 1, PerMinor: 1}
	w := newWorld(t, b)
	w.join("ann")
	ev := orderOf("ann", "o1", noon(0), line("A", 1, 1_000), line("POST", 1, 500), line("B", 1, 500))
	ev.Order.DiscountMinor, ev.Order.ShippingMinor, ev.Order.TaxMinor = 101, 300, 200
	e := w.apply(ev)
	// 101 over 1000:500:500 is 50.5, 25.25, 25.25: the odd penny goes to the first.
	if e.Order.BaseMinor != (1_000-51)+(500-25) || e.Order.NetMinor != 1_899 {
		t.Fatalf("fact: %+v", e.Order)
	}
	w.wantBalance("ann", 1_424)
}

func TestRoundingAndMinimum(t *testing.T) {
	for _, c := range []struct {
		rounding      Rounding
		minimum, base int64
		want          int64
		reason        string
	}{
		{RoundDown, 0, 150, 1, ""}, {RoundHalfUp, 0, 150, 2, ""}, {RoundHalfUp, 0, 149, 1, ""},
		{RoundDown, 150, 149, 0, whyBelowMinimum}, {RoundDown, 150, 150, 1, ""}, {RoundDown, 0, 0, 0, whyNoBase},
	} {
		b := testBook()
		b.Rules = []Rule{{ID: "spend", Kind: RuleSpend, Points: 1, PerMinor: 100, MinimumMinor: c.minimum, Rounding: c.rounding}}
		w := newWorld(t, b)
		w.join("ann")
		e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, c.base)))
		if d := e.Decisions[0]; d.Points != c.want || d.Reason != c.reason {
			t.Errorf("%+v: %+v", c, d)
		}
	}
}

func TestMultipliers(t *testing.T) {
	friday, saturday := noon(0), noon(1)
	all := []Multiplier{
		{ID: "week", Percent: 200, From: noon(0), Until: noon(7)},
		{ID: "silver", Percent: 150, Tiers: []string{"silver"}},
		{ID: "friday", Percent: 110, Weekdays: []time.Weekday{time.Friday}},
		{ID: "other", Percent: 900, Rules: []string{"another"}},
	}
	for _, c := range []struct {
		stacking Stacking
		at       event.Time
		silver   bool
		points   int64
		percent  int64
		ids      int
	}{
		{StackMultiply, friday, true, 330, 330, 3},
		{StackAdd, friday, true, 260, 260, 3},
		{StackHighest, friday, true, 200, 200, 3},
		{StackMultiply, saturday, false, 200, 200, 1},
		{StackMultiply, noon(7), false, 110, 110, 1}, // a Friday; until is exclusive
		{StackMultiply, noon(8), false, 100, 100, 0},
	} {
		b := testBook()
		b.Rules, b.Multipliers, b.Stacking = b.Rules[:1], all, c.stacking
		w := newWorld(t, b)
		w.join("ann")
		if c.silver {
			w.apply(orderOf("ann", "o0", friday, line("POST", 1, 50_000)))
		}
		w.to(c.at)
		e := w.apply(orderOf("ann", "o1", c.at, line("A", 1, 10_000)))
		d := e.Decisions[0]
		if d.Points != c.points || d.Percent != c.percent || len(d.Multipliers) != c.ids {
			t.Errorf("%+v: %+v", c, d)
		}
	}
}

func TestTierOfBeforeTheOrderDecides(t *testing.T) {
	b := testBook()
	b.Multipliers = []Multiplier{{ID: "gold", Percent: 200, Tiers: []string{"gold"}}}
	b.Rules = []Rule{b.Rules[0], {ID: "extra", Kind: RuleSpend, Points: 5, PerMinor: 100, Tiers: []string{"gold"}}}
	w := newWorld(t, b)
	w.join("ann")
	e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 200_000)))
	if e.Decisions[0].Points != 2_000 || e.Decisions[1].Reason != whyTier || e.Tier.To != "gold" || e.Tier.Reason != "reached" {
		t.Fatalf("%+v %+v", e.Decisions, e.Tier)
	}
	e = w.apply(orderOf("ann", "o2", noon(0), line("A", 1, 100)))
	if e.Decisions[0].Points != 2 || e.Decisions[1].Points != 10 {
		t.Fatalf("%+v", e.Decisions)
	}
}

func TestActions(t *testing.T) {
	w := newWorld(t, testBook())
	wantOutcome(t, w.apply(named("ann", event.NameReviewed, noon(0))), event.OutcomeKept, event.ReasonNotMember)
	w.join("ann")
	for i, want := range []int64{50, 50, 0} {
		e := w.apply(named("ann", event.NameReviewed, noon(0)))
		wantOutcome(t, e, event.OutcomeApplied, "")
		if e.Decisions[0].Points != want {
			t.Fatalf("review %d: %+v", i, e.Decisions)
		}
		if want == 0 && e.Decisions[0].Reason != whyMaxPerDay {
			t.Fatalf("%+v", e.Decisions)
		}
	}
	// Another day has its own bound, a late event that of its own day.
	w.to(noon(1), "ann")
	w.apply(named("ann", event.NameReviewed, noon(1)))
	if e := w.apply(named("ann", event.NameReviewed, noon(0))); e.Decisions[0].Points != 0 {
		t.Fatalf("%+v", e.Decisions)
	}
	w.wantBalance("ann", 150)
	wantOutcome(t, w.apply(named("ann", "Product Viewed", noon(1))), event.OutcomeKept, event.ReasonNoRule)
	wantOutcome(t, w.apply(named("anon:1", event.NameReviewed, noon(1))), event.OutcomeKept, event.ReasonGuest)
}

func TestSignUp(t *testing.T) {
	w := newWorld(t, testBook())
	e := w.apply(named("ann", event.NameSignedUp, noon(0)))
	wantOutcome(t, e, event.OutcomeApplied, "")
	if e.Enrolment.RuleID != "by-sign-up" || e.Standing.Balance != 100 || e.Standing.EnrolledTime != noon(0) || e.Tier.To != "bronze" {
		t.Fatalf("%+v", e)
	}
	wantOutcome(t, w.apply(named("ann", event.NameSignedUp, noon(0))), event.OutcomeKept, event.ReasonNoRule)
	w.wantBalance("ann", 100)
}

func TestWhatIsNotCounted(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	before := w.st.Clone()
	dollars := orderOf("ann", "o1", noon(0), line("A", 1, 1_000))
	dollars.Order.Currency = "USD"
	e := w.apply(dollars)
	wantOutcome(t, e, event.OutcomeRejected, event.ReasonWrongCurrency)
	old := orderOf("ann", "o1", noon(-31), line("A", 1, 1_000))
	wantOutcome(t, w.apply(old), event.OutcomeRejected, event.ReasonTooOld)
	w.unchanged(before)
	w.m.IsHistory = true
	wantOutcome(t, w.apply(old), event.OutcomeApplied, "")
}

func TestOrderEarnsOnce(t *testing.T) {
	w := newWorld(t, testBook())
	w.join("ann")
	w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 1_000)))
	before := w.st.Clone()
	e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, e, event.OutcomeDuplicateOrder, "")
	if e.Order != nil || e.Postings != nil || e.Standing != nil {
		t.Fatalf("%+v", e)
	}
	wantOutcome(t, w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 2_000))), event.OutcomeConflict, "")
	w.unchanged(before)
}

func TestGuestsGiveFactsOnly(t *testing.T) {
	w := newWorld(t, testBook())
	e := w.apply(orderOf("guest:o1", "o1", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, e, event.OutcomeKept, event.ReasonGuest)
	if e.Order == nil || e.Order.NetMinor != 1_000 || e.Standing != nil {
		t.Fatalf("%+v", e)
	}
	wantOutcome(t, w.apply(orderOf("guest:o1", "o1", noon(0), line("A", 1, 1_000))), event.OutcomeDuplicateOrder, "")
	e = w.apply(refundOf("guest:o1", "r1", "o1", noon(0)))
	wantOutcome(t, e, event.OutcomeKept, event.ReasonGuest)
	if e.Refund.MatchedMinor != 1_000 {
		t.Fatalf("%+v", e.Refund)
	}
	wantOutcome(t, w.apply(refundOf("guest:o1", "r1", "o1", noon(0))), event.OutcomeDuplicateRefund, "")
	wantOutcome(t, w.apply(refundOf("guest:o1", "r2", "o1", noon(0))), event.OutcomeRejected, event.ReasonNothingToRefund)
	e = w.apply(refundOf("guest:c9", "r9", "", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, e, event.OutcomeKept, event.ReasonGuest)
	wantOutcome(t, w.apply(redeemOf("guest:o1", "x", 10)), event.OutcomeRejected, event.ReasonNotMember)
}

func TestWithoutProgramEventsAreKept(t *testing.T) {
	w := &world{t: t, st: &MemState{}, l: NewLibrary()}
	e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, 1_000)))
	wantOutcome(t, e, event.OutcomeKept, event.ReasonNoProgram)
	if e.Order == nil || e.Order.BaseMinor != 0 || e.Order.NetMinor != 1_000 {
		t.Fatalf("%+v", e.Order)
	}
	wantOutcome(t, w.apply(refundOf("ann", "r1", "o1", noon(0))), event.OutcomeKept, event.ReasonNoProgram)
	wantOutcome(t, w.apply(redeemOf("ann", "x", 10)), event.OutcomeKept, event.ReasonNoProgram)
	wantOutcome(t, w.apply(named("ann", "Anything", noon(0))), event.OutcomeKept, event.ReasonNoProgram)
	if !w.st.Equal(&MemState{}) {
		t.Fatal("something was written")
	}
}

// TestFraction holds the exact arithmetic against big rationals.
func TestFraction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.Int64Range(0, math.MaxInt64)
		small := rapid.Int64Range(0, 10_000)
		pick := func(name string) int64 { return rapid.OneOf(any, small).Draw(t, name) }
		base, a, num := pick("base"), pick("a"), pick("num")
		b, den := max(1, pick("b")), max(1, pick("den"))
		half := rapid.Bool().Draw(t, "half up")
		top := new(big.Int).Mul(new(big.Int).Mul(big.NewInt(base), big.NewInt(a)), big.NewInt(num))
		bottom := new(big.Int).Mul(big.NewInt(b), big.NewInt(den))
		if half {
			top.Lsh(top, 1).Add(top, bottom)
			bottom.Lsh(bottom, 1)
		}
		want := top.Quo(top, bottom)
		got, fits := fraction(base, a, num, b, den, half)
		if fits != want.IsInt64() || fits && got != want.Int64() {
			t.Fatalf("%d fits=%v, want %s", got, fits, want)
		}
	})
}

func TestSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 2_000), 1, 20).Draw(t, "weights")
		var total int64
		for _, w := range weights {
			total += w
		}
		amount := rapid.Int64Range(0, total).Draw(t, "amount")
		var sum int64
		for i, s := range spread(amount, weights) {
			sum += s
			exact := amount * weights[i]
			if s < 0 || s > weights[i] || total > 0 && (s*total > exact+total || s*total < exact-total) {
				t.Fatalf("share %d of weight %d", s, weights[i])
			}
		}
		if sum != amount {
			t.Fatalf("shares sum to %d, not %d", sum, amount)
		}
	})
}

func TestEarningStopsAtItsLimit(t *testing.T) {
	b := testBook()
	b.Rules = []Rule{{ID: "spend", Kind: RuleSpend, Points: 1_000_000, PerMinor: 1}}
	w := newWorld(t, b)
	w.join("ann")
	e := w.apply(orderOf("ann", "o1", noon(0), line("A", 1, event.MaxAmountMinor)))
	if d := e.Decisions[0]; d.Points != event.MaxPoints || d.Reason != whyLimit {
		t.Fatalf("%+v", d)
	}
}

func TestExpiryDay(t *testing.T) {
	for _, c := range []struct {
		months, days int
		from, want   string
	}{
		{12, 0, "2024-10-04", "2025-10-04"}, {1, 0, "2025-01-31", "2025-02-28"}, {12, 0, "2024-02-29", "2025-02-28"},
		{3, 0, "2024-11-30", "2025-02-28"}, {24, 0, "2024-12-31", "2026-12-31"}, {0, 10, "2024-12-28", "2025-01-07"}, {1, 1, "2025-01-31", "2025-03-01"}, {0, 0, "2025-01-31", ""},
	} {
		var from event.Day
		if err := from.UnmarshalText([]byte(c.from)); err != nil {
			t.Fatal(err)
		}
		if got := expiryAfter(&Book{ExpiryMonths: c.months, ExpiryDays: c.days}, from).String(); got != c.want {
			t.Errorf("%s + %d months %d days: %s, want %s", c.from, c.months, c.days, got, c.want)
		}
	}
}

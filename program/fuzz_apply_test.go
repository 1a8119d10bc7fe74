package program

import (
	"testing"

	"github.com/punchcard/punchcard/event"
)

// FuzzApply: whatever a door lets in, twice, and then time: the invariants hold
// after each step and nothing panics.
func FuzzApply(f *testing.F) {
	for _, seed := range []event.Event{
		orderOf("ann", "o9", noon(0), line("A", 2, 1_999), line("POST", 1, event.MaxAmountMinor-1_999)),
		refundOf("ann", "r1", "o1", noon(0)), refundOf("ann", "r1", "", noon(0), line("A", 1_000_000_000, 7), line("B", 1, 0)),
		redeemOf("ann", "x1", 20), named("ann", event.NameReviewed, noon(0)), named("bob", event.NameSignedUp, noon(3)),
		{Type: event.TypeIdentify, AccountID: "ann", EventTime: noon(0)},
	} {
		seed.MessageID = "m"
		b, err := seed.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var ev event.Event
		if event.Decode(b, &ev) != nil || ev.Validate() != nil {
			t.Skip()
		}
		w := newWorld(t, testBook())
		w.m.IsHistory = true
		w.join("ann")
		w.apply(orderOf("ann", "o1", noon(0), line("A", 3, 3_000), line("B", 1, 60_000)))
		w.apply(ev)
		before := w.st.Clone()
		e := w.apply(ev)
		if ev.Order != nil || ev.Refund != nil || ev.Redeem != nil {
			if len(e.Postings) > 0 {
				t.Fatalf("a repeat moved points: %+v", e)
			}
			w.unchanged(before)
		}
		w.to(noon(800), "ann", ev.AccountID)
	})
}

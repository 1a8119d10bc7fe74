package page

import (
	"slices"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// said is an item as one text.
func said(it Item) string {
	s := it.Kind + ": " + it.Title
	if it.Why != "" {
		s += " (" + it.Why + ")"
	}
	for _, p := range it.Parts {
		s += " | " + p.Text
		if p.Why != "" {
			s += " (" + p.Why + ")"
		}
	}
	return s
}

func TestStory(t *testing.T) {
	s, err := cannedStory(t.Context(), "12347")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range s.Timeline {
		got = append(got, said(it))
	}
	want := []string{
		"time: Points reached their last day | −211 points expired (the last day was 2011-12-07)",
		"message: E-mail of campaign champions-thanks (Enters champions, variant warm) | Thank you, from all of us (Hello {{first_name}}, you are one of 612 customers who make this shop what it is. 3,747 points wait for you.)",
		"order: Ordered for £1,294.32, order number 5 | +1,941 points earned (rule spend on £1,294.32) | R3 F4 M4 → R5 F4 M5 (Order, cut points of 2011-10-31) | Entered segment champions (r >= 4 and f >= 4) | Left segment about-to-lapse (days since last order > 60)",
		"survey: Answered a survey: NPS 9",
		"redemption: Redeemed 500 points | −500 points spent",
		"held: Campaign summer held back: global holdout (Schedule)",
		"order: Ordered for £584.91, order number 4 | +877 points earned (rule spend on £584.91)",
		"order: Ordered for £636.25, order number 3 | +954 points earned (rule spend on £636.25, times 1.50 (silver-bonus)) | Tier bronze → silver (Reached, spend in the window £1,823.43)",
		"order: Ordered for £475.39, order number 2 | +475 points earned (rule spend on £475.39)",
		"order: Ordered for £711.79, the first order | Became a member (rule first-order) | +711 points earned (rule spend on £711.79)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the time line reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var balance, left int64
	for _, l := range s.Lots {
		if l.Left != l.Earned-l.Spent-l.Expired-l.Reversed {
			t.Errorf("lot %+v does not add up", l)
		}
		left += l.Left
	}
	for i, b := range s.Balance {
		if i > 0 && b.Time < s.Balance[i-1].Time {
			t.Errorf("the balance goes back in time: %v", s.Balance)
		}
		balance = b.Points
	}
	if left != s.Standing.Balance || balance != s.Standing.Balance || len(s.Balance) != 7 || s.Balance[0].Points != 711 {
		t.Errorf("balance %d, lots %d, course %v", s.Standing.Balance, left, s.Balance)
	}
	if last := s.Lots[len(s.Lots)-1]; last.ID != "537626" || last.Spent != 500 || last.Expired != 211 || last.Left != 0 {
		t.Errorf("the used-up lot is not the last: %+v", s.Lots)
	}
}

// TestStoryTwice: what is there twice counts once, in any order.
func TestStoryTwice(t *testing.T) {
	once, _ := cannedStory(t.Context(), "12347")
	entries := append(cannedEntries("12347"), cannedEntries("12347")...)
	slices.Reverse(entries)
	twice := NewStory(once.Standing, once.Clock, entries, append(cannedCampaigns("12347"), cannedCampaigns("12347")...), false)
	if len(twice.Timeline) != len(once.Timeline) || !slices.Equal(twice.Lots, once.Lots) || !slices.Equal(twice.Balance, once.Balance) {
		t.Errorf("%+v", twice)
	}
}

func TestItems(t *testing.T) {
	for _, c := range []struct {
		entry event.Entry
		want  string
	}{
		{event.Entry{Kind: event.KindTick}, ""},
		{event.Entry{AccountID: "a", Kind: event.KindSweep, Outcome: event.OutcomeApplied}, ""},
		{event.Entry{AccountID: "a", Kind: event.KindEvent, Outcome: event.OutcomeRejected, Reason: event.ReasonInsufficientPoints, Redemption: &event.Redemption{Points: 1}}, "redemption: Redemption of 1 point refused (Rejected: insufficient points)"},
		{event.Entry{AccountID: "a", Kind: event.KindEvent, Outcome: event.OutcomeApplied, Refund: &event.RefundFact{Currency: "JPY", NetMinor: 1200, MatchedMinor: 200}}, "refund: Refund of ¥1,200, ¥200 of it found in orders"},
		{event.Entry{AccountID: "a", Kind: event.KindEvent, Outcome: event.OutcomeKept, Reason: event.ReasonNoRule, Cause: event.Cause{Type: event.TypeTrack, Name: "Product Viewed"}}, "event: Product Viewed (Kept: no rule)"},
		{event.Entry{AccountID: "a", Kind: event.KindEvent, Outcome: event.OutcomeApplied, Facts: []event.FactChange{{Name: "consent.email", Value: []byte("true")}, {Name: "city", Value: []byte(`"Leeds"`)}, {Name: "x", Value: []byte("null")}}}, "fact: Said something new of themselves | consent.email is true | city is Leeds | x is forgotten"},
		{event.Entry{AccountID: "a", Kind: event.KindEvent, Outcome: event.OutcomeApplied, Order: &event.OrderFact{Currency: "SEK", NetMinor: -5}, Decisions: []event.Decision{{RuleID: "spend", Reason: "below_minimum"}},
			Segments: []event.SegmentChange{{SegmentID: event.SegmentTrigger + "x", Change: event.SegmentEntered}}}, "order: Ordered for −0.05 SEK | No points (rule spend: Below minimum)"},
	} {
		it, ok := EntryItem(&c.entry)
		if got := said(it); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%v %s, want %s", ok, got, c.want)
		}
	}
	m := MessageItem(&event.CampaignMessage{Partition: 1, Sequence: 2, Message: event.Message{Channel: event.ChannelSMS, CampaignID: "win-back", Trigger: "enters", Detail: "lapsing", Arm: "a", Text: "Hi"}})
	if got := said(m); got != "message: SMS of campaign win-back (Enters lapsing, variant a) | Hi" || m.ID != "c1-2" {
		t.Error(got)
	}
}

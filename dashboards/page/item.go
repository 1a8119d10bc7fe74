package page

import (
	"fmt"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// Item is one line of the feed or of a story: what happened to a customer, and
// what came of it.
type Item struct {
	// ID names the line for ever: e or c (entry, campaign entry), partition, sequence.
	ID         string     `json:"id"`
	Time       event.Time `json:"time"`
	Kind       string     `json:"kind"` // order, refund, redemption, survey, member, message, held, time, rules, fact, event
	CustomerID string     `json:"customer_id"`
	Title      string     `json:"title"`
	Why        string     `json:"why,omitempty"`
	Parts      []Part     `json:"parts,omitempty"`
	Simulated  bool       `json:"simulated,omitempty"`
	History    bool       `json:"history,omitempty"`
	// order puts the lines of a partition in the order of its ledger.
	order, second int64
}

// Part is one thing that came of it, with its reason. Points is the change of the
// balance.
type Part struct {
	Kind   string `json:"kind"` // points, member, tier, scores, segment, fact, words
	Text   string `json:"text"`
	Why    string `json:"why,omitempty"`
	Points int64  `json:"points,omitempty"`
}

// EntryItem says in words what an entry is; false when it concerns no customer or
// says nothing to a reader.
func EntryItem(e *event.Entry) (Item, bool) {
	if e.AccountID == "" || e.Kind == event.KindTick || e.Kind == event.KindControl || e.Kind == event.KindTakeover {
		return Item{}, false
	}
	it := Item{
		ID: fmt.Sprintf("e%d-%d", e.Partition, e.Sequence), Time: e.EventTime, CustomerID: e.AccountID,
		Simulated: e.IsSimulated, History: e.IsHistory, order: e.Sequence,
	}
	it.Kind, it.Title = headline(e)
	if e.Outcome != event.OutcomeApplied {
		it.Why = outcomeWords(e)
	}
	it.Parts = entryParts(e)
	if len(it.Parts) == 0 && (e.Kind == event.KindTimer || e.Kind == event.KindSweep) {
		return Item{}, false
	}
	return it, true
}

// timers are what time alone brings about, by the timer's name.
var timers = map[string]string{
	"lots_expire": "Points reached their last day", "tier_review": "Tier review", "window": "An order left the window of the scores or tiers",
	"recency": "Time went by without an order", "segments": "Time moved segments",
}

// headline says what the input was.
func headline(e *event.Entry) (kind, title string) {
	switch {
	case e.Order != nil:
		return "order", "Ordered for " + money(e.Order.NetMinor, e.Order.Currency) + ordinal(e.Order.Number)
	case e.Refund != nil:
		title = "Refund of " + money(e.Refund.NetMinor, e.Refund.Currency)
		if e.Refund.MatchedMinor < e.Refund.NetMinor {
			title += ", " + money(e.Refund.MatchedMinor, e.Refund.Currency) + " of it found in orders"
		}
		return "refund", title
	case e.Redemption != nil && e.Redemption.Accepted:
		return "redemption", "Redeemed " + count(e.Redemption.Points)
	case e.Redemption != nil:
		return "redemption", "Redemption of " + count(e.Redemption.Points) + " refused"
	case e.Survey != nil:
		return "survey", fmt.Sprintf("Answered a survey: %s %d", strings.ToUpper(e.Survey.Kind), e.Survey.Score)
	case e.Enrolment != nil:
		return "member", "Became a member"
	case e.Kind == event.KindTimer:
		if title, ok := timers[e.Cause.Name]; ok {
			return "time", title
		}
		return "time", "Time passed" + named(e.Cause.Name)
	case e.Kind == event.KindSweep:
		return "rules", "Looked at again" + named(e.Cause.Name)
	case len(e.Facts) > 0:
		return "fact", "Said something new of themselves"
	case e.Cause.Name != "":
		return "event", words(e.Cause.Name)
	}
	return "event", words(string(e.Cause.Type))
}

func named(s string) string {
	if s == "" {
		return ""
	}
	return ": " + words(s)
}

func ordinal(n int64) string {
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return ", the first order"
	}
	return fmt.Sprintf(", order number %d", n)
}

func outcomeWords(e *event.Entry) string {
	s := words(string(e.Outcome))
	if e.Reason != "" {
		s += ": " + lower(e.Reason)
	}
	return s
}

func entryParts(e *event.Entry) (parts []Part) {
	if e.Enrolment != nil && e.Order != nil {
		parts = append(parts, Part{Kind: "member", Text: "Became a member", Why: "rule " + e.Enrolment.RuleID})
	}
	parts = append(parts, pointParts(e)...)
	if t := e.Tier; t != nil {
		parts = append(parts, Part{Kind: "tier", Text: fmt.Sprintf("Tier %s → %s", orNone(t.From), orNone(t.To)), Why: tierWhy(t, e)})
	}
	if s := e.Scores; s != nil {
		parts = append(parts, Part{Kind: "scores", Text: scores(s.From) + " → " + scores(s.To), Why: scoreWhy(s)})
	}
	for _, s := range e.Segments {
		if strings.HasPrefix(s.SegmentID, event.SegmentTrigger) {
			continue
		}
		why := s.Clause
		if s.Cause != event.SegmentByEvent && s.Cause != "" {
			why += " (by " + words(s.Cause) + ")"
		}
		parts = append(parts, Part{Kind: "segment", Text: strings.ToUpper(s.Change[:1]) + s.Change[1:] + " segment " + s.SegmentID, Why: why})
	}
	for _, f := range e.Facts {
		text := f.Name + " is " + strings.Trim(string(f.Value), `"`)
		if string(f.Value) == "null" {
			text = f.Name + " is forgotten"
		}
		parts = append(parts, Part{Kind: "fact", Text: text})
	}
	return parts
}

var postingWords = map[string]string{
	event.PostEarn: "earned", event.PostReverse: "taken back", event.PostSpend: "spent", event.PostExpire: "expired", event.PostSettle: "filled a debt",
}

// pointParts tells the postings of the customer's account: one part for a reason
// and rule.
func pointParts(e *event.Entry) (parts []Part) {
	type group struct{ reason, rule string }
	at := map[group]int{}
	for _, p := range e.Postings {
		if p.Account != event.AccountCustomer {
			continue
		}
		g := group{p.Reason, p.RuleID}
		i, known := at[g]
		if !known {
			i = len(parts)
			at[g] = i
			parts = append(parts, Part{Kind: "points", Text: postingWords[p.Reason], Why: postingWhy(e, p)})
		}
		parts[i].Points += p.Points
	}
	out := parts[:0]
	for _, p := range parts {
		if p.Points != 0 { // points that fill a debt move between two lots of the customer
			p.Text = signed(p.Points) + " " + p.Text
			out = append(out, p)
		}
	}
	for _, d := range e.Decisions {
		if d.Points == 0 && d.Reason != "" {
			out = append(out, Part{Kind: "points", Text: "No points", Why: "rule " + d.RuleID + ": " + words(d.Reason)})
		}
	}
	return out
}

func postingWhy(e *event.Entry, p event.Posting) string {
	switch p.Reason {
	case event.PostEarn:
		return earnWhy(e, p.RuleID)
	case event.PostReverse:
		if p.OrderID != "" {
			return "order " + p.OrderID + " was given back"
		}
	case event.PostExpire:
		if p.ExpiresOn != 0 {
			return "the last day was " + p.ExpiresOn.String()
		}
	}
	return ""
}

func earnWhy(e *event.Entry, ruleID string) string {
	if ruleID == "" {
		return ""
	}
	why := "rule " + ruleID
	for _, d := range e.Decisions {
		if d.RuleID != ruleID || d.Points == 0 {
			continue
		}
		if d.BaseMinor != 0 && e.Order != nil {
			why += " on " + money(d.BaseMinor, e.Order.Currency)
		}
		if len(d.Multipliers) > 0 {
			why += fmt.Sprintf(", times %d.%02d (%s)", d.Percent/100, d.Percent%100, strings.Join(d.Multipliers, ", "))
		}
		break
	}
	return why
}

func tierWhy(t *event.TierChange, e *event.Entry) string {
	why := words(t.Reason)
	if e.Standing != nil && e.Standing.Currency != "" {
		why += ", spend in the window " + money(t.SpendMinor, e.Standing.Currency)
	}
	return why
}

func scoreWhy(s *event.ScoreChange) string {
	if s.Day != 0 {
		return words(s.Reason) + ", cut points of " + s.Day.String()
	}
	return words(s.Reason)
}

func scores(s event.Scores) string {
	if s == (event.Scores{}) {
		return "no scores"
	}
	return fmt.Sprintf("R%d F%d M%d", s.R, s.F, s.M)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

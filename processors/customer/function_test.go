package customer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// start is a Wednesday.
var start = date(2026, time.March, 4, 12, 0)

// running is a world with rules in force at start.
func running(t testing.TB) *world {
	w := newWorld(t)
	if e := w.one(bundleOf(rules, 0)); e.Outcome != event.OutcomeApplied {
		t.Fatalf("bundle: %s %s", e.Outcome, e.Reason)
	}
	w.settle(start, 0)
	return w
}

func TestTimeMovesByTicksAloneAndNeverBack(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		at    event.Time
		slice int64
		want  event.Outcome
	}{
		{start, 0, event.OutcomeApplied},
		{start, 0, event.OutcomeRejected},
		{start, 1, event.OutcomeApplied},
		{start, 1, event.OutcomeRejected},
		{start - 1, 9, event.OutcomeRejected},
		{start + 5000, 0, event.OutcomeApplied},
	} {
		e := w.one(tickAt(step.at, step.slice))
		if e.Outcome != step.want || (e.Outcome == event.OutcomeRejected) != (e.Reason == event.ReasonOutdated) || (e.Tick != nil) != (step.want == event.OutcomeApplied) {
			t.Fatalf("tick %d.%d: %s %s %+v", step.at, step.slice, e.Outcome, e.Reason, e.Tick)
		}
	}
	w.restart()
	if e := w.one(tickAt(start+5000, 0)); e.Outcome != event.OutcomeRejected || e.EntryTime != start+5000 {
		t.Fatalf("after a restart: %s at %s", e.Outcome, e.EntryTime)
	}
}

func TestMessageIDsAreKnownForThirtyDaysOfTheClock(t *testing.T) {
	w := running(t)
	now := start
	review := func(hash string) *event.Event {
		return &event.Event{Type: event.TypeTrack, Name: event.NameReviewed, MessageID: "m1", AccountID: "c", EventTime: now, BodyHash: hash}
	}
	w.one(order("c", "o1", start, 1000))
	for _, step := range []struct {
		hash   string
		want   event.Outcome
		points int
	}{{"a", event.OutcomeApplied, 2}, {"a", event.OutcomeDuplicate, 0}, {"b", event.OutcomeConflict, 0}} {
		e := w.one(review(step.hash))
		if e.Outcome != step.want || len(e.Postings) != step.points || !e.Answer || e.Cause.ID != "m1" {
			t.Fatalf("%s: %s, %d postings, answer %v", step.hash, e.Outcome, len(e.Postings), e.Answer)
		}
		w.restart()
	}
	now = start.Add(event.MessageIDHorizon)
	w.settle(now, 0)
	if e := w.one(review("a")); e.Outcome != event.OutcomeDuplicate {
		t.Fatalf("at 30 days: %s", e.Outcome)
	}
	w.settle(now+1, 0)
	if e := w.one(review("a")); e.Outcome != event.OutcomeApplied {
		t.Fatalf("after 30 days: %s %s", e.Outcome, e.Reason)
	}
	if e := w.one(review("a")); e.Outcome != event.OutcomeDuplicate {
		t.Fatalf("known anew: %s", e.Outcome)
	}
}

func TestRedemptionRepeatsItsAnswer(t *testing.T) {
	w := running(t)
	w.one(order("c", "o1", start, 10000))
	redeem := func(message, id string, points int64) *event.Event {
		return &event.Event{Type: event.TypeRedeem, MessageID: message, AccountID: "c", EventTime: start, BodyHash: fmt.Sprint(id, points),
			Redeem: &event.Redeem{RedemptionID: id, Points: points}}
	}
	for _, step := range []struct {
		ev       *event.Event
		want     event.Outcome
		balance  int64
		accepted bool
	}{
		{redeem("r1", "r1", 60), event.OutcomeApplied, 40, true},
		{redeem("r1", "r1", 60), event.OutcomeDuplicate, 40, true},
		{redeem("other", "r1", 60), event.OutcomeDuplicate, 40, true},
		{redeem("r2", "r2", 60), event.OutcomeRejected, 40, false},
		{redeem("r2", "r2", 60), event.OutcomeDuplicate, 40, false},
	} {
		e := w.one(step.ev)
		if e.Outcome != step.want || !e.Answer || e.Redemption == nil || e.Redemption.Balance != step.balance || e.Redemption.Accepted != step.accepted {
			t.Fatalf("%s: %s %+v", step.ev.MessageID, e.Outcome, e.Redemption)
		}
	}
	if e := w.one(redeem("r1", "r1", 61)); e.Outcome != event.OutcomeConflict || !e.Answer || len(e.Postings) != 0 {
		t.Fatalf("same id, another body: %s", e.Outcome)
	}
}

func TestWhatIsNoEventOfOursIsRefused(t *testing.T) {
	w := running(t)
	valid, _ := order("c", "o1", start, 1000).Encode()
	for name, in := range map[string]struct{ key, value string }{
		"not JSON":              {"c", "{"},
		"empty":                 {"", ""},
		"key of another":        {"d", string(valid)},
		"no key":                {"", string(valid)},
		"unknown type":          {"c", `{"v":1,"type":"vote","message_id":"m","account_id":"c","event_time":"2026-03-04T12:00:00.000Z"}`},
		"no message id":         {"c", `{"v":1,"type":"track","account_id":"c","event_time":"2026-03-04T12:00:00.000Z"}`},
		"a customer's tick":     {"c", `{"v":1,"type":"tick","message_id":"t","account_id":"c","event_time":"2027-03-04T12:00:00.000Z","tick":{}}`},
		"tick without section":  {"", `{"v":1,"type":"tick","message_id":"t","event_time":"2027-03-04T12:00:00.000Z"}`},
		"bundle without files":  {"", `{"v":1,"type":"bundle","message_id":"t","event_time":"2027-03-04T12:00:00.000Z","bundle":{"id":"x","semantics":1}}`},
		"negative order":        {"c", strings.Replace(string(valid), `"amount_minor":1000`, `"amount_minor":-1`, 1)},
		"cut points of no day":  {"", `{"v":1,"type":"cut_points","message_id":"t","event_time":"2027-03-04T12:00:00.000Z","cut_points":{}}`},
		"history without texts": {"", `{"v":1,"type":"history_begin","message_id":"t","event_time":"2027-03-04T12:00:00.000Z"}`},
	} {
		out, err := w.raw([]byte(in.key), []byte(in.value))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e := out[0]; len(out) != 1 || e.Outcome != event.OutcomeRejected || e.Reason != event.ReasonInvalid || e.EntryTime != start {
			t.Errorf("%s: %s %s", name, kinds(out), e.Reason)
		}
	}
	if e := w.one(order("c", "o1", start, 1000)); e.Outcome != event.OutcomeApplied {
		t.Fatalf("the log does not go on: %s %s", e.Outcome, e.Reason)
	}
}

func TestCommandsAreKept(t *testing.T) {
	w := running(t)
	ev := &event.Event{Type: event.TypeCommand, MessageID: "x", AccountID: "c", EventTime: start, Command: &event.Command{AccountID: "c", Name: "n"}}
	if e := w.one(ev); e.Outcome != event.OutcomeKept || e.AccountID != "c" {
		t.Fatalf("%s", e.Outcome)
	}
}

func TestOwnTimersFireBeforeAnEvent(t *testing.T) {
	w := running(t)
	w.one(order("c", "o1", start, 5000))
	w.one(order("d", "o2", start, 5000))
	// Both lots expire after 10 days. The clock gets there with d's event only.
	late := start.Add(11 * 24 * time.Hour)
	w.fn.p.clock, w.fn.p.slice = late, 0
	out := w.feed(order("c", "o3", late, 700))
	if len(out) != 2 || out[0].Kind != event.KindTimer || out[0].Answer || out[0].EventTime >= late || out[0].Cause.Type != event.TypeTrack || out[0].Cause.ID != "m-o3" {
		t.Fatalf("entries %s", kinds(out))
	}
	if out[1].Kind != event.KindEvent || !out[1].Answer || out[1].Standing.Balance != 7 {
		t.Fatalf("the event's entry %+v", out[1])
	}
	if dup := w.feed(order("c", "o3", late, 700)); len(dup) != 1 || dup[0].Outcome != event.OutcomeDuplicate {
		t.Fatalf("again: %s", kinds(dup))
	}
}

func TestTimersFireInSlicesInDueOrder(t *testing.T) {
	w := running(t)
	const customers = 2*event.MaxTimersPerTick + 50
	for i := range customers {
		// Three days of orders, so that due times differ from key order.
		day := time.Duration(2-i%3) * 24 * time.Hour
		w.one(order(fmt.Sprintf("c%04d", i), fmt.Sprintf("o%d", i), start.Add(-day), 1000))
		if i%200 == 150 {
			w.restart()
		}
	}
	at := start.Add(12 * 24 * time.Hour)
	var fired []event.Entry
	for slice := range int64(4) {
		tick, entries := w.tick(at, slice)
		if int64(len(entries)) != tick.Tick.Fired || tick.Tick.Fired > event.MaxTimersPerTick || tick.Tick.Slice != slice {
			t.Fatalf("slice %d: %d entries, says %+v", slice, len(entries), tick.Tick)
		}
		fired = append(fired, entries...)
		w.restart()
		if !tick.Tick.MoreDue {
			break
		}
	}
	expired := 0
	for i, e := range fired {
		if e.Kind != event.KindTimer || e.Cause.Type != event.TypeTick || e.EntryTime != at || e.Answer {
			t.Fatalf("%+v", e)
		}
		if i > 0 {
			if p := fired[i-1]; e.EventTime < p.EventTime || e.EventTime == p.EventTime && e.AccountID <= p.AccountID {
				t.Fatalf("%s %s fired after %s %s", e.AccountID, e.EventTime, p.AccountID, p.EventTime)
			}
		}
		if strings.Contains(e.Cause.Name, "lots_expire") {
			expired++
		}
	}
	if expired != customers {
		t.Fatalf("%d of %d lots expired", expired, customers)
	}
	if tick, entries := w.tick(at, 9); len(entries) > 0 || tick.Tick.MoreDue {
		t.Fatalf("fired again: %s", kinds(entries))
	}
}

func TestHistoryIsABracket(t *testing.T) {
	w := running(t)
	mark := func(kind event.Type) event.Entry {
		return w.one(&event.Event{Type: kind, MessageID: "h", EventTime: start, History: &event.History{Source: "retail"}})
	}
	old := start.Add(-100 * 24 * time.Hour)
	if e := w.one(order("c", "before", old, 1000)); e.Reason != event.ReasonTooOld || e.IsHistory {
		t.Fatalf("before: %s %s", e.Outcome, e.Reason)
	}
	if e := mark(event.TypeHistoryBegin); e.Outcome != event.OutcomeApplied || !e.IsHistory || e.Control.HistorySource != "retail" {
		t.Fatalf("begin %+v", e)
	}
	if e := mark(event.TypeHistoryBegin); e.Outcome != event.OutcomeDuplicate || !e.IsHistory {
		t.Fatalf("begin again %+v", e)
	}
	w.restart()
	if out := w.feed(order("c", "within", old, 1000)); out[0].Outcome != event.OutcomeApplied || !out[0].IsHistory {
		t.Fatalf("within: %s", kinds(out))
	}
	if e := mark(event.TypeHistoryEnd); e.Outcome != event.OutcomeApplied {
		t.Fatalf("end %+v", e)
	}
	if e := mark(event.TypeHistoryEnd); e.Outcome != event.OutcomeDuplicate || e.IsHistory {
		t.Fatalf("end again %+v", e)
	}
	out := w.feed(order("c", "after", start, 1000))
	if e := out[len(out)-1]; e.IsHistory {
		t.Fatal("after the end still history")
	}
}

package segments

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// leafForms are leaves with # for a small and ## for a larger random number.
var leafForms = []string{
	"member: true", "tier: silver", "tier: {at_least: silver}", "tier: {less_than: gold}", "recency: {at_most: 3}", "frequency: {at_least: 2}", "monetary: {more_than: 1}",
	"balance: {at_least: ##}", "expiring_points: {at_least: ##}", "orders: {at_least: #}", "orders: {at_most: #}", "spend: {at_least: ##}",
	"spend_to_next_tier: {at_most: ##}", "spend_to_keep_tier: {more_than: ##}", "spend_to_keep_tier: {more_than: 0}", "spend_to_keep_tier: {known: true}",
	"days_since_last_order: {more_than: ##}", "days_since_last_order: {at_most: #}", "days_since_first_order: {at_least: ##}", "days_since_enrolled: {is: ##}",
	"days_since_tier: {at_least: ##}", "days_to_tier_review: {at_most: ##}", "days_to_expiry: {at_most: ##}", "days_to_expiry: {known: true}",
	"days_to_birthday: {at_most: #}", "days_to_birthday: {at_least: ##}", "overdue: {times: #, orders: 2}", "overdue: {times: 1.25, orders: 3}",
	"count: {of: order, in: ## days, at_least: #}", "count: {of: order, in: # weeks, is: #}", "count: {of: order, in: this month, at_least: #}", "count: {of: order, in: last month, at_least: 1}",
	"count: {of: order, in: this week, at_least: 1}", "count: {of: order, in: last week, at_least: 1}", "sum: {of: order, in: ## days, at_least: ##}", "sum: {of: order, in: last quarter, at_least: ##}",
	"sum: {of: order, in: this year, at_most: ##}", "sum: {of: order, in: this quarter, at_least: ##}", "never: order", "never: {of: order, where: {category: lamps}}",
	"count: {of: order, where: {category: [lamps], channel: web}, in: ## days, at_least: 1}", "count: {of: order, where: {product: {in: [A, B]}}, in: last month, at_least: #}",
	"sum: {of: order, where: {channel: web}, in: ## days, at_least: ##}", "sum: {of: order, where: {country: FR}, at_least: ##}", "count: {of: order, where: {brand: own}, at_least: #}",
	"count: {of: Viewed, in: ## days, at_least: #}", "count: {of: Viewed, in: this month, is: #}", "count: {of: Viewed, where: {n: {at_least: #}}, in: ## days, at_least: #}", "count: {of: Viewed, where: {b: true, w: x}, at_least: #}",
	"sum: {of: Viewed, property: n, in: ## days, more_than: ##}", "sum: {of: Viewed, property: n, in: last week, at_least: #}", "sum: {of: Viewed, property: n, at_least: ##}",
	"days_since_last: {of: Viewed, at_most: ##}", "days_since_last: {of: Viewed, where: {w: y}, more_than: #}", "days_since_first: {of: Viewed, at_least: ##}", "never: Viewed", "never: {of: Viewed, where: {w: x}}",
	"latest: {of: Viewed, property: n, at_most: #}", "latest: {of: Viewed, property: w, in: [x, z]}", "latest: {of: Viewed, where: {b: false}, property: w, known: true}",
	"latest: {of: Survey Answered, where: {kind: nps}, property: score, at_most: 6}", "fact: {name: country, in: [FR, DE]}", "fact: {name: children, at_least: 1}", "fact: {name: consent.email, is: true}",
	"fact: {name: consent.email.marketing, is: true}", "fact: {name: country, known: true}",
}

// drawSet makes a set of random segments that ask for each other.
func drawSet(t *rapid.T, b *program.Book) (*Set, map[string]string) {
	files := map[string]string{}
	n := rapid.IntRange(1, 8).Draw(t, "segments")
	var node func(i, depth int) string
	node = func(i, depth int) string {
		switch op := rapid.IntRange(0, 9).Draw(t, "op"); {
		case op < 2 && depth < 2:
			return fmt.Sprintf("all: [{%s}, {%s}]", node(i, depth+1), node(i, depth+1))
		case op < 3 && depth < 2:
			return fmt.Sprintf("any: [{%s}, {%s}]", node(i, depth+1), node(i, depth+1))
		case op < 4 && depth < 2:
			return fmt.Sprintf("not: {%s}", node(i, depth+1))
		case op < 5 && i > 0:
			return fmt.Sprintf("segment: s%d", rapid.IntRange(0, i-1).Draw(t, "other"))
		}
		leaf := rapid.SampledFrom(leafForms).Draw(t, "leaf")
		for strings.Contains(leaf, "##") {
			leaf = strings.Replace(leaf, "##", fmt.Sprint(rapid.IntRange(1, 120).Draw(t, "large")), 1)
		}
		for strings.Contains(leaf, "#") {
			leaf = strings.Replace(leaf, "#", fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "small")), 1)
		}
		return strings.Replace(leaf, "[lamps]", "{in: [lamps]}", 1)
	}
	for i := range n {
		files[fmt.Sprintf("segments/s%d.yaml", i)] = "who:\n  " + node(i, 0)
	}
	s, problems := Parse(files, b, nil)
	if len(problems) > 0 {
		t.Fatal(problems, files)
	}
	return s, files
}

// history is one customer's random life beside the model.
type history struct {
	*world
	t      *rapid.T
	model  *model
	orders int
}

func (h *history) do(ev event.Event) {
	ev.AccountID = "ann"
	if ev.Type == "" {
		ev.Type = event.TypeTrack
	}
	e := h.apply(ev)
	h.model.take(&ev, &e)
}

// drawEvent makes something happen, up to 29 days late, or up to 10 minutes ahead.
func (h *history) drawEvent() {
	late := rapid.SampledFrom([]time.Duration{0, 0, 0, -10 * time.Minute, time.Hour, 30 * time.Hour, 9 * 24 * time.Hour, 29 * 24 * time.Hour}).Draw(h.t, "late")
	at := h.m.Clock.Add(-late)
	switch rapid.IntRange(0, 11).Draw(h.t, "event") {
	case 0:
		h.do(event.Event{Name: event.NameSignedUp, EventTime: at})
	case 1, 2, 3:
		h.orders++
		ev := orderOf("", fmt.Sprintf("o%d", h.orders), at, rapid.Int64Range(1, 90).Draw(h.t, "amount")*100)
		ev.Order.Lines[0].ProductID = rapid.SampledFrom([]string{"A", "B", "C"}).Draw(h.t, "product")
		ev.Order.Lines[0].Category = rapid.SampledFrom([]string{"", "lamps", "decor"}).Draw(h.t, "category")
		ev.Order.Lines[0].Brand = rapid.SampledFrom([]string{"", "own"}).Draw(h.t, "brand")
		ev.Context = &event.Context{Channel: rapid.SampledFrom([]string{"web", "store"}).Draw(h.t, "channel"), Country: rapid.SampledFrom([]string{"FR", "GB"}).Draw(h.t, "country")}
		h.do(ev)
	case 4:
		h.drawRefund(at)
	case 5:
		traits := map[string]json.RawMessage{}
		for _, f := range []choice{
			{"country", []any{"FR", "GB", nil}}, {"children", []any{0, 1, "2", 1.5}}, {"birth_month", []any{1, 2, 12, 13, nil}}, {"birth_day", []any{1, 29, 31}},
			{"consent.email", []any{true, false}}, {"consent.email.marketing", []any{true, false}},
		} {
			f.draw(h.t, 2, traits)
		}
		h.do(event.Event{Type: event.TypeIdentify, EventTime: at, Traits: traits})
	case 6:
		h.do(event.Event{Name: "Unsubscribed", EventTime: at})
	case 7:
		score := rapid.Int64Range(0, 10).Draw(h.t, "score")
		h.do(event.Event{Name: event.NameSurveyAnswered, EventTime: at, Survey: &event.Survey{Kind: "nps", Score: score}})
	case 8:
		h.do(event.Event{Type: event.TypeRedeem, EventTime: at, Redeem: &event.Redeem{RedemptionID: fmt.Sprintf("x%d", h.sequence), Points: 20}})
	default:
		p := map[string]json.RawMessage{}
		for _, f := range []choice{{"n", []any{1, 2, 3, 7.9, "4", "four", nil}}, {"w", []any{"x", "y", "z"}}, {"b", []any{true, false, "true"}}} {
			f.draw(h.t, 1, p)
		}
		h.do(event.Event{Name: "Viewed", EventTime: at, Properties: p})
	}
}

// choice is a property and what it may be.
type choice struct {
	name   string
	values []any
}

// draw takes one of the values, or none: the more often, the rarer.
func (c *choice) draw(t *rapid.T, rarer int, into map[string]json.RawMessage) {
	if i := rapid.IntRange(0, rarer*len(c.values)).Draw(t, c.name); i < len(c.values) {
		into[c.name], _ = json.Marshal(c.values[i])
	}
}

func (h *history) drawRefund(at event.Time) {
	r := &event.Refund{RefundID: fmt.Sprintf("r%d", h.sequence), Currency: "GBP"}
	switch kind := rapid.IntRange(0, 2).Draw(h.t, "refund"); {
	case kind == 0 || h.orders == 0:
		r.Lines = []event.OrderLine{{ProductID: "Z", Quantity: 1, AmountMinor: 700}} // of no order
	default:
		r.OrderID = fmt.Sprintf("o%d", rapid.IntRange(1, h.orders).Draw(h.t, "of"))
		if r.Whole = kind == 1; !r.Whole {
			r.AmountMinor = 100
		}
	}
	h.do(event.Event{Name: event.NameOrderRefunded, EventTime: at, Refund: r})
}

// agree holds the memberships against the model, as of the clock.
func (h *history) agree() {
	if _, known := h.st.Get(keyOf(kindHot, "ann")); h.set == nil || !known {
		return // nothing of it was counted: it is nobody
	}
	h.model.account, h.model.has = h.lib.Account(h.st, "ann")
	want := h.model.members(event.DayOf(h.m.Clock, h.model.book.Zone))
	if got := ReadSegments(h.st, "ann"); !slices.Equal(got, want) {
		h.t.Fatalf("at %s: segments are %v, by definition %v", h.m.Clock, got, want)
	}
}

// rebuilt holds the state against the one that is made from all that is kept.
func (h *history) rebuilt() {
	key := keyOf(kindHot, "ann")
	value, ok := h.st.Get(key)
	if !ok {
		return
	}
	// Leaves that time flipped without a membership are as of the last visit, and so
	// are days that have left a window: visit it.
	visited := h.st.Clone()
	visit := event.Entry{AccountID: "ann", Outcome: event.OutcomeApplied}
	NewKeeper(h.lib).Step(visited, h.set, Input{Clock: h.m.Clock, Cause: event.SegmentByTime}, &visit)
	if len(visit.Segments) > 0 {
		h.t.Fatalf("a visit without cause changed %+v", visit.Segments)
	}
	value, _ = visited.Get(key)
	value = slices.Clone(value)
	due := visited.Due(key)
	other := hot{setID: 0}
	st := h.st.Clone()
	st.Put(key, other.append(nil, none), 0)
	k := NewKeeper(h.lib)
	e := event.Entry{AccountID: "ann", Outcome: event.OutcomeApplied}
	k.Step(st, h.set, Input{Clock: h.m.Clock, Cause: event.SegmentByActivation}, &e)
	if len(e.Segments) > 0 {
		h.t.Fatalf("built anew, memberships differ: %+v", e.Segments)
	}
	again, _ := st.Get(key)
	// What a later write would have dropped.
	if same, err := k.hot.decode(value, h.set); !same || err != nil {
		h.t.Fatal(same, err)
	}
	k.forget(h.set, event.DayOf(h.m.Clock, h.model.book.Zone))
	if kept := k.hot.append(nil, h.set); !bytes.Equal(kept, again) || st.Due(key) != due {
		h.t.Fatalf("state %x due %s\nand built anew %x due %s", kept, due, again, st.Due(key))
	}
}

// TestModel: after every step and on every day, memberships are what they are by
// definition; a change by time alone comes on exactly its day; and the state that
// was kept step by step is the one that is made from the past.
func TestModel(t *testing.T) {
	book := testBook(t)
	for _, zone := range []string{"Europe/London", "America/Asuncion"} {
		b := *book
		b.TimeZone = zone
		b.Zone, _ = time.LoadLocation(zone)
		if zone != "Europe/London" { // spend leaves the tiers' window within a life
			b.Tiers.WindowDays, b.Tiers.ReviewDays = 60, 40
		}
		t.Run(zone, func(t *testing.T) { rapid.Check(t, func(r *rapid.T) { live(r, &b) }) })
	}
}

func live(r *rapid.T, b *program.Book) {
	s, files := drawSet(r, b)
	h := &history{world: newWorld(r, b, s), t: r, model: newModel(b, s)}
	if rapid.Bool().Draw(r, "activation") {
		h.set = nil // the segments come later, to a customer with a past
	}
	day := event.DayOn(2024, time.September, rapid.IntRange(1, 28).Draw(r, "start"))
	r.Log(files)
	for range rapid.IntRange(1, 25).Draw(r, "steps") {
		h.m.Clock = day.Start(b.Zone).Add(time.Duration(rapid.IntRange(0, 22*60).Draw(r, "minute")) * time.Minute)
		h.to(h.m.Clock, "ann")
		h.drawEvent()
		h.check()
		for range rapid.SampledFrom([]int{0, 1, 3, 20, 70}).Draw(r, "days") {
			day++
			h.m.Clock = day.Start(b.Zone)
			h.to(h.m.Clock, "ann")
			h.agree()
		}
		if h.set == nil && rapid.IntRange(0, 3).Draw(r, "activate") == 0 {
			h.sweepAll(s)
		}
	}
	if h.set == nil {
		h.sweepAll(s)
	}
	h.check()
}

func (h *history) sweepAll(s *Set) {
	if _, known := h.st.Get(keyOf(kindHot, "ann")); known {
		h.sweep(s, "ann")
	}
	h.set = s
}

func (h *history) check() {
	if h.set == nil {
		return
	}
	h.agree()
	h.rebuilt()
}

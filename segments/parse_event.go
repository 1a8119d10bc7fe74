package segments

import (
	"fmt"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// ofOrder is what orders are called in a condition.
const ofOrder = "order"

// MaxFilters bounds the conditions on the properties of one event.
const MaxFilters = 10

// orderProperties are what is kept of an order, to be asked for.
var orderProperties = []string{"brand", "category", "channel", "country", "product"}

var calendars = map[string]Calendar{
	"this week": ThisWeek, "last week": LastWeek, "this month": ThisMonth, "last month": LastMonth,
	"this quarter": ThisQuarter, "last quarter": LastQuarter, "this year": ThisYear,
}

// selection is which events a condition is about.
type selection struct {
	rulefile.Fields
	q     Quantity
	order bool
	text  string
	ok    bool
}

// selectEvents reads of and where; keys are those that the leaf has beside them.
func (r *reader) selectEvents(p rulefile.Place, keys ...string) selection {
	f, ok := p.Fields(append(keys, "of", "where")...)
	if !ok {
		return selection{}
	}
	s := selection{Fields: f}
	at, ok := f.Need("of", "order, or an event's name such as Product Reviewed")
	if !ok {
		return selection{}
	}
	s.name(at)
	if where, has := f.Get("where"); has {
		s.q.Where = ParseFilters(where, s.q.Event)
		s.text += ", where " + filterText(s.q.Where)
	}
	return s
}

// name reads what kind of event it is.
func (s *selection) name(at rulefile.Place) {
	name := at.Text()
	s.ok = name != ""
	switch name {
	case ofOrder, event.NameOrderCompleted:
		s.order, s.q.Event, s.text = true, event.NameOrderCompleted, "of order"
		return
	case event.NameOrderRefunded:
		at.Problem("ask for orders: what was refunded does not count", "refunds are not counted as events")
		s.ok = false
	}
	s.q.Event, s.text = name, "of "+name
}

// plain turns a selection of all orders into a quantity that customers simply
// have, so that equal ones are one.
func (s *selection) plain() {
	if s.order && len(s.q.Where) == 0 {
		s.q.Event = ""
	}
}

// count reads count: {of:, where:, in:, at_least:}.
func (r *reader) count(p rulefile.Place) Node {
	s := r.selectEvents(p, append([]string{"in"}, withoutIn...)...)
	if !s.ok {
		return Node{}
	}
	s.q.Kind = CountEvents
	window := r.window(&s)
	if s.order {
		if s.q.Kind = CountOrders; len(s.q.Where) == 0 && s.q.Window == (Window{}) {
			s.q.Kind = Orders
		}
	}
	s.plain()
	c, text := r.compare("count", p, s.comparisons(), unitNumber)
	return r.leaf(p, s.q, c, fmt.Sprintf("count: %s%s, %s", s.text, window, text))
}

// sum reads sum: {of:, where:, in:, property:, at_least:}.
func (r *reader) sum(p rulefile.Place) Node {
	s := r.selectEvents(p, append([]string{"in", "property"}, withoutIn...)...)
	if !s.ok {
		return Node{}
	}
	u, window := unitNumber, r.window(&s)
	at, has := s.Get("property")
	if s.order {
		s.q.Kind, u = SumOrders, unitMoney
		if has {
			at.Problem("remove it: the sum of orders is what was spent", "orders have no property to add up")
		}
		for _, w := range s.q.Where {
			if w.Property != "channel" && w.Property != "country" {
				p.Problem("use count, or channel and country only", "the spend on a %s cannot be summed", w.Property)
			}
		}
		if len(s.q.Where) == 0 && s.q.Window == (Window{}) {
			s.q.Kind = Spend
		}
	} else {
		s.q.Kind = SumEvents
		if !has {
			p.Problem("such as property: minutes", "property is missing")
			return Node{}
		}
		s.q.Property = at.Text()
		s.text += ", property " + s.q.Property
	}
	s.plain()
	c, text := r.compare("sum", p, s.comparisons(), u)
	return r.leaf(p, s.q, c, fmt.Sprintf("sum: %s%s, %s", s.text, window, text))
}

// withoutIn are the comparisons of a leaf whose in is a window.
var withoutIn = append([]string{keyIs}, rangeKeys...)

// comparisons hides the window from a comparison.
func (s *selection) comparisons() *rulefile.Fields {
	f := s.Fields.Only(withoutIn...)
	return &f
}

// window reads in: 90 days, this month, ever.
func (r *reader) window(s *selection) string {
	at, ok := s.Get("in")
	if !ok {
		return ""
	}
	text := at.Text()
	if c, ok := calendars[text]; ok {
		s.q.Window.Calendar = c
		return ", in " + text
	}
	if text == "ever" || text == "" {
		return ""
	}
	if s.q.Window.Days = at.Silently().Days(); s.q.Window.Days == 0 {
		at.Problem("such as 90 days, 2 weeks, this month, last quarter or ever", "%q is not a window", rulefile.Clip(text))
	}
	if s.q.Window.Days > MaxWindowDays {
		at.Problem("leave in out for ever", "%q is longer than %d days", rulefile.Clip(text), MaxWindowDays)
	}
	return fmt.Sprintf(", in %d days", s.q.Window.Days)
}

// never reads never: Product Reviewed, or {of:, where:}.
func (r *reader) never(p rulefile.Place) Node {
	var s selection
	if p.IsMap() {
		s = r.selectEvents(p)
	} else {
		s.name(p)
	}
	if !s.ok {
		return Node{}
	}
	s.q.Kind = CountEvents
	if s.order {
		if s.q.Kind = CountOrders; len(s.q.Where) == 0 {
			s.q.Kind = Orders
		}
	}
	s.plain()
	c := comparison{Form: FormRange, HasMax: true}
	return r.leaf(p, s.q, c, "never: "+strings.TrimPrefix(s.text, "of "))
}

func (r *reader) sinceLast(p rulefile.Place) Node {
	return r.since("days_since_last", p, DaysSinceLast, DaysSinceLastEvent)
}

func (r *reader) sinceFirst(p rulefile.Place) Node {
	return r.since("days_since_first", p, DaysSinceFirst, DaysSinceFirstEvent)
}

// since reads days_since_last: {of:, where:, at_most:}.
func (r *reader) since(key string, p rulefile.Place, ofOrders, ofEvents Kind) Node {
	s := r.selectEvents(p, comparisonKeys...)
	if !s.ok {
		return Node{}
	}
	s.q.Kind = ofEvents
	if s.order {
		if s.q.Kind = ofOrders; len(s.q.Where) > 0 {
			p.Problem("use count with in: and the same where", "%s does not look into orders", key)
		}
	}
	s.plain()
	c, text := r.compare(key, p, &s.Fields, unitDays)
	return r.leaf(p, s.q, c, fmt.Sprintf("%s: %s, %s", key, s.text, text))
}

// latest reads latest: {of:, where:, property:, at_most:}.
func (r *reader) latest(p rulefile.Place) Node {
	s := r.selectEvents(p, append([]string{"property"}, comparisonKeys...)...)
	if !s.ok {
		return Node{}
	}
	s.q.Kind = LatestEvent
	if s.order {
		p.Problem("use count with where", "latest does not look into orders")
		return Node{}
	}
	at, ok := s.Need("property", "which one is compared, such as property: score")
	if !ok {
		return Node{}
	}
	s.q.Property = at.Text()
	c, text := r.compare("latest", p, &s.Fields, unitAny)
	return r.leaf(p, s.q, c, fmt.Sprintf("latest: %s, property %s, %s", s.text, s.q.Property, text))
}

// ParseFilters reads a where: conditions on the properties of an event of the
// name. All of them must hold.
func ParseFilters(p rulefile.Place, of string) []Filter {
	pairs, ok := p.Pairs()
	if !ok {
		return nil
	}
	if len(pairs) > MaxFilters {
		p.Problem("", "has %d conditions, at most %d", len(pairs), MaxFilters)
		return nil
	}
	r := &reader{c: p.Complaints}
	order := of == event.NameOrderCompleted || of == ofOrder
	var out []Filter
	for _, pair := range pairs {
		u := unitAny
		if order {
			u = unitWord
			if !slices.Contains(orderProperties, pair.Key) {
				pair.At.Problem("of an order one can ask for "+rulefile.List(orderProperties), "orders have no %q to ask for", rulefile.Clip(pair.Key))
				continue
			}
		}
		if of == event.NameOrderRefunded {
			pair.At.Problem("remove where", "a refund has no properties to ask for")
			continue
		}
		if slices.ContainsFunc(out, func(f Filter) bool { return f.Property == pair.Key }) {
			pair.At.Problem("keep one", "%q is given twice", rulefile.Clip(pair.Key))
			continue
		}
		out = append(out, r.filter(pair, u))
	}
	slices.SortFunc(out, func(a, b Filter) int { return strings.Compare(a.Property, b.Property) })
	return out
}

func (r *reader) filter(pair rulefile.Pair, u unit) Filter {
	c, _ := r.compare(pair.Key, pair.Value, nil, u)
	if c.Form == FormKnown {
		pair.Value.Problem("compare it with something", "known does not select events")
	}
	return Filter{Property: pair.Key, Form: c.Form, Min: c.Min, Max: c.Max, HasMin: c.HasMin, HasMax: c.HasMax, Words: c.Words, Truth: c.Truth}
}

// filterText writes filters in one line.
func filterText(where []Filter) string {
	var out []string
	for i := range where {
		out = append(out, where[i].String())
	}
	return strings.Join(out, " and ")
}

// String writes a filter as the file has it.
func (f *Filter) String() string {
	switch {
	case f.Form == FormWords:
		return f.Property + " " + strings.Join(f.Words, " or ")
	case f.Form == FormTruth:
		return fmt.Sprintf("%s %v", f.Property, f.Truth)
	case f.HasMin && f.HasMax && f.Min == f.Max:
		return fmt.Sprintf("%s %d", f.Property, f.Min)
	}
	s := f.Property
	if f.HasMin {
		s += fmt.Sprintf(" at_least %d", f.Min)
	}
	if f.HasMax {
		s += fmt.Sprintf(" at_most %d", f.Max)
	}
	return s
}

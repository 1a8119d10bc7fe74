package segments

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// shape says how a value moves with time alone.
type shape uint8

const (
	still   shape = iota
	rising        // days since base
	falling       // days to base; after base there is none
	yearly        // days to base, a birthday; after base comes the next
	window        // of panes
	gaps          // percent of the mean gap since base
)

// value is what a quantity is for the customer in hand.
type value struct {
	n     int64
	ok    bool
	shape shape
	base  event.Day
}

// person is the customer in hand: all that quantities are made of.
type person struct {
	account program.Account
	has     bool // there is a core
	// The days of trade, with running sums: sums[i] is of the days before i.
	days   []event.Day
	orders []int64
	nets   []int64
	falls  bool      // some day's orders or spend are negative
	first  event.Day // of orders
	last   event.Day
}

// meet reads the core.
func (k *Keeper) meet(st program.State, s *Set, accountID string) {
	p := &k.person
	p.account, p.has = k.lib.Account(st, accountID)
	p.days, p.orders, p.nets = p.days[:0], append(p.orders[:0], 0), append(p.nets[:0], 0)
	p.first, p.last, p.falls = 0, 0, false
	if !p.has {
		return
	}
	if t := p.account.FirstOrderTime(); t != 0 {
		p.first = k.days.Of(t, s.zone())
	}
	_, p.last = p.account.LastOrder()
	if !s.plan.panes {
		return
	}
	var orders, nets int64
	p.account.EachOrderDay(func(day event.Day, n, net int64) bool {
		orders, nets = orders+n, nets+net
		p.falls = p.falls || n < 0 || net < 0
		p.days, p.orders, p.nets = append(p.days, day), append(p.orders, orders), append(p.nets, nets)
		return true
	})
}

// before counts the days of trade that are earlier.
func (p *person) before(day event.Day) int {
	low, high := 0, len(p.days)
	for low < high {
		if mid := (low + high) / 2; p.days[mid] < day {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// value works out a quantity as of a day. Quantities of text have none here.
func (k *Keeper) value(s *Set, i int32, today event.Day) value {
	q := &s.plan.quantities[i]
	switch p := &k.person; q.kind {
	case CountOrders, SumOrders, CountEvents, SumEvents, DaysSinceFirstEvent, DaysSinceLastEvent:
		return k.measured(s, i, today)
	case DaysToBirthday:
		if k.hot.month == 0 {
			return value{}
		}
		on := birthday(k.hot.month, k.hot.day, today)
		return value{n: int64(on - today), ok: true, shape: yearly, base: on}
	case DaysSinceFirst:
		return since(p.first, today)
	case DaysSinceLast:
		return since(p.last, today)
	case GapPercent:
		return p.gap(q.Quantity, today)
	}
	return k.standing(s, q.Quantity, today)
}

// standing is what the core says. Without a core a customer has nothing, and is
// nobody: the counts are 0, the rest has no value.
func (k *Keeper) standing(s *Set, q *Quantity, today event.Day) value {
	p := &k.person
	if !p.has {
		switch q.Kind {
		case Balance, Orders, Spend:
			return value{ok: true}
		}
		return value{}
	}
	a := p.account
	switch q.Kind {
	case TierRank:
		level := level(s.Book, a.Tier())
		return value{n: int64(level) + 1, ok: level >= 0}
	case Recency:
		return score(a.Scores().R)
	case Frequency:
		return score(a.Scores().F)
	case Monetary:
		return score(a.Scores().M)
	case Balance:
		return value{n: a.Balance(), ok: true}
	case Orders:
		return value{n: a.Orders(), ok: true}
	case Spend:
		return value{n: a.NetSpendMinor(), ok: true}
	case SpendToNextTier, SpendToKeepTier:
		return lacking(s.Book, a, q.Kind)
	case DaysSinceEnrolled:
		return k.sinceTime(s, a.EnrolledTime(), today)
	case DaysSinceTier:
		return k.sinceTime(s, a.TierSince(), today)
	case DaysToReview:
		return until(a.TierReviewOn(), today)
	case DaysToExpiry:
		on, _ := a.NextExpiry()
		return until(on, today)
	case ExpiringPoints:
		on, points := a.NextExpiry()
		return value{n: points, ok: on != 0}
	}
	panic(fmt.Sprintf("segments: quantity of kind %d", q.Kind))
}

func score(v int8) value { return value{n: int64(v), ok: v != 0} }

// since counts days, 0 for days ahead of the clock (a sender's clock runs fast).
func since(base, today event.Day) value {
	return value{n: max(0, int64(today-base)), ok: base != 0, shape: rising, base: base}
}

func (k *Keeper) sinceTime(s *Set, t event.Time, today event.Day) value {
	if t == 0 {
		return value{}
	}
	return since(k.days.Of(t, s.zone()), today)
}

func until(base, today event.Day) value {
	return value{n: int64(base - today), ok: base != 0 && base >= today, shape: falling, base: base}
}

func level(b *program.Book, id string) int {
	for i := range b.Tiers.Levels {
		if b.Tiers.Levels[i].ID == id {
			return i
		}
	}
	return -1
}

// lacking is the spend that is missing to the next tier, or to be confirmed at the
// review of the one that is held if nothing more is bought until then.
func lacking(b *program.Book, a program.Account, kind Kind) value {
	at := level(b, a.Tier())
	if at < 0 || !a.Member() {
		return value{}
	}
	if kind == SpendToKeepTier {
		return value{n: a.TierLackingMinor(), ok: a.TierReviewOn() != 0}
	}
	if at++; at == len(b.Tiers.Levels) {
		return value{}
	}
	return value{n: max(0, b.Tiers.Levels[at].SpendMinor-a.TierSpendMinor()), ok: true}
}

// gap is how long the last order is ago, in percent of the mean gap between
// orders, rounded up.
func (p *person) gap(q *Quantity, today event.Day) value {
	if !p.has || p.last == 0 {
		return value{}
	}
	n, span := p.account.Orders(), int64(p.last-p.first)
	if n < q.MinOrders || n < minGapOrders || span <= 0 {
		return value{}
	}
	since := max(0, int64(today-p.last))
	return value{n: (100*since*(n-1) + span - 1) / span, ok: true, shape: gaps, base: p.last}
}

// overdueOn returns the day on which the gap reaches a percentage.
func (p *person) overdueOn(percent int64) event.Day {
	n, span := p.account.Orders(), int64(p.last-p.first)
	return p.last + event.Day((percent-1)*span/(100*(n-1))) + 1
}

// measured is what the measures of orders and events say.
func (k *Keeper) measured(s *Set, i int32, today event.Day) value {
	q, m := &s.plan.quantities[i], &k.hot.measures[i]
	switch {
	case q.kind == DaysSinceFirstEvent || q.kind == DaysSinceLastEvent:
		if !m.known {
			return value{}
		}
		return since(m.day, today)
	case q.window != Window{}:
		if q.stored && len(m.panes) == 0 {
			return value{ok: true, shape: window}
		}
		from, to := q.window.span(today)
		return value{n: k.sum(q, m, from, to), ok: true, shape: window}
	case q.stored:
		return value{n: m.total, ok: true}
	case !k.person.has:
		return value{ok: true}
	case q.kind == CountOrders:
		return value{n: k.person.account.Orders(), ok: true}
	}
	return value{n: k.person.account.NetSpendMinor(), ok: true}
}

// sum adds the days from ≤ day ≤ to.
func (k *Keeper) sum(q *lookup, m *measure, from, to event.Day) (n int64) {
	if !q.stored {
		p := &k.person
		low, high := p.before(from), len(p.days)
		if high > 0 && p.days[high-1] > to {
			high = p.before(to + 1)
		}
		if low >= high {
			return 0
		}
		if q.kind == CountOrders {
			return p.orders[high] - p.orders[low]
		}
		return p.nets[high] - p.nets[low]
	}
	for _, p := range m.panes {
		if p.day >= from && p.day <= to {
			n += p.n
		}
	}
	return n
}

// text returns the value of a quantity of text, but for LatestEvent, which has no
// value that is kept.
func (k *Keeper) text(q *Quantity, facts *book) (string, bool) {
	switch q.Kind {
	case Member:
		return strconv.FormatBool(k.person.has && k.person.account.Member()), true
	case Tier:
		if !k.person.has {
			return "", false
		}
		tier := k.person.account.Tier()
		return tier, tier != ""
	}
	raw, ok := facts.find(q.Fact)
	if !ok {
		return "", false
	}
	return textOf(raw)
}

func (l *Leaf) holdsText(text string, ok bool) bool {
	c := comparison{Form: l.Form, Min: l.Min, Max: l.Max, HasMin: l.HasMin, HasMax: l.HasMax, Words: l.Words, Truth: l.Truth}
	return ok && c.holds(text)
}

// takeDoing adds an event to a measure; latest says that its text counts now.
func (k *Keeper) takeDoing(s *Set, i int32, d *doing, day event.Day) (took, latest bool) {
	q, m := &s.Quantities[i], &k.hot.measures[i]
	if !match(q.Where, d.find) {
		return false, false
	}
	n := int64(1)
	switch q.Kind {
	case DaysSinceFirstEvent:
		took = !m.known || day < m.day
	case DaysSinceLastEvent:
		took = !m.known || day > m.day
	case LatestEvent:
		if m.known && d.time < m.at {
			return false, false
		}
		m.known, m.at = true, d.time
		return true, true
	case SumEvents:
		text, _ := propertyText(q, d)
		n, _ = numberOf(text)
		m.count(q, day, n)
		return n != 0, false
	default:
		m.count(q, day, n)
		return n != 0, false
	}
	if took {
		m.known, m.day = true, day
	}
	return took, false
}

// count adds to a window's pane, or to the total.
func (m *measure) count(q *Quantity, day event.Day, n int64) {
	if q.Window != (Window{}) {
		m.add(day, n)
		return
	}
	m.total += n
	m.known = m.total != 0
}

// propertyText is the text of a quantity's property.
func propertyText(q *Quantity, d *doing) (string, bool) {
	var raw json.RawMessage
	raw, ok := d.find(q.Property)
	if !ok {
		return "", false
	}
	return textOf(raw)
}

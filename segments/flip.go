package segments

import "github.com/punchcard/punchcard/event"

// maxLooks bounds how many days on which some leaf flips are looked at for a
// change of membership. After the last one the timer just looks again.
const maxLooks = 64

// watch is a quantity that time changes, and the next day on which one of its
// leaves may flip.
type watch struct {
	quantity int32
	day      event.Day
	now      value // as of the day before
}

// nextFlip returns the first day after today on which time alone changes a
// membership, 0: none. The leaves and members of hot are those of today.
func (k *Keeper) nextFlip(s *Set, today event.Day) event.Day {
	k.trial = append(k.trial[:0], k.hot.leaves...)
	k.then = append(k.then[:0], k.hot.members...)
	active := k.watches[:0]
	for _, i := range s.plan.moving {
		w := watch{quantity: i, now: k.values[i]}
		if w.day = k.change(s, w.quantity, w.now, today); w.day != never {
			active = append(active, w)
		}
	}
	k.watches = active
	for look := 0; ; look++ {
		day := never
		for i := range active {
			day = min(day, active[i].day)
		}
		if day == never {
			return 0
		}
		if k.flipsOn(s, active, day) || look == maxLooks {
			return day
		}
	}
}

// flipsOn moves the leaves that flip on a day, and reports whether a membership
// does.
func (k *Keeper) flipsOn(s *Set, active []watch, day event.Day) bool {
	some := false
	for i := range active {
		w := &active[i]
		if w.day != day {
			continue
		}
		v := k.value(s, w.quantity, day)
		some = k.move(&s.plan.quantities[w.quantity], s.plan, w.now, v, k.trial) || some
		w.now, w.day = v, k.change(s, w.quantity, v, day)
	}
	if !some {
		return false
	}
	flipped := false
	k.eachMarked(func(g int32) {
		is := run(s.plan.codes[g], k.trial, k.then)
		set(k.then, g, is)
		flipped = flipped || is != has(k.hot.members, g)
	})
	return flipped
}

// move sets the leaves of a quantity that differ between two values, and marks the
// segments that ask for them.
func (k *Keeper) move(q *lookup, p *plan, from, to value, leaves []uint64) (some bool) {
	if from.ok != to.ok {
		for i := range q.numbers {
			some = k.setLeaf(p, &q.numbers[i], to, leaves) || some
		}
		return some
	}
	if !to.ok {
		return false
	}
	low, high := q.position(from.n), q.position(to.n)
	if low > high {
		low, high = high, low
	}
	for _, b := range q.bounds[low:high] {
		for i := range b.leaves {
			some = k.setLeaf(p, &b.leaves[i], to, leaves) || some
		}
	}
	return some
}

func (k *Keeper) setLeaf(p *plan, n *numberLeaf, v value, leaves []uint64) bool {
	is := v.ok && v.n >= n.min && v.n <= n.max
	if has(leaves, n.leaf) == is {
		return false
	}
	set(leaves, n.leaf, is)
	k.mark(p, n.leaf)
	return true
}

// change returns the first day after today on which a leaf of the quantity may be
// another than today; v is the value as of today.
func (k *Keeper) change(s *Set, i int32, v value, today event.Day) event.Day {
	q := &s.plan.quantities[i]
	if !v.ok && v.shape != window {
		return never
	}
	at := q.position(v.n)
	switch v.shape {
	case rising:
		if at < len(q.bounds) {
			return later(v.base+event.Day(q.bounds[at].at), today)
		}
	case gaps:
		if at < len(q.bounds) {
			return later(k.person.overdueOn(q.bounds[at].at), today)
		}
	case falling, yearly:
		// The value falls below the highest bound that it has reached; after the
		// last day there is no value, or that of the next year.
		if at > 0 {
			return min(v.base-event.Day(q.bounds[at-1].at)+1, v.base+1)
		}
		return v.base + 1
	case window:
		return k.windowChange(q, &k.hot.measures[i], at, today)
	}
	return never
}

// later keeps a search moving on.
func later(day, today event.Day) event.Day { return max(day, today+1) }

// windowChange walks over the days on which a window's content changes, until its
// sum passes a bound.
func (k *Keeper) windowChange(q *lookup, m *measure, at int, today event.Day) event.Day {
	if len(q.bounds) == 0 || q.stored && len(m.panes) == 0 {
		return never
	}
	if q.window.Days == 0 {
		return k.periodChange(q, m, at, today)
	}
	days := event.Day(q.window.Days)
	count := k.paneCount(q, m)
	if !q.stored && !k.person.falls && (count == 0 || k.person.days[count-1] <= today) {
		return k.person.exit(q, at, days)
	}
	out := k.panesBefore(q, m, today-days+1, count) // the next to leave
	in := k.panesBefore(q, m, today+1, count)       // the next to come: dated ahead of the clock
	n := k.sum(q, m, today-days+1, today)
	for out < count {
		day := k.pane(q, m, out).day + days
		if in < count {
			day = min(day, k.pane(q, m, in).day)
		}
		for ; out < count && k.pane(q, m, out).day+days == day; out++ {
			n -= k.pane(q, m, out).n
		}
		for ; in < count && k.pane(q, m, in).day == day; in++ {
			n += k.pane(q, m, in).n
		}
		if q.position(n) != at {
			return day
		}
	}
	return never
}

// exit is windowChange for days of trade that only add, none ahead of the clock: the
// sum only falls, and passes the bound below it when the panes up to one are out.
func (p *person) exit(q *lookup, at int, days event.Day) event.Day {
	if at == 0 {
		return never
	}
	sums := p.nets
	if q.kind == CountOrders {
		sums = p.orders
	}
	// In the window is sums[last] − sums[i] once the first i panes are out.
	most := sums[len(p.days)] - q.bounds[at-1].at
	low, high := 0, len(p.days)
	for low < high {
		if mid := (low + high) / 2; sums[mid+1] <= most {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(p.days) {
		return never
	}
	return p.days[low] + days
}

// maxTurns is after how many periods of the calendar nothing that is known is left
// in a window: this one, the one that then is the last, and one for a sender's
// clock that runs fast.
const maxTurns = 3

// periodChange is windowChange for the periods of the calendar: their content
// changes when they turn, and when a day dated ahead of the clock comes.
func (k *Keeper) periodChange(q *lookup, m *measure, at int, today event.Day) event.Day {
	count := k.paneCount(q, m)
	in := k.panesBefore(q, m, today+1, count)
	for turns, day := 0, today; turns < maxTurns; {
		turn := q.window.turn(day)
		day = turn
		if in < count && k.pane(q, m, in).day < turn {
			day = k.pane(q, m, in).day
			in++
		} else {
			turns++
		}
		from, to := q.window.span(day)
		if q.position(k.sum(q, m, from, to)) != at {
			return day
		}
	}
	return never
}

// paneCount, pane and panesBefore read the panes of a window: days of trade, or
// those of a measure.
func (k *Keeper) paneCount(q *lookup, m *measure) int {
	if q.stored {
		return len(m.panes)
	}
	return len(k.person.days)
}

func (k *Keeper) pane(q *lookup, m *measure, i int) pane {
	p := &k.person
	switch {
	case q.stored:
		return m.panes[i]
	case q.kind == CountOrders:
		return pane{p.days[i], p.orders[i+1] - p.orders[i]}
	}
	return pane{p.days[i], p.nets[i+1] - p.nets[i]}
}

func (k *Keeper) panesBefore(q *lookup, m *measure, day event.Day, count int) int {
	if !q.stored {
		return k.person.before(day)
	}
	n := 0
	for n < count && m.panes[n].day < day {
		n++
	}
	return n
}

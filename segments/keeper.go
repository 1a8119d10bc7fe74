package segments

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/program"
)

// Input is what happened, as segments see it.
type Input struct {
	Event *event.Event // nil: a timer or a sweep
	// Clock is the instant as of which membership is judged: the partition's clock,
	// of a timer the instant at which it was due.
	Clock event.Time
	Cause string // event.SegmentBy…
}

// Keeper keeps the facts, measures and memberships of one partition's customers.
// It is not safe for use by several goroutines.
type Keeper struct {
	lib  *program.Library
	days event.DayCache

	// What Step has in hand; nothing in it outlives a call.
	key, buffer []byte
	changed     bool
	person      person
	hot, old    hot
	values      []value
	marked      []uint64 // segments to be run
	ranked      []uint64
	trial, then []uint64
	watches     []watch
	facts       factsInHand
}

// factsInHand are read when they are asked for.
type factsInHand struct {
	book
	read bool
}

// none is the set of a bundle without segments.
var none = func() *Set {
	s := &Set{Book: &program.Book{}, byID: map[string]int{}}
	s.plan = newPlan(s)
	return s
}()

// NewKeeper returns a Keeper that asks the library for accounts.
func NewKeeper(lib *program.Library) *Keeper { return &Keeper{lib: lib} }

// Changed reports whether the last Step changed the state or a membership. A sweep
// that changed nothing needs no entry.
func (k *Keeper) Changed() bool { return k.changed }

// Step takes one entry of an account, after the program has decided it: it stages
// what the entry means for facts, measures and memberships, and fills the entry's
// Facts, Properties and Segments, and the Standing's Segments. An entry that
// changes what others see of the memberships gets a Standing. set is that of the
// bundle in force at the clock; nil: it has no segments.
//
// Nothing happens for accounts that are not identified and for outcomes other
// than applied and kept (none: a timer or sweep that has not said yet). At one
// instant the program's own timers go first.
func (k *Keeper) Step(st program.State, set *Set, in Input, e *event.Entry) {
	k.changed = false
	if !event.Identified(e.AccountID) || (e.Outcome != event.OutcomeApplied && e.Outcome != event.OutcomeKept && e.Outcome != "") {
		return
	}
	if set == nil {
		set = none
	}
	if in.Clock == 0 {
		in.Clock = e.EventTime
	}
	k.facts = factsInHand{}
	var d *doing
	if in.Event != nil {
		k.learn(st, in.Event, e)
		d = k.keep(st, in.Event, e)
	}
	key := k.keyOf(kindHot, e.AccountID)
	stored, known := st.Get(key)
	same := false
	if known {
		var err error
		same, err = k.hot.decode(stored, set)
		packed.Must(err, key)
	} else {
		k.hot.fit(set)
	}
	k.renew(st, set, in, e, d, known, same)
}

// learn takes the facts of an event.
func (k *Keeper) learn(st program.State, ev *event.Event, e *event.Entry) {
	if !says(ev) {
		return
	}
	b := k.factsOf(st, e.AccountID)
	b.learn(ev)
	if !b.touched {
		return
	}
	k.changed = true
	e.Facts = b.changes
	k.buffer = appendFacts(k.buffer[:0], b.facts)
	st.Put(k.keyOf(kindFacts, e.AccountID), k.buffer, 0)
}

// factsOf reads the facts of the account in hand once.
func (k *Keeper) factsOf(st program.State, accountID string) *book {
	if !k.facts.read {
		k.facts = factsInHand{book: book{facts: readFacts(st, accountID)}, read: true}
	}
	return &k.facts.book
}

// keep writes a counted event into the state, nil: it is none.
func (k *Keeper) keep(st program.State, ev *event.Event, e *event.Entry) *doing {
	if !counted(ev) {
		return nil
	}
	k.changed = true
	e.Properties = ev.Properties
	d := doingOf(ev)
	k.buffer = d.append(k.buffer[:0])
	k.key = doingKey(k.key[:0], e.AccountID, ev.Name, ev.EventTime, e.Sequence)
	st.Put(k.key, k.buffer, 0)
	return &d
}

// renew works out leaves, memberships and the next flip, and writes what changed.
func (k *Keeper) renew(st program.State, set *Set, in Input, e *event.Entry, d *doing, known, same bool) {
	h := &k.hot
	today := k.days.Of(in.Clock, set.zone())
	dirty := !same
	var was *hot
	if same {
		k.old.copy(h)
		was = &k.old
	}
	k.meet(st, set, e.AccountID)
	if same {
		dirty = k.follow(st, set, in, e, d) || dirty
	} else {
		k.rebuild(st, set, e.AccountID)
	}
	k.evaluate(set, today)
	if was != nil {
		k.runMarked(set, was)
		dirty = dirty || !slices.Equal(was.leaves, h.leaves)
	} else {
		k.runAll(set)
	}
	due := event.Time(0)
	if len(set.Segments) > 0 {
		if day := k.nextFlip(set, today); day != 0 {
			due = day.Start(set.zone())
		}
	}
	if due != h.due || !known {
		dirty = true
	}
	h.due = due
	if dirty {
		k.forget(set, today)
		k.changed = true
		k.buffer = h.append(k.buffer[:0], set)
		st.Put(k.keyOf(kindHot, e.AccountID), k.buffer, due)
	}
	k.report(st, set, in, e, was, known)
}

func (h *hot) copy(from *hot) {
	h.leaves = append(h.leaves[:0], from.leaves...)
	h.members = append(h.members[:0], from.members...)
}

// follow brings the measures up to date by what just happened.
func (k *Keeper) follow(st program.State, set *Set, in Input, e *event.Entry, d *doing) (dirty bool) {
	k.marked = zeroed(k.marked, words64(len(set.Segments)))
	if len(e.Facts) > 0 {
		dirty = k.followFacts(st, set, e)
	}
	switch {
	case d != nil:
		dirty = k.followDoing(set, in.Event.Name, d) || dirty
	case e.Outcome != event.OutcomeApplied || len(set.plan.filtered) == 0:
	case e.Order != nil:
		day := k.days.Of(in.Event.EventTime, set.zone())
		view := orderOfFact(e.Order)
		for _, q := range set.plan.filtered {
			if matchOrder(set.Quantities[q].Where, view) {
				k.hot.measures[q].takeOrder(&set.Quantities[q], day, e.Order.NetMinor)
				dirty = true
			}
		}
	case e.Refund != nil:
		for _, q := range set.plan.filtered {
			k.hot.measures[q].reset()
		}
		k.readOrders(st, set, e.AccountID)
		dirty = true
	}
	return dirty
}

func (m *measure) takeOrder(q *Quantity, day event.Day, net int64) {
	if q.Kind == CountOrders {
		net = 1
	}
	m.count(q, day, net)
}

func (k *Keeper) followFacts(st program.State, set *Set, e *event.Entry) (dirty bool) {
	b := k.factsOf(st, e.AccountID)
	month, day := b.birthday()
	dirty = month != k.hot.month || day != k.hot.day
	k.hot.month, k.hot.day = month, day
	for i := range e.Facts {
		for _, q := range set.plan.facts[e.Facts[i].Name] {
			k.setTexts(set, q)
		}
	}
	return dirty
}

func (k *Keeper) followDoing(set *Set, name string, d *doing) (dirty bool) {
	day := k.days.Of(d.time, set.zone())
	for _, q := range set.plan.byEvent[name] {
		took, latest := k.takeDoing(set, q, d, day)
		dirty = took || dirty
		if latest {
			text, ok := propertyText(&set.Quantities[q], d)
			k.setTextLeaves(set, q, text, ok)
		}
	}
	return dirty
}

// setTexts sets the leaves of a quantity of text from the core or the facts.
func (k *Keeper) setTexts(set *Set, q int32) {
	text, ok := k.text(&set.Quantities[q], &k.facts.book)
	k.setTextLeaves(set, q, text, ok)
}

func (k *Keeper) setTextLeaves(s *Set, q int32, text string, ok bool) {
	for _, leaf := range s.plan.quantities[q].texts {
		if is := s.Leaves[leaf].holdsText(text, ok); is != has(k.hot.leaves, leaf) {
			set(k.hot.leaves, leaf, is)
			k.mark(s.plan, leaf)
		}
	}
}

// rebuild works out everything from the state.
func (k *Keeper) rebuild(st program.State, set *Set, accountID string) {
	k.marked = zeroed(k.marked, words64(len(set.Segments)))
	k.hot.fit(set)
	if len(set.Quantities) == 0 {
		return
	}
	b := k.factsOf(st, accountID)
	k.hot.month, k.hot.day = b.birthday()
	for _, qs := range set.plan.facts {
		for _, q := range qs {
			k.setTexts(set, q)
		}
	}
	for _, name := range set.plan.events {
		scanDoings(st, accountID, name, func(d *doing) { k.followDoing(set, name, d) })
	}
	if len(set.plan.filtered) > 0 {
		k.readOrders(st, set, accountID)
	}
}

// readOrders fills the measures of orders with filters.
func (k *Keeper) readOrders(st program.State, set *Set, accountID string) {
	program.ScanOrders(st, accountID, func(o *program.Order) bool {
		if o.Wholly {
			return true
		}
		view := orderView{channel: o.Channel, country: o.Country, lines: len(o.Lines), line: func(i int) (string, string, string) {
			return o.Lines[i].ProductID, o.Lines[i].Category, o.Lines[i].Brand
		}}
		day := k.days.Of(o.Time, set.zone())
		for _, q := range set.plan.filtered {
			if !matchOrder(set.Quantities[q].Where, view) {
				continue
			}
			var left int64
			for i := range o.Lines {
				left += o.Lines[i].LeftNetMinor
			}
			k.hot.measures[q].takeOrder(&set.Quantities[q], day, left)
		}
		return true
	})
}

// evaluate sets the leaves of all quantities that the core or time can have
// changed, and marks the segments that ask for those that flipped.
func (k *Keeper) evaluate(s *Set, today event.Day) {
	k.values = slices.Grow(k.values[:0], len(s.Quantities))[:len(s.Quantities)]
	for _, i := range s.plan.words {
		k.setTexts(s, i)
	}
	for _, i := range s.plan.numbers {
		v := k.value(s, i, today)
		k.values[i] = v
		k.compare(s.plan, s.plan.quantities[i].numbers, v)
	}
}

// compare sets the leaves of one number. It is what most segments cost.
func (k *Keeper) compare(p *plan, numbers []numberLeaf, v value) {
	leaves := k.hot.leaves
	for i := range numbers {
		n := &numbers[i]
		is := uint64(0)
		if v.ok && v.n >= n.min && v.n <= n.max {
			is = 1
		}
		if word := &leaves[n.leaf>>6]; *word>>(n.leaf&63)&1 != is {
			*word ^= 1 << (n.leaf & 63)
			k.mark(p, n.leaf)
		}
	}
}

func (k *Keeper) mark(p *plan, leaf int32) {
	for _, g := range p.segmentsOf[leaf] {
		k.marked[g>>6] |= 1 << (g & 63)
	}
}

// eachMarked visits the marked segments in order, and unmarks them.
func (k *Keeper) eachMarked(fn func(g int32)) {
	for i := range k.marked {
		for word := k.marked[i]; word != 0; word &= word - 1 {
			fn(int32(i)<<6 + int32(bits.TrailingZeros64(word)))
		}
		k.marked[i] = 0
	}
}

// runMarked runs the segments of which a leaf flipped.
func (k *Keeper) runMarked(s *Set, was *hot) {
	k.eachMarked(func(g int32) { set(k.hot.members, g, run(s.plan.codes[g], k.hot.leaves, k.hot.members)) })
}

func (k *Keeper) runAll(s *Set) {
	clear(k.marked)
	for g := range s.plan.codes {
		set(k.hot.members, int32(g), run(s.plan.codes[g], k.hot.leaves, k.hot.members))
	}
}

// forget drops the days that have left their windows for good.
func (k *Keeper) forget(s *Set, today event.Day) {
	for _, i := range s.plan.stored {
		if q := &s.Quantities[i]; q.Window != (Window{}) {
			if m := &k.hot.measures[i]; len(m.panes) > 0 {
				from, _ := q.Window.span(today)
				m.forget(from)
			}
		}
	}
}

func readMembers(st program.State, accountID string) []string {
	key := keyOf(kindMembers, accountID)
	value, ok := st.Get(key)
	if !ok {
		return nil
	}
	ids, err := decodeMembers(value)
	packed.Must(err, key)
	return ids
}

// ReadSegments returns the segments that an account is in, ascending, without
// campaigns' own conditions: the same as its last Standing had.
func ReadSegments(st program.State, accountID string) []string {
	return slices.DeleteFunc(readMembers(st, accountID), func(id string) bool { return strings.HasPrefix(id, triggerPrefix) })
}

// NextDue returns when time alone changes a membership of the account, 0: never.
func (k *Keeper) NextDue(st program.State, accountID string) event.Time {
	key := k.keyOf(kindHot, accountID)
	value, ok := st.Get(key)
	if !ok {
		return 0
	}
	_, due, _, err := headOfHot(value)
	packed.Must(err, key)
	return due
}

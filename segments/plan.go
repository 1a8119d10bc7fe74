package segments

import (
	"math"
	"slices"

	"github.com/punchcard/punchcard/event"
)

// plan is a Set in the form that is evaluated: flat, so that an event allocates
// nothing and looks only at what it can change.
type plan struct {
	// Of each quantity: how its value is found, its leaves, and the values at which
	// one of them flips.
	quantities []lookup
	segmentsOf [][]int32 // of a leaf: segments that ask for it, also through others; ascending
	codes      [][]step  // of a segment
	names      []string  // ids of all segments, ascending
	rank       []int32   // where a segment stands among them
	hidden     []uint64  // of names: those that customers do not see

	byEvent  map[string][]int32 // quantities that an event of the name can change
	events   []string           // the names, sorted
	filtered []int32            // quantities of orders with filters
	facts    map[string][]int32 // quantities of a fact
	stored   []int32            // quantities that are kept in the state
	moving   []int32            // quantities that time can change
	numbers  []int32            // quantities that are numbers
	words    []int32            // quantities of the core that are words
	panes    bool               // some quantity needs the days of trade
}

// lookup is one quantity; what each event needs of it stands together.
type lookup struct {
	kind    Kind
	stored  bool
	window  Window
	numbers []numberLeaf
	bounds  []bound
	texts   []int32 // leaves on words, truths, or text of any kind
	*Quantity
}

// numberLeaf holds for min ≤ value ≤ max.
type numberLeaf struct {
	min, max int64
	leaf     int32
}

// bound is a value from which on some leaves are different than just below.
type bound struct {
	at     int64
	leaves []numberLeaf
}

// step is one test of a segment's code: where to go when it holds and when not.
type step struct {
	leaf      bool // else a segment
	index     int32
	yes, no   int16
	inverting bool // under an odd number of nots: for explanations
}

// Ends of a code.
const (
	endTrue  int16 = -1
	endFalse int16 = -2
)

// isText reports whether a quantity's value is compared by its text.
func isText(k Kind) bool {
	return k == Member || k == Tier || k == LatestEvent || k == Fact
}

// isStored reports whether a quantity has state of its own.
func (q *Quantity) isStored() bool {
	switch q.Kind {
	case CountOrders, SumOrders:
		return len(q.Where) > 0
	case CountEvents, SumEvents, DaysSinceFirstEvent, DaysSinceLastEvent, LatestEvent:
		return true
	}
	return false
}

// moves reports whether time alone can change the value.
func (q *Quantity) moves() bool {
	switch q.Kind {
	case CountOrders, SumOrders, CountEvents, SumEvents:
		return q.Window != Window{}
	case DaysSinceFirst, DaysSinceLast, DaysSinceEnrolled, DaysSinceTier, DaysToReview, DaysToExpiry, GapPercent, DaysToBirthday,
		DaysSinceFirstEvent, DaysSinceLastEvent:
		return true
	}
	return false
}

func newPlan(s *Set) *plan {
	p := &plan{
		quantities: make([]lookup, len(s.Quantities)), segmentsOf: make([][]int32, len(s.Leaves)),
		byEvent: map[string][]int32{}, facts: map[string][]int32{},
	}
	for i := range s.Quantities {
		p.addQuantity(int32(i), &s.Quantities[i])
	}
	slices.Sort(p.events)
	for i := range s.Leaves {
		p.addLeaf(int32(i), &s.Leaves[i])
	}
	for i := range p.quantities {
		p.quantities[i].sortBounds()
	}
	reach := make([]map[int32]bool, len(s.Segments))
	for i := range s.Segments {
		g := &s.Segments[i]
		c := compiler{}
		c.emit(&g.Who, endTrue, endFalse, false)
		p.codes = append(p.codes, c.ordered())
		reach[i] = map[int32]bool{}
		leavesOf(&g.Who, reach, reach[i])
		for leaf := range reach[i] {
			p.segmentsOf[leaf] = append(p.segmentsOf[leaf], int32(i))
		}
		p.names = append(p.names, g.ID)
	}
	slices.Sort(p.names)
	p.hidden = make([]uint64, words64(len(p.names)))
	p.rank = make([]int32, len(p.names))
	for i := range s.Segments {
		rank, _ := slices.BinarySearch(p.names, s.Segments[i].ID)
		p.rank[i] = int32(rank)
		set(p.hidden, int32(rank), s.Segments[i].hidden())
	}
	return p
}

func leavesOf(n *Node, reach []map[int32]bool, into map[int32]bool) {
	switch n.Op {
	case OpLeaf:
		into[int32(n.Index)] = true
	case OpSegment:
		for leaf := range reach[n.Index] {
			into[leaf] = true
		}
	}
	for i := range n.Children {
		leavesOf(&n.Children[i], reach, into)
	}
}

func (p *plan) addQuantity(i int32, q *Quantity) {
	p.quantities[i].kind, p.quantities[i].stored, p.quantities[i].window, p.quantities[i].Quantity = q.Kind, q.isStored(), q.Window, q
	switch q.Kind {
	case Member, Tier:
		p.words = append(p.words, i)
	case Fact, LatestEvent:
	default:
		p.numbers = append(p.numbers, i)
	}
	if q.isStored() {
		p.stored = append(p.stored, i)
	}
	if q.moves() {
		p.moving = append(p.moving, i)
	}
	switch q.Kind {
	case CountEvents, SumEvents, DaysSinceFirstEvent, DaysSinceLastEvent, LatestEvent:
		if _, known := p.byEvent[q.Event]; !known {
			p.events = append(p.events, q.Event)
		}
		p.byEvent[q.Event] = append(p.byEvent[q.Event], i)
	case Fact:
		p.facts[q.Fact] = append(p.facts[q.Fact], i)
	case DaysToBirthday:
	case CountOrders, SumOrders:
		if len(q.Where) > 0 {
			p.filtered = append(p.filtered, i)
		} else {
			p.panes = true
		}
	}
}

func (p *plan) addLeaf(i int32, l *Leaf) {
	q := &p.quantities[l.Quantity]
	if isText(q.Kind) {
		q.texts = append(q.texts, i)
		return
	}
	n := numberLeaf{min: math.MinInt64, max: math.MaxInt64, leaf: i}
	if l.Form == FormRange && l.HasMin {
		n.min = l.Min
	}
	if l.Form == FormRange && l.HasMax {
		n.max = l.Max
	}
	q.numbers = append(q.numbers, n)
}

// sortBounds collects the values at which leaves flip.
func (q *lookup) sortBounds() {
	at := map[int64][]numberLeaf{}
	for _, n := range q.numbers {
		if n.min != math.MinInt64 {
			at[n.min] = append(at[n.min], n)
		}
		if n.max != math.MaxInt64 {
			at[n.max+1] = append(at[n.max+1], n)
		}
	}
	for v, leaves := range at {
		q.bounds = append(q.bounds, bound{v, leaves})
	}
	slices.SortFunc(q.bounds, func(a, b bound) int {
		if a.at < b.at {
			return -1
		}
		return 1
	})
}

// position counts the bounds that are ≤ v: between two of them no leaf flips.
func (q *lookup) position(v int64) int {
	low, high := 0, len(q.bounds)
	for low < high {
		if mid := (low + high) / 2; q.bounds[mid].at <= v {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// compiler writes a tree as steps, last first, so that each knows where to go.
type compiler struct{ steps []step }

// emit returns where the node's code begins.
func (c *compiler) emit(n *Node, yes, no int16, inverting bool) int16 {
	switch n.Op {
	case OpAll:
		next := yes
		for i := len(n.Children) - 1; i >= 0; i-- {
			next = c.emit(&n.Children[i], next, no, inverting)
		}
		return next
	case OpAny:
		next := no
		for i := len(n.Children) - 1; i >= 0; i-- {
			next = c.emit(&n.Children[i], yes, next, inverting)
		}
		return next
	case OpNot:
		return c.emit(&n.Children[0], no, yes, !inverting)
	}
	c.steps = append(c.steps, step{leaf: n.Op == OpLeaf, index: int32(n.Index), yes: yes, no: no, inverting: inverting})
	return int16(len(c.steps) - 1)
}

// ordered turns the steps round, so that a code begins at 0 and runs forward, in
// the order of the file.
func (c *compiler) ordered() []step {
	last := int16(len(c.steps) - 1)
	out := make([]step, len(c.steps))
	turn := func(to int16) int16 {
		if to < 0 {
			return to
		}
		return last - to
	}
	for i, s := range c.steps {
		s.yes, s.no = turn(s.yes), turn(s.no)
		out[last-int16(i)] = s
	}
	return out
}

// run evaluates a segment's code.
func run(code []step, leaves, members []uint64) bool {
	at := int16(0)
	for at >= 0 {
		s := &code[at]
		from := members
		if s.leaf {
			from = leaves
		}
		if has(from, s.index) {
			at = s.yes
		} else {
			at = s.no
		}
	}
	return at == endTrue
}

func has(bits []uint64, i int32) bool { return bits[i>>6]&(1<<(i&63)) != 0 }

func set(bits []uint64, i int32, on bool) {
	if on {
		bits[i>>6] |= 1 << (i & 63)
	} else {
		bits[i>>6] &^= 1 << (i & 63)
	}
}

func words64(n int) int { return (n + 63) / 64 }

// triggerPrefix begins the names of hidden segments.
const triggerPrefix = event.SegmentTrigger

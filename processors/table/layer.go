package table

import (
	"slices"
	"strings"
	"sync"

	"github.com/RaduBerinde/btreemap"

	"github.com/punchcard/punchcard/event"
)

// cell is what a layer knows of a key. A nil value says that the key was deleted.
// The value's bytes are never changed; the cell itself only by the layer that has
// it, and by no more than one.
type cell struct {
	value []byte
	due   event.Time
	// stored is the due instant under which Pebble's index already lists the
	// key, 0: none or not known.
	stored event.Time
	// entry and at say where the write is among those of one entry; see Tx.
	entry uint32
	at    int32
}

func (c *cell) dead() bool { return c.value == nil }

const (
	treeDegree = 32
	// cellOverhead is about what a key costs in a layer beside its bytes.
	cellOverhead = 120
)

// layer is a set of keys with their cells: by hash for reading one, in order
// for scans. Most keys are never scanned, so the order is only made when asked
// for.
type layer struct {
	cells map[string]*cell
	items []item // all of them, as they came
	bytes int64

	// ordering guards order and ordered: readers that scan at a time make the order.
	ordering sync.Mutex
	order    *btreemap.BTreeMap[string, *cell]
	ordered  int // so many items are in order
}

type item struct {
	key string
	*cell
}

func newLayer(keys int) *layer {
	return &layer{cells: make(map[string]*cell, keys), items: make([]item, 0, keys), order: btreemap.New[string, *cell](treeDegree, strings.Compare)}
}

// settle brings the order up to date; ordering is held.
func (l *layer) settle() {
	for _, i := range l.items[l.ordered:] {
		l.order.ReplaceOrInsert(i.key, i.cell)
	}
	l.ordered = len(l.items)
}

// sorted lists all keys in order.
func (l *layer) sorted() []item {
	all := slices.Clone(l.items)
	slices.SortFunc(all, func(a, b item) int { return strings.Compare(a.key, b.key) })
	return all
}

// put takes the cell in, or what it holds if the key is known.
func (l *layer) put(key string, c *cell) {
	if old := l.cells[key]; old != nil {
		l.bytes += int64(len(c.value) - len(old.value))
		*old = *c
		return
	}
	l.add(key, c)
}

// add takes in a key that the layer does not have.
func (l *layer) add(key string, c *cell) {
	l.cells[key] = c
	l.items = append(l.items, item{key, c})
	l.bytes += int64(len(key) + len(c.value) + cellOverhead)
}

// clear empties the layer and keeps its memory for the next writes; its cells may
// be another's now.
func (l *layer) clear() {
	clear(l.cells)
	clear(l.items)
	l.items = l.items[:0]
	l.order.Clear(true)
	l.ordered, l.bytes = 0, 0
}

// layerCursor walks a layer's keys in [from, to), dead ones too.
type layerCursor struct {
	to      string
	buf     []item
	l       *layer
	i       int
	last    string
	started bool
	done    bool
	from    string
}

// cursorBatch is how many keys a cursor looks ahead.
const cursorBatch = 32

func (l *layer) cursor(from, to []byte) *layerCursor {
	c := &layerCursor{l: l, from: string(from), to: string(to)}
	c.fill()
	return c
}

func (c *layerCursor) fill() {
	c.buf, c.i = c.buf[:0], 0
	if c.done {
		return
	}
	c.l.ordering.Lock()
	defer c.l.ordering.Unlock()
	c.l.settle()
	start := btreemap.GE(c.from)
	if c.started {
		start = btreemap.GT(c.last)
	}
	c.started, c.done = true, true
	for k, v := range c.l.order.Ascend(start, btreemap.LT(c.to)) {
		c.buf = append(c.buf, item{k, v})
		if len(c.buf) == cursorBatch {
			c.last, c.done = k, false
			return
		}
	}
}

func (c *layerCursor) valid() bool { return c.i < len(c.buf) }

func (c *layerCursor) key() string { return c.buf[c.i].key }

func (c *layerCursor) cell() *cell { return c.buf[c.i].cell }

func (c *layerCursor) next() {
	if c.i++; c.i == len(c.buf) {
		c.fill()
	}
}

// clone copies the layer; values are shared, for they never change.
func (l *layer) clone() *layer {
	out := newLayer(len(l.items))
	room := make([]cell, len(l.items))
	for i := range l.items {
		room[i] = *l.items[i].cell
		out.add(l.items[i].key, &room[i])
	}
	return out
}

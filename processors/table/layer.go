package table

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/RaduBerinde/btreemap"

	"github.com/punchcard/punchcard/event"
)

// cell is what a layer knows of a key. Cells are replaced, never changed.
type cell struct {
	value []byte
	due   event.Time
	// stored is the due instant under which Pebble's index already lists the
	// key, 0: none or not known.
	stored event.Time
	dead   bool
}

const (
	treeDegree = 32
	// cellOverhead is about what a key costs in a layer beside its bytes.
	cellOverhead = 120
)

// layer is a set of keys with their cells: by hash for reading one, in order
// for scans. Most keys are never scanned, so the order is only made when asked
// for.
type layer struct {
	cells map[string]cell
	bytes int64

	// ordering guards order and fresh: readers that scan at a time make the order.
	ordering sync.Mutex
	order    *btreemap.BTreeMap[string, struct{}]
	fresh    []string // keys that are not in order yet
}

func newLayer(keys int) *layer {
	return &layer{cells: make(map[string]cell, keys), order: btreemap.New[string, struct{}](treeDegree, strings.Compare)}
}

// settle brings the order up to date; ordering is held.
func (l *layer) settle() {
	for _, k := range l.fresh {
		l.order.ReplaceOrInsert(k, struct{}{})
	}
	clear(l.fresh)
	l.fresh = l.fresh[:0]
}

// sorted lists all keys in order.
func (l *layer) sorted() []string { return slices.Sorted(maps.Keys(l.cells)) }

func (l *layer) put(key string, c cell) {
	if old, ok := l.cells[key]; ok {
		l.bytes += int64(len(c.value) - len(old.value))
	} else {
		l.fresh = append(l.fresh, key)
		l.bytes += int64(len(key) + len(c.value) + cellOverhead)
	}
	l.cells[key] = c
}

// clear empties the layer and keeps its memory for the next writes.
func (l *layer) clear() {
	clear(l.cells)
	clear(l.fresh)
	l.fresh = l.fresh[:0]
	l.order.Clear(true)
	l.bytes = 0
}

// layerCursor walks a layer's keys in [from, to), dead ones too.
type layerCursor struct {
	l       *layer
	to      string
	buf     []string
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
	for k := range c.l.order.Ascend(start, btreemap.LT(c.to)) {
		c.buf = append(c.buf, k)
		if len(c.buf) == cursorBatch {
			c.last, c.done = k, false
			return
		}
	}
}

func (c *layerCursor) valid() bool { return c.i < len(c.buf) }

func (c *layerCursor) key() string { return c.buf[c.i] }

func (c *layerCursor) next() {
	if c.i++; c.i == len(c.buf) {
		c.fill()
	}
}

// clone copies the layer; values are shared, for they never change.
func (l *layer) clone() *layer {
	l.ordering.Lock()
	defer l.ordering.Unlock()
	return &layer{cells: maps.Clone(l.cells), order: l.order.Clone(), fresh: slices.Clone(l.fresh), bytes: l.bytes}
}

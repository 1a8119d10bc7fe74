package table

import (
	"unsafe"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// Tx stages writes over the committed state: what entries that are not yet
// committed have decided. A table has one at a time.
type Tx struct {
	t      *Table
	staged *layer
	// writes are those since the last Take. Cells that have one bear the number of
	// this entry, and where it is.
	writes []event.StateWrite
	entry  uint32
	// Where keys, values and cells are made: some at a time.
	bytes []byte
	cells []cell
}

const (
	// bytesAtOnce and cellsAtOnce are small: a piece lives as long as anything in it.
	bytesAtOnce = 4 << 10
	cellsAtOnce = 64
)

// keep copies a and b to memory that nobody writes to again.
func (tx *Tx) keep(a, b []byte) []byte {
	n := len(a) + len(b)
	if n > bytesAtOnce/4 {
		return append(append(make([]byte, 0, n), a...), b...)
	}
	if cap(tx.bytes)-len(tx.bytes) < n || tx.bytes == nil {
		tx.bytes = make([]byte, 0, bytesAtOnce)
	}
	at := len(tx.bytes)
	tx.bytes = append(append(tx.bytes, a...), b...)
	return tx.bytes[at:len(tx.bytes):len(tx.bytes)]
}

func (tx *Tx) newCell() *cell {
	if len(tx.cells) == 0 {
		tx.cells = make([]cell, cellsAtOnce)
	}
	c := &tx.cells[0]
	tx.cells = tx.cells[1:]
	return c
}

var _ program.State = (*Tx)(nil)

// Begin returns an empty Tx.
func (t *Table) Begin() *Tx { return &Tx{t: t, staged: newLayer(0), entry: 1} }

// Err is the first error of Pebble: what was read since is not to be trusted.
func (tx *Tx) Err() error { return tx.t.failed }

// Get implements program.State.
func (tx *Tx) Get(key []byte) ([]byte, bool) {
	c, ok := tx.cell(key)
	return c.value, ok
}

// absent is the cell of a key that nobody has.
var absent = &cell{}

func (tx *Tx) cell(key []byte) (*cell, bool) {
	if tx.t.filter.absent(key) {
		return absent, false
	}
	if c := tx.staged.cells[string(key)]; c != nil {
		return c, !c.dead()
	}
	return tx.t.get(key)
}

// Put implements program.State.
func (tx *Tx) Put(key, value []byte, due event.Time) {
	isNew := due > 0 && due <= tx.t.horizon
	if isNew {
		old, live := tx.cell(key)
		isNew = !live || old.due != due
	}
	k := tx.write(key, value, due, true)
	if isNew {
		tx.t.note(k, due)
	}
}

// Delete implements program.State.
func (tx *Tx) Delete(key []byte) { tx.write(key, nil, 0, false) }

func (tx *Tx) write(key, value []byte, due event.Time, live bool) string {
	c := tx.staged.cells[string(key)]
	if c != nil && c.entry == tx.entry {
		w := &tx.writes[c.at]
		tx.staged.bytes += int64(len(value) - len(c.value))
		c.value, c.due = nil, due
		if live {
			c.value = tx.keep(value, nil)
		}
		w.Value, w.Due = c.value, due
		return unsafe.String(unsafe.SliceData(w.Key), len(w.Key))
	}
	room := tx.keep(key, value)
	w := event.StateWrite{Key: room[:len(key):len(key)], Due: due}
	if live {
		w.Value = room[len(key):]
	}
	k := unsafe.String(unsafe.SliceData(w.Key), len(w.Key))
	at := int32(len(tx.writes))
	tx.writes = append(tx.writes, w)
	if c != nil {
		tx.staged.bytes += int64(len(value) - len(c.value))
		c.value, c.due, c.entry, c.at = w.Value, due, tx.entry, at
		return k
	}
	tx.t.filter.add(key)
	c = tx.newCell()
	*c = cell{value: w.Value, due: due, entry: tx.entry, at: at}
	tx.staged.add(k, c)
	return k
}

// Scan implements program.State.
func (tx *Tx) Scan(from, to []byte, fn func(key, value []byte) bool) {
	t := tx.t
	t.fail(scan(t.db, []*layer{tx.staged, t.dirty, t.frozen}, from, to, fn))
}

// Take returns the writes since the last call, one per key, in the order in
// which the keys were first written. The slice is used again.
func (tx *Tx) Take() []event.StateWrite {
	out := tx.writes
	tx.writes = tx.writes[:0]
	tx.entry++
	return out
}

// Commit makes all that is staged part of the table, which then stands at pos.
// The Tx is empty again.
func (tx *Tx) Commit(pos Position) error {
	err := tx.t.commit(tx.staged, pos)
	tx.staged.clear()
	tx.Take()
	return err
}

// Discard drops all that is staged.
func (tx *Tx) Discard() {
	tx.staged.clear()
	tx.Take()
	// Rows that only what was staged made outdated are needed again.
	tx.t.forgetDue()
}

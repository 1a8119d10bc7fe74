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
	// writes are those since the last Take; at says where a key's write is.
	writes []event.StateWrite
	at     map[string]int
}

var _ program.State = (*Tx)(nil)

// Begin returns an empty Tx.
func (t *Table) Begin() *Tx {
	return &Tx{t: t, staged: newLayer(0), at: make(map[string]int)}
}

// Err is the first error of Pebble: what was read since is not to be trusted.
func (tx *Tx) Err() error { return tx.t.failed }

// Get implements program.State.
func (tx *Tx) Get(key []byte) ([]byte, bool) {
	c, ok := tx.cell(key)
	return c.value, ok
}

func (tx *Tx) cell(key []byte) (cell, bool) {
	if tx.t.filter.absent(key) {
		return cell{}, false
	}
	if c, ok := tx.staged.cells[string(key)]; ok {
		return c, !c.dead
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
	k := tx.write(key, cell{value: append(make([]byte, 0, len(value)), value...), due: due})
	if isNew {
		tx.t.note(k, due)
	}
}

// Delete implements program.State.
func (tx *Tx) Delete(key []byte) { tx.write(key, cell{dead: true}) }

func (tx *Tx) write(key []byte, c cell) string {
	w := event.StateWrite{Value: c.value, Due: c.due}
	if i, ok := tx.at[string(key)]; ok {
		w.Key = tx.writes[i].Key
		tx.writes[i] = w
		k := unsafe.String(unsafe.SliceData(w.Key), len(w.Key))
		tx.staged.put(k, c)
		return k
	}
	tx.t.filter.add(key)
	k := string(key)
	w.Key = unsafe.Slice(unsafe.StringData(k), len(k)) // nobody writes to a StateWrite's key
	tx.at[k] = len(tx.writes)
	tx.writes = append(tx.writes, w)
	tx.staged.put(k, c)
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
	clear(tx.at)
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

package table

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// View is committed state to read. Put and Delete panic.
type View struct {
	db     pebble.Reader
	layers []*layer
	pos    Position
	err    error
	closer func() error
}

var _ program.State = (*View)(nil)

// Read calls fn with the state as it is now; commits wait meanwhile, so fn
// should be short. It may be called from any goroutine. The View must not be
// kept.
func (t *Table) Read(fn func(v *View) error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	v := &View{db: t.db, layers: []*layer{t.dirty, t.frozen}, pos: t.pos}
	if err := fn(v); err != nil {
		return err
	}
	return v.Err()
}

// Snapshot returns the state as it is now, for long scans beside the work. It
// must be closed before the table is.
func (t *Table) Snapshot() *View {
	t.mu.Lock() // copying a layer's order marks the original, too
	defer t.mu.Unlock()
	snap := t.db.NewSnapshot()
	v := &View{db: snap, pos: t.pos, closer: snap.Close}
	for _, l := range []*layer{t.dirty, t.frozen} {
		if l != nil {
			v.layers = append(v.layers, l.clone())
		}
	}
	return v
}

// Close gives a Snapshot back.
func (v *View) Close() error {
	if v.closer == nil {
		return nil
	}
	return v.closer()
}

// Position is what the view is of.
func (v *View) Position() Position { return v.pos }

// Sequence is that of the last entry that the view holds.
func (v *View) Sequence() int64 { return v.pos.Sequence }

// Err is the first error of Pebble.
func (v *View) Err() error { return v.err }

// Get implements program.State.
func (v *View) Get(key []byte) ([]byte, bool) {
	for _, l := range v.layers {
		if l == nil {
			continue
		}
		if c := l.cells[string(key)]; c != nil {
			return c.value, !c.dead()
		}
	}
	c, ok, err := readCell(v.db, key)
	v.fail(err)
	return c.value, ok
}

// Scan implements program.State.
func (v *View) Scan(from, to []byte, fn func(key, value []byte) bool) {
	v.fail(scan(v.db, v.layers, from, to, fn))
}

func (v *View) fail(err error) {
	if err != nil && v.err == nil {
		v.err = fmt.Errorf("table: reading: %w", err)
	}
}

// Put implements program.State; a View cannot be written.
func (v *View) Put([]byte, []byte, event.Time) { panic("table: a View is for reading") }

// Delete implements program.State; a View cannot be written.
func (v *View) Delete([]byte) { panic("table: a View is for reading") }

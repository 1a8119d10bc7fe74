package table

import (
	"container/heap"
	"encoding/binary"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/punchcard/punchcard/event"
)

const (
	// nearWindow is how far beyond the clock due rows are held in memory.
	nearWindow = 7 * 24 * time.Hour
	// maxNear is about how many rows one look into the index takes in.
	maxNear = 64 << 10
)

// dueRow says that a key wanted to be visited at due. It holds only if the
// key's cell still says so: rows are never searched for to be removed.
type dueRow struct {
	due  event.Time
	key  string
	disk bool // it came from Pebble's index
}

func (r *dueRow) encode() []byte {
	b := make([]byte, 0, 9+len(r.key))
	b = append(b, spaceDue)
	b = binary.BigEndian.AppendUint64(b, uint64(r.due))
	return append(b, r.key...)
}

func dueBound(t event.Time) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceDue}, uint64(t))
}

// dueHeap is ordered by (due, key).
type dueHeap []dueRow

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].key < h[j].key
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)   { *h = append(*h, x.(dueRow)) }
func (h *dueHeap) Pop() any {
	old := *h
	r := old[len(old)-1]
	old[len(old)-1] = dueRow{}
	*h = old[:len(old)-1]
	return r
}

// forgetDue empties what is in memory of the index; the next look fills it.
func (t *Table) forgetDue() { t.near, t.horizon = nil, 0 }

// note keeps a due instant within the horizon findable; beyond it the cell is
// enough.
func (t *Table) note(key string, due event.Time) {
	heap.Push(&t.near, dueRow{due: due, key: key})
}

// extend moves the horizon to beyond clock, or as far as maxNear rows reach.
func (t *Table) extend(clock event.Time, staged *layer) {
	to := clock.Add(nearWindow)
	it, err := t.db.NewIter(&pebble.IterOptions{LowerBound: dueBound(t.horizon + 1), UpperBound: dueBound(to + 1)})
	if err != nil {
		t.fail(err)
		return
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		due := event.Time(binary.BigEndian.Uint64(it.Key()[1:]))
		if n >= maxNear && due != t.near[len(t.near)-1].due {
			to = t.near[len(t.near)-1].due
			break
		}
		n++
		t.near = append(t.near, dueRow{due: due, key: string(it.Key()[9:]), disk: true})
	}
	t.fail(it.Error())
	t.fail(it.Close())
	for _, l := range []*layer{t.frozen, t.dirty, staged} {
		if l == nil {
			continue
		}
		for _, i := range l.items {
			if !i.dead() && i.due > t.horizon && i.due <= to {
				t.near = append(t.near, dueRow{due: i.due, key: i.key})
			}
		}
	}
	t.horizon = to
	heap.Init(&t.near)
}

// Due returns the key that is due first, at or before clock, in (due, key)
// order; writing it with a later due, or none, makes room for the next.
func (tx *Tx) Due(clock event.Time) (key []byte, due event.Time, ok bool) {
	t := tx.t
	for t.failed == nil {
		if len(t.near) == 0 || t.near[0].due > clock {
			if t.horizon >= clock {
				return nil, 0, false
			}
			t.extend(clock, tx.staged)
			continue
		}
		r := t.near[0]
		if c, live := tx.cell([]byte(r.key)); live && c.due == r.due {
			return []byte(r.key), r.due, true
		}
		heap.Pop(&t.near)
		if r.disk {
			t.stale = append(t.stale, r)
		}
	}
	return nil, 0, false
}

// writeCell puts one cell and its index rows into a batch; buf is scratch.
func writeCell(b *pebble.Batch, key string, c *cell, buf *[]byte) error {
	k := append(append((*buf)[:0], spaceData), key...)
	*buf = k
	if c.stored != 0 && (c.dead() || c.stored != c.due) {
		if err := b.Delete((&dueRow{due: c.stored, key: key}).encode(), nil); err != nil {
			return err
		}
	}
	if c.dead() {
		return b.Delete(k, nil)
	}
	var head [binary.MaxVarintLen64]byte
	due := binary.AppendVarint(head[:0], int64(c.due))
	op := b.SetDeferred(len(k), len(due)+len(c.value))
	copy(op.Key, k)
	copy(op.Value, due)
	copy(op.Value[len(due):], c.value)
	if err := op.Finish(); err != nil {
		return err
	}
	if c.due != 0 && c.due != c.stored {
		return b.Set((&dueRow{due: c.due, key: key}).encode(), nil, nil)
	}
	return nil
}

package table

import (
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// expirePerFlush is how many keys Expire looks at with one flush.
const expirePerFlush = 20_000

// maintain starts a flush when one is due and takes in one that has ended.
func (t *Table) maintain() error {
	t.filter.settle()
	if t.flushing != nil {
		select {
		case err := <-t.flushing:
			t.flushed(err)
		default:
		}
	}
	if t.dirty.bytes < t.o.FlushBytes && time.Since(t.lastFlush) < t.o.FlushEvery {
		return t.failed
	}
	if t.flushing != nil && t.dirty.bytes < t.o.FlushBytes {
		return t.failed
	}
	t.await()
	t.startFlush()
	return t.failed
}

// Maintain flushes by age when nothing is committed for a while.
func (t *Table) Maintain() error { return t.maintain() }

// await waits for a flush under way.
func (t *Table) await() {
	if t.flushing != nil {
		t.flushed(<-t.flushing)
	}
}

// flushed takes in a flush that has ended: what it wrote stays in memory as
// clean, instead of what was clean before.
func (t *Table) flushed(err error) {
	t.flushing = nil
	if err != nil {
		t.fail(err)
		return // frozen stays: readers still see it
	}
	t.mu.Lock()
	done := t.frozen
	t.frozen = nil
	t.mu.Unlock()
	for _, i := range done.items {
		i.stored = i.due
	}
	if len(done.cells) < maxClean/4 {
		if len(t.clean)+len(done.cells) > maxClean {
			clear(t.clean)
		}
		for _, i := range done.items {
			t.clean[i.key] = i.cell
		}
		return
	}
	t.clean = done.cells
}

// startFlush freezes the dirty layer and writes it beside the work.
func (t *Table) startFlush() {
	t.lastFlush = time.Now()
	if t.failed != nil || t.pos == t.written && len(t.stale) == 0 {
		return
	}
	t.mu.Lock()
	t.frozen, t.dirty = t.dirty, newLayer(len(t.dirty.items))
	pos := t.pos
	t.mu.Unlock()
	stale := t.stale
	t.stale, t.written = nil, pos
	t.flushing = make(chan error, 1)
	go func(frozen *layer, done chan<- error) { done <- t.write(frozen, stale, pos) }(t.frozen, t.flushing)
}

// write brings a frozen layer into Pebble: expiries first, so that a key written
// anew stays.
func (t *Table) write(l *layer, stale []dueRow, pos Position) error {
	b := t.db.NewBatchWithSize(int(l.bytes) + 1024)
	defer b.Close()
	if err := t.expire(b, pos); err != nil {
		return err
	}
	for _, r := range stale {
		// The row may have become right again since.
		if c, ok, err := t.settled(l, r.key); err != nil {
			return err
		} else if ok && c.due == r.due {
			continue
		}
		if err := b.Delete(r.encode(), nil); err != nil {
			return err
		}
	}
	var row []byte
	for _, i := range l.sorted() {
		if err := writeCell(b, i.key, i.cell, &row); err != nil {
			return err
		}
	}
	if err := b.Set(metaKey, pos.encode(), nil); err != nil {
		return err
	}
	return b.Commit(pebble.NoSync)
}

// settled is a key as it will stand in Pebble after the frozen layer.
func (t *Table) settled(l *layer, key string) (*cell, bool, error) {
	if c := l.cells[key]; c != nil {
		return c, !c.dead(), nil
	}
	return readCell(t.db, []byte(key))
}

// expire drops keys that nobody sees any more, a bounded number.
func (t *Table) expire(b *pebble.Batch, pos Position) error {
	e := t.o.Expire
	if e == nil {
		return nil
	}
	from := t.cursor
	if from == nil {
		from = dataKey(e.From)
	}
	it, err := t.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: dataKey(e.To)})
	if err != nil {
		return err
	}
	defer it.Close()
	t.cursor = nil
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n > expirePerFlush {
			t.cursor = slices.Clone(it.Key())
			break
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if _, value := cutDue(v); e.Expired(it.Key()[1:], value, pos.Clock) {
			if err := b.Delete(it.Key(), nil); err != nil {
				return err
			}
		}
	}
	return it.Error()
}

// Flush writes all that is dirty to Pebble and to disk, and returns when it is
// there.
func (t *Table) Flush() error {
	t.await()
	t.startFlush()
	t.await()
	if t.failed != nil {
		return t.failed
	}
	t.fail(t.db.Flush())
	return t.failed
}

package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
)

// errLost says that ClickHouse has less than it had: positions must be read
// again.
var errLost = errors.New("sink: ClickHouse lost rows that it had taken")

// writer inserts blocks in order and knows what each table must have.
type writer struct {
	to     Warehouse
	log    *slog.Logger
	tables map[string]map[int32]int64 // what each table has, as far as we know
	proved map[string]bool            // tables whose positions moved as they must since the last failure
	report func(error)                // hears of each failure
}

func newWriter(c Config, tables map[string]map[int32]int64) *writer {
	w := &writer{to: c.Warehouse, log: c.Logger, tables: make(map[string]map[int32]int64), proved: make(map[string]bool), report: func(error) {}}
	for name, p := range tables {
		w.tables[name] = maps.Clone(p)
	}
	return w
}

func (w *writer) write(ctx context.Context, blocks []block) error {
	for i := range blocks {
		if err := w.insert(ctx, &blocks[i]); err != nil {
			return err
		}
	}
	return nil
}

// insert returns when ClickHouse has the block. After a failure it asks whether
// the rows came through all the same; if not it sends them again under the same
// token, so that a late arrival of the first try is the same insert.
func (w *writer) insert(ctx context.Context, b *block) error {
	token, wait := b.token(), backoffFirst
	for try := 0; ; try++ {
		err := w.to.Insert(ctx, b.table, token, b.columns)
		if err == nil && w.proved[b.table] {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			clear(w.proved)
			w.report(err)
			w.log.Warn("sink: insert failed", "table", b.table, "in", wait, "error", err)
			if !pause(ctx, wait) {
				return ctx.Err()
			}
			wait = min(2*wait, backoffMost)
		}
		done, found := w.check(ctx, b)
		if found != nil {
			if halts(found) || errors.Is(found, errLost) {
				return found
			}
			w.log.Warn("sink: asking for positions failed", "table", b.table, "error", found)
			continue
		}
		if done {
			w.proved[b.table] = true
			break
		}
		if err == nil {
			// Dropped as a repeat of rows that are not there (any more).
			token = fmt.Sprintf("%s+%d", b.token(), try+1)
		}
	}
	for p, s := range b.spans {
		w.set(b.table, p, s.last)
	}
	return nil
}

// check asks whether the table has the block.
func (w *writer) check(ctx context.Context, b *block) (bool, error) {
	if err := w.to.Settle(ctx); err != nil {
		return false, err
	}
	have, err := w.to.Positions(ctx, b.table)
	if err != nil {
		return false, err
	}
	for p, n := range w.tables[b.table] {
		if have[p] < n {
			return false, fmt.Errorf("%w: table %s, partition %d: at %d, was at %d", errLost, b.table, p, have[p], n)
		}
	}
	switch b.covered(have) {
	case 1:
		return true, nil
	case 0:
		return false, nil
	}
	return false, fmt.Errorf("%w: table %s has a part of %v", ErrTorn, b.table, b.spans)
}

func (w *writer) set(table string, p int32, n int64) {
	if w.tables[table] == nil {
		w.tables[table] = make(map[int32]int64)
	}
	w.tables[table][p] = n
}

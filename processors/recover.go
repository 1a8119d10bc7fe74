package processors

import (
	"context"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/table"
)

// recover brings the table to the end of the ledger. The Writer must be open, so
// that nothing is added meanwhile and no transaction stays open.
func (p *partition) recover(ctx context.Context) error {
	c, topic := p.r.cfg.Cluster, p.r.cfg.Output
	ends, err := c.Ends(ctx, topic, stream.ReadUncommitted)
	if err != nil {
		return err
	}
	end, ok := ends[p.id]
	if !ok {
		return halt("%s has no partition %d, %s has: both need as many", topic, p.id, p.r.cfg.Input)
	}
	pos := p.table.Position()
	if pos.Sequence == 0 && end.Start > 0 {
		return halt("%s/%d begins at offset %d: its first entries are gone, and %s has no state of its own; entries are the truth and must be kept for ever", topic, p.id, end.Start, p.dir)
	}
	from := max(pos.LedgerOffset, end.Start)
	if pos.Sequence > 0 && (pos.LedgerOffset < end.Start || pos.LedgerOffset >= end.End) {
		return p.ahead(pos, end)
	}
	var last *stream.Record
	known := pos.Sequence == 0 // else the first record must be the one we know
	_, err = c.Scan(ctx, topic, p.id, from, end.End, stream.ReadCommitted, func(rec *stream.Record) error {
		if !known {
			known = true
			if rec.Offset != pos.LedgerOffset || xxhash.Sum64(rec.Value) != pos.Hash {
				return p.ahead(pos, end)
			}
			return nil
		}
		next, err := p.replay(rec, pos)
		pos, last = next, rec
		return err
	})
	if err != nil {
		return err
	}
	if !known {
		return p.ahead(pos, end)
	}
	return p.setClock(last)
}

// setClock takes the partition's clock from the last entry that was replayed.
func (p *partition) setClock(last *stream.Record) error {
	if last == nil {
		return nil
	}
	var e event.Entry
	if err := event.DecodeEntry(last.Value, &e); err != nil {
		return halt("%s/%d offset %d is not an entry: %v", p.r.cfg.Output, p.id, last.Offset, err)
	}
	p.table.SetClock(e.EntryTime)
	return nil
}

// replay takes one committed entry into the table.
func (p *partition) replay(rec *stream.Record, pos table.Position) (table.Position, error) {
	where := fmt.Sprintf("%s/%d offset %d", p.r.cfg.Output, p.id, rec.Offset)
	part, seq, source, ok := event.EntryPosition(rec.Value)
	switch {
	case !ok:
		return pos, halt("%s is not an entry: who else writes to the ledger?", where)
	case part != p.id:
		return pos, halt("%s is an entry of partition %d", where, part)
	case seq != pos.Sequence+1:
		return pos, halt("%s has sequence %d after %d: a hole or a double in the ledger; nothing may be added to it", where, seq, pos.Sequence)
	case source < pos.Source:
		return pos, halt("%s comes from source offset %d after %d: the input was decided out of order", where, source, pos.Source)
	}
	var head []byte
	for _, h := range rec.Headers {
		if h.Key == event.HeaderState {
			head = h.Value
		}
	}
	writes, err := event.DecodeState(head)
	if err != nil {
		return pos, halt("%s: %v", where, err)
	}
	pos.Sequence, pos.Source, pos.LedgerOffset, pos.Hash = seq, source, rec.Offset, xxhash.Sum64(rec.Value)
	return pos, p.table.Apply(writes, pos)
}

// ahead says that the table knows an entry that the ledger does not have.
func (p *partition) ahead(pos table.Position, end stream.Range) error {
	return halt("the state in %s is of entry %d at offset %d, which %s/%d (offsets %d to %d) does not hold: the ledger was cut, or the state belongs to another cluster; "+
		"if the ledger is right, delete that directory and start again", p.dir, pos.Sequence, pos.LedgerOffset, p.r.cfg.Output, p.id, end.Start, end.End)
}

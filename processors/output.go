package processors

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/table"
)

// maxEntryBytes leaves room for a record's and its batch's own framing.
const maxEntryBytes = event.MaxRecordBytes - 4<<10

const (
	// slabBytes is one piece of memory for many entries, slabLeft when a new one is
	// begun: more than most entries need.
	slabBytes = 256 << 10
	slabLeft  = 8 << 10
	// maxSpare bounds the slabs kept for the next batch.
	maxSpare = 32
	// recordsAtOnce is how many records are made in one piece.
	recordsAtOnce = 128
)

// Output takes the entries of a partition, in order.
type Output struct {
	partition int32
	tx        *table.Tx
	base      table.Position // as of the ledger
	pos       table.Position // with the entries that are not committed yet
	source    int64          // offset of the input being decided
	recs      []*stream.Record
	bytes     int64
	err       error
	// slab and room are where entries are made: few large pieces instead of many
	// small ones. Slabs full of entries of this batch are used again when they are
	// committed.
	slab        []byte
	full, spare [][]byte
	room        []roomy
}

// NewOutput starts after pos; tests of a Function need it, too.
func NewOutput(partition int32, tx *table.Tx, pos table.Position) *Output {
	return &Output{partition: partition, tx: tx, base: pos, pos: pos, source: pos.Source}
}

// Partition is the one that is decided.
func (o *Output) Partition() int32 { return o.partition }

// Sequence is that of the next entry.
func (o *Output) Sequence() int64 { return o.pos.Sequence + 1 }

// Source is the source offset that the next entry must carry: the input's.
func (o *Output) Source() int64 { return o.source }

// SetClock tells the partition's clock, for the status and for Expire.
func (o *Output) SetClock(t event.Time) { o.pos.Clock = t }

// Records are the entries since the last commit.
func (o *Output) Records() []*stream.Record { return o.recs }

// Buffer is where the next entry's value may be written: append to it and hand the
// result to Append. It spares the copying of a growing slice.
func (o *Output) Buffer() []byte {
	if cap(o.slab)-len(o.slab) < slabLeft {
		o.nextSlab()
	}
	return o.slab[len(o.slab):len(o.slab):cap(o.slab)]
}

func (o *Output) nextSlab() {
	if o.slab != nil {
		o.full = append(o.full, o.slab)
	}
	if n := len(o.spare); n > 0 {
		o.slab, o.spare = o.spare[n-1], o.spare[:n-1]
		return
	}
	o.slab = make([]byte, 0, slabBytes)
}

// recycle makes room for the next batch. Nobody reads the last one any more: the
// broker has acknowledged it, and Committed has returned.
func (o *Output) recycle() {
	for _, slab := range o.full {
		if len(o.spare) < maxSpare {
			o.spare = append(o.spare, slab[:0])
		}
	}
	clear(o.full)
	o.full, o.slab = o.full[:0], o.slab[:0]
}

// used takes what was written to the slab's free end out of it; bytes that had to
// move elsewhere are left alone.
func (o *Output) used(b []byte) []byte {
	free := o.slab[len(o.slab):cap(o.slab)]
	if len(b) > 0 && len(free) >= len(b) && &b[0] == &free[0] {
		o.slab = o.slab[:len(o.slab)+len(b)]
	}
	return b[:len(b):len(b)]
}

// record returns an empty record with room for one header.
func (o *Output) record() *stream.Record {
	if len(o.room) == 0 {
		o.room = make([]roomy, recordsAtOnce)
	}
	r := &o.room[0]
	o.room = o.room[1:]
	r.record.Headers = r.header[:]
	return &r.record
}

// roomy is a record that brings its header along.
type roomy struct {
	record stream.Record
	header [1]stream.Header
}

// Append closes one entry: value is its JSON, key the account (nil for entries of
// the partition), and its state header all that was written to the Tx since the
// last Append. Both slices belong to the Output now.
func (o *Output) Append(key, value []byte) {
	partition, seq, source, ok := event.EntryPosition(value)
	if !ok || partition != o.partition || seq != o.Sequence() || source != o.source {
		o.fail(fmt.Errorf("processors: entry says partition %d sequence %d source %d, expected %d, %d and %d", partition, seq, source, o.partition, o.Sequence(), o.source))
		return
	}
	value = o.used(value)
	state := o.used(event.AppendState(o.Buffer(), o.tx.Take()))
	if n := len(key) + len(value) + len(state); n > maxEntryBytes {
		o.fail(fmt.Errorf("processors: entry %d of partition %d has %d bytes, at most %d fit", seq, o.partition, n, maxEntryBytes))
		return
	}
	rec := o.record()
	rec.Key, rec.Value = key, value
	rec.Headers[0] = stream.Header{Key: event.HeaderState, Value: state}
	o.recs = append(o.recs, rec)
	o.bytes += int64(len(key) + len(value) + len(state))
	o.pos.Sequence, o.pos.Source = seq, source
}

func (o *Output) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// Begin says which input is decided next: the runtime's part, and that of tests of
// a Function.
func (o *Output) Begin(source int64) { o.source = source }

// Err is what was wrong with an entry; nothing may be committed then.
func (o *Output) Err() error { return o.err }

// committed takes the records as written and starts a new batch.
func (o *Output) committed() (recs []*stream.Record, pos table.Position) {
	recs = o.recs
	last := recs[len(recs)-1]
	o.pos.LedgerOffset, o.pos.Hash = last.Offset, xxhash.Sum64(last.Value)
	o.base, o.recs, o.bytes = o.pos, make([]*stream.Record, 0, len(recs)), 0
	return recs, o.pos
}

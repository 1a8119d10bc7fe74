package segments

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/punchcard/punchcard/event"
)

// The state's own encoding, as package program has it: a format byte, then varints
// and length-prefixed strings in a fixed order, pinned by golden files.

// ErrState says that a state value is not one of ours, or damaged.
var ErrState = errors.New("damaged state")

type encoder struct{ b []byte }

func (w *encoder) byte(v byte)     { w.b = append(w.b, v) }
func (w *encoder) uint(v uint64)   { w.b = binary.AppendUvarint(w.b, v) }
func (w *encoder) int(v int64)     { w.b = binary.AppendVarint(w.b, v) }
func (w *encoder) fixed(v uint64)  { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *encoder) string(v string) { w.uint(uint64(len(v))); w.b = append(w.b, v...) }
func (w *encoder) bytes(v []byte)  { w.uint(uint64(len(v))); w.b = append(w.b, v...) }
func (w *encoder) bits(v []uint64) {
	n := len(v)
	for n > 0 && v[n-1] == 0 {
		n--
	}
	w.uint(uint64(n))
	for _, word := range v[:n] {
		w.b = binary.LittleEndian.AppendUint64(w.b, word)
	}
}

// decoder reads what encoder wrote. After the first bad byte every answer is
// zero and bad stays set; it never panics.
type decoder struct {
	b   []byte
	bad bool
}

func (r *decoder) fail() { r.b, r.bad = nil, true }

func (r *decoder) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *decoder) uint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		return uint64(r.byte())
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) int() int64 {
	v := r.uint() // zigzag, as binary.Varint
	return int64(v>>1) ^ -int64(v&1)
}

func (r *decoder) time() event.Time { return event.Time(r.int()) }
func (r *decoder) day() event.Day   { return event.Day(r.int()) }

func (r *decoder) fixed() uint64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	v := binary.BigEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

// bytes returns a length-prefixed string as a part of the value.
func (r *decoder) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// count reads how many items follow; each takes at least one byte.
func (r *decoder) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

// bits reads into a vector; words beyond it are damage.
func (r *decoder) bits(into []uint64) {
	clear(into)
	n := r.uint()
	if n > uint64(len(into)) || n*8 > uint64(len(r.b)) {
		r.fail()
		return
	}
	for i := range n {
		into[i] = binary.LittleEndian.Uint64(r.b[8*i:])
	}
	r.b = r.b[8*n:]
}

func (r *decoder) end(what string) error {
	if r.bad || len(r.b) > 0 {
		return fmt.Errorf("%w: %s", ErrState, what)
	}
	return nil
}

// mustDecode stops the partition: state that we wrote and cannot read is our bug,
// and going on would invent memberships. The runtime halts on it.
func mustDecode(err error, key []byte) {
	if err != nil {
		panic(fmt.Sprintf("segments: state key %q: %v", key, err))
	}
}

// Kinds of keys: the first byte; package program has others. Ids are printable, so
// 0x00 separates them.
//
//	e account 00 name 00 time(8) sequence(8)   a counted event, for ever
//	g account                                  membership and measures, hot
//	s account                                  the segments it is in, by name
//	t account                                  facts (traits)
const (
	kindEvent   = 'e'
	kindHot     = 'g'
	kindMembers = 's'
	kindFacts   = 't'
)

func (k *Keeper) keyOf(kind byte, accountID string) []byte {
	k.key = append(append(k.key[:0], kind), accountID...)
	return k.key
}

func keyOf(kind byte, accountID string) []byte {
	return append(append(make([]byte, 0, 1+len(accountID)), kind), accountID...)
}

// KeyRange returns the range of the keys that each identified account with a
// counted event has one of, for sweeps.
func KeyRange() (from, to []byte) { return []byte{kindHot}, []byte{kindHot + 1} }

// AccountOfKey returns the account of a key in KeyRange; false for other keys.
func AccountOfKey(key []byte) (string, bool) {
	if len(key) < 2 || key[0] != kindHot {
		return "", false
	}
	return string(key[1:]), true
}

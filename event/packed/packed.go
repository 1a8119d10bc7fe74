// Package packed is the binary form of state values.
//
// Model. A value is a format byte, then varints and length-prefixed strings in a
// fixed order. An Encoder appends, a Decoder reads the same back.
//
// Owns: how numbers, times, strings and flags are written.
//
// Does not own: which fields a value has; each is pinned by golden files of the
// package that keeps it. A new field goes to the end under a new format byte; old
// formats stay readable.
//
// Invariants: a Decoder never panics and allocates nothing for a length that the
// value cannot hold; after the first bad byte every answer is zero and Bad stays.
package packed

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/punchcard/punchcard/event"
)

// ErrState says that a state value is not one of ours, or damaged.
var ErrState = errors.New("damaged state")

// Encoder appends to B.
type Encoder struct{ B []byte }

// Byte, Uint, Int, Time and Day write numbers, all but the first as varints.
func (w *Encoder) Byte(v byte) { w.B = append(w.B, v) }

// Uint writes an unsigned number.
func (w *Encoder) Uint(v uint64) { w.B = binary.AppendUvarint(w.B, v) }

// Int writes a signed number.
func (w *Encoder) Int(v int64) { w.B = binary.AppendVarint(w.B, v) }

// Time writes an instant.
func (w *Encoder) Time(v event.Time) { w.Int(int64(v)) }

// Day writes a day.
func (w *Encoder) Day(v event.Day) { w.Int(int64(v)) }

// Fixed writes eight bytes, big endian.
func (w *Encoder) Fixed(v uint64) { w.B = binary.BigEndian.AppendUint64(w.B, v) }

// String writes a text with its length.
func (w *Encoder) String(v string) {
	w.Uint(uint64(len(v)))
	w.B = append(w.B, v...)
}

// Bytes writes as String does.
func (w *Encoder) Bytes(v []byte) {
	w.Uint(uint64(len(v)))
	w.B = append(w.B, v...)
}

// Flags writes up to eight truths in a byte, the first one lowest.
func (w *Encoder) Flags(bits ...bool) { w.Byte(PackFlags(bits...)) }

// PackFlags is the byte that Flags writes.
func PackFlags(bits ...bool) (v byte) {
	for i, set := range bits {
		if set {
			v |= 1 << i
		}
	}
	return v
}

// Bits writes a vector of bits without the zero words at its end.
func (w *Encoder) Bits(v []uint64) {
	n := len(v)
	for n > 0 && v[n-1] == 0 {
		n--
	}
	w.Uint(uint64(n))
	for _, word := range v[:n] {
		w.B = binary.LittleEndian.AppendUint64(w.B, word)
	}
}

// Cause writes what is behind a decision.
func (w *Encoder) Cause(v event.Cause) {
	w.String(string(v.Type))
	w.String(v.Name)
	w.String(v.ID)
}

// Decoder reads B from its front.
type Decoder struct {
	B   []byte
	Bad bool
}

// Fail marks the value as damaged.
func (r *Decoder) Fail() { r.B, r.Bad = nil, true }

// Format reads the format byte, which must be this one.
func (r *Decoder) Format(want byte) {
	if r.Byte() != want {
		r.Fail()
	}
}

// Byte reads a byte.
func (r *Decoder) Byte() byte {
	if len(r.B) == 0 {
		r.Fail()
		return 0
	}
	v := r.B[0]
	r.B = r.B[1:]
	return v
}

// Uint reads an unsigned number; it looks for the usual case, one byte, first.
func (r *Decoder) Uint() uint64 {
	if len(r.B) > 0 && r.B[0] < 0x80 {
		v := r.B[0]
		r.B = r.B[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.B)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.B = r.B[n:]
	return v
}

// Int reads a signed number.
func (r *Decoder) Int() int64 {
	v := r.Uint() // zigzag, as binary.Varint
	return int64(v>>1) ^ -int64(v&1)
}

// Time reads an instant.
func (r *Decoder) Time() event.Time { return event.Time(r.Int()) }

// Day reads a day.
func (r *Decoder) Day() event.Day { return event.Day(r.Int()) }

// Fixed reads eight bytes, big endian.
func (r *Decoder) Fixed() uint64 {
	if len(r.B) < 8 {
		r.Fail()
		return 0
	}
	v := binary.BigEndian.Uint64(r.B)
	r.B = r.B[8:]
	return v
}

// Bytes returns a text as a part of the value.
func (r *Decoder) Bytes() []byte {
	n := r.Uint()
	if n > uint64(len(r.B)) {
		r.Fail()
		return nil
	}
	v := r.B[:n:n]
	r.B = r.B[n:]
	return v
}

// Text returns a text of its own.
func (r *Decoder) Text() string { return string(r.Bytes()) }

// Count reads how many items follow; each takes at least one byte, so a larger
// count is damage and nothing is allocated for it.
func (r *Decoder) Count() int {
	n := r.Uint()
	if n > uint64(len(r.B)) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Bits reads into a vector; words beyond it are damage.
func (r *Decoder) Bits(into []uint64) {
	clear(into)
	n := r.Uint()
	if n > uint64(len(into)) || n*8 > uint64(len(r.B)) {
		r.Fail()
		return
	}
	for i := range n {
		into[i] = binary.LittleEndian.Uint64(r.B[8*i:])
	}
	r.B = r.B[8*n:]
}

// Cause reads what is behind a decision.
func (r *Decoder) Cause() event.Cause {
	return event.Cause{Type: event.Type(r.Text()), Name: r.Text(), ID: r.Text()}
}

// End reports damage: a bad byte, or bytes left over.
func (r *Decoder) End(what string) error {
	if r.Bad || len(r.B) > 0 {
		return fmt.Errorf("%w: %s", ErrState, what)
	}
	return nil
}

// Must stops the partition: state that we wrote and cannot read is our bug, and
// going on would invent what was never decided. The runtime halts on it.
func Must(err error, key []byte) {
	if err != nil {
		panic(fmt.Sprintf("state key %q: %v", key, err))
	}
}

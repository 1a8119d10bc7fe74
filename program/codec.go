package program

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/punchcard/punchcard/event"
)

// The state's own encoding: a format byte, then varints and length-prefixed
// strings in a fixed order, pinned by golden files. A new field goes to the end
// under a new format byte; old formats stay readable.

// ErrState says that a state value is not one of ours, or damaged.
var ErrState = errors.New("damaged state")

type encoder struct{ b []byte }

func (w *encoder) byte(v byte)        { w.b = append(w.b, v) }
func (w *encoder) uint(v uint64)      { w.b = binary.AppendUvarint(w.b, v) }
func (w *encoder) int(v int64)        { w.b = binary.AppendVarint(w.b, v) }
func (w *encoder) time(v event.Time)  { w.int(int64(v)) }
func (w *encoder) day(v event.Day)    { w.int(int64(v)) }
func (w *encoder) hash(v uint64)      { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *encoder) string(v string)    { w.uint(uint64(len(v))); w.b = append(w.b, v...) }
func (w *encoder) flags(bits ...bool) { w.byte(packFlags(bits...)) }

func packFlags(bits ...bool) (v byte) {
	for i, set := range bits {
		if set {
			v |= 1 << i
		}
	}
	return v
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

// uint and int look for the usual case, one byte, first.
func (r *decoder) uint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
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

func (r *decoder) hash() uint64 {
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
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// count reads how many items follow; each takes at least one byte, so a larger
// count is damage and nothing is allocated for it.
func (r *decoder) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

// end reports damage: a bad byte, or bytes left over.
func (r *decoder) end(what string) error {
	if r.bad || len(r.b) > 0 {
		return fmt.Errorf("%w: %s", ErrState, what)
	}
	return nil
}

// mustDecode stops the partition: state that we wrote and cannot read is our
// bug, and going on would invent points. The runtime halts on it.
func mustDecode(err error, key []byte) {
	if err != nil {
		panic(fmt.Sprintf("program: state key %q: %v", key, err))
	}
}

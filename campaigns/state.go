package campaigns

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// The state's own encoding: a format byte, then varints and length-prefixed
// strings in a fixed order, pinned by golden files. A new field goes to the end
// under a new format byte; old formats stay readable.
//
// Keys, by their first byte (ids hold no control characters):
//
//	c customer                     what is known of the customer
//	r customer 00 100−priority id  a run that waits; due is when it is looked at again
//	t customer 00 campaign         the customer's way through one campaign: assignment, runs that wait
//	s customer                     when messages went to the customer, for caps
//	k campaign                     what this partition has sent of the campaign
//	xb n                           bundle n, from the one in force on
//	xj                             sweeps under way
//	xp                             the partition
const (
	kindCustomer = 'c'
	kindRun      = 'r'
	kindTrack    = 't'
	kindSends    = 's'
	kindCounter  = 'k'
)

// FreshKinds are the kinds of keys that are usually new when they are asked for.
const FreshKinds = string(kindTrack) + string(kindSends)

// stateFormat is the first byte of every value.
const stateFormat = 1

// State is the staged state of one partition.
type State interface {
	program.State
	// Due returns the key with the earliest due instant up to the clock, and of
	// those the lowest; false: none is due.
	Due(clock event.Time) (key []byte, due event.Time, ok bool)
}

var errState = errors.New("damaged state")

type encoder struct{ b []byte }

func (w *encoder) byte(v byte)       { w.b = append(w.b, v) }
func (w *encoder) uint(v uint64)     { w.b = binary.AppendUvarint(w.b, v) }
func (w *encoder) int(v int64)       { w.b = binary.AppendVarint(w.b, v) }
func (w *encoder) time(v event.Time) { w.int(int64(v)) }
func (w *encoder) day(v event.Day)   { w.int(int64(v)) }
func (w *encoder) string(v string)   { w.uint(uint64(len(v))); w.b = append(w.b, v...) }
func (w *encoder) cause(v event.Cause) {
	w.string(string(v.Type))
	w.string(v.Name)
	w.string(v.ID)
}

func (w *encoder) flags(bits ...bool) {
	var v byte
	for i, set := range bits {
		if set {
			v |= 1 << i
		}
	}
	w.byte(v)
}

// decoder reads what encoder wrote. After the first bad byte every answer is zero
// and bad stays set; it never panics.
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
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) time() event.Time { return event.Time(r.int()) }
func (r *decoder) day() event.Day   { return event.Day(r.int()) }

func (r *decoder) string() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	v := string(r.b[:n])
	r.b = r.b[n:]
	return v
}

func (r *decoder) cause() event.Cause {
	return event.Cause{Type: event.Type(r.string()), Name: r.string(), ID: r.string()}
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

// open reads the format byte.
func (r *decoder) open() {
	if r.byte() != stateFormat {
		r.fail()
	}
}

// end reports damage: a bad byte, or bytes left over.
func (r *decoder) end(what string) error {
	if r.bad || len(r.b) > 0 {
		return fmt.Errorf("%w: %s", errState, what)
	}
	return nil
}

// mustDecode stops the partition: state that we wrote and cannot read is our bug,
// and going on would send what must not be sent.
func mustDecode(err error, key []byte) {
	if err != nil {
		panic(fmt.Sprintf("campaigns: state key %q: %v", key, err))
	}
}

func keyOf(kind byte, id string) []byte { return append([]byte{kind}, id...) }

func keyOfTwo(kind byte, id, second string) []byte {
	return append(append(keyOf(kind, id), 0), second...)
}

package campaigns

import (
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

func keyOf(kind byte, id string) []byte { return append([]byte{kind}, id...) }

func keyOfTwo(kind byte, id, second string) []byte {
	return append(append(keyOf(kind, id), 0), second...)
}

package program

import "github.com/punchcard/punchcard/event"

// State is the staged state of one partition, as a rule sees it: what was
// committed, with the writes of this input on top.
type State interface {
	// Get returns the value; it must not be changed and is valid until the next
	// call of any method.
	Get(key []byte) (value []byte, ok bool)
	// Put stages a write; due, when set, asks to be visited at that instant. Put
	// and Delete copy what they keep.
	Put(key, value []byte, due event.Time)
	Delete(key []byte)
	// Scan visits from ≤ key < to in ascending order until fn returns false. fn
	// must not call State. The slices are valid during the call only.
	Scan(from, to []byte, fn func(key, value []byte) bool)
}

// Moment is what a decision may know beyond the account's own state.
type Moment struct {
	// Clock is the partition's clock: its newest tick.
	Clock event.Time
	// IsHistory: inside a history bracket (no age limit).
	IsHistory bool
	// CutPoints in force, nil: none yet (fixed thresholds).
	CutPoints *event.CutPoints
}

package ingest

import (
	"maps"
	"sync"
)

// Counts is what the door did since it was made, for metrics. Once no call is
// under way, In = Accepted + Rejected + TurnedAway.
type Counts struct {
	// In counts messages that were split from bodies, and bodies that could not be
	// split, as one each.
	In int64
	// Accepted have a record on topic events, Rejected one on topic rejects.
	Accepted int64
	Rejected int64
	// TurnedAway were answered 429 or 503 after the split: the sender tries again.
	TurnedAway int64
	// RejectedBy counts Rejected by code.
	RejectedBy map[string]int64
	// Refused counts calls refused whole, by the error's code (no key, too large,
	// gate closed, busy ...).
	Refused map[string]int64
	// Pending counts redemptions and readings answered 202.
	Pending int64
	// Panics counts calls that met a bug of ours and were answered 500.
	Panics int64
}

type counter struct {
	mu sync.Mutex
	c  Counts
}

func newCounter() *counter {
	return &counter{c: Counts{RejectedBy: map[string]int64{}, Refused: map[string]int64{}}}
}

func (c *counter) add(f func(*Counts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.c)
}

// Counts returns a copy of the counters.
func (d *Door) Counts() Counts {
	d.counter.mu.Lock()
	defer d.counter.mu.Unlock()
	c := d.counter.c
	c.RejectedBy, c.Refused = maps.Clone(c.RejectedBy), maps.Clone(c.Refused)
	return c
}

package customer

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/processors/table"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
)

// Reading is how a customer stands, and what that is of.
type Reading struct {
	Standing  event.Standing
	Partition int32
	// Sequence is the partition's last entry that is in it, Clock the partition's.
	Sequence int64
	Clock    event.Time
	Lots     []program.Lot
}

// ReadCustomer reads a customer; false when nothing is known of it. The Partition
// is left to the caller.
func ReadCustomer(v *table.View, accountID string) (Reading, bool) {
	pos := v.Position()
	r := Reading{Sequence: pos.Sequence, Clock: pos.Clock}
	in := segments.ReadSegments(v, accountID)
	s, ok := program.ReadStanding(v, nil, accountID)
	switch {
	case !ok && len(in) == 0:
		return r, false
	case !ok:
		s = &event.Standing{CustomerID: accountID}
	}
	s.Segments = in
	r.Standing, r.Lots = *s, program.Lots(v, accountID)
	return r, true
}

// ReadMessage returns the sequence of the entry that decided a message; false
// when it is not known, or not any more.
func ReadMessage(v *table.View, accountID, messageID string) (sequence int64, ok bool) {
	m, ok := findMessage(v, appendMessageKey(nil, accountID, messageID), v.Position().Clock)
	return m.sequence, ok
}

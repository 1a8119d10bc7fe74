package subscriber

import "time"

// seen remembers the ids of the last records of one partition.
type seen struct {
	horizon Horizon
	ids     map[string]mark
	ring    []string // id of record n at n % horizon.Messages
	n       int64    // records so far
}

// mark is the newest record of an id: its number and its time.
type mark struct {
	n  int64
	at time.Time
}

func newSeen(h Horizon) *seen { return &seen{horizon: h, ids: map[string]mark{}} }

// has reports whether the id is within the horizon of a record of that time.
func (s *seen) has(id string, at time.Time) bool {
	m, ok := s.ids[id]
	return ok && at.Sub(m.at) <= s.horizon.Age
}

// add counts one record, and forgets the one that leaves the horizon.
func (s *seen) add(id string, at time.Time) {
	most := int64(s.horizon.Messages)
	if int64(len(s.ring)) < most {
		s.ring = append(s.ring, id)
	} else {
		slot := &s.ring[s.n%most]
		if s.ids[*slot].n == s.n-most {
			delete(s.ids, *slot)
		}
		*slot = id
	}
	s.ids[id] = mark{s.n, at}
	s.n++
}

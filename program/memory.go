package program

import (
	"bytes"
	"sort"

	"github.com/punchcard/punchcard/event"
)

// MemState is a State in memory: for tests, and for asking "what if" without
// touching what is kept. The zero value is empty and ready. It is pure and not
// safe for use by several goroutines.
type MemState struct {
	values map[string]memValue
	sorted []string // every key ever put, ascending; deleted ones are skipped
	fresh  []string // keys put since the last Scan, not yet in sorted
}

type memValue struct {
	value []byte
	due   event.Time
	live  bool
}

// Get implements State.
func (s *MemState) Get(key []byte) ([]byte, bool) {
	v, ok := s.values[string(key)]
	return v.value, ok && v.live
}

// Put implements State.
func (s *MemState) Put(key, value []byte, due event.Time) {
	if s.values == nil {
		s.values = make(map[string]memValue)
	}
	old, known := s.values[string(key)]
	v := memValue{value: append(old.value[:0:0], value...), due: due, live: true}
	if !known {
		k := string(key)
		s.fresh = append(s.fresh, k)
		s.values[k] = v
		return
	}
	s.values[string(key)] = v
}

// Delete implements State.
func (s *MemState) Delete(key []byte) {
	if v, ok := s.values[string(key)]; ok {
		v.live, v.value, v.due = false, nil, 0
		s.values[string(key)] = v
	}
}

// Scan implements State.
func (s *MemState) Scan(from, to []byte, fn func(key, value []byte) bool) {
	s.settle()
	lo, hi := string(from), string(to)
	for i := sort.SearchStrings(s.sorted, lo); i < len(s.sorted) && s.sorted[i] < hi; i++ {
		if v := s.values[s.sorted[i]]; v.live && !fn([]byte(s.sorted[i]), v.value) {
			return
		}
	}
}

// settle merges fresh keys into the sorted list.
func (s *MemState) settle() {
	if len(s.fresh) == 0 {
		return
	}
	sort.Strings(s.fresh)
	if len(s.fresh) < 64 {
		for _, k := range s.fresh {
			i := sort.SearchStrings(s.sorted, k)
			s.sorted = append(s.sorted, "")
			copy(s.sorted[i+1:], s.sorted[i:])
			s.sorted[i] = k
		}
	} else {
		s.sorted = append(s.sorted, s.fresh...)
		sort.Strings(s.sorted)
	}
	s.fresh = s.fresh[:0]
}

// Due returns the instant at which the key asked to be visited, 0: none.
func (s *MemState) Due(key []byte) event.Time { return s.values[string(key)].due }

// Equal reports whether both hold the same keys, values and due instants.
func (s *MemState) Equal(other *MemState) bool {
	return s.within(other) && other.within(s)
}

func (s *MemState) within(other *MemState) bool {
	for k, v := range s.values {
		if o := other.values[k]; v.live && (!o.live || o.due != v.due || !bytes.Equal(o.value, v.value)) {
			return false
		}
	}
	return true
}

// Clone returns a copy that shares nothing.
func (s *MemState) Clone() *MemState {
	c := &MemState{}
	s.settle()
	for _, k := range s.sorted {
		if v := s.values[k]; v.live {
			c.Put([]byte(k), v.value, v.due)
		}
	}
	return c
}

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
	// Keys in order, in runs of at most maxRun, so that an insertion moves little.
	runs [][]string
}

type memValue struct {
	value []byte
	due   event.Time
}

const maxRun = 512

// Get implements State.
func (s *MemState) Get(key []byte) ([]byte, bool) {
	v, ok := s.values[string(key)]
	return v.value, ok
}

// Put implements State.
func (s *MemState) Put(key, value []byte, due event.Time) {
	if s.values == nil {
		s.values = make(map[string]memValue)
	}
	k := string(key)
	if _, known := s.values[k]; !known {
		s.insert(k)
	}
	s.values[k] = memValue{value: append(make([]byte, 0, len(value)), value...), due: due}
}

// Delete implements State.
func (s *MemState) Delete(key []byte) {
	k := string(key)
	if _, known := s.values[k]; !known {
		return
	}
	delete(s.values, k)
	r := s.run(k)
	run := s.runs[r]
	i := sort.SearchStrings(run, k)
	if run = append(run[:i], run[i+1:]...); len(run) > 0 {
		s.runs[r] = run
		return
	}
	s.runs = append(s.runs[:r], s.runs[r+1:]...)
}

// run returns the run that holds the key, or would.
func (s *MemState) run(key string) int {
	after := sort.Search(len(s.runs), func(i int) bool { return s.runs[i][0] > key })
	return max(after-1, 0)
}

func (s *MemState) insert(key string) {
	if len(s.runs) == 0 {
		s.runs = [][]string{{key}}
		return
	}
	r := s.run(key)
	run := s.runs[r]
	i := sort.SearchStrings(run, key)
	run = append(run, "")
	copy(run[i+1:], run[i:])
	run[i] = key
	s.runs[r] = run
	if len(run) <= maxRun {
		return
	}
	half := append(make([]string, 0, maxRun+1), run[maxRun/2:]...)
	clear(run[maxRun/2:])
	s.runs[r] = run[:maxRun/2]
	s.runs = append(s.runs, nil)
	copy(s.runs[r+2:], s.runs[r+1:])
	s.runs[r+1] = half
}

// Scan implements State.
func (s *MemState) Scan(from, to []byte, fn func(key, value []byte) bool) {
	if len(s.runs) == 0 {
		return
	}
	lo, hi := string(from), string(to)
	r := s.run(lo)
	i := sort.SearchStrings(s.runs[r], lo)
	for ; r < len(s.runs); r, i = r+1, 0 {
		for _, k := range s.runs[r][i:] {
			if k >= hi || !fn([]byte(k), s.values[k].value) {
				return
			}
		}
	}
}

// Due returns the instant at which the key asked to be visited, 0: none.
func (s *MemState) Due(key []byte) event.Time { return s.values[string(key)].due }

// Equal reports whether both hold the same keys, values and due instants.
func (s *MemState) Equal(other *MemState) bool {
	if len(s.values) != len(other.values) {
		return false
	}
	for k, v := range s.values {
		if o, ok := other.values[k]; !ok || o.due != v.due || !bytes.Equal(o.value, v.value) {
			return false
		}
	}
	return true
}

// Clone returns a copy that shares nothing.
func (s *MemState) Clone() *MemState {
	c := &MemState{values: make(map[string]memValue, len(s.values)), runs: make([][]string, len(s.runs))}
	for k, v := range s.values {
		c.values[k] = memValue{value: append([]byte(nil), v.value...), due: v.due}
	}
	for i, run := range s.runs {
		c.runs[i] = append([]string(nil), run...)
	}
	return c
}

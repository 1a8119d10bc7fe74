package segments

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// ids names the segments of a vector, ascending; all: also the hidden ones.
func (k *Keeper) ids(s *Set, all bool) []string {
	ranked := zeroed(k.ranked, len(k.hot.members))
	k.ranked = ranked
	n := 0
	for i, word := range k.hot.members {
		for n += bits.OnesCount64(word); word != 0; word &= word - 1 {
			set(ranked, s.plan.rank[i<<6+bits.TrailingZeros64(word)], true)
		}
	}
	if n == 0 {
		return nil
	}
	out := make([]string, 0, n)
	for i, word := range ranked {
		if !all {
			word &^= s.plan.hidden[i]
		}
		for ; word != 0; word &= word - 1 {
			out = append(out, s.plan.names[i<<6+bits.TrailingZeros64(word)])
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// report says in the entry what changed, and writes the names of the segments.
func (k *Keeper) report(st program.State, s *Set, in Input, e *event.Entry, was *hot, known bool) {
	moved := false
	if was != nil {
		moved = k.reportMoves(s, in, e, was)
	} else {
		moved = k.reportActivation(st, s, in, e, known)
	}
	if len(e.Segments) > 0 {
		k.changed = true
		key := k.keyOf(kindMembers, e.AccountID)
		if ids := k.ids(s, true); len(ids) > 0 {
			k.buffer = appendMembers(k.buffer[:0], ids)
			st.Put(key, k.buffer, 0)
		} else {
			st.Delete(key)
		}
	}
	if moved && e.Standing == nil {
		e.Standing = &event.Standing{CustomerID: e.AccountID, IsSimulated: e.IsSimulated}
		if k.person.has {
			e.Standing = k.person.account.Standing(e.AccountID)
		}
	}
	if e.Standing != nil {
		e.Standing.Segments = k.ids(s, false)
	}
}

// reportMoves compares with what was before, in the same set.
func (k *Keeper) reportMoves(s *Set, in Input, e *event.Entry, was *hot) (moved bool) {
	for i := range was.members {
		for word := was.members[i] ^ k.hot.members[i]; word != 0; word &= word - 1 {
			g := int32(i)<<6 + int32(bits.TrailingZeros64(word))
			moved = k.reportOne(s, g, in, e, was) || moved
		}
	}
	return moved
}

func (k *Keeper) reportOne(s *Set, g int32, in Input, e *event.Entry, was *hot) (visible bool) {
	segment, entered := &s.Segments[g], has(k.hot.members, g)
	change := event.SegmentChange{
		SegmentID: segment.ID, Version: segment.Version, Change: event.SegmentLeft,
		Clause: k.why(s, g, entered, was, in, k.days.Of(in.Clock, s.zone())), Cause: in.Cause,
	}
	if entered {
		change.Change = event.SegmentEntered
	}
	e.Segments = append(e.Segments, change)
	return !segment.hidden()
}

// removed is the clause of leaving a segment that is no more.
const removed = "the segment was removed"

// reportActivation compares with the names of the segments that a customer was in
// under another set.
func (k *Keeper) reportActivation(st program.State, s *Set, in Input, e *event.Entry, known bool) (moved bool) {
	var before []string
	if known {
		in.Cause = event.SegmentByActivation
		before = readMembers(st, e.AccountID)
	}
	for g := range s.Segments {
		_, was := slices.BinarySearch(before, s.Segments[g].ID)
		if was != has(k.hot.members, int32(g)) {
			moved = k.reportOne(s, int32(g), in, e, nil) || moved
		}
	}
	for _, id := range before {
		if _, ok := s.byID[id]; ok {
			continue
		}
		e.Segments = append(e.Segments, event.SegmentChange{SegmentID: id, Change: event.SegmentLeft, Clause: removed, Cause: in.Cause})
		moved = moved || !strings.HasPrefix(id, triggerPrefix)
	}
	return moved
}

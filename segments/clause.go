package segments

import "github.com/punchcard/punchcard/event"

// why names the condition that made a customer enter or leave a segment: the first
// of the file that flipped the way the segment did, just now rather than some time
// since the last visit. was is nil when nothing is known of before (a set that was
// just activated); then, and when no condition flipped that way, it is the first
// that decides.
func (k *Keeper) why(s *Set, g int32, entered bool, was *hot, in Input, today event.Day) string {
	code, is := s.plan.codes[g], &k.hot
	var stale *step
	for i := range code {
		c := &code[i]
		if was == nil {
			break
		}
		before, now := bitOf(c, was), bitOf(c, is)
		// Under a not, a condition that fails lets in.
		if before == now || (now != c.inverting) != entered {
			continue
		}
		if !c.leaf || k.fresh(s, c.index, now, in, today) {
			return s.clauseOf(c)
		}
		if stale == nil {
			stale = c
		}
	}
	if stale != nil {
		return s.clauseOf(stale)
	}
	// The way that the code takes ends at the condition that decides: of all, the
	// first that fails, or the last that holds.
	at := int16(0)
	for {
		c := &code[at]
		next := c.no
		if bitOf(c, is) {
			next = c.yes
		}
		if next < 0 {
			return s.clauseOf(c)
		}
		at = next
	}
}

func bitOf(c *step, h *hot) bool {
	if c.leaf {
		return has(h.leaves, c.index)
	}
	return has(h.members, c.index)
}

func (s *Set) clauseOf(c *step) string {
	text := ""
	if c.inverting {
		text = "not "
	}
	if c.leaf {
		return text + s.Leaves[c.index].Text
	}
	return text + "segment: " + s.Segments[c.index].ID
}

// fresh reports whether a leaf that is not as it was at the last visit flipped by
// what happens now. Time flips leaves between visits, when no membership hangs on
// them.
func (k *Keeper) fresh(s *Set, leaf int32, now bool, in Input, today event.Day) bool {
	l := &s.Leaves[leaf]
	v := k.values[l.Quantity]
	// Words have no value here: it may still be another set's.
	if isText(s.Quantities[l.Quantity].Kind) || v.shape == still || !v.ok {
		return true
	}
	if in.Event == nil {
		yesterday := k.value(s, int32(l.Quantity), today-1)
		return l.holdsNumber(yesterday) != now
	}
	// Days since rise by time; days to, and sums in a window, fall.
	rose := now == l.HasMin
	if l.HasMin && l.HasMax {
		rose = v.n > l.Max || now && v.n-l.Min < l.Max-v.n
	}
	return rose != (v.shape == rising || v.shape == gaps)
}

func (l *Leaf) holdsNumber(v value) bool {
	return v.ok && (!l.HasMin || v.n >= l.Min) && (!l.HasMax || v.n <= l.Max)
}

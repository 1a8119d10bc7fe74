package segments

// clause names the condition that made a customer enter or leave a segment: the
// first of the file that flipped the way the segment did. was is nil when nothing
// is known of before (a set that was just activated); then, and when no condition
// flipped that way, it is the first that decides.
func (s *Set) why(g int32, entered bool, was, is *hot) string {
	code := s.plan.codes[g]
	if was != nil {
		for i := range code {
			c := &code[i]
			before, now := bitOf(c, was), bitOf(c, is)
			// Under a not, a condition that fails lets in.
			if before != now && (now != c.inverting) == entered {
				return s.clauseOf(c)
			}
		}
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

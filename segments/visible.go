package segments

// Visible returns the segments that customers are said to be in: not campaigns'
// own conditions.
func (s *Set) Visible() []*Segment {
	if s == nil {
		return nil
	}
	var out []*Segment
	for i := range s.Segments {
		if !s.Segments[i].hidden() {
			out = append(out, &s.Segments[i])
		}
	}
	return out
}

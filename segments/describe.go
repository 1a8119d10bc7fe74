package segments

import (
	"fmt"
	"strings"
)

// Describe says what the segments are, in words that a marketer reads.
func (s *Set) Describe() string {
	if s == nil {
		return ""
	}
	var b strings.Builder
	for i := range s.Segments {
		if s.Segments[i].hidden() {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.DescribeSegment(s.Segments[i].ID))
	}
	return b.String()
}

// DescribeSegment says what one segment is; "" when there is none of the id.
func (s *Set) DescribeSegment(id string) string {
	g, ok := s.Find(id)
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, version %s)\n", g.Name, g.ID, g.Version)
	if g.Description != "" {
		fmt.Fprintf(&b, "  %s\n", g.Description)
	}
	b.WriteString("  Who is in it:\n")
	s.describe(&b, &g.Who, 2)
	return b.String()
}

var opWords = map[Op]string{OpAll: "all of these:", OpAny: "at least one of these:", OpNot: "not:"}

func (s *Set) describe(b *strings.Builder, n *Node, depth int) {
	if n.Op == OpNot && len(n.Children) == 1 && (n.Children[0].Op == OpLeaf || n.Children[0].Op == OpSegment) {
		fmt.Fprintf(b, "%snot %s\n", strings.Repeat("  ", depth), s.clause(&n.Children[0]))
		return
	}
	if w, ok := opWords[n.Op]; ok {
		fmt.Fprintf(b, "%s%s\n", strings.Repeat("  ", depth), w)
		for i := range n.Children {
			s.describe(b, &n.Children[i], depth+1)
		}
		return
	}
	fmt.Fprintf(b, "%s%s\n", strings.Repeat("  ", depth), s.clause(n))
}

// clause is a leaf, or a segment that is asked for, in one line.
func (s *Set) clause(n *Node) string {
	if n.Op == OpSegment {
		return "segment: " + s.Segments[n.Index].ID
	}
	return s.Leaves[n.Index].Text
}

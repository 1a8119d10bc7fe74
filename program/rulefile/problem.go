package rulefile

import (
	"slices"
	"strconv"
)

// MaxProblems bounds what one check reports.
const MaxProblems = 200

// Problem is one thing wrong with a rule file.
type Problem struct {
	File    string
	Line    int
	Column  int
	Path    string // $.rules[2].points
	Message string
	Hint    string
}

// String is one line: program.yaml:12:5: $.earn[2].points: what  (hint: …).
func (p Problem) String() string {
	s := p.File
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
	}
	s += ": "
	if p.Path != "" {
		s += p.Path + ": "
	}
	s += p.Message
	if p.Hint != "" {
		s += "  hint: " + p.Hint
	}
	return s
}

// Complaints collects problems up to MaxProblems.
type Complaints struct{ list []Problem }

// Add reports a problem.
func (c *Complaints) Add(p Problem) {
	if len(c.list) < MaxProblems {
		c.list = append(c.list, p)
	}
}

// Len is how many problems there are so far.
func (c *Complaints) Len() int { return len(c.list) }

// None reports whether nothing is wrong so far.
func (c *Complaints) None() bool { return len(c.list) == 0 }

// Sorted returns all problems by file, line and column.
func (c *Complaints) Sorted() []Problem {
	slices.SortStableFunc(c.list, func(a, b Problem) int {
		if a.File != b.File {
			if a.File < b.File {
				return -1
			}
			return 1
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return c.list
}

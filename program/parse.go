package program

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/punchcard/punchcard/event"
)

// ProgramFile is the rule file of a bundle.
const ProgramFile = "program.yaml"

// Limits on a rule file; the size of all files is event.MaxBundleBytes.
const (
	MaxFiles       = 64
	MaxRules       = 100
	MaxMultipliers = 40
	MaxTiers       = 20
	MaxExclusions  = 2000
	// MaxRulePoints bounds the points that one rule names, MaxMultiplierPercent
	// one multiplier: with the limits on money, products fit 128 bits.
	MaxRulePoints        = 1_000_000
	MaxMultiplierPercent = 10_000
	// MaxDays and MaxMonths bound every duration.
	MaxDays   = 3660
	MaxMonths = 120
	// MaxProblems bounds what one check reports.
	MaxProblems = 200
)

// bundleIDBytes is how much of the hash names a bundle: 64 bits.
const bundleIDBytes = 8

// Parse reads a bundle's files (relative path to content) and checks them. It
// reports all problems at once, in order of file and line; the Book is nil when
// there is one. The result depends on the files alone.
func Parse(files map[string]string) (*Book, []Problem) {
	c := &complaints{}
	if !checkFiles(files, c) {
		return nil, c.sorted()
	}
	b := &Book{ID: BundleID(files)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		// segments/*.yaml and campaigns/*.yaml get their own case here.
		switch name {
		case ProgramFile:
			if top, ok := readYAML(name, files[name], c); ok {
				readProgram(top, b)
			}
		default:
			c.add(Problem{File: name, Message: "is not a file of a bundle", Hint: "a bundle holds " + ProgramFile + "; keep other files elsewhere"})
		}
	}
	if len(c.list) > 0 {
		return nil, c.sorted()
	}
	return b, nil
}

// checkFiles looks at what must hold before anything is read.
func checkFiles(files map[string]string, c *complaints) bool {
	size := 0
	for name, content := range files {
		size += len(name) + len(content)
	}
	switch {
	case len(files) > MaxFiles:
		c.add(Problem{File: ProgramFile, Message: fmt.Sprintf("the bundle has %d files, at most %d", len(files), MaxFiles)})
	case size > event.MaxBundleBytes:
		c.add(Problem{File: ProgramFile, Message: fmt.Sprintf("the bundle has %d bytes, at most %d", size, event.MaxBundleBytes), Hint: "shorten lists and comments"})
	default:
		if _, ok := files[ProgramFile]; !ok {
			c.add(Problem{File: ProgramFile, Message: "is missing", Hint: "`punchcard program new` writes one"})
		}
		return true
	}
	return false
}

// BundleID is the content hash that names a version of the rules: the first 64
// bits, in hex, of SHA-256 over each file in order of name: name, 0, length in
// decimal, 0, content.
func BundleID(files map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		h.Write([]byte(name + "\x00" + strconv.Itoa(len(content)) + "\x00"))
		h.Write([]byte(content))
	}
	return hex.EncodeToString(h.Sum(nil)[:bundleIDBytes])
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

// complaints collects problems up to MaxProblems.
type complaints struct{ list []Problem }

func (c *complaints) add(p Problem) {
	if len(c.list) < MaxProblems {
		c.list = append(c.list, p)
	}
}

func (c *complaints) sorted() []Problem {
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

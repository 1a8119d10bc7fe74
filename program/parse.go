package program

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// ProgramFile is the rule file of a bundle.
const ProgramFile = "program.yaml"

// Files of a bundle that other packages read: what campaigns share, and a file
// per segment and campaign.
const (
	CampaignsFile = "campaigns.yaml"
	SegmentsDir   = "segments/"
	CampaignsDir  = "campaigns/"
)

// ofOthers reports whether a file of a bundle is not this package's to read.
func ofOthers(name string) bool {
	if name == CampaignsFile {
		return true
	}
	dir, file := path.Split(name)
	return (dir == SegmentsDir || dir == CampaignsDir) && strings.HasSuffix(file, ".yaml") && len(file) > len(".yaml")
}

// Limits on a rule file; the size of all files is event.MaxBundleBytes.
const (
	MaxFiles       = 1200
	MaxRules       = 100
	MaxMultipliers = 40
	MaxTiers       = 20
	MaxExclusions  = 2000
	// MaxRulePoints bounds the points that one rule names, MaxMultiplierPercent
	// one multiplier: with the limits on money, products fit 128 bits.
	MaxRulePoints        = 1_000_000
	MaxMultiplierPercent = 10_000
)

// bundleIDBytes is how much of the hash names a bundle: 64 bits.
const bundleIDBytes = 8

// Parse reads a bundle's files (relative path to content) and checks them. It
// reports all problems at once, in order of file and line; the Book is nil when
// there is one. The result depends on the files alone.
func Parse(files map[string]string) (*Book, []rulefile.Problem) {
	c := &rulefile.Complaints{}
	if !checkFiles(files, c) {
		return nil, c.Sorted()
	}
	b := &Book{ID: BundleID(files)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch {
		case name == ProgramFile:
			if top, ok := rulefile.Read(name, files[name], c); ok {
				readProgram(top, b)
			}
		case !ofOthers(name):
			c.Add(rulefile.Problem{File: name, Message: "is not a file of a bundle", Hint: "a bundle holds " + ProgramFile + ", " + CampaignsFile + ", " + SegmentsDir + "*.yaml and " + CampaignsDir + "*.yaml; keep other files elsewhere"})
		}
	}
	if !c.None() {
		return nil, c.Sorted()
	}
	return b, nil
}

// checkFiles looks at what must hold before anything is read.
func checkFiles(files map[string]string, c *rulefile.Complaints) bool {
	size := 0
	for name, content := range files {
		size += len(name) + len(content)
	}
	switch {
	case len(files) > MaxFiles:
		c.Add(rulefile.Problem{File: ProgramFile, Message: fmt.Sprintf("the bundle has %d files, at most %d", len(files), MaxFiles)})
	case size > event.MaxBundleBytes:
		c.Add(rulefile.Problem{File: ProgramFile, Message: fmt.Sprintf("the bundle has %d bytes, at most %d", size, event.MaxBundleBytes), Hint: "shorten lists and comments"})
	default:
		if _, ok := files[ProgramFile]; !ok {
			c.Add(rulefile.Problem{File: ProgramFile, Message: "is missing", Hint: "`punchcard program new` writes one"})
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

package bundle

import (
	"strings"

	"github.com/punchcard/punchcard/campaigns"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/rulefile"
	"github.com/punchcard/punchcard/segments"
)

// Bundle is one version of everything that a program says, parsed and checked. It
// is never changed.
type Bundle struct {
	ID        string // program.BundleID of the files
	Book      *program.Book
	Segments  *segments.Set
	Campaigns *campaigns.Plan

	asked map[string]bool
}

// Parse reads a bundle's files (relative path to content) and checks them. It
// reports all problems of all files at once, in order of file and line; the
// Bundle is nil when there is one. Files without segments or campaigns are fine:
// the parts are then empty.
func Parse(files map[string]string) (*Bundle, []rulefile.Problem) {
	c := &rulefile.Complaints{}
	book, problems := program.Parse(files)
	add(c, problems)
	if tooLarge(files) {
		return nil, c.Sorted()
	}
	conditions := campaigns.Conditions(files, book, c)
	ladder, known := book, true
	if book == nil {
		ladder, known = guess(files[program.ProgramFile])
	}
	var set *segments.Set
	if known {
		set, problems = segments.Parse(files, ladder, conditions)
		add(c, problems)
	}
	plan, problems := campaigns.Parse(files, book, set)
	add(c, problems)
	if !c.None() {
		return nil, c.Sorted()
	}
	b := &Bundle{ID: book.ID, Book: book, Segments: set, Campaigns: plan}
	b.ask()
	return b, nil
}

func add(c *rulefile.Complaints, problems []rulefile.Problem) {
	for _, p := range problems {
		c.Add(p)
	}
}

// tooLarge: program has said so, and nothing more is read.
func tooLarge(files map[string]string) bool {
	size := 0
	for name, content := range files {
		size += len(name) + len(content)
	}
	return len(files) > program.MaxFiles || size > event.MaxBundleBytes
}

// guess reads what segments need of a program.yaml that has problems of its own,
// so that theirs are reported beside them and none that comes of the others; false
// when it is not readable at all.
func guess(content string) (*program.Book, bool) {
	top, ok := rulefile.Read(program.ProgramFile, content, &rulefile.Complaints{})
	if !ok || !top.IsMap() {
		return nil, false
	}
	book := &program.Book{ExpiryDays: 1}
	book.Tiers.ReviewDays = 1
	parts := top.Children()
	if p, ok := parts["currency"]; ok {
		if code, _ := p.Scalar(); event.ValidCurrency(code) {
			book.Currency = code
		}
	}
	tiers, ok := parts["tiers"]
	if !ok {
		return book, true
	}
	levels, ok := tiers.Children()["levels"]
	if !ok {
		return nil, false
	}
	for _, item := range levels.Items(program.MaxTiers) {
		id, ok := item.Children()["id"]
		if !ok {
			return nil, false
		}
		name, _ := id.Scalar()
		book.Tiers.Levels = append(book.Tiers.Levels, program.TierLevel{ID: name})
	}
	return book, len(book.Tiers.Levels) > 0
}

// AsksFor reports whether a segment or campaign asks for a trait, or a property of
// an event, of that name: what nobody asks for need not enter the log.
func (b *Bundle) AsksFor(name string) bool { return b != nil && b.asked[name] }

func (b *Bundle) ask() {
	b.asked = make(map[string]bool)
	for i := range b.Segments.Quantities {
		q := &b.Segments.Quantities[i]
		b.askWhere(q.Event, q.Where)
		b.askName(q.Property)
		b.askName(q.Fact)
	}
	for i := range b.Campaigns.Campaigns {
		c := &b.Campaigns.Campaigns[i]
		b.askWhere(c.Trigger.Event, c.Trigger.Where)
		if c.WaitFor != nil {
			b.askWhere(c.WaitFor.Event, c.WaitFor.Where)
		}
	}
}

// askWhere: what is asked of orders is in the order itself.
func (b *Bundle) askWhere(name string, where []segments.Filter) {
	if name == event.NameOrderCompleted {
		return
	}
	for i := range where {
		b.askName(where[i].Property)
	}
}

// askName: consent.email is a part of the trait consent.
func (b *Bundle) askName(name string) {
	if name == "" {
		return
	}
	b.asked[name] = true
	if whole, _, inner := strings.Cut(name, "."); inner {
		b.asked[whole] = true
	}
}

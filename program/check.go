package program

import (
	"maps"
	"slices"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// checkReferences looks at what one part of the file says about another: ids
// that must differ, names that must exist.
func checkReferences(f rulefile.Fields, b *Book) {
	tiers := make(map[string]bool)
	for _, item := range f.Each(MaxExclusions, "tiers", "levels") {
		checkUnique(item, tiers, "tier")
	}
	// Rules, enrolments and multipliers stand side by side in decisions.
	rules := make(map[string]bool)
	spend := make(map[string]bool)
	for _, r := range b.Rules {
		if r.Kind == RuleSpend {
			spend[r.ID] = true
		}
	}
	for _, section := range [...]string{"enrolment", "earn", "multipliers"} {
		for _, item := range f.Each(MaxExclusions, section) {
			checkUnique(item, rules, "rule or multiplier")
		}
	}
	for _, section := range [...]string{"earn", "multipliers"} {
		for _, item := range f.Each(MaxExclusions, section) {
			checkNamed(item, "tiers", tiers, "tier")
		}
	}
	for _, item := range f.Each(MaxExclusions, "multipliers") {
		checkNamed(item, "rules", spend, "rule on: order")
	}
	if at, ok := f.Get("multipliers"); ok && f.Complaints.None() {
		checkMeeting(at, b)
	}
}

// checkMeeting refuses more multipliers on one order than are counted: none may
// be left out in silence. Meetings begin where one of them begins.
func checkMeeting(p rulefile.Place, b *Book) {
	if len(b.Multipliers) <= maxMultipliers {
		return
	}
	tiers := []string{""}
	for _, l := range b.Tiers.Levels {
		tiers = append(tiers, l.ID)
	}
	for i := range b.Rules {
		if b.Rules[i].Kind != RuleSpend {
			continue
		}
		for j := range b.Multipliers {
			for day := time.Sunday; day <= time.Saturday; day++ {
				for _, tier := range tiers {
					if meeting(b, b.Rules[i].ID, b.Multipliers[j].From, day, tier) > maxMultipliers {
						p.Problem("join some, or limit them by weekdays, tiers, rules or time", "more than %d meet on one order of rule %s", maxMultipliers, rulefile.Clip(b.Rules[i].ID))
						return
					}
				}
			}
		}
	}
}

func meeting(b *Book, rule string, at event.Time, day time.Weekday, tier string) (n int) {
	for i := range b.Multipliers {
		m := &b.Multipliers[i]
		// From 0 is open: it is met by the earliest of the others too.
		if m.applies(rule, max(at, 1), day, tier) {
			n++
		}
	}
	return n
}

func checkUnique(f rulefile.Fields, seen map[string]bool, what string) {
	p, ok := f.Get("id")
	if !ok {
		return
	}
	p.Complaints = f.Complaints
	id, _ := p.Scalar()
	if seen[id] && id != "" {
		p.Problem("give each its own name", "there is another %s %q", what, rulefile.Clip(id))
	}
	seen[id] = true
}

func checkNamed(f rulefile.Fields, key string, known map[string]bool, what string) {
	p, ok := f.Get(key)
	if !ok {
		return
	}
	for _, item := range p.Silently().Items(MaxExclusions) {
		name, ok := item.Scalar()
		if !ok || known[name] {
			continue
		}
		item.Complaints = f.Complaints
		item.Problem(rulefile.Suggest(name, slices.Sorted(maps.Keys(known))), "there is no %s %q", what, rulefile.Clip(name))
	}
}

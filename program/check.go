package program

import (
	"maps"
	"slices"
	"time"

	"github.com/punchcard/punchcard/event"
)

// checkReferences looks at what one part of the file says about another: ids
// that must differ, names that must exist.
func checkReferences(f fields, b *Book) {
	tiers := make(map[string]bool)
	for _, item := range f.each("tiers", "levels") {
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
		for _, item := range f.each(section) {
			checkUnique(item, rules, "rule or multiplier")
		}
	}
	for _, section := range [...]string{"earn", "multipliers"} {
		for _, item := range f.each(section) {
			checkNamed(item, "tiers", tiers, "tier")
		}
	}
	for _, item := range f.each("multipliers") {
		checkNamed(item, "rules", spend, "rule on: order")
	}
	if at, ok := f.get("multipliers"); ok && len(f.complaints.list) == 0 {
		checkMeeting(at, b)
	}
}

// checkMeeting refuses more multipliers on one order than are counted: none may
// be left out in silence. Meetings begin where one of them begins.
func checkMeeting(p place, b *Book) {
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
						p.problem("join some, or limit them by weekdays, tiers, rules or time", "more than %d meet on one order of rule %s", maxMultipliers, clip(b.Rules[i].ID))
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

// each returns the entries of the list at a path, silently: their form was
// checked before.
func (f fields) each(path ...string) []fields {
	at, ok := f.get(path[0])
	if !ok {
		return nil
	}
	for _, key := range path[1:] {
		if at, ok = at.children()[key]; !ok {
			return nil
		}
	}
	var out []fields
	for _, item := range at.silently().items(MaxExclusions) {
		inner := fields{place: item, byKey: item.children()}
		inner.complaints = f.complaints
		out = append(out, inner)
	}
	return out
}

func checkUnique(f fields, seen map[string]bool, what string) {
	p, ok := f.get("id")
	if !ok {
		return
	}
	p.complaints = f.complaints
	id, _ := scalar(p.node)
	if seen[id] && id != "" {
		p.problem("give each its own name", "there is another %s %q", what, clip(id))
	}
	seen[id] = true
}

func checkNamed(f fields, key string, known map[string]bool, what string) {
	p, ok := f.get(key)
	if !ok {
		return
	}
	for _, item := range p.silently().items(MaxExclusions) {
		name, ok := scalar(item.node)
		if !ok || known[name] {
			continue
		}
		item.complaints = f.complaints
		item.problem(suggest(name, slices.Sorted(maps.Keys(known))), "there is no %s %q", what, clip(name))
	}
}

package program

import (
	"maps"
	"slices"
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

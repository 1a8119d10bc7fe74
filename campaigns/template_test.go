package campaigns

import (
	"slices"
	"testing"

	"github.com/punchcard/punchcard/program/rulefile"
)

func parseTemplate(t *testing.T, text string) Template {
	t.Helper()
	c := &rulefile.Complaints{}
	top, ok := rulefile.Read("f", text, c)
	out := readTemplate(top, false, variablesOf(nil, EventSeen))
	if !ok || !c.None() {
		t.Fatalf("%q: %v", text, c.Sorted())
	}
	return out
}

func TestRender(t *testing.T) {
	values := map[string]string{"balance": "120", "tier": "Gold {{orders}}", "points_name": ""}
	vars := func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
	for _, c := range []struct{ template, text, missing string }{
		{`"plain"`, "plain", ""},
		{`"{{balance}}"`, "120", ""},
		{`"{{balance}}{{balance}}"`, "120120", ""},
		{`"a {{ balance }} b {{tier}}."`, "a 120 b Gold {{orders}}.", ""}, // what is filled in is not read again
		{`"Dear {{ first_name }} {{last_name}} ({{email}}): {{balance}}"`, "Dear {{first_name}} {{last_name}} ({{email}}): 120", ""},
		{`"none: {{points_name}}"`, "none: ", ""},
		{`"{single} }{ and {{balance}}}"`, "{single} }{ and 120}", ""},
		{`"{{balance}} {{orders}}"`, "", "orders"},
		{"|\n  one\n  two {{balance}}\n\n", "one\ntwo 120", ""},
	} {
		text, missing := parseTemplate(t, c.template).Render(vars)
		if text != c.text || missing != c.missing {
			t.Errorf("%s: %q, missing %q; want %q, %q", c.template, text, missing, c.text, c.missing)
		}
	}
}

func TestUses(t *testing.T) {
	got := parseTemplate(t, `"{{tier}} {{first_name}} {{balance}} {{tier}}"`).Uses()
	if want := []string{"balance", "tier"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestVariablesOfTheProgram: what a program cannot know is not asked for.
func TestVariablesOfTheProgram(t *testing.T) {
	book := testBook(t)
	plain := *book
	plain.Tiers.Levels, plain.ExpiryMonths, plain.ExpiryDays = nil, 0, 0
	for _, name := range Variables {
		if hint, ok := variablesOf(book, PointsEarned)(name); !ok {
			t.Errorf("%s: %s", name, hint)
		}
		lacking := map[string]bool{"tier": true, "next_tier": true, "spend_to_next_tier": true, "spend_to_keep_tier": true, "tier_review_on": true, "expiring_points": true, "expires_on": true}
		if _, ok := variablesOf(&plain, PointsEarned)(name); ok == lacking[name] {
			t.Errorf("%s without tiers and expiry: %v", name, ok)
		}
		if _, ok := variablesOf(book, Scheduled)(name); ok == (name == "points_earned") {
			t.Errorf("%s on a schedule: %v", name, ok)
		}
	}
}

package campaigns

import (
	"maps"
	"slices"
	"strings"
)

// Template is a checked text: literal parts and variables in turns.
type Template struct {
	Parts []Part
}

// Part is a literal (Variable "") or a variable. Personal ones, which the tool
// fills, are literals: {{first_name}} stays as it is.
type Part struct {
	Literal  string
	Variable string
}

// Variables that a template may use; their values are of the moment at which the
// message is decided, points and counts in digits, money in major units, days as
// 2006-01-02.
const (
	VarBalance       = "balance"               // points that may be spent
	VarPointsName    = "points_name"           // what the program calls them
	VarTier          = "tier"                  // the tier's name
	VarNextTier      = "next_tier"             // name of the next one up; no value at the top
	VarSpendToNext   = "spend_to_next_tier"    // money lacking to it; no value at the top
	VarSpendToKeep   = "spend_to_keep_tier"    // money lacking at the review if nothing more is bought; no value without one
	VarTierReview    = "tier_review_on"        // day of the review
	VarExpiring      = "expiring_points"       // points that expire next
	VarExpiresOn     = "expires_on"            // the last day on which they count
	VarOrders        = "orders"                // orders not wholly refunded, ever
	VarDaysSinceLast = "days_since_last_order" // whole days of the program's zone
	VarEarned        = "points_earned"         // by the entry that triggered the run
	VarMinimum       = "minimum_redemption"    // the fewest points that one may redeem
	VarProgram       = "program"               // the program's name
)

// Variables are all of them, and Personal what the tool fills, which holds the
// customers' names and addresses.
var (
	Variables = []string{
		VarBalance, VarPointsName, VarTier, VarNextTier, VarSpendToNext, VarSpendToKeep, VarTierReview, VarExpiring, VarExpiresOn,
		VarOrders, VarDaysSinceLast, VarEarned, VarMinimum, VarProgram,
	}
	Personal = []string{"first_name", "last_name", "email"}
)

// Render fills the variables in; vars gives a variable's value, false: it has
// none, and then Render returns the variable's name as missing and no text.
func (t Template) Render(vars func(name string) (value string, ok bool)) (text, missing string) {
	var b strings.Builder
	for _, p := range t.Parts {
		if p.Variable == "" {
			b.WriteString(p.Literal)
			continue
		}
		value, ok := vars(p.Variable)
		if !ok {
			return "", p.Variable
		}
		b.WriteString(value)
	}
	return b.String(), ""
}

// Uses returns the variables of the template, each once, in order of name.
func (t Template) Uses() []string {
	used := make(map[string]bool)
	for _, p := range t.Parts {
		if p.Variable != "" {
			used[p.Variable] = true
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// String is the template as it is written.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t.Parts {
		b.WriteString(p.Literal)
		if p.Variable != "" {
			b.WriteString("{{" + p.Variable + "}}")
		}
	}
	return b.String()
}

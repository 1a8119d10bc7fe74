package campaigns

import (
	"slices"
	"strings"
	"unicode"

	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/rulefile"
)

// maxSubjectBytes bounds a subject; mail systems fold and clip longer ones.
const maxSubjectBytes = 500

// readTemplate reads a text with {{variables}}; a subject is one line.
func readTemplate(p rulefile.Place, subject bool, allowed func(name string) (hint string, ok bool)) Template {
	most := MaxTextBytes
	if subject {
		most = maxSubjectBytes
	}
	text, ok := p.Passage(most)
	if !ok {
		return Template{}
	}
	if at := strings.IndexFunc(text.Text, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }); at >= 0 {
		text.ProblemAt(at, "remove it", "holds a control character")
		return Template{}
	}
	if at := strings.IndexAny(text.Text, "\n\t"); subject && at >= 0 {
		text.ProblemAt(at, "write it in one line", "a subject has no line breaks or tabs")
		return Template{}
	}
	return split(text, allowed)
}

// split cuts the text at its braces.
func split(text rulefile.Passage, allowed func(string) (string, bool)) Template {
	var t Template
	literal := ""
	rest, at := text.Text, 0
	for {
		i := strings.Index(rest, "{{")
		before := rest
		if i >= 0 {
			before = rest[:i]
		}
		if j := strings.Index(before, "}}"); j >= 0 {
			text.ProblemAt(at+j, "write {{name}}", "}} closes nothing")
		}
		literal += before
		if i < 0 {
			break
		}
		at += i
		inner := rest[i+2:]
		end := strings.Index(inner, "}}")
		if end < 0 || strings.ContainsAny(inner[:end], "{\n") {
			text.ProblemAt(at, "write {{name}}", "{{ is not closed")
			rest, at = inner, at+2
			continue
		}
		name := strings.TrimSpace(inner[:end])
		switch hint, ok := allowed(name); {
		case slices.Contains(Personal, name):
			literal += "{{" + name + "}}"
		case !ok:
			text.ProblemAt(at, hint, "no variable %q here", rulefile.Clip(name))
		default:
			if literal != "" {
				t.Parts, literal = append(t.Parts, Part{Literal: literal}), ""
			}
			t.Parts = append(t.Parts, Part{Variable: name})
		}
		rest, at = inner[end+2:], at+2+end+2
	}
	if literal != "" {
		t.Parts = append(t.Parts, Part{Literal: literal})
	}
	return t
}

// variablesOf says which variables make sense for a campaign: one that could
// never have a value would hold back every message.
func variablesOf(book *program.Book, kind TriggerKind) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if !slices.Contains(Variables, name) {
			return rulefile.Suggest(name, append(slices.Clone(Variables), Personal...)), false
		}
		switch name {
		case VarTier, VarNextTier, VarSpendToNext, VarSpendToKeep, VarTierReview:
			if book != nil && len(book.Tiers.Levels) == 0 {
				return "the program has no tiers", false
			}
		case VarExpiring, VarExpiresOn:
			if book != nil && book.ExpiryMonths == 0 && book.ExpiryDays == 0 {
				return "points of this program never expire", false
			}
		case VarEarned:
			switch kind {
			case Scheduled, Inactivity, Birthday, PointsExpire:
				return "nothing is earned when time alone starts the campaign", false
			}
		}
		return "", true
	}
}

package segments

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// Bounds of what a quantity is compared with.
const (
	maxNumber = 1_000_000_000_000
	maxDays   = 36_600
	maxScore  = 5
)

var (
	hundred       = big.NewRat(100, 1)
	maxHundredths = big.NewRat(100_000, 1)
)

// Keys of comparisons.
const (
	keyIs    = "is"
	keyIn    = "in"
	keyKnown = "known"
)

var (
	rangeKeys      = []string{"at_least", "at_most", "more_than", "less_than"}
	comparisonKeys = append([]string{keyIs, keyIn, keyKnown}, rangeKeys...)
)

// comparison is the part that a Leaf and a Filter have in common.
type comparison struct {
	Form           Form
	Min, Max       int64
	HasMin, HasMax bool
	Words          []string
	Truth          bool
}

// compare reads a comparison: {at_least: 2}, or a bare value where that can only
// mean is. Fields are those of a leaf that has other keys too, nil: p holds the
// comparison alone.
func (r *reader) compare(what string, p rulefile.Place, f *rulefile.Fields, u unit) (comparison, string) {
	if f == nil && !p.IsMap() {
		if u != unitWord && u != unitScore && u != unitAny {
			p.Problem(such(u), "%s is compared with nothing", what)
			return comparison{}, ""
		}
		if p.IsList() {
			p.Problem("write {in: [a, b]}", "is a list")
			return comparison{}, ""
		}
		c := r.is(p, u)
		return c, c.value(r, u)
	}
	if f == nil {
		all, ok := p.Fields(comparisonKeys...)
		if !ok {
			return comparison{}, ""
		}
		f = &all
	}
	alone, count := "", 0
	for _, key := range comparisonKeys {
		if _, ok := f.Get(key); ok {
			if count++; !slices.Contains(rangeKeys, key) {
				alone = key
			}
		}
	}
	switch {
	case count == 0:
		p.Problem(such(u), "%s is compared with nothing", what)
		return comparison{}, ""
	case alone == "":
		return r.limits(what, p, f, u)
	case count > 1:
		at, _ := f.Get(alone)
		at.Problem("keep one of them", "%s stands alone", alone)
		return comparison{}, ""
	}
	return r.single(what, alone, f, u)
}

// such is an example of a comparison.
func such(u unit) string {
	switch u {
	case unitMoney:
		return "such as {at_least: 100.00}"
	case unitDays:
		return "such as {more_than: 30}"
	case unitWord, unitRank:
		return "such as {in: [a, b]}"
	}
	return "such as {at_least: 2}"
}

// single reads is, in or known.
func (r *reader) single(what, key string, f *rulefile.Fields, u unit) (comparison, string) {
	at, _ := f.Get(key)
	switch key {
	case keyKnown:
		if !at.Bool() {
			at.Problem("write not: with known: true under it", "known can only be true")
		}
		return comparison{Form: FormKnown}, "known"
	case keyIn:
		if u != unitAny && u != unitWord {
			at.Problem("use is, at_least, at_most, more_than or less_than", "in compares words, and %s is a number", what)
			return comparison{}, ""
		}
		c := comparison{Form: FormWords, Words: r.wordList(at)}
		return c, "in " + strings.Join(c.Words, ", ")
	}
	c := r.is(at, u)
	return c, "is " + c.value(r, u)
}

func (r *reader) wordList(p rulefile.Place) []string {
	var out []string
	items := p.Items(MaxValues)
	for _, item := range items {
		if w := r.word(item); w != "" {
			out = append(out, w)
		}
	}
	if items != nil && len(items) == 0 {
		p.Problem("name at least one", "is an empty list")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// word reads a text that a value can be. Lists are JSON texts that no word equals.
func (r *reader) word(p rulefile.Place) string {
	w := p.Text()
	if strings.HasPrefix(w, "[") {
		p.Problem("", "a word cannot begin with [")
		return ""
	}
	return w
}

// is reads what a value must be: of facts and properties the form says which kind.
func (r *reader) is(p rulefile.Place, u unit) comparison {
	switch u {
	case unitWord:
		return words1(r.word(p))
	case unitAny:
		switch s, text := p.Scalar(); {
		case p.Kind() == "true or false":
			return comparison{Form: FormTruth, Truth: p.Bool()}
		case text || !wholeNumber(s):
			return words1(r.word(p))
		}
	}
	v := r.number(p, u)
	return comparison{Form: FormRange, Min: v, Max: v, HasMin: true, HasMax: true}
}

func words1(w string) comparison { return comparison{Form: FormWords, Words: []string{w}} }

// limits reads at_least, at_most, more_than and less_than.
func (r *reader) limits(what string, p rulefile.Place, f *rulefile.Fields, u unit) (comparison, string) {
	if u == unitWord {
		p.Problem("use is or in", "%s is a word, which is not more or less", what)
		return comparison{}, ""
	}
	c := comparison{Form: FormRange}
	var text []string
	for _, key := range rangeKeys {
		at, ok := f.Get(key)
		if !ok {
			continue
		}
		v := r.number(at, u)
		text = append(text, key+" "+r.write(v, u))
		switch key {
		case "more_than":
			v++
			fallthrough
		case "at_least":
			if c.HasMin {
				at.Problem("keep one of them", "at_least and more_than stand together")
			}
			c.Min, c.HasMin = v, true
		case "less_than":
			v--
			fallthrough
		case "at_most":
			if c.HasMax {
				at.Problem("keep one of them", "at_most and less_than stand together")
			}
			c.Max, c.HasMax = v, true
		}
	}
	if c.HasMin && c.HasMax && c.Min > c.Max {
		p.Problem("the lower bound first", "nothing is both %s", strings.Join(text, " and "))
	}
	return c, strings.Join(text, ", ")
}

// number reads a bound in the unit's smallest parts.
func (r *reader) number(p rulefile.Place, u unit) int64 {
	switch u {
	case unitMoney:
		return p.Money(r.book.Currency, 0)
	case unitDays:
		return p.Integer(0, maxDays)
	case unitScore:
		return p.Integer(1, maxScore)
	case unitRank:
		id := p.Text()
		if i := slices.Index(r.tiers(), id); i >= 0 {
			return int64(i) + 1
		}
		if id != "" {
			r.knownTiers(p, []string{id})
		}
		return 0
	}
	return p.Integer(-maxNumber, maxNumber)
}

// write is number backwards.
func (r *reader) write(v int64, u unit) string {
	switch u {
	case unitMoney:
		return money(v, r.book.Currency)
	case unitRank:
		if ids := r.tiers(); v >= 1 && v <= int64(len(ids)) {
			return ids[v-1]
		}
	}
	return fmt.Sprint(v)
}

// value writes what is compares with.
func (c *comparison) value(r *reader, u unit) string {
	switch c.Form {
	case FormWords:
		return strings.Join(c.Words, ", ")
	case FormTruth:
		return fmt.Sprint(c.Truth)
	}
	return r.write(c.Min, u)
}

// money writes minor units as an amount in major units.
func money(minor int64, currency string) string {
	digits := event.MinorDigits(currency)
	if digits == 0 {
		return fmt.Sprint(minor)
	}
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	s := fmt.Sprintf("%0*d", digits+1, minor)
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

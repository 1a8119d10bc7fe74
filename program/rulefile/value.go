package rulefile

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/punchcard/punchcard/event"
)

// Text reads a short text; numbers count as the text that they are.
func (p Place) Text() string {
	s, ok := scalar(p.node)
	switch {
	case !ok:
		p.Problem("put it in quotes when it is text", "is %s, not text", kindOf(p.node))
	case strings.TrimSpace(s) == "":
		p.Problem("", "is empty")
	case len(s) > event.MaxNameBytes:
		p.Problem("", "is longer than %d bytes", event.MaxNameBytes)
	case strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\uFFFD' }):
		p.Problem("", "holds a control character or bytes that are not UTF-8")
	default:
		return s
	}
	return ""
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// ID reads the name of a rule, multiplier or tier.
func (p Place) ID() string {
	s := p.Text()
	if s != "" && !idForm.MatchString(s) {
		p.Problem("small letters, digits, - and _, such as double-sunday", "%q is not an id", Clip(s))
		return ""
	}
	return s
}

// Choice reads one of the words.
func (p Place) Choice(words ...string) string {
	s := p.Text()
	if s != "" && !contains(words, s) {
		p.Problem(Suggest(s, words), "%q is not a choice here", Clip(s))
		return ""
	}
	return s
}

// Integer reads a whole number between low and high.
func (p Place) Integer(low, high int64) int64 {
	s, ok := scalar(p.node)
	if !ok {
		p.Problem("", "is %s, not a whole number", kindOf(p.node))
		return low
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		p.Problem("digits only, such as 100", "%q is not a whole number", Clip(s))
		return low
	}
	if v < low || v > high {
		p.Problem("", "%d is not between %d and %d", v, low, high)
		return low
	}
	return v
}

// Money reads an exact amount in major units and returns minor units, between
// low minor units and event.MaxAmountMinor.
func (p Place) Money(currency string, low int64) int64 {
	s, ok := scalar(p.node)
	if !ok {
		p.Problem("such as 10.00", "is %s, not an amount of money", kindOf(p.node))
		return low
	}
	amount, err := event.ParseDecimal(s)
	if err != nil {
		p.Problem("digits and a point, such as 1250.00, without sign or comma", "%q is not an amount of money", Clip(s))
		return low
	}
	minor, err := event.Minor(amount, currency)
	if err != nil || minor < low {
		p.Problem("", "%s is not an amount that can stand here", Clip(s))
		return low
	}
	digits := event.MinorDigits(currency)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	// Without a currency, which is a problem of its own, decimals are not judged.
	if currency != "" && new(big.Rat).SetFrac(big.NewInt(minor), scale).Cmp(amount) != 0 {
		p.Problem("", "%s has more than the %d decimals of %s", Clip(s), digits, currency)
		return low
	}
	return minor
}

// MaxDays and MaxMonths bound every duration.
const (
	MaxDays   = 3660
	MaxMonths = 120
)

var spanForm = regexp.MustCompile(`^([0-9]{1,6}) +(day|week|month|year)s?$`)

// Span reads "12 months", "365 days", "2 weeks", "1 year".
func (p Place) Span() (months, days int) {
	s := p.Text()
	if s == "" {
		return 0, 0
	}
	m := spanForm.FindStringSubmatch(s)
	if m == nil {
		p.Problem("such as 12 months or 365 days", "%q is not a length of time", Clip(s))
		return 0, 0
	}
	n, _ := strconv.Atoi(m[1]) // six digits fit
	switch m[2] {
	case "day":
		days = n
	case "week":
		days = 7 * n
	case "month":
		months = n
	case "year":
		months = 12 * n
	}
	if n == 0 || days > MaxDays || months > MaxMonths {
		p.Problem("", "%q is not between 1 day and %d days or %d months", Clip(s), MaxDays, MaxMonths)
		return 0, 0
	}
	return months, days
}

// Days reads a length of time in days or weeks.
func (p Place) Days() int {
	months, days := p.Span()
	if months > 0 {
		p.Problem("months differ in length: write it in days, such as 365 days", "must be in days or weeks")
	}
	return days
}

// Instant reads a time with a zone, or a date, or a date and time of day in the
// program's zone. A date means its first instant.
func (p Place) Instant(zone *time.Location) event.Time {
	s := p.Text()
	if s == "" || zone == nil {
		return 0
	}
	if t, err := event.ParseTime(s); err == nil {
		if t <= 0 || t.Std().Year() > 9999 {
			p.Problem("", "%q is not a time after 1970", Clip(s))
			return 0
		}
		return t
	}
	for _, layout := range [...]string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		wall, err := time.Parse(layout, s)
		if err != nil || wall.Year() < 1971 {
			continue
		}
		if layout == time.DateOnly {
			return event.DayOn(wall.Date()).Start(zone)
		}
		return p.wallClock(wall, zone, s)
	}
	p.Problem("such as 2026-02-01, 2026-02-01 09:00 or 2026-02-01T09:00:00Z", "%q is not a date or time after 1970", Clip(s))
	return 0
}

// wallClock turns a time of day into an instant; clocks that go forward or back
// leave some that do not exist or exist twice.
func (p Place) wallClock(wall time.Time, zone *time.Location, s string) event.Time {
	guess := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	same := 0
	for _, d := range [...]time.Duration{-2 * time.Hour, -time.Hour, -30 * time.Minute, 0, 30 * time.Minute, time.Hour, 2 * time.Hour} {
		if guess.Add(d).Format(time.DateTime) == wall.Format(time.DateTime) {
			same++
		}
	}
	if same != 1 {
		p.Problem("the clocks change then: add the zone, such as 2026-10-25T01:30:00Z", "%q exists %d times in %s", Clip(s), same, zone)
		return 0
	}
	return event.At(guess)
}

// Weekdays reads [sunday, monday].
func (p Place) Weekdays() []time.Weekday {
	names := make([]string, 7)
	for d := range names {
		names[d] = strings.ToLower(time.Weekday(d).String())
	}
	var out []time.Weekday
	for _, item := range p.Items(7) {
		name := strings.ToLower(item.Text())
		found := false
		for d, n := range names {
			if name == n || (len(name) == 3 && name == n[:3]) {
				out, found = append(out, time.Weekday(d)), true
			}
		}
		if name != "" && !found {
			item.Problem(Suggest(name, names), "%q is not a day of the week", Clip(name))
		}
	}
	return out
}

// Bool reads true or false.
func (p Place) Bool() bool {
	b, ok := p.node.(*ast.BoolNode)
	if !ok {
		p.Problem("write true or false", "is %s, not true or false", kindOf(p.node))
		return false
	}
	return b.Value
}

package program

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
)

// text reads a short text; numbers count as the text that they are.
func (p place) text() string {
	s, ok := scalar(p.node)
	switch {
	case !ok:
		p.problem("put it in quotes when it is text", "is %s, not text", kindOf(p.node))
	case strings.TrimSpace(s) == "":
		p.problem("", "is empty")
	case len(s) > event.MaxNameBytes:
		p.problem("", "is longer than %d bytes", event.MaxNameBytes)
	case strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\uFFFD' }):
		p.problem("", "holds a control character or bytes that are not UTF-8")
	default:
		return s
	}
	return ""
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// id reads the name of a rule, multiplier or tier.
func (p place) id() string {
	s := p.text()
	if s != "" && !idForm.MatchString(s) {
		p.problem("small letters, digits, - and _, such as double-sunday", "%q is not an id", clip(s))
		return ""
	}
	return s
}

// choice reads one of the words.
func (p place) choice(words ...string) string {
	s := p.text()
	if s != "" && !contains(words, s) {
		p.problem(suggest(s, words), "%q is not a choice here", clip(s))
		return ""
	}
	return s
}

// integer reads a whole number between low and high.
func (p place) integer(low, high int64) int64 {
	s, ok := scalar(p.node)
	if !ok {
		p.problem("", "is %s, not a whole number", kindOf(p.node))
		return low
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		p.problem("digits only, such as 100", "%q is not a whole number", clip(s))
		return low
	}
	if v < low || v > high {
		p.problem("", "%d is not between %d and %d", v, low, high)
		return low
	}
	return v
}

// money reads an exact amount in major units and returns minor units, between
// low minor units and event.MaxAmountMinor.
func (p place) money(currency string, low int64) int64 {
	s, ok := scalar(p.node)
	if !ok {
		p.problem("such as 10.00", "is %s, not an amount of money", kindOf(p.node))
		return low
	}
	amount, err := event.ParseDecimal(s)
	if err != nil {
		p.problem("digits and a point, such as 1250.00, without sign or comma", "%q is not an amount of money", clip(s))
		return low
	}
	minor, err := event.Minor(amount, currency)
	if err != nil || minor < low {
		p.problem("", "%s is not an amount that can stand here", clip(s))
		return low
	}
	digits := event.MinorDigits(currency)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	// Without a currency, which is a problem of its own, decimals are not judged.
	if currency != "" && new(big.Rat).SetFrac(big.NewInt(minor), scale).Cmp(amount) != 0 {
		p.problem("", "%s has more than the %d decimals of %s", clip(s), digits, currency)
		return low
	}
	return minor
}

var spanForm = regexp.MustCompile(`^([0-9]{1,6}) +(day|week|month|year)s?$`)

// span reads "12 months", "365 days", "2 weeks", "1 year".
func (p place) span() (months, days int) {
	s := p.text()
	if s == "" {
		return 0, 0
	}
	m := spanForm.FindStringSubmatch(s)
	if m == nil {
		p.problem("such as 12 months or 365 days", "%q is not a length of time", clip(s))
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
		p.problem("", "%q is not between 1 day and %d days or %d months", clip(s), MaxDays, MaxMonths)
		return 0, 0
	}
	return months, days
}

// days reads a length of time in days or weeks.
func (p place) days() int {
	months, days := p.span()
	if months > 0 {
		p.problem("months differ in length: write it in days, such as 365 days", "must be in days or weeks")
	}
	return days
}

var perDayForm = regexp.MustCompile(`^([0-9]{1,6}) +per +day$`)

// perDay reads "3 per day".
func (p place) perDay() int64 {
	s := p.text()
	if s == "" {
		return 0
	}
	m := perDayForm.FindStringSubmatch(s)
	if m == nil || strings.Trim(m[1], "0") == "" {
		p.problem("such as 3 per day", "%q is not a bound", clip(s))
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // six digits fit
	return n
}

// percent reads what a multiplier multiplies by: 2, x2, 2.5x, 250%.
func (p place) percent() int64 {
	s, ok := scalar(p.node)
	if !ok {
		p.problem("such as 2, 1.5 or 150%", "is %s, not a multiple", kindOf(p.node))
		return 0
	}
	digits, hundredth := strings.TrimSpace(s), int64(1)
	switch {
	case strings.HasSuffix(digits, "%"):
		digits, hundredth = digits[:len(digits)-1], 100
	case strings.HasSuffix(digits, "x"):
		digits = digits[:len(digits)-1]
	case strings.HasPrefix(digits, "x"):
		digits = digits[1:]
	}
	r, err := event.ParseDecimal(digits)
	if err != nil {
		p.problem("such as 2, 1.5 or 150%", "%q is not a multiple", clip(s))
		return 0
	}
	r.Mul(r, big.NewRat(100, hundredth))
	if !r.IsInt() || r.Cmp(big.NewRat(101, 1)) < 0 || r.Cmp(big.NewRat(MaxMultiplierPercent, 1)) > 0 {
		p.problem("at most two decimals; 2 doubles, 1.5 gives half as much again", "%q is not between 1.01 and %d times", clip(s), MaxMultiplierPercent/100)
		return 0
	}
	return r.Num().Int64()
}

// instant reads a time with a zone, or a date, or a date and time of day in the
// program's zone. A date means its first instant.
func (p place) instant(zone *time.Location) event.Time {
	s := p.text()
	if s == "" || zone == nil {
		return 0
	}
	if t, err := event.ParseTime(s); err == nil {
		if t <= 0 || t.Std().Year() > 9999 {
			p.problem("", "%q is not a time after 1970", clip(s))
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
			return startOf(event.DayOn(wall.Date()), zone)
		}
		return p.wallClock(wall, zone, s)
	}
	p.problem("such as 2026-02-01, 2026-02-01 09:00 or 2026-02-01T09:00:00Z", "%q is not a date or time after 1970", clip(s))
	return 0
}

// wallClock turns a time of day into an instant; clocks that go forward or back
// leave some that do not exist or exist twice.
func (p place) wallClock(wall time.Time, zone *time.Location, s string) event.Time {
	guess := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	same := 0
	for _, d := range [...]time.Duration{-2 * time.Hour, -time.Hour, -30 * time.Minute, 0, 30 * time.Minute, time.Hour, 2 * time.Hour} {
		if guess.Add(d).Format(time.DateTime) == wall.Format(time.DateTime) {
			same++
		}
	}
	if same != 1 {
		p.problem("the clocks change then: add the zone, such as 2026-10-25T01:30:00Z", "%q exists %d times in %s", clip(s), same, zone)
		return 0
	}
	return event.At(guess)
}

// weekdays reads [sunday, monday].
func (p place) weekdays() []time.Weekday {
	names := make([]string, 7)
	for d := range names {
		names[d] = strings.ToLower(time.Weekday(d).String())
	}
	var out []time.Weekday
	for _, item := range p.items(7) {
		name := strings.ToLower(item.text())
		found := false
		for d, n := range names {
			if name == n || (len(name) == 3 && name == n[:3]) {
				out, found = append(out, time.Weekday(d)), true
			}
		}
		if name != "" && !found {
			item.problem(suggest(name, names), "%q is not a day of the week", clip(name))
		}
	}
	return out
}

package campaigns

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// day is 24 hours: lengths of time count hours, whatever the clocks do.
const day = 24 * time.Hour

var lengthForm = regexp.MustCompile(`^([0-9]{1,7}) +(minute|hour|day|week)s?$`)

// length reads "30 minutes", "2 hours", "3 days" or "2 weeks", up to most.
func length(p rulefile.Place, most time.Duration) time.Duration {
	s := p.Text()
	if s == "" {
		return 0
	}
	d, ok := parseLength(s)
	if !ok {
		p.Problem("such as 30 minutes, 2 hours or 3 days", "%q is not a length of time", rulefile.Clip(s))
		return 0
	}
	if d <= 0 || d > most {
		p.Problem("", "%q is not between 1 minute and %s", rulefile.Clip(s), spell(most))
		return 0
	}
	return d
}

func parseLength(s string) (time.Duration, bool) {
	m := lengthForm.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, _ := strconv.Atoi(m[1]) // seven digits fit, and their weeks fit a Duration's 292 years only if few
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": day, "week": 7 * day}[m[2]]
	if time.Duration(n) > maxLength/unit {
		return maxLength, true
	}
	return time.Duration(n) * unit, true
}

// maxLength is more than any length that a file may give.
const maxLength = 100 * 366 * day

// spell writes a length of time as a file has it.
func spell(d time.Duration) string {
	n, unit := int64(d/time.Minute), "minute"
	switch {
	case d%day == 0:
		n, unit = int64(d/day), "day"
	case d%time.Hour == 0:
		n, unit = int64(d/time.Hour), "hour"
	}
	return plural(n, unit)
}

func plural(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.FormatInt(n, 10) + " " + unit + "s"
}

var clockForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])$`)

// minute reads a time of day, HH:MM, as minutes since midnight.
func minute(p rulefile.Place) (int, bool) {
	s := p.Text()
	if s == "" {
		return 0, false
	}
	m := clockForm.FindStringSubmatch(s)
	if m == nil {
		p.Problem(`from "00:00" to "23:59", in quotes`, "%q is not a time of day", rulefile.Clip(s))
		return 0, false
	}
	hour, _ := strconv.Atoi(m[1])
	min, _ := strconv.Atoi(m[2])
	return 60*hour + min, true
}

// maxHoldout: a program that holds more than this back has no campaigns.
const maxHoldout = 90

// basisPoints reads a percentage with at most two decimals, 0 to maxHoldout, as
// hundredths of a percent.
func basisPoints(p rulefile.Place) int64 {
	s, ok := p.Scalar()
	if !ok {
		p.Problem("such as 10 or 2.5", "is %s, not a percentage", p.Kind())
		return 0
	}
	r, err := event.ParseDecimal(strings.TrimSpace(strings.TrimSuffix(s, "%")))
	if err != nil {
		p.Problem("such as 10 or 2.5", "%q is not a percentage", rulefile.Clip(s))
		return 0
	}
	r.Mul(r, big.NewRat(100, 1))
	if r.Sign() < 0 || !r.IsInt() || r.Cmp(big.NewRat(100*maxHoldout, 1)) > 0 {
		p.Problem("at most two decimals", "%q is not between 0 and %d percent", rulefile.Clip(s), maxHoldout)
		return 0
	}
	return r.Num().Int64()
}

// quietHours reads {from: "21:00", until: "08:00"} or none.
func quietHours(p rulefile.Place) QuietHours {
	if s, ok := p.Scalar(); ok {
		if s != "none" {
			p.Problem(`write {from: "21:00", until: "08:00"}, or none`, "%q are no quiet hours", rulefile.Clip(s))
		}
		return QuietHours{}
	}
	f, ok := p.Fields("from", "until")
	if !ok {
		return QuietHours{}
	}
	var q QuietHours
	from, hasFrom := f.Need("from", `when the quiet begins, such as "21:00"`)
	until, hasUntil := f.Need("until", `when it ends, such as "08:00"`)
	if !hasFrom || !hasUntil {
		return q
	}
	a, okA := minute(from)
	b, okB := minute(until)
	if okA && okB && a == b {
		until.Problem("write quiet_hours: none for none", "is the same as from")
	}
	return QuietHours{From: a, Until: b}
}

// again reads never, always or "after 90 days".
func again(p rulefile.Place) Again {
	s := p.Text()
	switch {
	case s == "never":
		return Again{Never: true}
	case s == "always" || s == "":
		return Again{}
	}
	d, ok := parseLength(strings.TrimSpace(strings.TrimPrefix(s, "after ")))
	if !ok || !strings.HasPrefix(s, "after ") {
		p.Problem("never, always, or such as after 90 days", "%q does not say when it may come again", rulefile.Clip(s))
		return Again{}
	}
	if d <= 0 || d > maxAgain {
		p.Problem("write never when it should not come again", "%q is not between 1 minute and %s", rulefile.Clip(s), spell(maxAgain))
	}
	return Again{After: d}
}

// maxAgain bounds the time after which a campaign may come again.
const maxAgain = rulefile.MaxDays * day

// texts reads one text, or a list of different ones.
func texts(p rulefile.Place, most int) []string {
	if !p.IsList() {
		if s := p.Text(); s != "" {
			return []string{s}
		}
		return nil
	}
	var out []string
	seen := make(map[string]bool)
	items := p.Items(most)
	if items != nil && len(items) == 0 {
		p.Problem("leave it out when there is nothing to name", "is empty")
	}
	for _, item := range items {
		s := item.Text()
		if s == "" {
			continue
		}
		if seen[s] {
			item.Problem("keep one", "%q is in the list twice", rulefile.Clip(s))
			continue
		}
		seen[s] = true
		out = append(out, s)
	}
	return out
}

// sentence reads a description: its lines make one.
func sentence(p rulefile.Place) string {
	text, ok := p.Passage(maxDescriptionBytes)
	if !ok {
		return ""
	}
	return strings.Join(strings.Fields(text.Text), " ")
}

const maxDescriptionBytes = 1000

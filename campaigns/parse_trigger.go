package campaigns

import (
	"regexp"
	"strconv"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// triggerForms are the keys of when, each with an example.
var triggerForms = []struct{ key, example string }{
	{"enters", "enters: win-back-candidates"},
	{"leaves", "leaves: champions"},
	{"tier", "tier: up"},
	{"balance", "balance: {reaches: 500}"},
	{"earned", "earned: 500"},
	{"points_expire", "points_expire: {within: 14 days}"},
	{"score", "score: {r: {falls_to: 2}}"},
	{"event", "event: Order Completed"},
	{"schedule", `schedule: {segment: loyal, at: "10:00", weekdays: [monday]}`},
	{"inactive", "inactive: 60 days"},
	{"birthday", "birthday: 3 days before"},
}

// readTrigger reads when: exactly one of triggerForms.
func (r *reader) readTrigger(p rulefile.Place, id string) Trigger {
	var keys []string
	for _, form := range triggerForms {
		keys = append(keys, form.key)
	}
	before := p.Complaints.Len()
	f, ok := p.Fields(keys...)
	if !ok || p.Complaints.Len() > before {
		return Trigger{}
	}
	var found []int
	for i, form := range triggerForms {
		if _, ok := f.Get(form.key); ok {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		p.Problem("such as "+triggerForms[0].example, "nothing starts the campaign")
		return Trigger{}
	case 1:
	default:
		second, _ := f.Get(triggerForms[found[1]].key)
		second.Problem("keep one; another campaign can have the other", "a campaign has one trigger")
		return Trigger{}
	}
	w, _ := f.Get(triggerForms[found[0]].key)
	switch triggerForms[found[0]].key {
	case "enters":
		return Trigger{Kind: SegmentEntered, Segment: r.segment(w)}
	case "leaves":
		return Trigger{Kind: SegmentLeft, Segment: r.segment(w)}
	case "tier":
		return r.tierTrigger(w)
	case "balance":
		return balanceTrigger(w)
	case "earned":
		return Trigger{Kind: PointsEarned, Points: w.Integer(1, event.MaxPoints)}
	case "points_expire":
		return r.expiryTrigger(w, id)
	case "score":
		return scoreTrigger(w)
	case "event":
		name, where := readEvent(w)
		return Trigger{Kind: EventSeen, Event: name, Where: where}
	case "schedule":
		return r.scheduleTrigger(w)
	case "inactive":
		return Trigger{Kind: Inactivity, Segment: event.SegmentTrigger + id, Days: w.Days()}
	default:
		return birthdayTrigger(w, id)
	}
}

func (r *reader) tierTrigger(p rulefile.Place) Trigger {
	t := Trigger{Kind: TierChanged, Up: true, Down: true}
	if r.book != nil && len(r.book.Tiers.Levels) == 0 {
		p.Problem("choose another trigger", "the program has no tiers")
	}
	going := p
	if p.IsMap() {
		f, ok := p.Fields("to", "going")
		if !ok {
			return t
		}
		if to, ok := f.Need("to", "tiers, such as [gold, platinum]"); ok {
			t.Tiers = r.tiers(to)
		}
		if going, ok = f.Get("going"); !ok {
			return t
		}
	}
	switch going.Choice("up", "down", "any") {
	case "up":
		t.Down = false
	case "down":
		t.Up = false
	}
	return t
}

func balanceTrigger(p rulefile.Place) Trigger {
	t := Trigger{Kind: BalanceCrossed}
	f, ok := p.Fields("reaches", "falls_below")
	if !ok {
		return t
	}
	up, isUp := f.Get("reaches")
	down, isDown := f.Get("falls_below")
	switch {
	case isUp == isDown:
		p.Problem("such as {reaches: 500}", "needs one of reaches and falls_below")
	case isUp:
		t.Points = up.Integer(1, event.MaxPoints)
	default:
		t.Down, t.Points = true, down.Integer(1, event.MaxPoints)
	}
	return t
}

func (r *reader) expiryTrigger(p rulefile.Place, id string) Trigger {
	t := Trigger{Kind: PointsExpire, Segment: event.SegmentTrigger + id, Points: 1}
	if r.book != nil && r.book.ExpiryMonths == 0 && r.book.ExpiryDays == 0 {
		p.Problem("choose another trigger", "points of this program never expire")
	}
	f, ok := p.Fields("within", "at_least")
	if !ok {
		return t
	}
	if w, ok := f.Need("within", "how long before, such as 14 days"); ok {
		t.Days = w.Days()
	}
	if w, ok := f.Get("at_least"); ok {
		t.Points = w.Integer(1, event.MaxPoints)
	}
	return t
}

func scoreTrigger(p rulefile.Place) Trigger {
	t := Trigger{Kind: ScoreChanged}
	const example = "such as {r: {falls_to: 2}}"
	f, ok := p.Fields("r", "f", "m")
	if !ok {
		return t
	}
	var which rulefile.Place
	for _, key := range [...]string{"r", "f", "m"} {
		w, ok := f.Get(key)
		if !ok {
			continue
		}
		if t.Score != 0 {
			w.Problem("keep one", "a campaign listens to one score")
			return t
		}
		t.Score, which = key[0], w
	}
	if t.Score == 0 {
		p.Problem(example, "names no score")
		return t
	}
	g, ok := which.Fields("rises_to", "falls_to")
	if !ok {
		return t
	}
	up, isUp := g.Get("rises_to")
	down, isDown := g.Get("falls_to")
	switch {
	case isUp == isDown:
		which.Problem(example, "needs one of rises_to and falls_to")
	case isUp:
		t.Up, t.Min = true, up.Integer(2, 5)
	default:
		t.Down, t.Max = true, down.Integer(1, 4)
	}
	return t
}

var dateForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)

// maxMonthDay: every month has this day.
const maxMonthDay = 28

func (r *reader) scheduleTrigger(p rulefile.Place) Trigger {
	t := Trigger{Kind: Scheduled}
	f, ok := p.Fields("segment", "at", "on", "weekdays", "day_of_month")
	if !ok {
		return t
	}
	if w, ok := f.Need("segment", "the segment that gets it"); ok {
		t.Segment = r.segment(w)
	}
	if w, ok := f.Need("at", `the time of day in the program's zone, such as "10:00"`); ok {
		t.Schedule.Minute, _ = minute(w)
	}
	on, once := f.Get("on")
	if once {
		t.Schedule.Date = date(on)
	}
	if w, ok := f.Get("weekdays"); ok {
		before := w.Complaints.Len()
		if t.Schedule.Weekdays = w.Weekdays(); len(t.Schedule.Weekdays) == 0 && w.Complaints.Len() == before {
			w.Problem("leave it out for every day", "is empty")
		}
		if once {
			w.Problem("keep one of them", "a schedule on one date has no weekdays")
		}
	}
	if w, ok := f.Get("day_of_month"); ok {
		t.Schedule.MonthDay = int(w.Integer(1, maxMonthDay))
		if once {
			w.Problem("keep one of them", "a schedule on one date has no day of the month")
		}
	}
	return t
}

// date reads a day such as 2026-12-01.
func date(p rulefile.Place) int {
	s := p.Text()
	if s == "" {
		return 0
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || !dateForm.MatchString(s) || t.Year() < 1971 {
		p.Problem("such as 2026-12-01", "%q is not a date", rulefile.Clip(s))
		return 0
	}
	return int(event.DayOn(t.Date()))
}

var birthdayForm = regexp.MustCompile(`^([0-9]{1,3}) +(day|week)s? +before$`)

// maxBirthdayDays is how long before a birthday one may begin.
const maxBirthdayDays = 60

func birthdayTrigger(p rulefile.Place, id string) Trigger {
	t := Trigger{Kind: Birthday, Segment: event.SegmentTrigger + id}
	s := p.Text()
	if s == "" || s == "today" {
		return t
	}
	m := birthdayForm.FindStringSubmatch(s)
	if m == nil {
		p.Problem("today, or such as 3 days before", "%q is not a day near a birthday", rulefile.Clip(s))
		return t
	}
	n, _ := strconv.Atoi(m[1]) // three digits fit
	if m[2] == "week" {
		n *= 7
	}
	if n > maxBirthdayDays {
		p.Problem("", "%q is more than %d days before", rulefile.Clip(s), maxBirthdayDays)
		return t
	}
	t.Days = n
	return t
}

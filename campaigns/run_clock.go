package campaigns

import (
	"time"

	"github.com/punchcard/punchcard/event"
)

// maxTransitions bounds the changes of a clock that are looked across; a day has
// one or two at the most.
const maxTransitions = 10

// moment is the first instant of a day at which a clock on the wall shows the
// minute of the day, or a later one where the change of the clocks skips it. False
// when the zone has no such day, or nothing of it from that minute on.
func moment(d event.Day, minute int, zone *time.Location) (event.Time, bool) {
	t := dayStart(d, zone)
	for range maxTransitions {
		if event.DayOf(t, zone) != d {
			return 0, false
		}
		shown := minuteOf(t, zone)
		if shown >= minute {
			return t, true
		}
		next := onMinute(t, zone).Add(time.Duration(minute-shown) * time.Minute)
		_, end := t.Std().In(zone).ZoneBounds()
		if end.IsZero() || next < event.At(end) {
			return next, true
		}
		t = event.At(end)
	}
	return 0, false
}

// dayStart is the first instant of a day; where a change of the clocks skips
// midnight, the day starts later.
func dayStart(d event.Day, zone *time.Location) event.Time {
	t := d.Start(zone)
	for event.DayOf(t, zone) < d {
		t = t.Add(15 * time.Minute)
	}
	return t
}

// minuteOf is the minute of the day that a clock on the wall shows.
func minuteOf(t event.Time, zone *time.Location) int {
	h, m, _ := t.Std().In(zone).Clock()
	return 60*h + m
}

// onMinute drops the seconds of what a clock on the wall shows.
func onMinute(t event.Time, zone *time.Location) event.Time {
	local := t.Std().In(zone)
	return t.Add(-time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond()))
}

// quiet reports whether a minute of the day is within quiet hours.
func (q QuietHours) quiet(minute int) bool {
	switch {
	case q.From < q.Until:
		return q.From <= minute && minute < q.Until
	case q.From > q.Until:
		return minute >= q.From || minute < q.Until
	}
	return false
}

// end is the first instant from t on that is not within quiet hours by the clock on
// the wall of a zone: t itself when it is none of them. A clock that is put back
// into them makes them last longer, one that is put forward makes them end sooner.
func (q QuietHours) end(t event.Time, zone *time.Location) event.Time {
	for range maxTransitions {
		shown := minuteOf(t, zone)
		if !q.quiet(shown) {
			return t
		}
		left := (q.Until - shown + 24*60) % (24 * 60)
		next := onMinute(t, zone).Add(time.Duration(left) * time.Minute)
		_, change := t.Std().In(zone).ZoneBounds()
		if change.IsZero() || next < event.At(change) {
			return next
		}
		t = event.At(change)
	}
	return t
}

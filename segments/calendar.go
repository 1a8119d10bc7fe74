package segments

import (
	"time"

	"github.com/punchcard/punchcard/event"
)

// never is a day that does not come.
const never = event.Day(1<<31 - 1)

// span returns the days of a window as of a day, both inclusive.
func (w Window) span(today event.Day) (from, to event.Day) {
	if w.Days > 0 {
		return today - event.Day(w.Days) + 1, today
	}
	start, this := period(w.Calendar, today)
	if !this {
		return start, nextPeriod(w.Calendar, start) - 1
	}
	return start, today
}

// period returns the first day of the period that counts as of a day, and whether
// it is the one that the day is in.
func period(c Calendar, today event.Day) (start event.Day, this bool) {
	y, m, d := today.Date()
	switch c {
	case ThisWeek, LastWeek:
		// 1970-01-05 was a Monday.
		start = today - ((today-4)%7+7)%7
		if c == LastWeek {
			return start - 7, false
		}
	case ThisMonth:
		start = today - event.Day(d) + 1
	case LastMonth:
		return event.DayOn(y, m-1, 1), false
	case ThisQuarter, LastQuarter:
		first := m - (m-1)%3
		if c == LastQuarter {
			return event.DayOn(y, first-3, 1), false
		}
		start = event.DayOn(y, first, 1)
	case ThisYear:
		start = event.DayOn(y, time.January, 1)
	}
	return start, true
}

// nextPeriod returns the first day of the period after the one that begins at
// start.
func nextPeriod(c Calendar, start event.Day) event.Day {
	y, m, _ := start.Date()
	switch c {
	case ThisWeek, LastWeek:
		return start + 7
	case ThisMonth, LastMonth:
		return event.DayOn(y, m+1, 1)
	case ThisQuarter, LastQuarter:
		return event.DayOn(y, m+3, 1)
	}
	return event.DayOn(y+1, time.January, 1)
}

// turn returns the first day after today on which the window's period is another.
func (w Window) turn(today event.Day) event.Day {
	start, this := period(w.Calendar, today)
	start = nextPeriod(w.Calendar, start)
	if !this { // last month turns when this month ends
		start = nextPeriod(w.Calendar, start)
	}
	return start
}

// birthday returns the next birthday from a day on; 29 February is 1 March in
// years that lack it.
func birthday(month, day int8, today event.Day) event.Day {
	y, _, _ := today.Date()
	on := event.DayOn(y, time.Month(month), int(day))
	if on < today {
		on = event.DayOn(y+1, time.Month(month), int(day))
	}
	return on
}

package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
)

// maxSteps bounds the terms of a relative time such as now-1y+1d/d.
const maxSteps = 8

// when reads a time as Grafana writes it: now, now-90d, now-1y/d, milliseconds
// since 1970, or RFC 3339. end rounds /d up to the end of the day.
func when(s string, now event.Time, zone *time.Location, end bool) (event.Time, error) {
	rest, relative := strings.CutPrefix(s, "now")
	if !relative {
		if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
			return event.Time(ms), nil
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return 0, fmt.Errorf("%.40q is no time: use now-90d, milliseconds, or 2011-12-09T00:00:00Z", s)
		}
		return event.At(t), nil
	}
	t := now.Std().In(zone)
	for n := 0; rest != ""; n++ {
		if n == maxSteps {
			return 0, fmt.Errorf("%.40q has more than %d terms", s, maxSteps)
		}
		op := rest[0]
		size := 1
		for size < len(rest) && rest[size] >= '0' && rest[size] <= '9' {
			size++
		}
		count, err := strconv.Atoi(rest[1:size])
		if size == len(rest) || (op != '/' && (err != nil || count > 100_000)) {
			return 0, fmt.Errorf("%.40q is no time: use now-90d or now/d", s)
		}
		unit := rest[size]
		rest = rest[size+1:]
		var ok bool
		switch op {
		case '-':
			t, ok = shift(t, -count, unit)
		case '+':
			t, ok = shift(t, count, unit)
		case '/':
			t, ok = round(t, unit, end)
		}
		if !ok {
			return 0, fmt.Errorf("%.40q is no time: units are s m h d w M y", s)
		}
	}
	return event.At(t), nil
}

func shift(t time.Time, n int, unit byte) (time.Time, bool) {
	switch unit {
	case 's':
		return t.Add(time.Duration(n) * time.Second), true
	case 'm':
		return t.Add(time.Duration(n) * time.Minute), true
	case 'h':
		return t.Add(time.Duration(n) * time.Hour), true
	case 'd':
		return t.AddDate(0, 0, n), true
	case 'w':
		return t.AddDate(0, 0, 7*n), true
	case 'M':
		return t.AddDate(0, n, 0), true
	case 'y':
		return t.AddDate(n, 0, 0), true
	}
	return t, false
}

func round(t time.Time, unit byte, end bool) (time.Time, bool) {
	y, m, d := t.Date()
	switch unit {
	case 'h':
		t = t.Truncate(time.Hour)
	case 'd':
		t = time.Date(y, m, d, 0, 0, 0, 0, t.Location())
	case 'w':
		t = time.Date(y, m, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location())
	case 'M':
		t = time.Date(y, m, 1, 0, 0, 0, 0, t.Location())
	case 'y':
		t = time.Date(y, 1, 1, 0, 0, 0, 0, t.Location())
	default:
		return t, false
	}
	if end {
		t, _ = shift(t, 1, unit)
		t = t.Add(-time.Millisecond)
	}
	return t, true
}

// step reads a width such as 5m or 1d; empty is 0. Months and years have no fixed
// width and are refused.
func step(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	n, err := strconv.Atoi(s[:len(s)-1])
	unit, ok := units[s[len(s)-1]]
	if err != nil || !ok || n < 1 || n > 100_000 {
		return 0, fmt.Errorf("%.20q is no width: use 30s, 5m, 1h, 1d or 1w", s)
	}
	return time.Duration(n) * unit, nil
}

// points is about how many points a time series is to have.
const points = 120

// widths are those that people count in.
var widths = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 91 * 24 * time.Hour,
}

// width chooses how wide a point is: about points of them in the range, at least
// the panel's own.
func width(from, to event.Time, least time.Duration) time.Duration {
	want := max(time.Duration(to-from)*time.Millisecond/points, least)
	for _, w := range widths {
		if w >= want {
			return max(w, least)
		}
	}
	return max(364*24*time.Hour, least)
}

package event

import (
	"fmt"
	"time"
)

// Time is an instant in milliseconds since the Unix epoch, UTC. Its JSON and
// text form is fixed width: 2011-12-09T12:50:00.000Z. Zero means "not set" and
// is written as an empty string.
type Time int64

const timeLayout = "2006-01-02T15:04:05.000Z"

// At converts a time.Time, dropping what is finer than a millisecond.
func At(t time.Time) Time { return Time(t.UnixMilli()) }

// Std returns the instant as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add returns the instant d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// IsZero reports whether the instant is not set.
func (t Time) IsZero() bool { return t == 0 }

func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return string(t.Append(nil))
}

// Append appends the fixed-width text form; nothing for the zero Time.
func (t Time) Append(dst []byte) []byte {
	if t == 0 {
		return dst
	}
	return t.Std().AppendFormat(dst, timeLayout)
}

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return t.Append(nil), nil }

// UnmarshalText accepts the fixed-width form and any RFC 3339 time.
func (t *Time) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = 0
		return nil
	}
	v, err := ParseTime(string(b))
	if err != nil {
		return err
	}
	*t = v
	return nil
}

// ParseTime reads an RFC 3339 time (ISO 8601 with a zone, as Segment's clients
// send it).
func ParseTime(s string) (Time, error) {
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not an RFC 3339 time such as 2026-01-31T12:00:00Z", s)
	}
	return At(v), nil
}

// Day is a calendar day counted from 1970-01-01, in a zone the context names
// (the program's time zone, unless said otherwise). Its text is 2011-12-09.
type Day int32

// DayOf returns the calendar day of t in the zone.
func DayOf(t Time, zone *time.Location) Day {
	y, m, d := t.Std().In(zone).Date()
	return DayOn(y, m, d)
}

// DayOn returns the day of a date; out-of-range months and days are normalised
// as by time.Date.
func DayOn(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Start returns the first instant of the day in the zone.
func (d Day) Start(zone *time.Location) Time {
	y, m, dd := d.Date()
	return At(time.Date(y, m, dd, 0, 0, 0, 0, zone))
}

// Date returns the calendar date.
func (d Day) Date() (year int, month time.Month, day int) {
	return time.Unix(int64(d)*86400, 0).UTC().Date()
}

func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
}

// MarshalText implements encoding.TextMarshaler.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText accepts 2006-01-02; empty text is the zero Day.
func (d *Day) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("%q is not a date such as 2026-01-31", b)
	}
	*d = Day(t.Unix() / 86400)
	return nil
}

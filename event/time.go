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
	if t < firstFast || t > lastFast {
		return t.Std().AppendFormat(dst, timeLayout)
	}
	days, ms := int64(t)/msPerDay, int64(t)%msPerDay
	y, m, d := civil(days)
	return append(appendDate(dst, y, m, d), 'T',
		byte('0'+ms/36_000_000), byte('0'+ms/3_600_000%10), ':',
		byte('0'+ms/600_000%6), byte('0'+ms/60_000%10), ':',
		byte('0'+ms/10_000%6), byte('0'+ms/1000%10), '.',
		byte('0'+ms/100%10), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// Times from 1970 to 9999 are written and read without package time: an entry has
// half a dozen of them.
const (
	msPerDay  = 24 * 60 * 60 * 1000
	firstFast = 1
	lastFast  = 253402300799999 // 9999-12-31T23:59:59.999Z
)

// civil turns days since 1970-01-01 (not negative) into a date: Howard Hinnant's
// civil_from_days, years beginning in March.
func civil(days int64) (y, m, d int64) {
	z := days + 719468
	era := z / 146097
	doe := z % 146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d, m, y = doy-(153*mp+2)/5+1, mp+3, yoe+era*400
	if m > 12 {
		m, y = m-12, y+1
	}
	return y, m, d
}

// parseFixed reads our own fixed-width form; false for any other text, and for
// what is no such date.
func parseFixed[T string | []byte](s T) (Time, bool) {
	const form = "0000-00-00T00:00:00.000Z"
	if len(s) != len(form) {
		return 0, false
	}
	for i := range len(form) {
		if digit := s[i]-'0' < 10; digit != (form[i] == '0') || !digit && s[i] != form[i] {
			return 0, false
		}
	}
	num := func(i, n int) (v int64) {
		for at := i; at < i+n; at++ {
			v = v*10 + int64(s[at]-'0')
		}
		return v
	}
	y, m, d := num(0, 4), num(5, 2), num(8, 2)
	hh, mm, ss := num(11, 2), num(14, 2), num(17, 2)
	if y < 1970 || m < 1 || m > 12 || d < 1 || hh > 23 || mm > 59 || ss > 59 {
		return 0, false
	}
	days := daysOf(y, m, d)
	if cy, cm, cd := civil(days); cy != y || cm != m || cd != d {
		return 0, false
	}
	return Time(days*msPerDay + ((hh*60+mm)*60+ss)*1000 + num(20, 3)), true
}

// daysOf is civil backwards.
func daysOf(y, m, d int64) int64 {
	if m <= 2 {
		y, m = y-1, m+12
	}
	era, yoe := y/400, y%400
	doy := (153*(m-3)+2)/5 + d - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return t.Append(nil), nil }

// UnmarshalText accepts the fixed-width form and any RFC 3339 time.
func (t *Time) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = 0
		return nil
	}
	if v, ok := parseFixed(b); ok {
		*t = v
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
	if t, ok := parseFixed(s); ok {
		return t, nil
	}
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

// Start returns the first instant of the day in the zone (nil: UTC). Where a change
// of the clocks skips midnight, the day starts later.
func (d Day) Start(zone *time.Location) Time {
	if zone == nil {
		zone = time.UTC
	}
	y, m, dd := d.Date()
	t := At(time.Date(y, m, dd, 0, 0, 0, 0, zone))
	for DayOf(t, zone) < d { // time.Date has gone back an hour
		t = t.Add(15 * time.Minute)
	}
	return t
}

// DayCache remembers the bounds of the days asked for last: events of a partition
// cluster around its clock. The zero value is ready; it is for one goroutine.
type DayCache struct {
	slots [8]struct {
		zone     *time.Location
		from, to Time
		day      Day
	}
	next int
}

// Of is DayOf.
func (c *DayCache) Of(t Time, zone *time.Location) Day {
	if zone == nil {
		zone = time.UTC
	}
	for i := range c.slots {
		if s := &c.slots[i]; s.zone == zone && s.from <= t && t < s.to {
			return s.day
		}
	}
	s := &c.slots[c.next]
	c.next = (c.next + 1) % len(c.slots)
	s.zone, s.day = zone, DayOf(t, zone)
	s.from, s.to = s.day.Start(zone), (s.day + 1).Start(zone)
	return s.day
}

// Date returns the calendar date.
func (d Day) Date() (year int, month time.Month, day int) {
	return time.Unix(int64(d)*86400, 0).UTC().Date()
}

func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return string(d.Append(nil))
}

// Append appends 2006-01-02; nothing for the zero Day.
func (d Day) Append(dst []byte) []byte {
	if d == 0 {
		return dst
	}
	if d < 0 || d > lastFast/msPerDay {
		return time.Unix(int64(d)*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
	}
	y, m, dd := civil(int64(d))
	return appendDate(dst, y, m, dd)
}

func appendDate(dst []byte, y, m, d int64) []byte {
	return append(dst,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
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

package campaigns

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

var someZones = []string{"UTC", "Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut", "America/Sao_Paulo", "Africa/Casablanca"}

func drawZone(t *rapid.T) *time.Location {
	zone, err := time.LoadLocation(rapid.SampledFrom(someZones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// drawNearChange draws an instant, mostly within two days of a change of the clocks.
func drawNearChange(t *rapid.T, zone *time.Location) time.Time {
	at := time.UnixMilli(rapid.Int64Range(1_200_000_000_000, 2_000_000_000_000).Draw(t, "at")).UTC()
	if _, end := at.In(zone).ZoneBounds(); !end.IsZero() && rapid.IntRange(0, 9).Draw(t, "near") > 0 {
		at = end.Add(time.Duration(rapid.IntRange(-2*24*60*60, 2*24*60*60).Draw(t, "seconds")) * time.Second)
	}
	return at
}

// TestQuietHoursEnd: the end is the first second at which a clock on the wall shows
// a time that is not quiet; looked for second by second near it, minute by minute on
// the way.
func TestQuietHoursEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := drawZone(t)
		from := drawNearChange(t, zone)
		q := QuietHours{From: rapid.IntRange(0, 24*60-1).Draw(t, "from"), Until: rapid.IntRange(0, 24*60-1).Draw(t, "until")}
		isQuiet := func(at time.Time) bool {
			now := at.In(zone).Format("15:04")
			begin, end := clockText(q.From), clockText(q.Until)
			if begin <= end {
				return begin <= now && now < end
			}
			return now >= begin || now < end
		}
		want := from
		for isQuiet(want) {
			want = want.Truncate(time.Second).Add(time.Second)
			for isQuiet(want) && want.Second() == 0 && isQuiet(want.Add(59*time.Second)) && isQuiet(want.Add(time.Minute)) {
				want = want.Add(time.Minute)
			}
		}
		if got := q.end(event.At(from), zone); got != event.At(want) {
			t.Fatalf("quiet from %s until %s in %s: at %s they end at %s, want %s", clockText(q.From), clockText(q.Until), zone, from.In(zone), got.Std().In(zone), want.In(zone))
		}
	})
}

func clockText(minute int) string {
	return time.Date(2000, 1, 1, 0, minute, 0, 0, time.UTC).Format("15:04")
}

// TestMoment: the first instant of the day whose clock shows the minute or later.
func TestMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := drawZone(t)
		d := event.DayOf(event.At(drawNearChange(t, zone)), zone)
		minute := rapid.IntRange(0, 24*60-1).Draw(t, "minute")
		var want event.Time
		// A day lies within 15 hours of its own noon in UTC, and 14 more of offset.
		noon := d.Start(time.UTC).Add(12 * time.Hour)
		for at := noon.Add(-30 * time.Hour); at < noon.Add(30*time.Hour); at = at.Add(time.Minute) {
			if event.DayOf(at, zone) == d && minuteOf(at, zone) >= minute {
				want = at
				break
			}
		}
		got, ok := moment(d, minute, zone)
		if ok != (want != 0) || got != want {
			t.Fatalf("%s %s in %s: %s %t, want %s", d, clockText(minute), zone, got, ok, want)
		}
	})
}

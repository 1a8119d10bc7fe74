package event

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The fast forms are those of package time.
func TestTimeTextIsThatOfPackageTime(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, v Time) {
		want := v.Std().Format(timeLayout)
		if got := v.String(); got != want && v != 0 {
			t.Fatalf("%d is %s, want %s", v, got, want)
		}
		back, err := ParseTime(want)
		if err != nil || back != v {
			t.Fatalf("%s reads as %d (%v), want %d", want, back, err, v)
		}
	}
	for _, s := range []string{"1970-01-01T00:00:00.001Z", "1972-02-29T23:59:59.999Z", "2000-02-29T12:00:00.000Z", "2100-02-28T23:59:59.999Z", "2100-03-01T00:00:00.000Z",
		"9999-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", "1582-10-15T00:00:00.000Z"} {
		v, err := time.Parse(timeLayout, s)
		if err != nil {
			t.Fatal(err)
		}
		check(t, At(v))
	}
	rapid.Check(t, func(t *rapid.T) { check(t, Time(rapid.Int64Range(1, lastFast).Draw(t, "ms"))) })
}

func TestTimesThatAreNone(t *testing.T) {
	for _, s := range []string{"2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z",
		"2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01 00:00:00.000Z", "2026-01-01T00:00:00.00aZ", "2026-01-01T00:00:00.000"} {
		if v, err := ParseTime(s); err == nil {
			t.Errorf("%s reads as %s", s, v)
		}
	}
}

// A day is written as package time writes it, also far away.
func TestDayText(t *testing.T) {
	for _, d := range []Day{1, 59, 60, 365, 11016, 11017, 20454, 1 << 20, 2932896, 2932897, -1, -719528} {
		if got, want := string(d.Append([]byte("x"))), "x"+time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly); got != want {
			t.Errorf("day %d: %s, want %s", d, got, want)
		}
	}
	if got := Day(0).String(); got != "" {
		t.Errorf("day 0: %q", got)
	}
}

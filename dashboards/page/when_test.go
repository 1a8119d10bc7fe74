package page

import (
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

func TestWhen(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	now := event.At(time.Date(2011, 7, 13, 12, 50, 0, 0, time.UTC)) // a Wednesday, summer time
	for _, c := range []struct {
		text string
		end  bool
		want string
	}{
		{"now", false, "2011-07-13T12:50:00.000Z"},
		{"now-90d", false, "2011-04-14T12:50:00.000Z"},
		{"now-6M", false, "2011-01-13T13:50:00.000Z"}, // the same hour on the wall
		{"now/d", false, "2011-07-12T23:00:00.000Z"},
		{"now/d", true, "2011-07-13T22:59:59.999Z"},
		{"now/w", false, "2011-07-10T23:00:00.000Z"},
		{"now-1y/y", false, "2010-01-01T00:00:00.000Z"},
		{"now-1M+2h/M", false, "2011-05-31T23:00:00.000Z"},
		{"2011-12-09T00:00:00Z", false, "2011-12-09T00:00:00.000Z"},
		{"1323388800000", false, "2011-12-09T00:00:00.000Z"},
	} {
		got, err := when(c.text, now, london, c.end)
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %s %v, want %s", c.text, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "now-", "now-d", "now-90", "now-1x", "now*2d", "now/x", "now-99999999d", "now" + "-1d-1d-1d-1d-1d-1d-1d-1d-1d", "yesterday", "2011-12-09"} {
		if got, err := when(bad, now, london, false); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

func TestWidth(t *testing.T) {
	at := func(d time.Duration) event.Time { return event.Time(d.Milliseconds()) }
	const day = 24 * time.Hour
	for _, c := range []struct{ span, least, want time.Duration }{
		{time.Hour, 0, 30 * time.Second}, {day, 0, 15 * time.Minute}, {90 * day, 0, day}, {365 * day, 0, 7 * day}, {day, day, day}, {90 * 365 * day, 0, 364 * day},
	} {
		if got := width(0, at(c.span), c.least); got != c.want {
			t.Errorf("%s, at least %s: %s, want %s", c.span, c.least, got, c.want)
		}
	}
	for _, bad := range []string{"d", "1", "1M", "0d", "-1d"} {
		if got, err := step(bad); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

func TestPlain(t *testing.T) {
	day := time.Date(2011, 12, 9, 0, 0, 0, 0, time.UTC)
	f := 2.5
	huge, _ := new(big.Int).SetString("170141183460469231731687303715884105727", 10)
	res := Result{
		Columns: columns("d", "Date", "t", "Nullable(DateTime64(3, 'UTC'))", "n", "Nullable(Float64)", "nan", "Float64", "s", "LowCardinality(Nullable(String))", "b", "Bool", "a", "Array(String)", "i", "Int128", "null", "Nullable(Int64)", "u", "UUID"),
		Rows:    [][]any{{day, &day, &f, math.NaN(), "x", true, []string{"y"}, huge, (*int64)(nil), [2]byte{1, 2}}},
	}
	cols, rows := plain(res)
	var kinds []string
	for _, c := range cols {
		kinds = append(kinds, c.Kind)
	}
	if want := []string{"date", "time", "number", "number", "text", "bool", "other", "number", "number", "text"}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("%v", kinds)
	}
	got := rows[0]
	if got[0] != "2011-12-09" || got[1] != day.UnixMilli() || got[2] != 2.5 || got[3] != nil || got[4] != "x" || got[5] != true || got[8] != nil || got[9] != "[1 2]" {
		t.Errorf("%#v", got)
	}
	if s, ok := got[7].(interface{ String() string }); !ok || s.String() != huge.String() {
		t.Errorf("%#v", got[7])
	}
}

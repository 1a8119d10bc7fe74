package program

import (
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Counts are taken on Mondays at the program's own midnight.
func TestCountsDayIsTheProgramsMonday(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	b := &Book{Zone: london, RFM: RFMRules{Method: ScorePopulation, EveryDays: 7}}
	for _, c := range []struct{ at, want string }{
		{"2026-01-05T00:00:00Z", "2026-01-05"}, // a Monday in winter
		{"2026-01-04T23:59:59Z", "2025-12-29"},
		{"2026-07-05T23:00:00Z", "2026-07-06"}, // midnight in London in summer
		{"2026-07-05T22:59:59Z", "2026-06-29"},
		{"2026-07-12T12:00:00Z", "2026-07-06"},
	} {
		at, err := event.ParseTime(c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.CountsDay(at).String(); got != c.want {
			t.Errorf("at %s: %s, want %s", c.at, got, c.want)
		}
	}
	if fixed := (&Book{Zone: london, RFM: RFMRules{Method: ScoreFixed, EveryDays: 7}}).CountsDay(1e12); fixed != 0 {
		t.Errorf("fixed thresholds count on %s", fixed)
	}
}

package program

import "github.com/punchcard/punchcard/event"

// firstMonday is 1970-01-05: intervals of cut points are counted from it.
const firstMonday = event.Day(4)

// CountsDay is the newest day, at or before t, at whose first instant (program's
// zone) customers are counted for cut points; 0 when the program asks for none.
func (b *Book) CountsDay(t event.Time) event.Day {
	if b.RFM.Method != ScorePopulation || b.RFM.EveryDays <= 0 {
		return 0
	}
	day := event.DayOf(t, b.Zone)
	every := event.Day(b.RFM.EveryDays)
	since := (day - firstMonday) % every
	if since < 0 {
		since += every
	}
	return day - since
}

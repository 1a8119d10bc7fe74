package control

import (
	"context"
	"maps"
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// RunCutPoints publishes the cut points of each day that all partitions have
// counted, until ctx ends. They are a pure function of the counts, so it does
// not matter who publishes them, or how often.
func (c *Control) RunCutPoints(ctx context.Context) error {
	if err := c.CaughtUp(ctx); err != nil {
		return ctxOr(ctx, err)
	}
	var published event.Day
	for {
		changed := c.Changed()
		if cut := c.countedDay(published); cut != nil {
			e := &event.Event{Type: event.TypeCutPoints, MessageID: "cut_points:" + cut.Day.String(), EventTime: max(c.Clock(), 1), CutPoints: cut}
			if err := c.publish(ctx, e, event.ClassDerived, c.all()...); err != nil {
				return ctxOr(ctx, err)
			}
			published = cut.Day
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// countedDay computes the cut points of the earliest day after published that
// every partition has counted; nil: none yet. A day that a partition has gone
// past without counting (its clock jumped) is left out.
func (c *Control) countedDay(published event.Day) *event.CutPoints {
	var cut *event.CutPoints
	c.Look(func(parts []Partition) {
		for _, day := range openDays(parts, published) {
			counts, passed := countsOf(parts, day)
			if len(counts) == len(parts) {
				cut = program.CutPointsOf(counts, day, counts[0].MinimumCustomers)
				return
			}
			if !passed {
				return
			}
		}
	})
	return cut
}

// openDays are the counted days after published, ascending.
func openDays(parts []Partition, published event.Day) []event.Day {
	days := map[event.Day]bool{}
	for i := range parts {
		for d := range parts[i].Counts {
			if d > published {
				days[d] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(days))
}

// countsOf gathers the counts of a day; passed reports that each partition
// without them has counted a later day already.
func countsOf(parts []Partition, day event.Day) (counts []*event.Counts, passed bool) {
	passed = true
	for i := range parts {
		if n := parts[i].Counts[day]; n != nil {
			counts = append(counts, n)
			continue
		}
		later := false
		for d := range parts[i].Counts {
			later = later || d > day
		}
		passed = passed && later
	}
	return counts, passed
}

package control

import (
	"context"
	"fmt"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// Settle returns when every record in topic events is decided, nothing is due
// any more at the partitions' clocks, and every counted day has its cut points
// in every partition. Partitions that say more is due get further slices of
// their tick. It is how an import of history keeps time with what it imports;
// RunCutPoints must run somewhere.
func (c *Control) Settle(ctx context.Context) error {
	for {
		if err := c.decided(ctx); err != nil {
			return err
		}
		slices, pending := c.unsettled()
		if len(slices) == 0 && pending == 0 {
			return nil
		}
		for p, tick := range slices {
			if err := c.publish(ctx, tick, event.ClassOuter, p); err != nil {
				return err
			}
		}
		if len(slices) > 0 {
			continue
		}
		err := c.Wait(ctx, func(parts []Partition) bool {
			for i := range parts {
				if parts[i].CutPointsDay < pending {
					return false
				}
			}
			return true
		})
		if err != nil {
			return err
		}
	}
}

// decided waits until the ledger holds an entry of every record in events.
func (c *Control) decided(ctx context.Context) error {
	ends, err := c.cluster.Ends(ctx, event.TopicEvents, stream.ReadUncommitted)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return c.Wait(ctx, func(parts []Partition) bool {
		for p, r := range ends {
			if parts[p].SourceOffset < r.End-1 {
				return false
			}
		}
		return true
	})
}

// unsettled names the ticks that partitions still want, and the newest counted
// day that some partition has no cut points of.
func (c *Control) unsettled() (map[int32]*event.Event, event.Day) {
	ticks := map[int32]*event.Event{}
	var pending event.Day
	c.Look(func(parts []Partition) {
		for p := range parts {
			q := &parts[p]
			if q.MoreDue && q.Clock > 0 {
				ticks[int32(p)] = Tick(q.Clock, q.Slice+1)
			}
			for day := range q.Counts {
				pending = max(pending, day)
			}
		}
	})
	return ticks, pending
}

// Publish sends events of an import: control events of history to a partition,
// others by their key. It returns when the broker has all of them.
func (c *Control) Publish(ctx context.Context, events []*event.Event, class string, partitions []int32) error {
	recs := make([]*stream.Record, 0, len(events))
	for i, e := range events {
		p := partitions[i]
		if p < 0 {
			p = stream.PartitionOf([]byte(e.AccountID), c.Partitions())
		}
		rec, err := c.record(p, e, class)
		if err != nil {
			return err
		}
		if e.AccountID != "" {
			rec.Key = []byte(e.AccountID)
		}
		recs = append(recs, rec)
	}
	return c.pub.Publish(ctx, recs...)
}

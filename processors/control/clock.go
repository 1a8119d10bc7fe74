package control

import (
	"context"
	"fmt"
	"time"

	"github.com/punchcard/punchcard/event"
)

const (
	// DefaultStep is how often the clock ticks, in the log's time.
	DefaultStep = 5 * time.Second
	// MaxJump is how far the clock may step at once without being allowed to.
	MaxJump = time.Hour
	// midnightWait bounds how long the clock waits at a midnight for all timers
	// to fire before time goes on.
	midnightWait = 30 * time.Second
)

// ClockConfig says where time comes from.
type ClockConfig struct {
	// Now is the time to announce: the wall clock, or the demo's own.
	Now func() event.Time
	// Step is the grain of ticks in the log's time; DefaultStep when 0.
	Step time.Duration
	// Poll is how long to wait between looks at Now; Step when 0.
	Poll time.Duration
	// MaxJump is the longest step; MaxJump when 0.
	MaxJump time.Duration
	// Warn is told, once per cause, why time stands still.
	Warn func(msg string)
}

// RunClock publishes ticks until ctx ends. Inside a history bracket it stays
// silent: the importer's ticks rule.
func (c *Control) RunClock(ctx context.Context, cfg ClockConfig) error {
	if cfg.Step == 0 {
		cfg.Step = DefaultStep
	}
	if cfg.Poll == 0 {
		cfg.Poll = cfg.Step
	}
	if cfg.MaxJump == 0 {
		cfg.MaxJump = MaxJump
	}
	if err := c.CaughtUp(ctx); err != nil {
		return ctxOr(ctx, err)
	}
	last, warned := c.Clock(), ""
	timer := time.NewTimer(0)
	defer timer.Stop()
	sent := make([]int64, c.Partitions()) // newest slice sent at time last
	for {
		// Look after asking to be woken: no change is slept through.
		changed := c.Changed()
		if err := c.moreSlices(ctx, last, sent); err != nil {
			return ctxOr(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			continue
		case <-timer.C:
			timer.Reset(cfg.Poll)
		}
		if t := c.Clock(); t > last && !c.IsHistory() { // an import has moved time on
			last = t
			clear(sent)
		}
		next, why := c.nextTick(last, cfg)
		if why != warned && why != "" && cfg.Warn != nil {
			cfg.Warn(why)
		}
		warned = why
		if next == 0 {
			continue
		}
		if err := c.advance(ctx, next, sent); err != nil {
			return ctxOr(ctx, err)
		}
		last = next
		if again, _ := c.nextTick(last, cfg); again != 0 && last == nextMidnight(last-1) {
			timer.Reset(0) // it stopped at a midnight, short of now: no pause there
		}
	}
}

// ctxOr is nil when the context ended: that is how a clock stops.
func ctxOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// nextTick is the time to announce next, or 0 and why not.
func (c *Control) nextTick(last event.Time, cfg ClockConfig) (event.Time, string) {
	if c.IsHistory() {
		return 0, "history is being imported: its own ticks rule"
	}
	step := cfg.Step.Milliseconds()
	now := event.Time(int64(cfg.Now()) / step * step)
	switch {
	case now <= last && last-now > event.Time(cfg.MaxJump.Milliseconds()):
		return 0, fmt.Sprintf("the host's clock (%s) is behind the log's (%s): time stands still until it has caught up; check the host's clock", now, last)
	case now <= last:
		return 0, ""
	case last > 0 && now-last > event.Time(cfg.MaxJump.Milliseconds()):
		return 0, fmt.Sprintf("the host's clock (%s) is more than %s ahead of the log's (%s): points could expire by mistake; if that is right, allow it with --clock-jump=%s", now, cfg.MaxJump, last, (time.Duration(now-last)*time.Millisecond).Round(time.Hour)+time.Hour)
	case last == 0:
		return now, ""
	}
	if midnight := nextMidnight(last); now > midnight {
		return midnight, ""
	}
	return now, ""
}

// nextMidnight is the first UTC midnight after t.
func nextMidnight(t event.Time) event.Time {
	const day = 24 * 60 * 60 * 1000
	return (t/day + 1) * day
}

// advance announces t to all partitions; at a midnight it lets them fire all
// that is due before time goes on, so that counts of a day are of that day.
func (c *Control) advance(ctx context.Context, t event.Time, sent []int64) error {
	if err := c.publish(ctx, Tick(t, 0), event.ClassOuter, c.all()...); err != nil {
		return err
	}
	clear(sent)
	if t != nextMidnight(t-1) {
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, midnightWait)
	defer cancel()
	for {
		changed := c.Changed()
		if err := c.moreSlices(ctx, t, sent); err != nil {
			return err
		}
		if c.idleAt(t) {
			return nil
		}
		select {
		case <-changed:
		case <-wait.Done():
			return ctx.Err() // a partition is away: time goes on without it
		}
	}
}

// idleAt reports whether every partition has reached t and has nothing due.
func (c *Control) idleAt(t event.Time) bool {
	idle := true
	c.Look(func(parts []Partition) {
		for i := range parts {
			idle = idle && parts[i].Clock >= t && !parts[i].MoreDue
		}
	})
	return idle
}

// moreSlices sends another tick of time t to each partition that has answered
// the last one and says that more is due.
func (c *Control) moreSlices(ctx context.Context, t event.Time, sent []int64) error {
	for p, slice := range c.dueAt(t, sent) {
		if err := c.publish(ctx, Tick(t, slice), event.ClassOuter, p); err != nil {
			return err
		}
		sent[p] = slice
	}
	return nil
}

// dueAt maps each partition that wants another slice to that slice's number.
func (c *Control) dueAt(t event.Time, sent []int64) map[int32]int64 {
	due := map[int32]int64{}
	c.Look(func(parts []Partition) {
		for p := range parts {
			if slice := parts[p].wanted(t, sent[p]); slice > 0 {
				due[int32(p)] = slice
			}
		}
	})
	return due
}

package demo

import (
	"context"
	"time"

	"github.com/punchcard/punchcard/event"
)

// glance is how often a shopper looks at the clock.
const glance = 100 * time.Millisecond

// Live posts what simulated shoppers do, as time passes.
type Live struct {
	Shop *Shop
	Seed uint64
	// Door is the address of the HTTP door, http://host:port; Key a server key.
	Door, Key string
	// Now is the demo's clock.
	Now func() event.Time
	// Posted is told what was posted; may be nil.
	Posted func(n int)
}

// Run posts from the hour of the given time on, until ctx ends. What was posted
// before is posted again with the same ids and changes nothing.
func (l *Live) Run(ctx context.Context, from event.Time) error {
	door := newCaller(l.Door, l.Key)
	hour := HourOf(from)
	var pending []Post
	generated := hour - 1
	for {
		now := l.Now()
		for generated < HourOf(now) {
			generated++
			pending = append(pending, l.Shop.Hour(l.Seed, generated)...)
		}
		n := 0
		for n < len(pending) && pending[n].Time <= now {
			n++
		}
		if err := door.post(ctx, pending[:n]); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if l.Posted != nil && n > 0 {
			l.Posted(n)
		}
		pending = pending[n:]
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(glance):
		}
	}
}

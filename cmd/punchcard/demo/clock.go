package demo

import (
	"sync"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Clock is the demo's time: it walks from where the log stands to the present,
// Speed times as fast as real time, and then goes with real time.
type Clock struct {
	mu    sync.Mutex
	wall  func() time.Time
	start event.Time // log's time when the walk began; 0: not begun
	began time.Time
	speed float64
}

// NewClock makes a clock that stands still until Start. Speed is log time per
// real time: 3600 is an hour per second.
func NewClock(wall func() time.Time, speed float64) *Clock {
	return &Clock{wall: wall, speed: max(speed, 1)}
}

// Start begins the walk at a time of the log.
func (c *Clock) Start(at event.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start, c.began = at, c.wall()
}

// Now is the demo's time; the present while the walk has not begun.
func (c *Clock) Now() event.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := c.wall()
	if c.start == 0 {
		return event.At(wall)
	}
	walked := c.start + event.Time(float64(wall.Sub(c.began).Milliseconds())*c.speed)
	return min(walked, max(event.At(wall), c.start))
}

// Walking reports whether the clock is still behind the present.
func (c *Clock) Walking() bool { return c.Now() < event.At(c.wall())-1000 }

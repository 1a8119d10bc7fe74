package main

import (
	"log/slog"
	"sync"
	"time"
)

// reportEvery is how often errors of callers' requests are logged: while
// partitions move, each request of a second fails for the same reason.
const reportEvery = 5 * time.Second

// reporter logs the first error of each while, and counts the others.
type reporter struct {
	log  *slog.Logger
	what string
	now  func() time.Time

	mu    sync.Mutex
	since time.Time
	more  int
}

func newReporter(log *slog.Logger, what string) *reporter {
	return &reporter{log: log, what: what, now: time.Now}
}

func (r *reporter) report(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if now.Sub(r.since) < reportEvery {
		r.more++
		return
	}
	r.log.Error(r.what, "err", err, "others_since_the_last", r.more)
	r.since, r.more = now, 0
}

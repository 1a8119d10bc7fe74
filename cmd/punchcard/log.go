package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/processors/control"
)

const (
	// diskReserve is what must stay free under the embedded parts: the door
	// closes before it is touched.
	diskReserve = 512 << 20
	// diskLook is how often free disk is asked for.
	diskLook = 2 * time.Second
	// retry* is what a closed door tells its callers.
	retryHistory = 5 * time.Second
	retryDisk    = 30 * time.Second
	retryBroker  = 2 * time.Second
	// brokerSlow is how long the oldest unanswered publish may take before new
	// events are refused.
	brokerSlow = 5 * time.Second
)

// doorLog publishes what the door accepts.
type doorLog struct {
	cluster *stream.Cluster
	pub     *stream.Publisher

	mu      sync.Mutex
	started map[int64]time.Time // publishes under way
	next    int64
}

func newDoorLog(c *stream.Cluster) (*doorLog, error) {
	pub, err := c.Publisher(stream.PublisherOptions{})
	if err != nil {
		return nil, err
	}
	return &doorLog{cluster: c, pub: pub, started: map[int64]time.Time{}}, nil
}

// Publish implements ingest.Log.
func (l *doorLog) Publish(ctx context.Context, records []ingest.Outgoing) error {
	id := l.begin()
	defer l.end(id)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	wg.Add(len(records))
	for _, r := range records {
		rec := &stream.Record{Topic: l.cluster.Topic(r.Topic), Value: r.Value}
		if r.Key != "" {
			rec.Key = []byte(r.Key)
		}
		if r.Class != "" {
			rec.Headers = []stream.Header{{Key: event.HeaderClass, Value: []byte(r.Class)}}
		}
		l.pub.Send(ctx, rec, func(_ *stream.Record, err error) {
			if err != nil {
				mu.Lock()
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
			wg.Done()
		})
	}
	wg.Wait()
	if errors.Is(first, stream.ErrBufferFull) {
		return fmt.Errorf("%w: %w", ingest.ErrBusy, first)
	}
	return first
}

func (l *doorLog) begin() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	l.started[l.next] = time.Now()
	return l.next
}

func (l *doorLog) end(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.started, id)
}

// oldest is how long the oldest publish under way has taken.
func (l *doorLog) oldest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var d time.Duration
	for _, t := range l.started {
		d = max(d, time.Since(t))
	}
	return d
}

// gate says whether new events may enter.
type gate struct {
	log     *doorLog
	watcher *control.Watcher
	broker  *embedded.Broker // nil: not embedded

	looked atomic.Int64 // unix ns of the last look at the disk
	full   atomic.Bool
}

// Check implements ingest.Gate.
func (g *gate) Check() (reason string, retryAfter time.Duration, ok bool) {
	switch {
	case g.watcher.IsHistory():
		return ingest.ClosedHistory, retryHistory, false
	case g.diskFull():
		return ingest.ClosedDisk, retryDisk, false
	case g.log.oldest() > brokerSlow:
		return ingest.ClosedBroker, retryBroker, false
	}
	return "", 0, true
}

func (g *gate) diskFull() bool {
	if g.broker == nil {
		return false
	}
	now, last := time.Now().UnixNano(), g.looked.Load()
	if now-last > int64(diskLook) && g.looked.CompareAndSwap(last, now) {
		free, err := g.broker.FreeDisk()
		g.full.Store(err == nil && free < diskReserve)
	}
	return g.full.Load()
}

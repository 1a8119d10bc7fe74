package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/warehouse"
)

// collector makes rounds of what it reads.
type collector struct {
	sink   *Sink
	log    *carried
	reader *stream.Reader
	at     map[int32]warehouse.Position // newest entry read
	tables map[string]map[int32]int64   // positions at the start
}

// run sends rounds until ctx ends.
func (c *collector) run(ctx context.Context, out chan<- *round) error {
	for {
		r, err := c.collect(ctx)
		if err != nil {
			return err
		}
		select {
		case out <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// collect waits for a first record and takes what comes within the time.
func (c *collector) collect(ctx context.Context) (*round, error) {
	f := c.log.open(c.tables)
	r := &round{last: make(map[int32]warehouse.Position), clock: make(map[int32]event.Time)}
	entries, bytes := 0, 0
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	for entries < c.sink.cfg.MaxEntries && bytes < c.sink.cfg.MaxBytes && f.widest() < maxRows {
		recs, err := c.reader.Poll(within, pollRecords)
		if err != nil {
			if entries > 0 && within.Err() != nil && ctx.Err() == nil {
				break // the time is up
			}
			return nil, err
		}
		if entries == 0 {
			defer time.AfterFunc(c.sink.cfg.CollectFor, cancel).Stop()
		}
		for _, rec := range recs {
			if err := c.take(f, r, rec); err != nil {
				return nil, err
			}
			entries++
			bytes += len(rec.Value)
		}
	}
	r.blocks = f.blocks()
	return r, nil
}

func (c *collector) take(f taker, r *round, rec *stream.Record) error {
	e, err := f.add(rec)
	if err != nil {
		return fmt.Errorf("%w: partition %d of %s, offset %d: %w", ErrEntry, rec.Partition, c.log.topic, rec.Offset, err)
	}
	if e.partition != rec.Partition {
		return fmt.Errorf("%w: partition %d of %s, offset %d: it says partition %d", ErrEntry, rec.Partition, c.log.topic, rec.Offset, e.partition)
	}
	if want := c.at[e.partition].Sequence + 1; e.sequence != want {
		return fmt.Errorf("%w: partition %d of %s has entry %d at offset %d where entry %d must be", ErrHole, e.partition, c.log.topic, e.sequence, rec.Offset, want)
	}
	at := warehouse.Position{Sequence: e.sequence, Offset: rec.Offset}
	c.at[e.partition], r.last[e.partition] = at, at
	r.clock[e.partition] = e.clock
	return nil
}

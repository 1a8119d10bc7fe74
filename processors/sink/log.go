package sink

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/warehouse"
)

// carried is a log of dense entries that the sink carries, and the tables that
// it fills.
type carried struct {
	topic string
	// tables are in the order in which they are inserted: the last one is the log
	// itself, so that what it has, all have.
	tables []string
	// where says how far the last table is, and at which offset of the topic.
	where func(context.Context, Warehouse) (map[int32]warehouse.Position, error)
	// open makes an empty round; positions are per table and partition.
	open func(positions map[string]map[int32]int64) taker
}

// taker takes entries apart into rows.
type taker interface {
	add(rec *stream.Record) (place, error)
	widest() int     // rows of the fullest table
	blocks() []block // tables that have rows, in the order of carried.tables
}

// place is where an entry stands in its log.
type place struct {
	partition int32
	sequence  int64
	clock     event.Time
}

var ledgerLog = carried{
	topic: event.TopicLedger, tables: tableNames,
	where: func(ctx context.Context, w Warehouse) (map[int32]warehouse.Position, error) {
		return w.LedgerPositions(ctx)
	},
	open: func(at map[string]map[int32]int64) taker { return newFacts(at) },
}

var campaignLog = carried{
	topic: event.TopicCampaignLog, tables: campaignTables,
	where: func(ctx context.Context, w Warehouse) (map[int32]warehouse.Position, error) {
		return w.CampaignPositions(ctx)
	},
	open: func(at map[string]map[int32]int64) taker { return newDecided(at) },
}

// round is what one set of inserts carries.
type round struct {
	blocks []block
	last   map[int32]warehouse.Position // newest entry of each partition
	clock  map[int32]event.Time         // its entry time
}

// carry reads the positions of a log's tables and carries on from there.
func (s *Sink) carry(ctx context.Context, l *carried) error {
	at, tables, err := s.positions(ctx, l)
	if err != nil {
		return err
	}
	if err := s.compare(ctx, l, at); err != nil {
		return err
	}
	from := make(map[int32]int64)
	for p, a := range at {
		from[p] = a.Offset + 1
	}
	reader, err := s.cfg.Cluster.Reader(ctx, stream.ReaderOptions{Topic: l.topic, Partitions: from, Isolation: stream.ReadCommitted})
	if err != nil {
		return err
	}
	defer reader.Close()
	s.status.start(l.topic, at)
	rounds := make(chan *round)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { // collects the next round while one is inserted
		defer close(rounds)
		c := &collector{sink: s, log: l, reader: reader, at: at, tables: tables}
		return c.run(ctx, rounds)
	})
	group.Go(func() error {
		w := newWriter(s.cfg, tables)
		w.report = func(err error) { s.status.fail(l.topic, err, false) }
		for r := range rounds {
			if err := w.write(ctx, r.blocks); err != nil {
				return err
			}
			s.status.advance(l.topic, r)
		}
		return nil
	})
	return group.Wait()
}

// positions asks ClickHouse how far it is: the entries of each of our
// partitions (offset -1: none), and every table of the log.
func (s *Sink) positions(ctx context.Context, l *carried) (map[int32]warehouse.Position, map[string]map[int32]int64, error) {
	if err := s.cfg.Warehouse.Settle(ctx); err != nil {
		return nil, nil, err
	}
	tables, err := s.cfg.Warehouse.PositionsOf(ctx, l.tables)
	if err != nil {
		return nil, nil, err
	}
	have, err := l.where(ctx, s.cfg.Warehouse)
	if err != nil {
		return nil, nil, err
	}
	ours := s.cfg.Partitions
	if ours == nil {
		n, err := s.cfg.Cluster.Partitions(ctx, l.topic)
		if err != nil {
			return nil, nil, err
		}
		for p := range have {
			if p >= n {
				return nil, nil, fmt.Errorf("%w: it has partition %d of %s, the topic has %d partitions: use another database", ErrOther, p, l.topic, n)
			}
		}
		for p := range n {
			ours = append(ours, p)
		}
	}
	at := make(map[int32]warehouse.Position)
	for _, p := range ours {
		at[p] = warehouse.Position{Offset: -1}
		if a, ok := have[p]; ok {
			at[p] = a
		}
	}
	return at, tables, nil
}

// compare checks that the newest entry that ClickHouse has in each partition is
// the log's own.
func (s *Sink) compare(ctx context.Context, l *carried, at map[int32]warehouse.Position) error {
	ends, err := s.cfg.Cluster.Ends(ctx, l.topic, stream.ReadCommitted)
	if err != nil {
		return err
	}
	for p, a := range at {
		if a.Offset < 0 {
			continue
		}
		if a.Offset >= ends[p].End {
			return fmt.Errorf("%w: partition %d has entry %d at offset %d, topic %s ends at %d: was it made anew? Use another database, or empty this one",
				ErrAhead, p, a.Sequence, a.Offset, l.topic, ends[p].End)
		}
		sequence := int64(-1)
		_, err := s.cfg.Cluster.Scan(ctx, l.topic, p, a.Offset, a.Offset+1, stream.ReadCommitted, func(rec *stream.Record) error {
			if rec.Offset == a.Offset {
				_, sequence, _, _ = event.EntryPosition(rec.Value)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if sequence != a.Sequence {
			return fmt.Errorf("%w: at offset %d of partition %d it has entry %d, topic %s has entry %d: use another database, or empty this one",
				ErrOther, a.Offset, p, a.Sequence, l.topic, sequence)
		}
	}
	return nil
}

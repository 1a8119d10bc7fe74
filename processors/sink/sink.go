package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/warehouse"
)

const (
	// DefaultCollectFor is how long a round collects when Config says nothing.
	DefaultCollectFor = time.Second
	// DefaultMaxEntries and DefaultMaxBytes end a round earlier.
	DefaultMaxEntries = 50_000
	DefaultMaxBytes   = 32 << 20
	// maxRows ends a round too: with the rows of one more entry it stays below
	// warehouse.MaxInsertRows.
	maxRows = 500_000
	// pollRecords is how many records one poll takes at most.
	pollRecords = 1000
	// backoff between tries grows from the first to the second.
	backoffFirst = 100 * time.Millisecond
	backoffMost  = 10 * time.Second
)

// Reasons to halt. Trying again would not help.
var (
	// ErrAhead: ClickHouse has entries that the ledger has not.
	ErrAhead = errors.New("sink: ClickHouse is ahead of the ledger")
	// ErrOther: what ClickHouse has is of another ledger.
	ErrOther = errors.New("sink: ClickHouse holds another ledger")
	// ErrHole: the ledger's sequence is not dense.
	ErrHole = errors.New("sink: the ledger has a hole")
	// ErrEntry: a record of the ledger is not an entry.
	ErrEntry = errors.New("sink: not an entry")
	// ErrTorn: an insert was there in part.
	ErrTorn = errors.New("sink: an insert was not atomic")
)

// Warehouse is what the sink needs of a warehouse.Warehouse.
type Warehouse interface {
	Insert(ctx context.Context, table, token string, columns []warehouse.Column) error
	Positions(ctx context.Context, table string) (map[int32]int64, error)
	PositionsOf(ctx context.Context, tables []string) (map[string]map[int32]int64, error)
	LedgerPositions(ctx context.Context) (map[int32]warehouse.Position, error)
	Settle(ctx context.Context) error
}

// Config says what to carry where. Zero limits have defaults.
type Config struct {
	Cluster   *stream.Cluster
	Warehouse Warehouse
	// Partitions of the ledger that are this sink's; nil: all.
	Partitions []int32
	// Rejects is whether topic rejects is carried too; one sink of all does.
	Rejects    bool
	CollectFor time.Duration
	MaxEntries int
	MaxBytes   int
	Logger     *slog.Logger
}

// Sink carries facts to ClickHouse.
type Sink struct {
	cfg    Config
	status *board
}

// New makes a sink; Run starts it.
func New(c Config) *Sink {
	if c.CollectFor <= 0 {
		c.CollectFor = DefaultCollectFor
	}
	if c.MaxEntries <= 0 {
		c.MaxEntries = DefaultMaxEntries
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sink{cfg: c, status: newBoard()}
}

// Run carries until ctx ends (then it returns nil) or something is wrong that
// trying again cannot mend.
func (s *Sink) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.keep(ctx, event.TopicLedger, s.carryLedger) })
	if s.cfg.Rejects {
		group.Go(func() error { return s.keep(ctx, event.TopicRejects, s.carryRejects) })
	}
	return group.Wait()
}

// keep runs carry again after a failure, from the positions that ClickHouse has
// then.
func (s *Sink) keep(ctx context.Context, topic string, carry func(context.Context) error) error {
	wait := backoffFirst
	for {
		started := time.Now()
		err := carry(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case halts(err):
			s.status.fail(topic, err, true)
			return err
		}
		s.status.fail(topic, err, false)
		if time.Since(started) > backoffMost {
			wait = backoffFirst
		}
		s.cfg.Logger.Warn("sink: trying again", "topic", topic, "in", wait, "error", err)
		if !pause(ctx, wait) {
			return nil
		}
		wait = min(2*wait, backoffMost)
	}
}

func halts(err error) bool {
	for _, halt := range []error{ErrAhead, ErrOther, ErrHole, ErrEntry, ErrTorn, stream.ErrDataLoss} {
		if errors.Is(err, halt) {
			return true
		}
	}
	return false
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// round is what one set of inserts carries.
type round struct {
	blocks []block
	last   map[int32]warehouse.Position // newest entry of each partition
	clock  map[int32]event.Time         // its entry time
}

// carryLedger reads positions and carries on from there.
func (s *Sink) carryLedger(ctx context.Context) error {
	at, tables, err := s.positions(ctx)
	if err != nil {
		return err
	}
	if err := s.compare(ctx, at); err != nil {
		return err
	}
	from := make(map[int32]int64)
	for p, a := range at {
		from[p] = a.Offset + 1
	}
	reader, err := s.cfg.Cluster.Reader(ctx, stream.ReaderOptions{Topic: event.TopicLedger, Partitions: from, Isolation: stream.ReadCommitted})
	if err != nil {
		return err
	}
	defer reader.Close()
	s.status.start(at)
	rounds := make(chan *round)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { // collects the next round while one is inserted
		defer close(rounds)
		c := &collector{sink: s, reader: reader, at: at, tables: tables}
		return c.run(ctx, rounds)
	})
	group.Go(func() error {
		w := newWriter(s.cfg, tables)
		w.report = func(err error) { s.status.fail(event.TopicLedger, err, false) }
		for r := range rounds {
			if err := w.write(ctx, r.blocks); err != nil {
				return err
			}
			s.status.advance(r)
		}
		return nil
	})
	return group.Wait()
}

// positions asks ClickHouse how far it is: the entries of each of our
// partitions (offset -1: none), and every table.
func (s *Sink) positions(ctx context.Context) (map[int32]warehouse.Position, map[string]map[int32]int64, error) {
	if err := s.cfg.Warehouse.Settle(ctx); err != nil {
		return nil, nil, err
	}
	tables, err := s.cfg.Warehouse.PositionsOf(ctx, tableNames)
	if err != nil {
		return nil, nil, err
	}
	have, err := s.cfg.Warehouse.LedgerPositions(ctx)
	if err != nil {
		return nil, nil, err
	}
	ours := s.cfg.Partitions
	if ours == nil {
		n, err := s.cfg.Cluster.Partitions(ctx, event.TopicLedger)
		if err != nil {
			return nil, nil, err
		}
		for p := range have {
			if p >= n {
				return nil, nil, fmt.Errorf("%w: it has partition %d, the ledger has %d partitions: use another database", ErrOther, p, n)
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
// the ledger's own.
func (s *Sink) compare(ctx context.Context, at map[int32]warehouse.Position) error {
	ends, err := s.cfg.Cluster.Ends(ctx, event.TopicLedger, stream.ReadCommitted)
	if err != nil {
		return err
	}
	for p, a := range at {
		if a.Offset < 0 {
			continue
		}
		if a.Offset >= ends[p].End {
			return fmt.Errorf("%w: partition %d has entry %d at offset %d, the ledger ends at %d: was the ledger made anew? Use another database, or empty this one",
				ErrAhead, p, a.Sequence, a.Offset, ends[p].End)
		}
		sequence := int64(-1)
		_, err := s.cfg.Cluster.Scan(ctx, event.TopicLedger, p, a.Offset, a.Offset+1, stream.ReadCommitted, func(rec *stream.Record) error {
			if rec.Offset == a.Offset {
				_, sequence, _, _ = event.EntryPosition(rec.Value)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if sequence != a.Sequence {
			return fmt.Errorf("%w: at offset %d of partition %d it has entry %d, the ledger has entry %d: use another database, or empty this one",
				ErrOther, a.Offset, p, a.Sequence, sequence)
		}
	}
	return nil
}

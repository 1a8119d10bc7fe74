package sink

import (
	"context"
	"errors"
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
	// ErrAhead: ClickHouse has entries that the log has not.
	ErrAhead = errors.New("sink: ClickHouse is ahead of the log")
	// ErrOther: what ClickHouse has is of another log.
	ErrOther = errors.New("sink: ClickHouse holds another log")
	// ErrHole: a log's sequence is not dense.
	ErrHole = errors.New("sink: the log has a hole")
	// ErrEntry: a record of a log is not an entry of it.
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
	CampaignPositions(ctx context.Context) (map[int32]warehouse.Position, error)
	Settle(ctx context.Context) error
}

// Config says what to carry where. Zero limits have defaults.
type Config struct {
	Cluster   *stream.Cluster
	Warehouse Warehouse
	// Partitions of the ledger and of campaign-log that are this sink's; nil: all.
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
	for _, l := range []*carried{&ledgerLog, &campaignLog} {
		group.Go(func() error {
			return s.keep(ctx, l.topic, func(ctx context.Context) error { return s.carry(ctx, l) })
		})
	}
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

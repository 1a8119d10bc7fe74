package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

const (
	// pollRecords bounds the entries taken at once.
	pollRecords = 2048
	// pollWindow is how many entries of a partition may lie between one that is
	// missing on a topic and the newest on any. No release may lower it below the
	// pollRecords of an earlier one, which may have crashed.
	pollWindow = pollRecords
	// retryMin and retryMax bound the pause after a failure of the broker.
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// Topic is one that a projection feeds.
type Topic struct {
	Name string
	// Kept is how long the broker keeps the records of a topic of news; 0 is a topic
	// that is kept whole: the newest record of each key, for ever.
	Kept time.Duration
}

// Emit takes a record of one of the projection's topics; without value it is a
// tombstone.
type Emit func(topic string, key, value []byte)

// Projection is a pure function from an entry to the records of several topics.
type Projection struct {
	// Source is the topic of entries that is read: ledger or campaign-log.
	Source string
	Topics []Topic
	// Project emits the records that the source's record gives. It must give the
	// same for the same record.
	Project func(rec *stream.Record, emit Emit) error
}

// Projector runs projections over all partitions.
type Projector struct {
	cluster      *stream.Cluster
	partitions   int32
	projections  []Projection
	log          *slog.Logger
	sequences    map[string][]atomic.Int64
	poll, window int
	publisher    func() (publisher, error)
}

type publisher interface {
	Publish(ctx context.Context, recs ...*stream.Record) error
	Close()
}

// New makes a projector of the given projections: no topic is fed by two.
func New(c *stream.Cluster, partitions int32, log *slog.Logger, projections ...Projection) *Projector {
	p := &Projector{
		cluster: c, partitions: partitions, projections: projections, log: log, sequences: map[string][]atomic.Int64{},
		poll: pollRecords, window: pollWindow,
		publisher: func() (publisher, error) { return c.Publisher(stream.PublisherOptions{ManualPartition: true}) },
	}
	for _, pr := range projections {
		for _, topic := range pr.Topics {
			p.sequences[topic.Name] = make([]atomic.Int64, partitions)
		}
	}
	return p
}

// Sequence is the newest entry of the partition, in the topic's source, that the
// topic reflects.
func (p *Projector) Sequence(topic string, partition int32) int64 {
	return p.sequences[topic][partition].Load()
}

// Run projects until ctx ends. Failures of the broker are retried for ever; a
// record that cannot be projected ends it (our bug).
func (p *Projector) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, pr := range p.projections {
		g.Go(func() error { return p.runSource(ctx, pr) })
	}
	return g.Wait()
}

// errProject marks what retrying cannot mend.
var errProject = errors.New("projector")

func (p *Projector) runSource(ctx context.Context, pr Projection) error {
	pause := retryMin
	for {
		err := p.follow(ctx, pr)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errProject) || errors.Is(err, stream.ErrDataLoss) {
			return err
		}
		p.log.Warn("projector: trying again", "source", pr.Source, "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMax)
	}
}

// follow finds the positions in the topics' own tails and projects on from there.
func (p *Projector) follow(ctx context.Context, pr Projection) error {
	s, err := p.start(ctx, pr)
	if err != nil {
		return err
	}
	r, err := p.cluster.Reader(ctx, stream.ReaderOptions{Topic: pr.Source, Partitions: s.from, Isolation: stream.ReadCommitted})
	if err != nil {
		return err
	}
	defer r.Close()
	pub, err := p.publisher()
	if err != nil {
		return err
	}
	defer pub.Close()
	for {
		recs, err := r.Poll(ctx, p.poll)
		if err != nil {
			return err
		}
		if err := p.project(ctx, pr, s, pub, recs); err != nil {
			return err
		}
	}
}

// project publishes what the source's records give, then notes how far it is.
func (p *Projector) project(ctx context.Context, pr Projection, s *start, pub publisher, recs []*stream.Record) error {
	var out []*stream.Record
	last := map[int32]int64{}
	for _, rec := range recs {
		_, seq, _, ok := event.EntryPosition(rec.Value)
		if !ok {
			return fmt.Errorf("%w: %s/%d offset %d is not an entry", errProject, pr.Source, rec.Partition, rec.Offset)
		}
		last[rec.Partition] = seq
		source := event.Source{Partition: rec.Partition, Sequence: seq, Offset: rec.Offset}.Append(nil)
		err := pr.Project(rec, func(topic string, key, value []byte) {
			if rec.Offset < s.floors[topic][rec.Partition] {
				return // the topic has it
			}
			out = append(out, &stream.Record{
				Topic: p.cluster.Topic(topic), Partition: rec.Partition, Key: key, Value: value,
				Headers: []stream.Header{{Key: event.HeaderSource, Value: source}},
			})
		})
		if err != nil {
			return fmt.Errorf("%w: from %s/%d sequence %d: %w", errProject, pr.Source, rec.Partition, seq, err)
		}
	}
	if len(out) > 0 {
		if err := pub.Publish(ctx, out...); err != nil {
			return err
		}
	}
	for part, seq := range last {
		for _, topic := range pr.Topics {
			// Only this goroutine stores. What is read again is no step back.
			if at := &p.sequences[topic.Name][part]; seq > at.Load() {
				at.Store(seq)
			}
		}
	}
	return nil
}

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
	// retryMin and retryMax bound the pause after a failure of the broker.
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// Projection is a pure function from an entry to the records of one topic.
type Projection struct {
	// Source is the topic of entries that is read: ledger or campaign-log.
	Source string
	Topic  string
	// Project appends the records that the source's record gives: key and value
	// (nil: a tombstone). It must give the same for the same record.
	Project func(rec *stream.Record, emit func(key, value []byte)) error
}

// Projector runs projections over all partitions.
type Projector struct {
	cluster     *stream.Cluster
	partitions  int32
	projections []Projection
	log         *slog.Logger
	sequences   map[string][]atomic.Int64
}

// New makes a projector of the given projections.
func New(c *stream.Cluster, partitions int32, log *slog.Logger, projections ...Projection) *Projector {
	p := &Projector{cluster: c, partitions: partitions, projections: projections, log: log, sequences: map[string][]atomic.Int64{}}
	for _, pr := range projections {
		p.sequences[pr.Topic] = make([]atomic.Int64, partitions)
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
		g.Go(func() error { return p.runTopic(ctx, pr) })
	}
	return g.Wait()
}

// errProject marks what retrying cannot mend.
var errProject = errors.New("projector")

func (p *Projector) runTopic(ctx context.Context, pr Projection) error {
	pause := retryMin
	for {
		err := p.follow(ctx, pr)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errProject) || errors.Is(err, stream.ErrDataLoss) {
			return err
		}
		p.log.Warn("projector: trying again", "topic", pr.Topic, "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMax)
	}
}

// follow finds the positions in the topic's own tail and projects on from there.
func (p *Projector) follow(ctx context.Context, pr Projection) error {
	from := make(map[int32]int64, p.partitions)
	for i := range p.partitions {
		tail, err := p.cluster.Tail(ctx, pr.Topic, i, 1)
		if err != nil {
			return err
		}
		if len(tail) == 0 {
			from[i] = 0
			continue
		}
		src, err := sourceOf(tail[0])
		if err != nil {
			return fmt.Errorf("%w: %s/%d offset %d: %w; the topic is written by the projector alone", errProject, pr.Topic, i, tail[0].Offset, err)
		}
		// Read the entry itself again: it may have made more records than arrived.
		from[i] = src.Offset
	}
	r, err := p.cluster.Reader(ctx, stream.ReaderOptions{Topic: pr.Source, Partitions: from, Isolation: stream.ReadCommitted})
	if err != nil {
		return err
	}
	defer r.Close()
	pub, err := p.cluster.Publisher(stream.PublisherOptions{ManualPartition: true})
	if err != nil {
		return err
	}
	defer pub.Close()
	for {
		recs, err := r.Poll(ctx, pollRecords)
		if err != nil {
			return err
		}
		if err := p.project(ctx, pr, pub, recs); err != nil {
			return err
		}
	}
}

// project publishes what the source's records give, then notes how far it is.
func (p *Projector) project(ctx context.Context, pr Projection, pub *stream.Publisher, recs []*stream.Record) error {
	var out []*stream.Record
	last := map[int32]int64{}
	for _, rec := range recs {
		_, seq, _, ok := event.EntryPosition(rec.Value)
		if !ok {
			return fmt.Errorf("%w: %s/%d offset %d is not an entry", errProject, pr.Source, rec.Partition, rec.Offset)
		}
		last[rec.Partition] = seq
		source := event.Source{Partition: rec.Partition, Sequence: seq, Offset: rec.Offset}.Append(nil)
		err := pr.Project(rec, func(key, value []byte) {
			out = append(out, &stream.Record{
				Topic: p.cluster.Topic(pr.Topic), Partition: rec.Partition, Key: key, Value: value,
				Headers: []stream.Header{{Key: event.HeaderSource, Value: source}},
			})
		})
		if err != nil {
			return fmt.Errorf("%w: %s from %s/%d sequence %d: %w", errProject, pr.Topic, pr.Source, rec.Partition, seq, err)
		}
	}
	if len(out) > 0 {
		if err := pub.Publish(ctx, out...); err != nil {
			return err
		}
	}
	for part, seq := range last {
		p.sequences[pr.Topic][part].Store(seq)
	}
	return nil
}

func sourceOf(rec *stream.Record) (event.Source, error) {
	for _, h := range rec.Headers {
		if h.Key == event.HeaderSource {
			return event.DecodeSource(h.Value)
		}
	}
	return event.Source{}, errors.New("no source header")
}

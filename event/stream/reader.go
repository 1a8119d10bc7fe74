package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// DefaultMaxBytes is how much a Reader fetches ahead when
	// ReaderOptions.MaxBytes is 0.
	DefaultMaxBytes = 8 << 20
	// MaxReadBytes is the most that ReaderOptions.MaxBytes may be.
	MaxReadBytes = 64 << 20
	// fetchWait is how long the broker holds an empty fetch open; a record
	// that arrives ends the wait.
	fetchWait = 500 * time.Millisecond
)

// ErrDataLoss says that records this reader was to read next are gone:
// deleted, or lost by the broker. Reading on would skip them silently.
var ErrDataLoss = errors.New("stream: records are missing")

// ReaderOptions name what to read.
type ReaderOptions struct {
	// Topic is without prefix.
	Topic string
	// Partition and From are the one partition and its first offset.
	Partition int32
	From      int64
	// Partitions, if not nil, are several partitions with their first offsets
	// instead.
	Partitions map[int32]int64
	Isolation  Isolation
	// MaxBytes is about how much is fetched ahead; [DefaultMaxBytes] when 0.
	MaxBytes int
}

// Reader reads partitions from explicit offsets, in order within each. Not
// safe for concurrent use.
type Reader struct {
	c     *Cluster
	cl    *kgo.Client
	topic string
	next  map[int32]int64
}

// Reader starts reading.
func (c *Cluster) Reader(_ context.Context, o ReaderOptions) (*Reader, error) {
	if o.Partitions == nil {
		o.Partitions = map[int32]int64{o.Partition: o.From}
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxBytes < 0 || o.MaxBytes > MaxReadBytes {
		return nil, fmt.Errorf("stream: reading %s with MaxBytes %d: use 1 to %d", o.Topic, o.MaxBytes, MaxReadBytes)
	}
	topic := c.Topic(o.Topic)
	offsets, next := make(map[int32]kgo.Offset), make(map[int32]int64)
	for p, from := range o.Partitions {
		if from < 0 {
			return nil, fmt.Errorf("stream: reading %s/%d from offset %d: an offset is 0 or more", topic, p, from)
		}
		offsets[p], next[p] = kgo.NewOffset().At(from), from
	}
	cl, err := kgo.NewClient(c.options("reader",
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(o.Isolation.level()),
		kgo.FetchMaxBytes(int32(o.MaxBytes)),
		kgo.FetchMaxPartitionBytes(int32(o.MaxBytes)),
		kgo.FetchMaxWait(fetchWait),
		kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("stream: reader settings for %s: %w", topic, err)
	}
	return &Reader{c: c, cl: cl, topic: topic, next: next}, nil
}

// Poll waits for at least one record and returns up to max. It returns the
// context's error when that ends first, and [ErrDataLoss] when the next
// offset does not exist any more (or not yet).
func (r *Reader) Poll(ctx context.Context, max int) ([]*Record, error) {
	for {
		fetches := r.cl.PollRecords(ctx, max)
		for _, e := range fetches.Errors() {
			if err := r.failed(ctx, e); err != nil {
				return nil, err
			}
		}
		out := make([]*Record, 0, fetches.NumRecords())
		fetches.EachRecord(func(rec *kgo.Record) {
			r.next[rec.Partition] = rec.Offset + 1
			if !rec.Attrs.IsControl() {
				out = append(out, rec)
			}
		})
		if len(out) > 0 {
			return out, nil
		}
	}
}

// Position is the offset after the last one polled of a partition, markers of
// transactions counted too.
func (r *Reader) Position(partition int32) int64 { return r.next[partition] }

// Close ends the connection.
func (r *Reader) Close() { r.cl.Close() }

func (r *Reader) failed(ctx context.Context, e kgo.FetchError) error {
	if errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return readError(r.c, r.topic, e.Partition, r.next[e.Partition], e.Err)
}

func readError(c *Cluster, topic string, p int32, next int64, err error) error {
	var loss *kgo.ErrDataLoss
	if errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss) {
		return fmt.Errorf("%w: %s/%d at %s has no offset %d: were records deleted, or the topic made anew? %w", ErrDataLoss, topic, p, c.where(), next, err)
	}
	return fmt.Errorf("stream: reading %s/%d from offset %d at %s: %w", topic, p, next, c.where(), err)
}

package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/punchcard/punchcard/event"
)

const (
	// DefaultMaxBuffered is the number of records a Publisher holds when
	// PublisherOptions.MaxBuffered is 0.
	DefaultMaxBuffered = 16 << 10
	// deliveryTimeout is how long a record may wait for the broker before its
	// delivery fails, where failing it cannot make a double.
	deliveryTimeout = 30 * time.Second
)

// ErrBufferFull says that the broker is slower than the caller: the record
// was not taken. Slow down and send it again.
var ErrBufferFull = errors.New("stream: the publisher's buffer is full")

// PublisherOptions tune a [Publisher]; the zero value is usable.
type PublisherOptions struct {
	// Compression is none, snappy, lz4 or zstd; snappy when empty.
	Compression string
	// MaxBuffered is the number of records held; [DefaultMaxBuffered] when 0.
	MaxBuffered int
	// ManualPartition takes each record's own Partition field instead of the
	// murmur2 of its key.
	ManualPartition bool
	// Linger is how long a batch waits to fill.
	Linger time.Duration
}

// Publisher is an idempotent producer that waits for all replicas. Safe for
// concurrent use.
type Publisher struct {
	c  *Cluster
	cl *kgo.Client
}

// Publisher starts a producer. Records name their topic on the broker
// ([Cluster.Topic]).
func (c *Cluster) Publisher(o PublisherOptions) (*Publisher, error) {
	codec, err := codecOf(o.Compression)
	if err != nil {
		return nil, err
	}
	if o.MaxBuffered == 0 {
		o.MaxBuffered = DefaultMaxBuffered
	}
	// Keys decide alone; records without key stick to one partition a batch.
	partitioner := kgo.StickyKeyPartitioner(nil)
	if o.ManualPartition {
		partitioner = kgo.ManualPartitioner()
	}
	cl, err := kgo.NewClient(c.options("publisher",
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchMaxBytes(event.MaxRecordBytes), // one entry may need it; topics allow it
		kgo.RecordPartitioner(partitioner),
		kgo.ProducerBatchCompression(codec),
		kgo.MaxBufferedRecords(o.MaxBuffered),
		kgo.ProducerLinger(o.Linger),
		kgo.RecordDeliveryTimeout(deliveryTimeout+o.Linger),
	)...)
	if err != nil {
		return nil, fmt.Errorf("stream: publisher settings: %w", err)
	}
	return &Publisher{c: c, cl: cl}, nil
}

// Publish sends the records and waits until the broker has all of them, or
// returns the first error; then some may have arrived, or may still arrive
// when the error is the context's: what was sent cannot be called back. Those
// of one partition keep their order. The records belong to the publisher until
// they have their outcome.
func (p *Publisher) Publish(ctx context.Context, recs ...*Record) error {
	if len(recs) == 0 {
		return nil
	}
	// Room for every outcome: none is waited for after an early return.
	outcomes := make(chan error, len(recs))
	for _, r := range recs {
		p.cl.Produce(ctx, r, func(r *kgo.Record, err error) {
			if err != nil {
				err = p.failed(r, err)
			}
			outcomes <- err
		})
	}
	for range recs {
		select {
		case err := <-outcomes:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("stream: publishing to %s at %s: no answer yet: %w", recs[0].Topic, p.c.where(), ctx.Err())
		}
	}
	return nil
}

// Send hands one record over without waiting. done, if not nil, is called
// once, in order within a partition, with the record's outcome: nil when the
// broker has it, [ErrBufferFull] when it was not taken. done must not block.
func (p *Publisher) Send(ctx context.Context, rec *Record, done func(*Record, error)) {
	p.cl.TryProduce(ctx, rec, func(r *kgo.Record, err error) {
		if done == nil {
			return
		}
		if err != nil {
			err = p.failed(r, err)
		}
		done(r, err)
	})
}

// Flush waits until every record sent before has its outcome.
func (p *Publisher) Flush(ctx context.Context) error { return p.cl.Flush(ctx) }

// Close fails what is still buffered and ends the connection. Flush first.
func (p *Publisher) Close() { p.cl.Close() }

func (p *Publisher) failed(r *Record, err error) error {
	if errors.Is(err, kgo.ErrMaxBuffered) {
		return fmt.Errorf("%w (topic %s at %s)", ErrBufferFull, r.Topic, p.c.where())
	}
	return fmt.Errorf("stream: publishing to %s at %s: %w", r.Topic, p.c.where(), err)
}

func codecOf(name string) (kgo.CompressionCodec, error) {
	switch name {
	case "", "snappy":
		return kgo.SnappyCompression(), nil
	case "none":
		return kgo.NoCompression(), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "zstd":
		return kgo.ZstdCompression(), nil
	}
	return kgo.CompressionCodec{}, fmt.Errorf("stream: unknown compression %q: use none, snappy, lz4 or zstd", name)
}

package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/punchcard/punchcard/event"
)

const (
	// MaxCommitRecords is the most records one Commit takes.
	MaxCommitRecords = 256 << 10
	// transactionTimeout is when the broker itself aborts a transaction whose
	// writer is silent. Takeover does not wait for it.
	transactionTimeout = 60 * time.Second
	// commitTimeout bounds a Commit whose context has no earlier deadline.
	commitTimeout = 60 * time.Second
	// abortTimeout bounds the abort after a failed Commit; the next writer's
	// opening aborts in any case.
	abortTimeout = 2 * time.Second
	// concurrentBackoff is the pause before asking again while the broker still
	// ends the transaction before: a marker takes a millisecond or two.
	concurrentBackoff = 2 * time.Millisecond
	// writerLinger holds batches back until Commit flushes them, or they are
	// full: it only has to be longer than handing over a commit's records.
	writerLinger = time.Second
)

// How a failed Commit ended. Each error of Commit is one of the three; the
// Writer is dead after any.
var (
	// ErrFenced: another writer has the partition. Close and drop it.
	ErrFenced = errors.New("stream: fenced: another writer has taken this partition")
	// ErrAborted: nothing of it was or will be committed. Re-open, try again.
	ErrAborted = errors.New("stream: the transaction was not committed")
	// ErrUnknownOutcome: re-open and read the tail to learn what happened.
	ErrUnknownOutcome = errors.New("stream: the outcome of the transaction is unknown")
)

// WriterOptions name a [Writer].
type WriterOptions struct {
	// TransactionalID is the same for every writer of this partition by this
	// processor, on whatever machine. The prefix and, on the embedded broker,
	// the start number are added to it.
	TransactionalID string
	// Topic is without prefix.
	Topic     string
	Partition int32
	// Compression is none, snappy, lz4 or zstd; snappy when empty.
	Compression string
}

// Writer is the transactional writer of one partition. Not safe for
// concurrent use, but for Close.
type Writer struct {
	c     *Cluster
	cl    *kgo.Client
	topic string
	part  int32
	id    string
	dead  error // set by the first failed Commit
	once  sync.Once
}

// Writer opens the partition for writing: when it returns, every earlier
// writer with this id is fenced and the transaction it left open is aborted.
func (c *Cluster) Writer(ctx context.Context, o WriterOptions) (*Writer, error) {
	if o.TransactionalID == "" {
		return nil, fmt.Errorf("stream: writer of %s/%d: no transactional id", o.Topic, o.Partition)
	}
	codec, err := codecOf(o.Compression)
	if err != nil {
		return nil, err
	}
	id := c.cfg.Prefix + o.TransactionalID
	if c.cfg.WriterEpoch != "" {
		id += "-" + c.cfg.WriterEpoch
	}
	cl, err := kgo.NewClient(c.options("writer",
		kgo.TransactionalID(id),
		kgo.TransactionTimeout(transactionTimeout),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchMaxBytes(event.MaxRecordBytes), // one entry may need it; topics allow it
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codec),
		kgo.MaxBufferedRecords(MaxCommitRecords),
		kgo.ProducerLinger(writerLinger),
		kgo.ConcurrentTransactionsBackoff(concurrentBackoff),
	)...)
	if err != nil {
		return nil, fmt.Errorf("stream: writer settings: %w", err)
	}
	w := &Writer{c: c, cl: cl, topic: c.Topic(o.Topic), part: o.Partition, id: id}
	if _, _, err := cl.ProducerID(ctx); err != nil {
		cl.Close()
		return nil, fmt.Errorf("stream: opening writer %s of %s/%d at %s: %w", id, w.topic, o.Partition, c.where(), err)
	}
	return w, nil
}

// Commit writes the records to the writer's partition in one transaction, in
// order, and returns nil when all are known to be committed; their Topic,
// Partition and Offset are then set. Apache Kafka shows them to read_committed
// readers some milliseconds later, when its marker is in the partition; [Cluster.Tail]
// waits for that. No records is no transaction. Otherwise
// the error is one of [ErrFenced], [ErrAborted] and [ErrUnknownOutcome], and
// this writer refuses further work. A context that ends early may leave the
// outcome unknown.
func (w *Writer) Commit(ctx context.Context, recs []*Record) error {
	if w.dead != nil {
		return w.dead
	}
	if len(recs) == 0 {
		return nil
	}
	if len(recs) > MaxCommitRecords {
		return w.fail(ErrAborted, fmt.Errorf("%d records in one commit; at most %d", len(recs), MaxCommitRecords))
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if err := w.cl.BeginTransaction(); err != nil {
		return w.fail(ErrAborted, err)
	}
	if err := w.produce(ctx, recs); err != nil {
		// The commit was not asked for, so it cannot happen. The abort only
		// frees readers earlier than the next writer's opening would.
		actx, acancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
		defer acancel()
		_ = w.cl.EndTransaction(actx, kgo.TryAbort)
		return w.fail(ErrAborted, err)
	}
	if err := w.cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
		if errors.Is(err, kerr.OperationNotAttempted) || errors.Is(err, kerr.TransactionAbortable) {
			return w.fail(ErrAborted, err)
		}
		return w.fail(ErrUnknownOutcome, err)
	}
	return nil
}

// produce hands all records over, flushes, and looks at every outcome: that a
// transaction ended well says nothing about records that never entered it.
func (w *Writer) produce(ctx context.Context, recs []*Record) error {
	var (
		mu    sync.Mutex
		first error
		acked int
	)
	for _, r := range recs {
		r.Topic, r.Partition = w.topic, w.part
		w.cl.Produce(ctx, r, func(_ *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				acked++
			} else if first == nil {
				first = err
			}
		})
	}
	flushed := w.cl.Flush(ctx)
	mu.Lock()
	defer mu.Unlock()
	switch {
	case first != nil:
		return first
	case flushed != nil:
		return flushed
	case acked != len(recs):
		return fmt.Errorf("%d of %d records acknowledged", acked, len(recs))
	}
	return nil
}

// fail marks the writer dead and names what happened.
func (w *Writer) fail(kind, err error) error {
	if isFenced(err) {
		kind = ErrFenced
	}
	w.dead = fmt.Errorf("%w: writer %s of %s/%d at %s: %w", kind, w.id, w.topic, w.part, w.c.where(), err)
	return w.dead
}

func isFenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
}

// Close ends the connection. A transaction still open is aborted by the next
// writer's opening. Safe to call twice.
func (w *Writer) Close() { w.once.Do(w.cl.Close) }

package processors

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/table"
)

// Defaults and limits of a Runtime.
const (
	// DefaultCollect is how long records are collected before a commit, on Apache
	// Kafka; the embedded broker wants 10 ms.
	DefaultCollect = 5 * time.Millisecond
	// MaxCollect bounds Config.Collect: answers wait for it.
	MaxCollect = time.Second
	// DefaultMaxBatch is how many input records one commit takes.
	DefaultMaxBatch = 4096
	// DefaultMaxBatchBytes is how large the entries of one commit become, about.
	DefaultMaxBatchBytes = 16 << 20
	// maxEntries leaves one input's entries room below the Writer's limit.
	maxEntries = stream.MaxCommitRecords / 2
	// maxFailures in a row, without a commit between, halt a partition.
	maxFailures = 12
	// DefaultRetryWait is the first pause after a failure; it doubles up to
	// maxRetryWait.
	DefaultRetryWait = 100 * time.Millisecond
	maxRetryWait     = 5 * time.Second
	// DefaultFencedWait is how long a fenced partition waits for the group to take
	// it away; if the group leaves it here, it is opened again.
	DefaultFencedWait = 15 * time.Second
	// housekeeping is how often ends are asked for and positions stored.
	housekeeping = time.Second
	// closeTimeout bounds a partition's last commit when it is given up.
	closeTimeout = 10 * time.Second
	// cacheBytes bounds Pebble's block cache for all partitions together. What
	// their buffers hold while it is being written counts against it: a small cache
	// is no cache then, and every look-up reads its filters from the disk.
	cacheBytes = 256 << 20
)

// Function decides. It has no clock, no randomness and looks nothing up: all it
// knows is the record and the state. It is used by one goroutine.
type Function interface {
	// Apply decides one input record and appends at least one entry, unless the
	// runtime is Sparse. An error halts the partition: it is our bug, or a log that
	// must not be read on.
	Apply(in *stream.Record, tx *table.Tx, out *Output) error
}

// Takeover appends the entry by which a new writer takes the partition before it
// reads on. Its source offset is out.Source(): it moves no position.
type Takeover func(tx *table.Tx, out *Output) error

// Config is what a Runtime needs.
type Config struct {
	Cluster *stream.Cluster
	// Name is the processor's: part of the transactional ids ("customer").
	Name string
	// Input and Output are topics without prefix, of as many partitions each.
	Input, Output string
	// Dir holds a table per partition.
	Dir string
	// New makes the Function of a partition; called again after every failure.
	New func(partition int32) Function
	// Isolation of the input; the zero value reads what is committed.
	Isolation stream.Isolation
	// Sparse: an input may make no entry, and then may stage nothing either. The
	// position stays at the last entry's source: after a crash such inputs are read
	// again, and make none again.
	Sparse bool
	// Takeover, if set, makes an entry at each taking of a partition: what the
	// embedded broker needs.
	Takeover Takeover
	// Collect, MaxBatch and MaxBatchBytes: see the defaults.
	Collect       time.Duration
	MaxBatch      int
	MaxBatchBytes int64
	// Compression of the ledger; the Writer's default when empty.
	Compression string
	// GroupID divides the partitions among processes; empty: all are ours.
	GroupID    string
	InstanceID string
	MemberData []byte
	// Committed, if set, is told of each commit's entries, in order within a
	// partition. It must not block, change or keep the records, whose
	// memory is used again.
	Committed func(partition int32, recs []*stream.Record)
	// Expire, if set, lets tables forget keys; see table.Expire.
	Expire *table.Expire
	// Fresh, if set, tells tables which keys are usually new; see table.Options.
	Fresh string
	// RetryWait and FencedWait: see the defaults.
	RetryWait  time.Duration
	FencedWait time.Duration
	Logger     *slog.Logger
}

func (c *Config) check() error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("processors: %s is missing", what))
		}
	}
	need(c.Cluster != nil, "Cluster")
	need(c.Name != "", "Name")
	need(c.Input != "" && c.Output != "", "Input or Output")
	need(c.Dir != "", "Dir")
	need(c.New != nil, "New")
	if c.Collect == 0 {
		c.Collect = DefaultCollect
	}
	if c.Collect < 0 || c.Collect > MaxCollect {
		errs = append(errs, fmt.Errorf("processors: collecting %s: choose up to %s", c.Collect, MaxCollect))
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = DefaultMaxBatch
	}
	if c.MaxBatch < 1 || c.MaxBatch > maxEntries {
		errs = append(errs, fmt.Errorf("processors: a batch of %d records: choose 1 to %d", c.MaxBatch, maxEntries))
	}
	if c.MaxBatchBytes == 0 {
		c.MaxBatchBytes = DefaultMaxBatchBytes
	}
	if c.RetryWait == 0 {
		c.RetryWait = DefaultRetryWait
	}
	if c.FencedWait == 0 {
		c.FencedWait = DefaultFencedWait
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}

// ErrNotOwner says that another process owns the partition, or nobody yet.
var ErrNotOwner = errors.New("processors: the partition is not owned by this process")

// PartitionStatus is how a partition stands.
type PartitionStatus struct {
	Partition int32
	Owned     bool // open and at work
	Sequence  int64
	// Position is the next input offset, End the one after the last; Lag is their
	// difference.
	Position, End, Lag int64
	Clock              event.Time
	// Counters since the runtime started.
	Records, Entries, Commits, Failures int64
	// LastError is the newest failure's text, "" after a commit.
	LastError string
}

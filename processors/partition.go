package processors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/table"
)

// partition is one owned partition at work.
type partition struct {
	r      *Runtime
	id     int32
	dir    string
	cancel context.CancelFunc
	done   chan struct{}

	// gate guards table against being closed under a reader.
	gate  sync.RWMutex
	table *table.Table
	ready bool // recovered: reads are served

	// Of the working goroutine.
	writer *stream.Writer
	reader *stream.Reader
	fn     Function
	tx     *table.Tx
	out    *Output
}

// errHalt marks errors that no retry mends.
type errHalt struct{ error }

func (e errHalt) Unwrap() error { return e.error }

func halt(format string, args ...any) error {
	return errHalt{fmt.Errorf("processors: halt: "+format, args...)}
}

// run works until ctx ends, or something no retry mends happens.
func (p *partition) run(ctx context.Context) error {
	defer close(p.done)
	t, err := table.Open(p.dir, table.Options{Cache: p.r.cache, Expire: p.r.cfg.Expire, Fresh: p.r.cfg.Fresh})
	if err != nil {
		return errHalt{err}
	}
	p.gate.Lock()
	p.table = t
	p.gate.Unlock()
	err = p.keepAtWork(ctx)
	p.gate.Lock()
	p.table, p.ready = nil, false
	p.gate.Unlock()
	return errors.Join(err, t.Close())
}

// keepAtWork opens the partition again after each failure that may pass.
func (p *partition) keepAtWork(ctx context.Context) error {
	failures, wait := 0, p.r.cfg.RetryWait
	for {
		before := p.table.Position().Source
		err := p.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if h := (errHalt{}); errors.As(err, &h) || p.table.Err() != nil || errors.Is(err, stream.ErrDataLoss) {
			p.r.note(p.id, func(s *PartitionStatus) { s.Failures++; s.LastError = err.Error() })
			return fmt.Errorf("partition %d: %w", p.id, err)
		}
		// A takeover's entry alone is no progress.
		if p.table.Position().Source > before {
			failures, wait = 0, p.r.cfg.RetryWait
		}
		if failures++; failures > maxFailures {
			return fmt.Errorf("partition %d: halted after %d failures in a row: %w", p.id, failures, err)
		}
		p.r.note(p.id, func(s *PartitionStatus) { s.Failures++; s.LastError = err.Error() })
		pause := wait
		if errors.Is(err, stream.ErrFenced) {
			pause = p.r.cfg.FencedWait // the group should take it away meanwhile
		}
		p.r.cfg.Logger.Warn("partition failed, opening it again from the ledger", "processor", p.r.cfg.Name, "partition", p.id, "error", err, "pause", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		wait = min(2*wait, maxRetryWait)
	}
}

// session is one life of writer, reader and Function.
func (p *partition) session(ctx context.Context) error {
	defer p.drop()
	if err := p.open(ctx); err != nil {
		return err
	}
	p.setReady(true)
	for {
		if err := p.step(ctx); err != nil {
			return err
		}
	}
}

func (p *partition) setReady(ready bool) {
	p.gate.Lock()
	p.ready = ready
	p.gate.Unlock()
	p.r.note(p.id, func(s *PartitionStatus) { s.Owned = ready })
}

// open fences others, reads the ledger's tail and goes to the position.
func (p *partition) open(ctx context.Context) (err error) {
	cfg := &p.r.cfg
	id := fmt.Sprintf("%s-%d", cfg.Name, p.id)
	if p.writer, err = cfg.Cluster.Writer(ctx, stream.WriterOptions{TransactionalID: id, Topic: cfg.Output, Partition: p.id, Compression: cfg.Compression}); err != nil {
		return err
	}
	if err := p.recover(ctx); err != nil {
		return err
	}
	p.fn, p.tx = cfg.New(p.id), p.table.Begin()
	p.out = NewOutput(p.id, p.tx, p.table.Position())
	if cfg.Takeover != nil {
		if err := p.takeover(ctx); err != nil {
			return err
		}
	}
	from, err := p.position(ctx)
	if err != nil {
		return err
	}
	p.progress(from, 0, 0)
	p.reader, err = cfg.Cluster.Reader(ctx, stream.ReaderOptions{Topic: cfg.Input, Partition: p.id, From: from, Isolation: cfg.Isolation})
	return err
}

// position is where the input goes on.
func (p *partition) position(ctx context.Context) (int64, error) {
	if pos := p.table.Position(); pos.Source >= 0 {
		return pos.Source + 1, nil
	}
	ends, err := p.r.cfg.Cluster.Ends(ctx, p.r.cfg.Input, stream.ReadUncommitted)
	if err != nil {
		return 0, err
	}
	return ends[p.id].Start, nil
}

func (p *partition) takeover(ctx context.Context) error {
	if err := p.r.cfg.Takeover(p.tx, p.out); err != nil {
		return errHalt{err}
	}
	if p.out.err != nil {
		return errHalt{p.out.err}
	}
	return p.commit(ctx, 0)
}

// step collects records, decides them and commits.
func (p *partition) step(ctx context.Context) error {
	recs, err := p.poll(ctx)
	if err != nil {
		return err
	}
	if len(recs) == 0 {
		// Markers of transactions are no records, and behind us too.
		p.progress(p.reader.Position(p.id), 0, 0)
		return p.table.Maintain()
	}
	n, deadline := 0, time.Now().Add(p.r.cfg.Collect)
	for {
		if err := p.decide(recs); err != nil {
			return err
		}
		n += len(recs)
		left := time.Until(deadline)
		if left <= 0 || n >= p.r.cfg.MaxBatch || p.full() || ctx.Err() != nil {
			break
		}
		pctx, cancel := context.WithTimeout(ctx, left)
		recs, err = p.reader.Poll(pctx, p.r.cfg.MaxBatch-n)
		cancel()
		if err != nil && pctx.Err() == nil {
			return err
		}
	}
	// What was decided is worth its commit also when the partition is given up.
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return p.commit(cctx, n)
}

// idlePoll is how long a poll waits before the table is looked after.
const idlePoll = time.Second

func (p *partition) poll(ctx context.Context) ([]*stream.Record, error) {
	pctx, cancel := context.WithTimeout(ctx, idlePoll)
	defer cancel()
	recs, err := p.reader.Poll(pctx, p.r.cfg.MaxBatch)
	if err != nil && pctx.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return recs, err
}

func (p *partition) full() bool {
	return p.out.bytes >= p.r.cfg.MaxBatchBytes || len(p.out.recs) >= maxEntries
}

// decide lets the Function decide records on staged state.
func (p *partition) decide(recs []*stream.Record) error {
	for _, rec := range recs {
		if rec.Offset <= p.out.source {
			return halt("%s/%d: offset %d came after %d", p.r.cfg.Input, p.id, rec.Offset, p.out.source)
		}
		before := p.out.Sequence()
		p.out.Begin(rec.Offset)
		err := p.apply(rec)
		switch {
		case p.tx.Err() != nil:
			return errHalt{p.tx.Err()}
		case err != nil:
			return halt("%s/%d offset %d: %w", p.r.cfg.Input, p.id, rec.Offset, err)
		case p.out.err != nil:
			return errHalt{p.out.err}
		case p.out.Sequence() > before:
		case !p.r.cfg.Sparse:
			return halt("%s/%d offset %d: no entry was made", p.r.cfg.Input, p.id, rec.Offset)
		case len(p.tx.Take()) > 0:
			return halt("%s/%d offset %d: state was written without an entry", p.r.cfg.Input, p.id, rec.Offset)
		}
	}
	return nil
}

// apply keeps a Function's panic (damaged state, our bug) from taking the other
// partitions along before they have committed.
func (p *partition) apply(rec *stream.Record) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the function panicked: %v\n%s", r, debug.Stack())
		}
	}()
	return p.fn.Apply(rec, p.tx, p.out)
}

// commit writes the batch; only then is it part of the table. A batch without
// entries moves nothing.
func (p *partition) commit(ctx context.Context, records int) error {
	if len(p.out.recs) == 0 {
		p.progress(p.out.source+1, records, 0)
		return nil
	}
	if err := p.writer.Commit(ctx, p.out.recs); err != nil {
		return err
	}
	recs, pos := p.out.committed()
	if err := p.tx.Commit(pos); err != nil {
		return errHalt{err}
	}
	p.progress(p.out.source+1, records, len(recs))
	if p.r.cfg.Committed != nil {
		p.r.cfg.Committed(p.id, recs)
	}
	p.out.recycle()
	return nil
}

// progress notes how far the partition is.
func (p *partition) progress(position int64, records, entries int) {
	pos := p.table.Position()
	p.r.note(p.id, func(s *PartitionStatus) {
		s.Sequence, s.Clock, s.Position = pos.Sequence, pos.Clock, position
		s.End = max(s.End, position)
		s.Lag = s.End - position
		s.Records += int64(records)
		s.Entries += int64(entries)
		if entries > 0 {
			s.Commits++
			s.LastError = ""
		}
	})
}

// drop ends a session: nothing staged survives it.
func (p *partition) drop() {
	p.setReady(false)
	if p.tx != nil {
		p.tx.Discard()
	}
	p.fn, p.tx, p.out = nil, nil, nil
	if p.reader != nil {
		p.reader.Close()
		p.reader = nil
	}
	if p.writer != nil {
		p.writer.Close()
		p.writer = nil
	}
}

// read serves a reader beside the work.
func (p *partition) read(fn func(t *table.Table) error) error {
	p.gate.RLock()
	defer p.gate.RUnlock()
	if p.table == nil || !p.ready {
		return ErrNotOwner
	}
	return fn(p.table)
}

package sink

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/warehouse"
)

// PartitionStatus is how far ClickHouse is in one partition.
type PartitionStatus struct {
	Sequence  int64      // newest entry in ClickHouse
	Offset    int64      // its offset in topic ledger; -1: none
	EntryTime event.Time // its clock; 0: not known since the start
}

// Status is how far the sink is.
type Status struct {
	Partitions map[int32]PartitionStatus // empty until ClickHouse told its positions
	Rejects    map[int32]int64           // newest offset of topic rejects
	// Errors are what keeps a topic from being carried, by topic; Halted says
	// that trying again cannot help.
	Errors map[string]error
	Halted bool
}

// board is the status, shared.
type board struct {
	mu      sync.Mutex
	status  Status
	changed chan struct{} // closed at each change
}

func newBoard() *board {
	return &board{changed: make(chan struct{}), status: Status{
		Partitions: make(map[int32]PartitionStatus), Rejects: make(map[int32]int64), Errors: make(map[string]error),
	}}
}

func (b *board) update(fn func(*Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn(&b.status)
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) start(at map[int32]warehouse.Position) {
	b.update(func(s *Status) {
		delete(s.Errors, event.TopicLedger)
		for p, a := range at {
			was := s.Partitions[p]
			s.Partitions[p] = PartitionStatus{Sequence: a.Sequence, Offset: a.Offset, EntryTime: was.EntryTime}
		}
	})
}

func (b *board) advance(r *round) {
	b.update(func(s *Status) {
		delete(s.Errors, event.TopicLedger)
		for p, a := range r.last {
			s.Partitions[p] = PartitionStatus{Sequence: a.Sequence, Offset: a.Offset, EntryTime: r.clock[p]}
		}
	})
}

func (b *board) rejects(at map[int32]int64) {
	b.update(func(s *Status) {
		delete(s.Errors, event.TopicRejects)
		maps.Copy(s.Rejects, at)
	})
}

func (b *board) fail(topic string, err error, halted bool) {
	b.update(func(s *Status) {
		s.Errors[topic] = err
		s.Halted = s.Halted || halted
	})
}

func (b *board) read() (Status, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.status
	s.Partitions, s.Rejects, s.Errors = maps.Clone(s.Partitions), maps.Clone(s.Rejects), maps.Clone(s.Errors)
	return s, b.changed
}

// Status returns how far the sink is.
func (s *Sink) Status() Status {
	status, _ := s.status.read()
	return status
}

// WaitFor waits until ClickHouse has the entries up to these sequences, with
// all their facts. It fails when the sink halts or ctx ends.
func (s *Sink) WaitFor(ctx context.Context, sequences map[int32]int64) error {
	for {
		status, changed := s.status.read()
		behind := false
		for p, n := range sequences {
			behind = behind || status.Partitions[p].Sequence < n
		}
		switch {
		case !behind:
			return nil
		case status.Halted:
			return fmt.Errorf("sink: halted: %w", status.Errors[event.TopicLedger])
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("sink: waiting for ClickHouse to have the ledger's entries: %w", ctx.Err())
		}
	}
}

// Lag returns how many entries of each partition ClickHouse has not yet. It
// asks the broker for the ledger's newest entries.
func (s *Sink) Lag(ctx context.Context) (map[int32]int64, error) {
	status := s.Status()
	out := make(map[int32]int64)
	for p, at := range status.Partitions {
		tail, err := s.cfg.Cluster.Tail(ctx, event.TopicLedger, p, 1)
		if err != nil {
			return nil, err
		}
		out[p] = 0
		if len(tail) > 0 {
			_, newest, _, _ := event.EntryPosition(tail[len(tail)-1].Value)
			out[p] = max(0, newest-at.Sequence)
		}
	}
	return out, nil
}

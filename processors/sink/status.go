package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/warehouse"
)

// PartitionStatus is how far ClickHouse is in one partition.
type PartitionStatus struct {
	Sequence  int64      // newest entry in ClickHouse
	Offset    int64      // its offset in the topic; -1: none
	EntryTime event.Time // its clock; 0: not known since the start
}

// Status is how far the sink is.
type Status struct {
	// Partitions are of the ledger, Campaigns of topic campaign-log; each is empty
	// until ClickHouse told its positions.
	Partitions map[int32]PartitionStatus
	Campaigns  map[int32]PartitionStatus
	Rejects    map[int32]int64 // newest offset of topic rejects
	// Errors are what keeps a topic from being carried, by topic; Halted says
	// that trying again cannot help.
	Errors map[string]error
	Halted bool
}

// of is how far the sink is in one log.
func (s *Status) of(topic string) map[int32]PartitionStatus {
	if topic == event.TopicCampaignLog {
		return s.Campaigns
	}
	return s.Partitions
}

// board is the status, shared.
type board struct {
	mu      sync.Mutex
	status  Status
	changed chan struct{} // closed at each change
}

func newBoard() *board {
	return &board{changed: make(chan struct{}), status: Status{
		Partitions: make(map[int32]PartitionStatus), Campaigns: make(map[int32]PartitionStatus), Rejects: make(map[int32]int64), Errors: make(map[string]error),
	}}
}

func (b *board) update(fn func(*Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn(&b.status)
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) start(topic string, at map[int32]warehouse.Position) {
	b.update(func(s *Status) {
		delete(s.Errors, topic)
		for p, a := range at {
			was := s.of(topic)[p]
			s.of(topic)[p] = PartitionStatus{Sequence: a.Sequence, Offset: a.Offset, EntryTime: was.EntryTime}
		}
	})
}

func (b *board) advance(topic string, r *round) {
	b.update(func(s *Status) {
		delete(s.Errors, topic)
		for p, a := range r.last {
			s.of(topic)[p] = PartitionStatus{Sequence: a.Sequence, Offset: a.Offset, EntryTime: r.clock[p]}
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
	s.Partitions, s.Campaigns = maps.Clone(s.Partitions), maps.Clone(s.Campaigns)
	s.Rejects, s.Errors = maps.Clone(s.Rejects), maps.Clone(s.Errors)
	return s, b.changed
}

// Status returns how far the sink is.
func (s *Sink) Status() Status {
	status, _ := s.status.read()
	return status
}

// WaitFor waits until ClickHouse has the ledger's entries up to these sequences,
// with all their facts. It fails when the sink halts or ctx ends.
func (s *Sink) WaitFor(ctx context.Context, sequences map[int32]int64) error {
	return s.waitFor(ctx, event.TopicLedger, sequences)
}

// WaitForCampaigns is WaitFor for the entries of topic campaign-log.
func (s *Sink) WaitForCampaigns(ctx context.Context, sequences map[int32]int64) error {
	return s.waitFor(ctx, event.TopicCampaignLog, sequences)
}

func (s *Sink) waitFor(ctx context.Context, topic string, sequences map[int32]int64) error {
	for {
		status, changed := s.status.read()
		behind := false
		for p, n := range sequences {
			behind = behind || status.of(topic)[p].Sequence < n
		}
		switch {
		case !behind:
			return nil
		case status.Halted:
			return fmt.Errorf("sink: halted: %w", status.why(topic))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("sink: waiting for ClickHouse to have the entries of %s: %w", topic, ctx.Err())
		}
	}
}

// why is the topic's own error, or the others': one that halts ends all.
func (s *Status) why(topic string) error {
	if err := s.Errors[topic]; err != nil {
		return err
	}
	return errors.Join(slices.Collect(maps.Values(s.Errors))...)
}

// Lag returns how many entries of each partition of the topic (ledger or
// campaign-log) ClickHouse has not yet. It asks the broker for the newest ones.
func (s *Sink) Lag(ctx context.Context, topic string) (map[int32]int64, error) {
	status := s.Status()
	out := make(map[int32]int64)
	for p, at := range status.of(topic) {
		tail, err := s.cfg.Cluster.Tail(ctx, topic, p, 1)
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

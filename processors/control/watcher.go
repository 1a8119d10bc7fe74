package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// pollRecords bounds the entries taken from the ledger at once.
const pollRecords = 4096

// Partition is what a partition's own entries say of it.
type Partition struct {
	Sequence     int64
	SourceOffset int64 // of the last entry: everything up to it is decided
	Clock        event.Time
	Slice        int64 // of the newest tick
	MoreDue      bool  // timers or a sweep are still due at Clock
	IsHistory    bool
	BundleID     string // the newest that it has taken
	BundleOffset int64  // its record in events
	Bundles      map[string]bool
	Refused      map[string]bool // bundles that its binary could not read
	CutPointsDay event.Day
	Counts       map[event.Day]*event.Counts // days that some partition has no cut points of
	// Campaigns is how far the partition's campaigns are; they follow its ledger.
	Campaigns CampaignClock
}

// CampaignClock is what the newest tick entry of a partition's campaign-log says.
type CampaignClock struct {
	Clock   event.Time
	Slice   int64
	MoreDue bool // runs or sweeps are still due at Clock
}

// wanted is the slice of time t that the partition asks for, given the newest one
// that was sent; 0: none. Each of both answers the newest slice first.
func (p *Partition) wanted(t event.Time, sent int64) int64 {
	if p.MoreDue && p.Clock == t && p.Slice >= sent {
		return p.Slice + 1
	}
	if c := &p.Campaigns; c.MoreDue && c.Clock == t && c.Slice >= sent {
		return c.Slice + 1
	}
	return 0
}

// Watcher follows the ledger of all partitions, and the ticks of campaign-log.
type Watcher struct {
	cluster *stream.Cluster

	mu      sync.Mutex
	parts   []Partition
	changed chan struct{} // closed and renewed at each change
}

// NewWatcher watches a ledger of that many partitions from its beginning.
func NewWatcher(c *stream.Cluster, partitions int32) *Watcher {
	w := &Watcher{cluster: c, parts: make([]Partition, partitions), changed: make(chan struct{})}
	for i := range w.parts {
		w.parts[i] = Partition{SourceOffset: -1, Bundles: map[string]bool{}, Refused: map[string]bool{}, Counts: map[event.Day]*event.Counts{}}
	}
	return w
}

// Run follows until ctx ends or a log cannot be read.
func (w *Watcher) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.follow(ctx, event.TopicLedger, w.start(), w.take) })
	g.Go(func() error { return w.campaigns(ctx) })
	return g.Wait()
}

// start is the beginning of every partition.
func (w *Watcher) start() map[int32]int64 {
	from := make(map[int32]int64, len(w.parts))
	for p := range w.parts {
		from[int32(p)] = 0
	}
	return from
}

// campaignLookBack is how many offsets before its end campaign-log is read from: the
// newest tick is there, with all that a slice decides. If it is not, the next says.
const campaignLookBack = 4096

// campaigns follows campaign-log from shortly before its end on: only whether more
// is due now is of use. Without the topic there are no campaigns.
func (w *Watcher) campaigns(ctx context.Context) error {
	switch _, err := w.cluster.Partitions(ctx, event.TopicCampaignLog); {
	case ctx.Err() != nil || errors.Is(err, stream.ErrNoTopic):
		return nil
	case err != nil:
		return fmt.Errorf("control: %w", err)
	}
	ends, err := w.cluster.Ends(ctx, event.TopicCampaignLog, stream.ReadCommitted)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	from := w.start()
	for p := range from {
		from[p] = max(ends[p].Start, ends[p].End-campaignLookBack)
	}
	return w.follow(ctx, event.TopicCampaignLog, from, w.takeCampaigns)
}

// follow reads a log until ctx ends.
func (w *Watcher) follow(ctx context.Context, topic string, from map[int32]int64, take func([]*stream.Record) error) error {
	r, err := w.cluster.Reader(ctx, stream.ReaderOptions{Topic: topic, Partitions: from, Isolation: stream.ReadCommitted})
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	defer r.Close()
	for {
		recs, err := r.Poll(ctx, pollRecords)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
		if err := take(recs); err != nil {
			return err
		}
	}
}

// takeCampaigns looks for ticks of campaign-log.
func (w *Watcher) takeCampaigns(recs []*stream.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := false
	for _, rec := range recs {
		if len(rec.Key) > 0 || int(rec.Partition) >= len(w.parts) {
			continue
		}
		var e event.CampaignEntry
		if err := event.DecodeCampaignEntry(rec.Value, &e); err != nil {
			return fmt.Errorf("control: %s/%d offset %d: %w", event.TopicCampaignLog, rec.Partition, rec.Offset, err)
		}
		if e.Kind == event.CampaignTick && e.Tick != nil {
			w.parts[rec.Partition].Campaigns = CampaignClock{Clock: e.EntryTime, Slice: e.Tick.Slice, MoreDue: e.Tick.MoreDue}
			changed = true
		}
	}
	if changed {
		w.tell()
	}
	return nil
}

// tell wakes those who wait for a change.
func (w *Watcher) tell() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *Watcher) take(recs []*stream.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, rec := range recs {
		if int(rec.Partition) >= len(w.parts) {
			return fmt.Errorf("control: ledger has partition %d, events %d: the partition count changed", rec.Partition, len(w.parts))
		}
		p := &w.parts[rec.Partition]
		_, seq, source, ok := event.EntryPosition(rec.Value)
		if !ok {
			return fmt.Errorf("control: ledger/%d offset %d is not an entry", rec.Partition, rec.Offset)
		}
		p.Sequence, p.SourceOffset = seq, max(p.SourceOffset, source)
		if len(rec.Key) > 0 {
			continue // a customer's entry: nothing of it is ours
		}
		var e event.Entry
		if err := event.DecodeEntry(rec.Value, &e); err != nil {
			return fmt.Errorf("control: ledger/%d offset %d: %w", rec.Partition, rec.Offset, err)
		}
		p.learn(&e)
	}
	w.prune()
	w.tell()
	return nil
}

// prune forgets the counts of days whose cut points every partition has.
func (w *Watcher) prune() {
	oldest := w.parts[0].CutPointsDay
	for i := range w.parts {
		oldest = min(oldest, w.parts[i].CutPointsDay)
	}
	for i := range w.parts {
		maps.DeleteFunc(w.parts[i].Counts, func(d event.Day, _ *event.Counts) bool { return d <= oldest })
	}
}

// learn takes a partition-level entry.
func (p *Partition) learn(e *event.Entry) {
	p.Clock, p.IsHistory = max(p.Clock, e.EntryTime), e.IsHistory
	if e.Counts != nil {
		p.Counts[e.Counts.Day] = e.Counts
	}
	if e.Tick != nil && e.Outcome == event.OutcomeApplied {
		p.Slice, p.MoreDue = e.Tick.Slice, e.Tick.MoreDue
	}
	if e.Cause.Type == event.TypeBundle && e.Outcome == event.OutcomeRejected {
		p.Refused[e.Cause.ID] = true
	}
	if e.Control == nil || e.Outcome != event.OutcomeApplied && e.Outcome != event.OutcomeDuplicate {
		return
	}
	// A bundle or new cut points start a sweep, which only ticks carry on.
	switch e.Cause.Type {
	case event.TypeBundle:
		p.Bundles[e.Control.BundleID] = true
		p.BundleID, p.BundleOffset = e.Control.BundleID, e.SourceOffset
		p.MoreDue = p.Clock > 0
	case event.TypeCutPoints:
		if c := e.Control.CutPoints; c != nil && c.Day > p.CutPointsDay {
			p.CutPointsDay, p.MoreDue = c.Day, true
		}
	case event.TypeHistoryBegin:
		p.IsHistory = true
	case event.TypeHistoryEnd:
		p.IsHistory = false
	}
}

// Partitions is how many there are.
func (w *Watcher) Partitions() int32 { return int32(len(w.parts)) }

// Look calls fn with all partitions; fn must not keep them.
func (w *Watcher) Look(fn func(parts []Partition)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn(w.parts)
}

// Changed is closed at the next change. Ask for it before looking.
func (w *Watcher) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Wait returns when done is true of the partitions, or ctx ends.
func (w *Watcher) Wait(ctx context.Context, done func(parts []Partition) bool) error {
	for {
		changed := w.Changed()
		ok := false
		w.Look(func(parts []Partition) { ok = done(parts) })
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// CaughtUp waits until the ledger as it is now has been followed to its end.
func (w *Watcher) CaughtUp(ctx context.Context) error {
	last := make([]int64, len(w.parts))
	for p := range last {
		tail, err := w.cluster.Tail(ctx, event.TopicLedger, int32(p), 1)
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
		if len(tail) > 0 {
			_, last[p], _, _ = event.EntryPosition(tail[0].Value)
		}
	}
	return w.Wait(ctx, func(parts []Partition) bool {
		for p := range parts {
			if parts[p].Sequence < last[p] {
				return false
			}
		}
		return true
	})
}

// Clock is the newest clock of any partition.
func (w *Watcher) Clock() event.Time {
	var t event.Time
	w.Look(func(parts []Partition) {
		for i := range parts {
			t = max(t, parts[i].Clock)
		}
	})
	return t
}

// IsHistory reports whether any partition is inside a history bracket.
func (w *Watcher) IsHistory() bool {
	history := false
	w.Look(func(parts []Partition) {
		for i := range parts {
			history = history || parts[i].IsHistory
		}
	})
	return history
}

// ActiveBundle is the newest bundle that every partition has; "" when none.
func (w *Watcher) ActiveBundle() string {
	id := ""
	w.Look(func(parts []Partition) {
		id = parts[0].BundleID
		for i := range parts {
			if !parts[i].Bundles[id] {
				id = ""
				return
			}
		}
	})
	return id
}

// Snapshot copies what is known of each partition, but for counts and bundles.
func (w *Watcher) Snapshot() []Partition {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := append([]Partition(nil), w.parts...)
	for i := range out {
		out[i].Bundles, out[i].Refused, out[i].Counts = nil, nil, nil
	}
	return out
}

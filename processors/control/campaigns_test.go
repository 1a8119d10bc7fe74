package control

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/table"
)

// busy stands for campaigns that have more due up to a slice of every tick.
type busy struct {
	partition int32
	until     int64
}

func (f *busy) Apply(in *stream.Record, _ *table.Tx, out *processors.Output) error {
	var e event.Entry
	if err := event.DecodeEntry(in.Value, &e); err != nil {
		return err
	}
	if e.Kind != event.KindTick || e.Outcome != event.OutcomeApplied {
		return nil
	}
	c := event.CampaignEntry{
		Partition: f.partition, Sequence: out.Sequence(), SourceOffset: out.Source(), Kind: event.CampaignTick, LedgerSequence: e.Sequence,
		EventTime: e.EntryTime, EntryTime: e.EntryTime, Tick: &event.TickFact{Slice: e.Tick.Slice, MoreDue: e.Tick.Slice < f.until},
	}
	out.Append(nil, c.Append(nil))
	return nil
}

// TestCampaignsAskForSlices: nothing is due in the ledger, and yet the clock sends
// as many slices as campaign-log asks for.
func TestCampaignsAskForSlices(t *testing.T) {
	const slices = 3
	b := start(t, stream.TopicSpec{Name: event.TopicCampaignLog, Partitions: partitions})
	runtime, err := processors.New(processors.Config{
		Cluster: b.cluster, Name: "campaign", Input: event.TopicLedger, Output: event.TopicCampaignLog, Dir: t.TempDir(),
		Isolation: stream.ReadCommitted, Sparse: true,
		New: func(p int32) processors.Function { return &busy{partition: p, until: slices} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	var g errgroup.Group
	g.Go(func() error { return runtime.Run(ctx) })
	defer func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}()
	var now atomic.Int64
	first := at(t, "2026-03-02T09:00:00Z")
	now.Store(int64(first))
	stop := b.clock(&now, ClockConfig{Step: time.Second})
	defer stop()
	for _, clock := range []event.Time{first, first.Add(time.Minute)} {
		now.Store(int64(clock))
		b.await(fmt.Sprintf("slices of %s", clock), func(p *Partition) bool {
			return p.Clock == clock && p.Slice == slices && p.Campaigns == CampaignClock{Clock: clock, Slice: slices}
		})
	}
}

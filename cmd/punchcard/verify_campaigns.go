package main

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/campaigns"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/audit"
	"github.com/punchcard/punchcard/processors/campaign"
	"github.com/punchcard/punchcard/program"
)

// verifyCampaigns checks campaign-log against what deciding the ledger again
// gives, byte for byte, and the topics campaigns.<channel> against campaign-log.
type verifyCampaigns struct {
	v        *verification
	upTo     map[int32]int64 // sequences of campaign-log
	auditors map[int32]*audit.CampaignAuditor
	repeats  int64
}

func (v *verification) checkCampaigns(ctx context.Context) error {
	c := &verifyCampaigns{v: v, upTo: map[int32]int64{}, auditors: map[int32]*audit.CampaignAuditor{}}
	v.campaigns = c
	if err := c.await(ctx); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for _, p := range slices.Sorted(maps.Keys(c.upTo)) {
		a := audit.NewCampaigns(p)
		c.auditors[p] = a
		g.Go(func() error { return c.replay(gctx, a) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := c.topics(ctx); err != nil {
		return err
	}
	for _, p := range slices.Sorted(maps.Keys(c.auditors)) {
		a := c.auditors[p]
		v.findings = append(v.findings, a.Findings...)
		if a.More > 0 {
			v.findings = append(v.findings, fmt.Sprintf("campaign-log/%d: %d more findings", p, a.More))
		}
	}
	return c.compareWarehouse(ctx)
}

// compareWarehouse: ClickHouse has each campaign entry, byte for byte, and each
// fact once.
func (c *verifyCampaigns) compareWarehouse(ctx context.Context) error {
	w := c.v.conn.warehouse
	if err := c.v.awaitPositions(ctx, w.CampaignPositions, c.upTo); err != nil {
		return err
	}
	found, err := w.VerifyCampaigns(ctx, c.upTo)
	if err != nil {
		return err
	}
	for _, f := range found {
		c.v.findings = append(c.v.findings, "ClickHouse: "+f.String())
	}
	digests, err := w.CampaignDigests(ctx, c.upTo)
	if err != nil {
		return err
	}
	for p, a := range c.auditors {
		if digests[p] != a.Digest {
			c.v.findings = append(c.v.findings, fmt.Sprintf("ClickHouse: campaign entries of partition %d up to %d are not those of campaign-log", p, c.upTo[p]))
		}
	}
	return nil
}

// await waits until campaign-log has taken each partition's newest tick up to the
// stated sequence of the ledger, and states its own sequences. Every tick has an
// entry there; what comes after one may have none.
func (c *verifyCampaigns) await(ctx context.Context) error {
	deadline := time.Now().Add(verifyWait)
	for _, l := range c.v.auditors {
		p, tick := l.Partition, l.LastTick
		for {
			last, err := c.tail(ctx, p)
			if err != nil {
				return err
			}
			if last.LedgerSequence >= tick {
				c.upTo[p] = last.Sequence
				break
			}
			if time.Now().After(deadline) {
				c.v.findings = append(c.v.findings, fmt.Sprintf("campaign-log/%d has taken the ledger up to entry %d after %s, its tick %d is waiting", p, last.LedgerSequence, verifyWait, tick))
				c.upTo[p] = last.Sequence
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(verifyPoll):
			}
		}
	}
	return nil
}

// maxTakeovers is how many takeovers in a row are looked past.
const maxTakeovers = 1000

// tail is where the partition of campaign-log ends: its newest sequence, and the
// ledger entry that it has taken.
func (c *verifyCampaigns) tail(ctx context.Context, p int32) (end event.CampaignEntry, err error) {
	for n := 1; ; n = min(10*n, maxTakeovers) {
		tail, err := c.v.conn.cluster.Tail(ctx, event.TopicCampaignLog, p, n)
		if err != nil || len(tail) == 0 {
			return end, err
		}
		for i := len(tail) - 1; i >= 0; i-- {
			var e event.CampaignEntry
			if err := event.DecodeCampaignEntry(tail[i].Value, &e); err != nil {
				return end, fmt.Errorf("campaign-log/%d offset %d: %w", p, tail[i].Offset, err)
			}
			end.Sequence = max(end.Sequence, e.Sequence)
			if e.Kind != event.CampaignTakeover { // a takeover takes nothing
				end.LedgerSequence = e.LedgerSequence
				return end, nil
			}
		}
		if len(tail) < n || n == maxTakeovers {
			return end, nil
		}
	}
}

// replay decides the ledger again and compares with what is in campaign-log.
func (c *verifyCampaigns) replay(ctx context.Context, a *audit.CampaignAuditor) error {
	ledger := make(chan *stream.Record, 256)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(ledger)
		return scanAll(ctx, c.v.conn.cluster, event.TopicLedger, a.Partition, func(rec *stream.Record) error {
			select {
			case ledger <- rec:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	g.Go(func() error {
		again := newDecider(a.Partition, int32(len(c.v.upTo)), ledger)
		err := scanAll(ctx, c.v.conn.cluster, event.TopicCampaignLog, a.Partition, func(rec *stream.Record) error {
			if a.Entries >= c.upTo[a.Partition] {
				return errReached
			}
			a.Take(rec)
			return again.compare(a, rec)
		})
		for range ledger { // let the other end
		}
		return err
	})
	return g.Wait()
}

// scanAll reads a partition from its beginning to its present end.
func scanAll(ctx context.Context, c *stream.Cluster, topic string, partition int32, fn func(*stream.Record) error) error {
	ends, err := c.Ends(ctx, topic, stream.ReadUncommitted)
	if err != nil {
		return err
	}
	r := ends[partition]
	_, err = c.Scan(ctx, topic, partition, r.Start, r.End, stream.ReadCommitted, fn)
	if errors.Is(err, errReached) {
		return nil
	}
	return err
}

// decider is the campaign processor once more, in memory.
type decider struct {
	machine *campaigns.Machine
	state   dueState
	ledger  <-chan *stream.Record
	waiting [][]byte // decided and not compared yet
}

func newDecider(partition, partitions int32, ledger <-chan *stream.Record) *decider {
	return &decider{machine: campaign.NewMachine(partition, partitions), ledger: ledger}
}

// compare holds one record of campaign-log against the next decision.
func (d *decider) compare(a *audit.CampaignAuditor, rec *stream.Record) error {
	var e event.CampaignEntry
	if err := event.DecodeCampaignEntry(rec.Value, &e); err != nil || e.Kind == event.CampaignTakeover {
		return nil // the audit reports what is no entry; a takeover decides nothing
	}
	for len(d.waiting) == 0 {
		rec, ok := <-d.ledger
		if !ok {
			a.Findings = append(a.Findings, fmt.Sprintf("campaign-log/%d sequence %d: deciding the ledger again gives no such entry", a.Partition, e.Sequence))
			return errReached
		}
		if err := d.decide(rec); err != nil {
			return err
		}
	}
	if got := plainEntry(&e); !bytes.Equal(got, d.waiting[0]) {
		a.Findings = append(a.Findings, fmt.Sprintf("campaign-log/%d sequence %d: it says %s, deciding the ledger again %s", a.Partition, e.Sequence, got, d.waiting[0]))
		return errReached
	}
	d.waiting = d.waiting[1:]
	return nil
}

func (d *decider) decide(rec *stream.Record) error {
	var in event.Entry
	if err := event.DecodeEntry(rec.Value, &in); err != nil {
		return err
	}
	index := int32(0)
	return d.machine.Take(&d.state, &in, func(e *event.CampaignEntry) {
		e.Partition, e.SourceOffset, e.SourceIndex, e.LedgerSequence = rec.Partition, rec.Offset, index, in.Sequence
		index++
		d.waiting = append(d.waiting, plainEntry(e))
	})
}

// dueState is a state in memory that knows what is due.
type dueState struct {
	program.MemState
	queue dueQueue // may hold keys that are due no more, or at another time
}

// Put implements campaigns.State.
func (s *dueState) Put(key, value []byte, due event.Time) {
	s.MemState.Put(key, value, due)
	if due != 0 {
		heap.Push(&s.queue, dueKey{due, string(key)})
	}
}

// Due implements campaigns.State.
func (s *dueState) Due(clock event.Time) (key []byte, due event.Time, ok bool) {
	for len(s.queue) > 0 && s.queue[0].due <= clock {
		next := s.queue[0]
		if s.MemState.Due([]byte(next.key)) == next.due {
			return []byte(next.key), next.due, true
		}
		heap.Pop(&s.queue)
	}
	return nil, 0, false
}

type dueKey struct {
	due event.Time
	key string
}

// dueQueue is a heap by due instant, then key.
type dueQueue []dueKey

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	return q[i].due < q[j].due || q[i].due == q[j].due && q[i].key < q[j].key
}
func (q dueQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *dueQueue) Push(x any)   { *q = append(*q, x.(dueKey)) }
func (q *dueQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// plainEntry is an entry without what takeovers shift.
func plainEntry(e *event.CampaignEntry) []byte {
	plain := *e
	plain.Sequence, plain.Semantics = 0, 0
	return plain.Append(nil)
}

// topics reads the messages' topics, again until the projector has brought all
// that was decided.
func (c *verifyCampaigns) topics(ctx context.Context) error {
	deadline := time.Now().Add(verifyWait)
	for p, a := range c.auditors {
		for {
			next := a.Messages()
			for _, channel := range event.Channels {
				err := scanAll(ctx, c.v.conn.cluster, event.TopicCampaigns(channel), p, func(rec *stream.Record) error {
					next.TakeMessage(channel, rec)
					return nil
				})
				if err != nil {
					return err
				}
			}
			if next.Missing() == 0 || time.Now().After(deadline) {
				c.repeats += next.Finish()
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(verifyPoll):
			}
		}
	}
	return nil
}

func (c *verifyCampaigns) print() {
	if c == nil {
		return
	}
	var entries, sent, held, waiting int64
	for _, a := range c.auditors {
		entries += a.Entries
		sent, held, waiting = sent+a.Sent, held+a.Held, waiting+a.Waiting
	}
	fmt.Printf("%d campaign entries: %d runs sent, %d held, %d waiting; %d messages came again with the same id\n", entries, sent, held, waiting, c.repeats)
}

package projector

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
)

const partitions = 2

// topics are those that the tests project to, by the log they are made from.
var topics = map[string][]string{
	event.TopicLedger:      {event.TopicCustomers, event.TopicState, event.TopicSegments},
	event.TopicCampaignLog: channels(),
}

func channels() (out []string) {
	for _, channel := range event.Channels {
		out = append(out, event.TopicCampaigns(channel))
	}
	return out
}

// brokers are where the clusters of this run are.
var brokers = map[*stream.Cluster][]string{}

func open(t *testing.T) (context.Context, *stream.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	broker, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	c, err := stream.Open(ctx, stream.Config{Brokers: []string{broker.Addr()}, ClientID: "test", WriterEpoch: broker.Epoch()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	brokers[c] = []string{broker.Addr()}
	size := map[string]string{"max.message.bytes": fmt.Sprint(event.MaxRecordBytes)}
	var specs []stream.TopicSpec
	for source, made := range topics {
		for _, name := range append([]string{source}, made...) {
			specs = append(specs, stream.TopicSpec{Name: name, Partitions: partitions, Config: size})
		}
	}
	if err := c.EnsureTopics(ctx, specs); err != nil {
		t.Fatal(err)
	}
	return ctx, c
}

// written is a log of entries being written.
type written struct {
	t     *testing.T
	topic string
	w     [partitions]*stream.Writer
	next  [partitions]int64
	entry func(p, seq int64) *stream.Record
}

func newLog(ctx context.Context, t *testing.T, c *stream.Cluster, topic string, entry func(p, seq int64) *stream.Record) *written {
	l := &written{t: t, topic: topic, entry: entry}
	for p := range l.w {
		w, err := c.Writer(ctx, stream.WriterOptions{TransactionalID: fmt.Sprint(topic, p), Topic: topic, Partition: int32(p)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		l.w[p] = w
	}
	return l
}

// add commits n entries in partition p.
func (l *written) add(ctx context.Context, p, n int) {
	l.t.Helper()
	var recs []*stream.Record
	for range n {
		l.next[p]++
		recs = append(recs, l.entry(int64(p), l.next[p]))
	}
	if err := l.w[p].Commit(ctx, recs); err != nil {
		l.t.Fatal(err)
	}
}

// ledgerEntry: customers in partition p stand at balance = sequence, every third
// entry has no standing; every fourth changes segments.
func ledgerEntry(p, seq int64) *stream.Record {
	e := event.Entry{Partition: int32(p), Sequence: seq, SourceOffset: seq, Kind: event.KindEvent, Outcome: event.OutcomeApplied, EntryTime: 1, EventTime: 2, Cause: event.Cause{Type: event.TypeTrack, ID: fmt.Sprint("m", seq)}}
	id := fmt.Sprintf("c%d-%d", p, seq%5)
	var writes []event.StateWrite
	if seq%3 != 0 {
		e.AccountID = id
		e.Standing = &event.Standing{CustomerID: id, Balance: seq, Segments: []string{"loyal"}}
		writes = append(writes, event.StateWrite{Key: []byte(id), Value: []byte{byte(seq)}, Due: event.Time(seq)})
	} else {
		writes = append(writes, event.StateWrite{Key: []byte(id)})
	}
	if seq%4 == 0 {
		e.AccountID = id
		for _, name := range []string{"loyal", event.SegmentTrigger + "birthday", "lapsing"} {
			e.Segments = append(e.Segments, event.SegmentChange{SegmentID: name, Version: "v", Change: event.SegmentEntered, Clause: `a "quoted" clause`, Cause: event.SegmentByEvent})
		}
	}
	return &stream.Record{Key: []byte(e.AccountID), Value: e.Append(nil), Headers: []stream.Header{{Key: event.HeaderState, Value: event.AppendState(nil, writes)}}}
}

// campaignEntry: every second entry sends an e-mail, every sixth a text message
// instead; the others decide without one.
func campaignEntry(p, seq int64) *stream.Record {
	id := fmt.Sprintf("c%d-%d", p, seq%5)
	e := event.CampaignEntry{Partition: int32(p), Sequence: seq, SourceOffset: seq * 2, CustomerID: id, Kind: event.CampaignDecided, LedgerSequence: seq * 2, EntryTime: 3}
	e.Decision = &event.CampaignDecision{CampaignID: "welcome", RunID: fmt.Sprint("run", p, "-", seq), Outcome: event.CampaignHeld, Reason: event.HeldNoConsent, Channel: event.ChannelEmail}
	if channel := channelOf(seq); channel != "" {
		e.Decision.Outcome, e.Decision.Reason, e.Decision.Channel = event.CampaignSent, "", channel
		e.Message = &event.Message{MessageID: e.Decision.RunID, CustomerID: id, CampaignID: "welcome", Channel: channel, Text: `"message":{"channel":"email"`, Variables: map[string]string{"balance": fmt.Sprint(seq)}}
	}
	return &stream.Record{Key: []byte(id), Value: e.Append(nil)}
}

func channelOf(seq int64) string {
	switch {
	case seq%6 == 0:
		return event.ChannelSMS
	case seq%2 == 0:
		return event.ChannelEmail
	}
	return ""
}

// read takes all records of a topic's partition.
func read(ctx context.Context, t *testing.T, c *stream.Cluster, topic string, p int32) []*stream.Record {
	t.Helper()
	return readFrom(ctx, t, c, topic, p, 0)
}

func readFrom(ctx context.Context, t *testing.T, c *stream.Cluster, topic string, p int32, from int64) []*stream.Record {
	t.Helper()
	ends, err := c.Ends(ctx, topic, stream.ReadUncommitted)
	if err != nil {
		t.Fatal(err)
	}
	var out []*stream.Record
	_, err = c.Scan(ctx, topic, p, from, ends[p].End, stream.ReadUncommitted, func(rec *stream.Record) error {
		out = append(out, rec)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newProjector(c *stream.Cluster, projections ...Projection) *Projector {
	return New(c, partitions, slog.New(slog.DiscardHandler), projections...)
}

// runUntil runs a projector until stopAt says so.
func runUntil(ctx context.Context, t *testing.T, pr *Projector, stopAt func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- pr.Run(ctx) }()
	for !stopAt() && ctx.Err() == nil {
		time.Sleep(time.Millisecond) // between looks; stopAt decides
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// caughtUp reports whether the topics of the logs reflect their newest entries.
func caughtUp(p *Projector, logs ...*written) func() bool {
	return func() bool {
		for _, l := range logs {
			for _, topic := range topics[l.topic] {
				for i := range int32(partitions) {
					if p.sequences[topic] != nil && p.Sequence(topic, i) < l.next[i] {
						return false
					}
				}
			}
		}
		return true
	}
}

// However often the projector is stopped, at whatever moment: each standing of
// the ledger is on the topic, in order; what repeats is the same; the newest
// record of a customer is how they stand; the state topic holds the state; each
// change of a segment and each message is there, and what repeats has the same id.
func TestStoppedAtRandomMoments(t *testing.T) {
	ctx, c := open(t)
	l := newLog(ctx, t, c, event.TopicLedger, ledgerEntry)
	campaigns := newLog(ctx, t, c, event.TopicCampaignLog, campaignEntry)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	torn := 0
	for range 16 {
		for p := range partitions {
			for range r.IntN(8) {
				l.add(ctx, p, 1+r.IntN(8))
				campaigns.add(ctx, p, 1+r.IntN(8))
			}
		}
		pr := newProjector(c, Ledger(true), CampaignLog())
		pr.poll, pr.window = 16, 16
		crash := tear(pr, rand.New(rand.NewPCG(seed, r.Uint64())))
		done := caughtUp(pr, l, campaigns)
		runUntil(ctx, t, pr, func() bool { return crash.Load() || done() })
		if crash.Load() {
			torn++
		}
	}
	pr := newProjector(c, Ledger(true), CampaignLog())
	pr.poll, pr.window = 16, 16
	runUntil(ctx, t, pr, caughtUp(pr, l, campaigns))
	t.Logf("%d runs ended within a poll", torn)
	for p := range int32(partitions) {
		checkCustomers(t, read(ctx, t, c, event.TopicCustomers, p), p, l.next[p])
		checkState(t, read(ctx, t, c, event.TopicState, p), p, l.next[p])
		checkSegments(t, read(ctx, t, c, event.TopicSegments, p), p, l.next[p])
		for _, channel := range event.Channels {
			checkMessages(t, read(ctx, t, c, event.TopicCampaigns(channel), p), p, campaigns.next[p], channel)
		}
	}
}

func checkCustomers(t *testing.T, recs []*stream.Record, p int32, upTo int64) {
	t.Helper()
	bySequence := map[int64]string{}
	newest := map[string]int64{}
	repeats := 0
	for _, rec := range recs {
		var s event.Customer
		if err := event.DecodeCustomer(rec.Value, &s); err != nil {
			t.Fatal(err)
		}
		if was, ok := bySequence[s.Sequence]; ok {
			repeats++
			if was != string(rec.Value) {
				t.Errorf("sequence %d differs when repeated: %s, before %s", s.Sequence, rec.Value, was)
			}
		}
		bySequence[s.Sequence] = string(rec.Value)
		newest[string(rec.Key)] = s.Sequence
	}
	for seq := int64(1); seq <= upTo; seq++ {
		if _, ok := bySequence[seq]; ok != (seq%3 != 0) {
			t.Errorf("partition %d sequence %d: on the topic %v", p, seq, ok)
		}
	}
	for id, seq := range newest {
		for later := seq + 5; later <= upTo; later += 5 {
			if later%3 != 0 {
				t.Errorf("%s: the newest record is of %d, the ledger has %d", id, seq, later)
			}
		}
	}
	t.Logf("partition %d: %d entries, %d records, %d repeats", p, upTo, len(recs), repeats)
}

func checkState(t *testing.T, recs []*stream.Record, p int32, upTo int64) {
	t.Helper()
	state := map[string]string{}
	for _, rec := range recs {
		if rec.Value == nil {
			delete(state, string(rec.Key))
			continue
		}
		state[string(rec.Key)] = fmt.Sprint(binary.BigEndian.Uint64(rec.Value), rec.Value[8:])
	}
	for k := range int64(5) {
		newest := upTo - ((upTo-k)%5+5)%5
		id := fmt.Sprintf("c%d-%d", p, k)
		want := ""
		if newest > 0 && newest%3 != 0 {
			want = fmt.Sprint(newest, []byte{byte(newest)})
		}
		if state[id] != want {
			t.Errorf("state %s: %q, want %q", id, state[id], want)
		}
	}
}

// checkSegments: each change of each entry is there, in order but for repeats; none
// of a campaign's own conditions.
func checkSegments(t *testing.T, recs []*stream.Record, p int32, upTo int64) {
	t.Helper()
	seen := map[string]string{}
	for _, rec := range recs {
		var r event.SegmentRecord
		if err := event.DecodeSegmentRecord(rec.Value, &r); err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint(r.Sequence, " ", r.SegmentID)
		if was, ok := seen[id]; ok && was != string(rec.Value) {
			t.Errorf("%s differs when repeated: %s, before %s", id, rec.Value, was)
		}
		seen[id] = string(rec.Value)
		want := fmt.Sprintf("c%d-%d", p, r.Sequence%5)
		if r.Partition != p || r.CustomerID != want || string(rec.Key) != want || r.CauseID != fmt.Sprint("m", r.Sequence) || r.Clause != `a "quoted" clause` || r.EventTime != 2 {
			t.Errorf("record %s with key %s", rec.Value, rec.Key)
		}
	}
	for seq := int64(4); seq <= upTo; seq += 4 {
		for _, name := range []string{"loyal", "lapsing"} {
			id := fmt.Sprint(seq, " ", name)
			if _, ok := seen[id]; !ok {
				t.Errorf("partition %d: %s is missing", p, id)
			}
			delete(seen, id)
		}
	}
	if len(seen) > 0 {
		t.Errorf("partition %d: nothing says %v", p, seen)
	}
}

// checkMessages: each message of the channel is there; what repeats is the same.
func checkMessages(t *testing.T, recs []*stream.Record, p int32, upTo int64, channel string) {
	t.Helper()
	seen := map[string]string{}
	for _, rec := range recs {
		var m event.CampaignMessage
		if err := event.DecodeCampaignMessage(rec.Value, &m); err != nil {
			t.Fatal(err)
		}
		if was, ok := seen[m.MessageID]; ok && was != string(rec.Value) {
			t.Errorf("%s differs when repeated: %s, before %s", m.MessageID, rec.Value, was)
		}
		seen[m.MessageID] = string(rec.Value)
		if m.Channel != channel || string(rec.Key) != m.CustomerID || m.EntryTime != 3 || m.Variables["balance"] != fmt.Sprint(m.Sequence) {
			t.Errorf("record %s with key %s on %s", rec.Value, rec.Key, channel)
		}
	}
	for seq := int64(1); seq <= upTo; seq++ {
		id := fmt.Sprint("run", p, "-", seq)
		if _, ok := seen[id]; ok != (channelOf(seq) == channel) {
			t.Errorf("%s: message %s is on the topic: %v", channel, id, ok)
		}
		delete(seen, id)
	}
	if len(seen) > 0 {
		t.Errorf("%s, partition %d: nobody decided %v", channel, p, seen)
	}
}

// A topic that someone else writes to is refused, named.
func TestForeignTopicIsRefused(t *testing.T) {
	ctx, c := open(t)
	pub, err := c.Publisher(stream.PublisherOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := pub.Publish(ctx, &stream.Record{Topic: c.Topic(event.TopicCustomers), Key: []byte("x"), Value: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	err = newProjector(c, Ledger(false)).Run(ctx)
	if err == nil || ctx.Err() != nil {
		t.Fatalf("a foreign record was taken: %v", err)
	}
	t.Log(err)
}

package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	broker "github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/warehouse"
	engine "github.com/punchcard/punchcard/warehouse/embedded"
)

func TestMain(m *testing.M) {
	if engine.IsChild() {
		engine.RunChild()
	}
	os.Exit(m.Run())
}

const testPartitions = 3

// world is a broker with a ledger, and an engine.
type world struct {
	t         testing.TB
	cluster   *stream.Cluster
	engine    *engine.Engine
	warehouse *warehouse.Warehouse
	publisher *stream.Publisher
	ledger    *ledger
	campaigns *campaigns
	digest    map[int32]uint64 // of what was published, as the audit of the stream does it
	decided   map[int32]uint64 // the same of campaign-log
}

func newWorld(t testing.TB) *world {
	t.Helper()
	if _, err := engine.FindLibrary(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx := t.Context()
	b, err := broker.Start(ctx, broker.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() { b.Close() })
	c, err := stream.Open(ctx, stream.Config{Brokers: []string{b.Addr()}, WriterEpoch: b.Epoch()})
	must(t, err)
	t.Cleanup(c.Close)
	must(t, c.EnsureTopics(ctx, []stream.TopicSpec{
		{Name: event.TopicLedger, Partitions: testPartitions}, {Name: event.TopicCampaignLog, Partitions: testPartitions}, {Name: event.TopicRejects, Partitions: 1},
	}))
	p, err := c.Publisher(stream.PublisherOptions{ManualPartition: true})
	must(t, err)
	t.Cleanup(p.Close)
	e, err := engine.Start(context.Background(), engine.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() { e.Close() })
	w := &world{t: t, cluster: c, engine: e, publisher: p, ledger: newLedger(1), campaigns: newCampaigns(1), digest: make(map[int32]uint64), decided: make(map[int32]uint64)}
	w.warehouse = w.open(e.URL())
	must(t, w.warehouse.Migrate(ctx))
	return w
}

func (w *world) open(url string) *warehouse.Warehouse {
	w.t.Helper()
	h, err := warehouse.Open(w.t.Context(), warehouse.Config{URL: url, User: "punchcard", Password: w.engine.WriterKey()})
	must(w.t, err)
	w.t.Cleanup(func() { h.Close() })
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// publish writes n more entries to the ledger and to campaign-log.
func (w *world) publish(n int) {
	w.t.Helper()
	recs := make([]*stream.Record, 0, 2*n)
	for range n {
		rec := w.record(w.ledger.next())
		w.digest[rec.Partition] += xxhash.Sum64(rec.Value)
		recs = append(recs, rec)
		rec = w.campaignRecord(w.campaigns.next())
		w.decided[rec.Partition] += xxhash.Sum64(rec.Value)
		recs = append(recs, rec)
	}
	must(w.t, w.publisher.Publish(w.t.Context(), recs...))
}

func (w *world) record(e *event.Entry) *stream.Record {
	return &stream.Record{Topic: w.cluster.Topic(event.TopicLedger), Partition: e.Partition, Key: []byte(e.AccountID), Value: e.Append(nil)}
}

func (w *world) campaignRecord(e *event.CampaignEntry) *stream.Record {
	return &stream.Record{Topic: w.cluster.Topic(event.TopicCampaignLog), Partition: e.Partition, Key: []byte(e.CustomerID), Value: e.Append(nil)}
}

// run starts a sink and returns how to stop it; it gives Run's error.
func (w *world) run(s *Sink) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var err error
	ended := false
	stop = func() error {
		cancel()
		if !ended {
			err, ended = <-done, true
		}
		return err
	}
	w.t.Cleanup(func() { stop() })
	return stop
}

func (w *world) config() Config {
	return Config{Cluster: w.cluster, Warehouse: w.warehouse, CollectFor: 20 * time.Millisecond}
}

// arrive waits until the sink has all that was published, and verifies.
func (w *world) arrive(s *Sink) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	must(w.t, s.WaitFor(ctx, w.ledger.sequence))
	must(w.t, s.WaitForCampaigns(ctx, w.campaigns.sequence))
	w.verify()
}

func (w *world) verify() {
	w.t.Helper()
	// As the command verify does it: with a reader's rights.
	reader, err := warehouse.Open(w.t.Context(), warehouse.Config{URL: w.engine.URL(), ReadOnly: true})
	must(w.t, err)
	defer reader.Close()
	found, err := reader.Verify(w.t.Context(), w.ledger.sequence)
	must(w.t, err)
	more, err := reader.VerifyCampaigns(w.t.Context(), w.campaigns.sequence)
	must(w.t, err)
	for _, f := range append(found, more...) {
		w.t.Error(f)
	}
	digests, err := reader.Digests(w.t.Context(), w.ledger.sequence)
	must(w.t, err)
	decided, err := reader.CampaignDigests(w.t.Context(), w.campaigns.sequence)
	must(w.t, err)
	if len(w.digest) > 0 && (!maps.Equal(digests, w.digest) || !maps.Equal(decided, w.decided)) {
		w.t.Errorf("digests %v and %v, want %v and %v", digests, decided, w.digest, w.decided)
	}
	const health = "SELECT sum(gaps), sum(doubles), sum(entries), sum(campaign_gaps), sum(campaign_doubles), sum(campaign_entries) FROM pipeline_health"
	if rows, want := w.ask(health), fmt.Sprintf("[[0 0 %d 0 0 %d]]", total(w.ledger.sequence), total(w.campaigns.sequence)); fmt.Sprint(rows) != want {
		w.t.Errorf("gaps, doubles, entries: %v, want %s", rows, want)
	}
}

func (w *world) ask(statement string, args ...any) [][]any {
	w.t.Helper()
	_, _, rows, err := w.warehouse.Query(w.t.Context(), statement, args...)
	must(w.t, err)
	return rows
}

// ledger invents entries that hold together: balances are sums of postings.
type ledger struct {
	random   *rand.Rand
	sequence map[int32]int64
	balance  map[string]int64
	orders   map[string]int64
	refunded map[string]int64    // orders of which nothing is left
	segments map[string][]string // that customers are in
	clock    event.Time
}

func newLedger(seed uint64) *ledger {
	l := &ledger{random: rand.New(rand.NewPCG(seed, 2)), sequence: make(map[int32]int64), balance: make(map[string]int64), orders: make(map[string]int64), refunded: make(map[string]int64), segments: make(map[string][]string)}
	l.clock = event.At(time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC))
	for p := range int32(testPartitions) {
		l.sequence[p] = 0
	}
	return l
}

func total(sequence map[int32]int64) (n int64) {
	for _, s := range sequence {
		n += s
	}
	return n
}

func (l *ledger) next() *event.Entry {
	p := int32(l.random.IntN(testPartitions))
	l.sequence[p]++
	l.clock = l.clock.Add(time.Minute)
	e := &event.Entry{
		V: 1, Partition: p, Sequence: l.sequence[p], SourceOffset: l.sequence[p] * 2, Semantics: 1, BundleID: "b1", Kind: event.KindEvent, Outcome: event.OutcomeApplied,
		Cause: event.Cause{Type: event.TypeTrack, Name: event.NameOrderCompleted, ID: fmt.Sprintf("m-%d-%d", p, l.sequence[p])}, EventTime: l.clock.Add(-time.Second), EntryTime: l.clock,
	}
	id := fmt.Sprintf("c%d-%d", p, l.random.IntN(20))
	switch n := l.random.IntN(20); {
	case n < 2:
		e.Kind, e.Cause, e.Tick = event.KindTick, event.Cause{Type: event.TypeTick}, &event.TickFact{Fired: 1}
	case n < 4:
		e.AccountID, e.Outcome = id, event.OutcomeDuplicateOrder
		e.Order = &event.OrderFact{OrderID: "again", Currency: "GBP"}
	case n < 6:
		l.order(e, event.PrefixGuest+e.Cause.ID)
		e.Outcome, e.Reason = event.OutcomeKept, event.ReasonGuest
	case n < 8:
		l.activity(e, id)
	case n < 10:
		l.redeem(e, id)
	case n < 12:
		l.refund(e, id)
	default:
		l.order(e, id)
		l.earn(e, id, 1+l.random.Int64N(100))
	}
	return e
}

func (l *ledger) order(e *event.Entry, id string) {
	e.AccountID = id
	l.orders[id]++
	f := &event.OrderFact{OrderID: "o-" + e.Cause.ID, Currency: "GBP", Number: l.orders[id], Channel: "web"}
	for i := range 1 + l.random.IntN(4) {
		amount := 1 + l.random.Int64N(5000)
		f.NetMinor += amount
		f.Lines = append(f.Lines, event.LineFact{OrderLine: event.OrderLine{ProductID: fmt.Sprint("p", i), Name: "it's \\ a \"thing\"\n€", Quantity: 2, AmountMinor: amount}, Excluded: i == 2})
	}
	f.BaseMinor = f.NetMinor
	e.Order = f
}

func (l *ledger) earn(e *event.Entry, id string, points int64) {
	l.balance[id] += points
	e.Decisions = []event.Decision{{RuleID: "spend", Points: points, BaseMinor: e.Order.NetMinor, Percent: 200, Multipliers: []string{"weekend"}}, {RuleID: "other", Reason: event.ReasonNoRule}}
	e.Postings = []event.Posting{
		{Account: event.AccountCustomer, Wallet: "points", Points: points, LotID: "lot" + e.Cause.ID, ExpiresOn: 21000, Reason: event.PostEarn, RuleID: "spend", OrderID: e.Order.OrderID},
		{Account: event.AccountEarned, Wallet: "points", Points: -points, Reason: event.PostEarn, RuleID: "spend", OrderID: e.Order.OrderID},
	}
	if l.orders[id] == 1 {
		e.Enrolment = &event.Enrolment{RuleID: "first"}
	}
	e.Tier = &event.TierChange{To: "bronze", Reason: "enrolled"}
	e.Scores = &event.ScoreChange{To: event.Scores{R: 5, F: 1, M: 2}, Reason: "order"}
	l.stand(e, id)
}

func (l *ledger) redeem(e *event.Entry, id string) {
	e.AccountID = id
	points := 1 + l.random.Int64N(50)
	e.Cause = event.Cause{Type: event.TypeRedeem, ID: e.Cause.ID}
	e.Answer = true
	if l.balance[id] < points {
		e.Outcome, e.Reason = event.OutcomeRejected, event.ReasonInsufficientPoints
		e.Redemption = &event.Redemption{RedemptionID: e.Cause.ID, Points: points, Balance: l.balance[id]}
		return
	}
	l.balance[id] -= points
	e.Redemption = &event.Redemption{RedemptionID: e.Cause.ID, Points: points, Accepted: true, Balance: l.balance[id]}
	e.Postings = []event.Posting{
		{Account: event.AccountCustomer, Wallet: "points", Points: -points, LotID: "lot", Reason: event.PostSpend},
		{Account: event.AccountSpent, Wallet: "points", Points: points, Reason: event.PostSpend},
	}
	l.stand(e, id)
}

func (l *ledger) refund(e *event.Entry, id string) {
	e.AccountID = id
	e.Refund = &event.RefundFact{RefundID: "r-" + e.Cause.ID, Currency: "GBP", NetMinor: 300, MatchedMinor: 100, Lines: []event.RefundLine{
		{OrderLine: event.OrderLine{ProductID: "p0", Quantity: 1, AmountMinor: 200}, Match: event.Partly, MatchedMinor: 100},
		{OrderLine: event.OrderLine{ProductID: "p1", Quantity: 1, AmountMinor: 100}, Match: event.Unmatched},
	}, Allocations: []event.Allocation{{OrderID: "o", Line: 0, AmountMinor: 100, Quantity: 1}}}
	e.Survey = &event.Survey{Kind: "nps", Score: 3}
	if l.orders[id] > l.refunded[id] && l.random.IntN(2) == 0 {
		l.refunded[id]++
		e.Refund.Allocations = append(e.Refund.Allocations, event.Allocation{OrderID: fmt.Sprint("o", l.refunded[id]), Line: 1, AmountMinor: 1, Wholly: true})
		l.stand(e, id)
	}
}

func (l *ledger) stand(e *event.Entry, id string) {
	e.Standing = &event.Standing{CustomerID: id, Member: true, Balance: l.balance[id], Tier: "bronze", Orders: l.orders[id] - l.refunded[id], Currency: "GBP",
		Scores: event.Scores{R: 5, F: 1, M: 2}, NetSpendMinor: l.orders[id] * 100, LastOrderTime: e.EventTime, TierReviewOn: 21000, Segments: l.segments[id]}
}

// activity is a track event that is no order: it tells facts, moves segments and
// may report what became of a message.
func (l *ledger) activity(e *event.Entry, id string) {
	e.AccountID = id
	names := []string{"Email Delivered", "Email Opened", "SMS Link Clicked", "Push Bounced", "Email Marked as Spam", "Unsubscribed", "Email Unsubscribed", "In-App Opened", "Email Forgotten", "Product Viewed", event.NameSurveyAnswered}
	e.Cause.Name = names[l.random.IntN(len(names))]
	e.Properties = map[string]json.RawMessage{
		"message_id": json.RawMessage(`"run\u002d1"`), "price": json.RawMessage("12.50"), "new": json.RawMessage("true"), "tags": json.RawMessage(`["a","b"]`), "gone": json.RawMessage("null"),
	}
	switch l.random.IntN(6) {
	case 0: // nobody that segments know
		e.AccountID = event.PrefixAnonymous + id
		return
	case 1:
		e.Outcome, e.Reason = event.OutcomeRejected, event.ReasonInvalid
		return
	case 2:
		e.Survey = &event.Survey{SurveyID: "s", Kind: "nps", Score: 9}
	}
	e.Facts = []event.FactChange{{Name: "country", Value: json.RawMessage(`"DE"`)}, {Name: "consent.email", Value: json.RawMessage("null")}}
	change := func(segment, change string) event.SegmentChange {
		return event.SegmentChange{SegmentID: segment, Version: "v1", Change: change, Clause: "count of order >= 1", Cause: event.SegmentByEvent}
	}
	e.Segments = []event.SegmentChange{change(event.SegmentTrigger+"birthday", event.SegmentEntered)}
	if len(l.segments[id]) == 0 {
		l.segments[id] = []string{"big's", "loyal"}
		e.Segments = append(e.Segments, change("big's", event.SegmentEntered), change("loyal", event.SegmentEntered))
	} else {
		l.segments[id] = nil
		e.Segments = append(e.Segments, change("loyal", event.SegmentLeft), change(event.SegmentTrigger+"x", event.SegmentLeft), change("big's", event.SegmentLeft))
	}
	l.stand(e, id)
}

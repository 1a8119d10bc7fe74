package projector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// tornPublisher lets only some records of a Publish arrive: of each topic's
// partition those at the front, which is what a crash leaves. Later ones fail.
type tornPublisher struct {
	publisher
	cut     func(recs []*stream.Record) (arrive int, crash bool)
	crashed *atomic.Bool
}

var errTorn = errors.New("torn")

func (p tornPublisher) Publish(ctx context.Context, recs ...*stream.Record) error {
	if p.crashed.Load() {
		return errTorn
	}
	byTarget := map[string][]*stream.Record{}
	for _, rec := range recs {
		target := fmt.Sprint(rec.Topic, "/", rec.Partition)
		byTarget[target] = append(byTarget[target], rec)
	}
	var arrive []*stream.Record
	crash := false
	for _, target := range slices.Sorted(maps.Keys(byTarget)) {
		n, crashes := p.cut(byTarget[target])
		arrive, crash = append(arrive, byTarget[target][:n]...), crash || crashes
	}
	if !crash {
		arrive = recs
	}
	if err := p.publisher.Publish(ctx, arrive...); err != nil || !crash {
		return err
	}
	p.crashed.Store(true)
	return errTorn
}

// tear makes some of the projector's publishing end within a poll, of one topic more
// than of another; from then on nothing arrives. The answer says when it has happened.
func tear(pr *Projector, r *rand.Rand) *atomic.Bool {
	return tearAt(pr, func() func(recs []*stream.Record) (int, bool) {
		mine := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
		return func(recs []*stream.Record) (int, bool) {
			switch mine.IntN(4) {
			case 0:
				return 0, mine.IntN(2) == 0
			case 1:
				return mine.IntN(len(recs)), mine.IntN(2) == 0
			}
			return len(recs), false
		}
	})
}

func tearAt(pr *Projector, cut func() func(recs []*stream.Record) (int, bool)) *atomic.Bool {
	crashed, open := new(atomic.Bool), pr.publisher
	cuts := make(chan func(recs []*stream.Record) (int, bool), len(pr.projections))
	for range pr.projections {
		cuts <- cut() // one for each follower: a crash ends the run
	}
	pr.publisher = func() (publisher, error) {
		if crashed.Load() {
			return nil, errTorn
		}
		pub, err := open()
		if err != nil {
			return nil, err
		}
		return tornPublisher{publisher: pub, cut: <-cuts, crashed: crashed}, nil
	}
	return crashed
}

// What a crash can leave out lies as far back as a poll, and no further: with a
// window of one less it stays missing.
func TestTheWindowIsAPoll(t *testing.T) {
	const poll = 12 // entry 6 is a text message, 12 too, 2, 4, 8 and 10 e-mails
	for _, tc := range []struct {
		window int
		whole  bool
	}{{poll - 1, true}, {poll - 2, false}} {
		t.Run(fmt.Sprint(tc.window), func(t *testing.T) {
			ctx, c := open(t)
			l := newLog(ctx, t, c, event.TopicCampaignLog, campaignEntry)
			l.add(ctx, 0, poll)
			pr := newProjector(c, CampaignLog())
			pr.poll = poll
			email, newest := c.Topic(event.TopicCampaigns(event.ChannelEmail)), 0
			crash := tearAt(pr, func() func(recs []*stream.Record) (int, bool) {
				return func(recs []*stream.Record) (int, bool) {
					newest = max(newest, len(recs))
					if recs[0].Topic == email {
						return 0, true
					}
					return len(recs), false
				}
			})
			runUntil(ctx, t, pr, crash.Load)

			// The newest entry anyone tells of is the 12th, the oldest missing the 2nd.
			pr = newProjector(c, CampaignLog())
			pr.poll, pr.window = poll, tc.window
			runUntil(ctx, t, pr, caughtUp(pr, l))
			got := len(read(ctx, t, c, event.TopicCampaigns(event.ChannelEmail), 0))
			if whole := got == 4; whole != tc.whole {
				t.Errorf("%d of 4 e-mails", got)
			}
		})
	}
}

// A start reads no more than the window, though most channels were never used: so
// where each transaction is of one entry, and where each is of many.
func TestAStartReadsTheWindow(t *testing.T) {
	for _, size := range []int{1, 40} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			ctx, c := open(t)
			l := newLog(ctx, t, c, event.TopicCampaignLog, campaignEntry)
			for range 160 / size {
				l.add(ctx, 0, size)
			}
			first := newProjector(c, CampaignLog())
			first.window = 7
			runUntil(ctx, t, first, caughtUp(first, l))
			if n := len(read(ctx, t, c, event.TopicCampaigns(event.ChannelPush), 0)); n != 0 {
				t.Fatalf("%d records on a channel that no campaign uses", n)
			}

			counted := CampaignLog()
			var projected atomic.Int64
			project := counted.Project
			counted.Project = func(rec *stream.Record, emit Emit) error {
				projected.Add(1)
				return project(rec, emit)
			}
			second := newProjector(c, counted)
			second.window = 7
			// Sequence 160 is the newest message's; there is nothing after it.
			runUntil(ctx, t, second, caughtUp(second, l))
			if projected.Load() != 7 {
				t.Errorf("%d entries were read, the window has 7", projected.Load())
			}
			emails := read(ctx, t, c, event.TopicCampaigns(event.ChannelEmail), 0)
			if want := 160/2 - 160/6 + 1; len(emails) != want {
				t.Errorf("%d e-mails, want %d: each once and the newest twice", len(emails), want)
			}
		})
	}
}

// A topic beside an old log: one that is kept whole gets it all, one of news only
// what is within the window; and what others have does not come again.
func TestATopicIsAddedLater(t *testing.T) {
	ctx, c := open(t)
	l := newLog(ctx, t, c, event.TopicLedger, ledgerEntry)
	l.add(ctx, 0, 100)
	old := Ledger(false)
	old.Topics = old.Topics[:1]
	project := old.Project
	old.Project = func(rec *stream.Record, emit Emit) error {
		return project(rec, func(topic string, key, value []byte) {
			if topic == event.TopicCustomers {
				emit(topic, key, value)
			}
		})
	}
	pr := newProjector(c, old)
	runUntil(ctx, t, pr, caughtUp(pr, l))
	customers := len(read(ctx, t, c, event.TopicCustomers, 0))

	pr = newProjector(c, Ledger(true))
	pr.window = 10
	runUntil(ctx, t, pr, caughtUp(pr, l))
	if n := len(read(ctx, t, c, event.TopicCustomers, 0)); n != customers+1 {
		t.Errorf("%d records on customers, before %d: the newest comes again, no other", n, customers)
	}
	if n := len(read(ctx, t, c, event.TopicState, 0)); n != 100 {
		t.Errorf("%d state writes of 100", n)
	}
	// The newest standing is of entry 100; so 91 to 100: entries 92, 96 and 100.
	segments := read(ctx, t, c, event.TopicSegments, 0)
	var r event.SegmentRecord
	if len(segments) != 6 || event.DecodeSegmentRecord(segments[0].Value, &r) != nil || r.Sequence != 92 {
		t.Errorf("%d changes of segments, the first of %d; want 6 from 92 on", len(segments), r.Sequence)
	}
}

// A topic of news whose records all went by age goes on where the others are: what
// it said long ago does not come again.
func TestNewsThatWentByAge(t *testing.T) {
	ctx, c := open(t)
	l := newLog(ctx, t, c, event.TopicCampaignLog, campaignEntry)
	l.add(ctx, 0, 60)
	pr := newProjector(c, CampaignLog())
	runUntil(ctx, t, pr, caughtUp(pr, l))
	sms := event.TopicCampaigns(event.ChannelSMS)
	gone := int64(len(read(ctx, t, c, sms, 0)))
	deleteBefore(ctx, t, c, sms, 0, gone)

	l.add(ctx, 0, 6) // the 66th is a text message
	pr = newProjector(c, CampaignLog())
	pr.window = 9
	runUntil(ctx, t, pr, caughtUp(pr, l))
	// The newest that anyone tells of is the e-mail of entry 58: so from 50 on.
	var got []int64
	for _, rec := range readFrom(ctx, t, c, sms, 0, gone) {
		var m event.CampaignMessage
		if err := event.DecodeCampaignMessage(rec.Value, &m); err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Sequence)
	}
	if !slices.Equal(got, []int64{54, 60, 66}) {
		t.Errorf("messages of entries %d", got)
	}
}

// deleteBefore does what the broker does by age.
func deleteBefore(ctx context.Context, t *testing.T, c *stream.Cluster, topic string, p int32, offset int64) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers[c]...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	var offsets kadm.Offsets
	offsets.AddOffset(c.Topic(topic), p, offset, -1)
	deleted, err := kadm.NewClient(cl).DeleteRecords(ctx, offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// While no topic has any record, news older than they are kept are no news; topics
// that are kept whole get all.
func TestNoNewsOfLongAgo(t *testing.T) {
	ctx, c := open(t)
	old := time.Now().Add(-event.NewsKept - time.Hour)
	aged := func(entry func(p, seq int64) *stream.Record) func(p, seq int64) *stream.Record {
		return func(p, seq int64) *stream.Record {
			rec := entry(p, seq)
			if p == 1 || seq <= 30 {
				rec.Timestamp = old
			}
			return rec
		}
	}
	ledger := newLog(ctx, t, c, event.TopicLedger, aged(ledgerEntry))
	campaigns := newLog(ctx, t, c, event.TopicCampaignLog, aged(campaignEntry))
	for _, l := range []*written{ledger, campaigns} {
		for p := range partitions {
			l.add(ctx, p, 30)
		}
		l.add(ctx, 0, 10)
	}
	pr := newProjector(c, Ledger(false), CampaignLog())
	runUntil(ctx, t, pr, func() bool {
		return pr.Sequence(event.TopicCustomers, 0) == 40 && pr.Sequence(event.TopicCustomers, 1) == 30 && pr.Sequence(event.TopicCampaigns(event.ChannelEmail), 0) == 40
	})
	for topic, want := range map[string][partitions]int{
		event.TopicCustomers:                     {27, 20},
		event.TopicSegments:                      {6, 0}, // entries 32, 36 and 40
		event.TopicCampaigns(event.ChannelEmail): {4, 0}, // 32, 34, 38, 40
		event.TopicCampaigns(event.ChannelSMS):   {1, 0}, // 36
	} {
		for p, n := range want {
			if got := len(read(ctx, t, c, topic, int32(p))); got != n {
				t.Errorf("%s/%d: %d records, want %d", topic, p, got, n)
			}
		}
	}
}

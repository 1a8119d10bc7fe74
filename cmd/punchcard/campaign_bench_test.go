package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

const (
	bigSegment    = 100_000 // customers
	bigPage       = 5000
	bigRate       = 1000 // live events a second, before and during the campaign
	bigCampaignID = "to-all"
)

// bigBundle has a segment that every customer enters by the first order.
var bigBundle = map[string]string{
	"program.yaml":         loadProgram,
	"segments/buyers.yaml": "who: {orders: {at_least: 1}}\n",
}

// bigCampaign is for who is in the segment already.
const bigCampaign = `purpose: service
channel: email
existing: true
when: {enters: buyers}
again: never
quiet_hours: none
message: {subject: "To all", text: "You have {{balance}} points."}
`

// BenchmarkCampaignOverSegment: a campaign over a segment of 100,000 customers:
// messages a second on the topic, and what events that come meanwhile wait for
// their entry, beside what they waited before.
func BenchmarkCampaignOverSegment(b *testing.B) {
	for range b.N {
		p := newPlace(b)
		pr := p.spawn("serve")
		p.awaitDoor(pr, time.Minute)
		p.mustRun("program", "activate", writeFiles(b, bigBundle))
		p.awaitReady(pr, time.Minute)
		l := p.openLatency(b, bigRate)
		ctx := context.Background()
		for at := 0; at < bigSegment; at += bigPage {
			var page []*stream.Record
			for i := at; i < at+bigPage; i++ {
				page = append(page, l.order(b, fmt.Sprintf("first-%d", i), fmt.Sprintf("c%d", i)))
			}
			if err := l.pub.Publish(ctx, page...); err != nil {
				b.Fatal(err)
			}
		}
		l.settled(b, p)
		entryOf := func(rec *stream.Record) string {
			var e event.Entry
			if event.DecodeEntry(rec.Value, &e) != nil || e.Kind != event.KindEvent {
				return ""
			}
			return e.Cause.ID
		}
		report(b, fmt.Sprintf("event → entry, %d/s, no campaign", bigRate), l.measure(b, event.TopicLedger, entryOf))

		more := maps.Clone(bigBundle)
		more["campaigns/"+bigCampaignID+".yaml"] = bigCampaign
		dir := writeFiles(b, more)
		done := make(chan wave, 1)
		ready := make(chan struct{})
		go func() { done <- l.countMessages(ctx, b, ready) }()
		<-ready
		during := make(chan []time.Duration, 1)
		go func() { during <- l.measure(b, event.TopicLedger, entryOf) }()
		began := time.Now()
		p.mustRun("program", "activate", dir)
		activated := time.Since(began)
		report(b, fmt.Sprintf("event → entry, %d/s, campaign", bigRate), <-during)
		w := <-done
		rate := float64(w.messages-1) / w.last.Sub(w.first).Seconds()
		fmt.Fprintf(os.Stderr, "campaign over %d customers: %.0f messages/s on the topic; activated in %.1f s, first message after %.1f s, last after %.1f s; live events came for %d s from the start\n",
			w.messages, rate, activated.Seconds(), w.first.Sub(began).Seconds(), w.last.Sub(began).Seconds(), benchSeconds)
		b.ReportMetric(rate, "messages/s")
		pr.interrupt()
	}
}

// settled waits until the ledger has taken all events, campaign-log the ledger, and
// ClickHouse all of it: nothing is left over for what is measured.
func (l *latency) settled(b *testing.B, p *place) {
	b.Helper()
	l.taken(b, event.TopicEvents, event.TopicLedger)
	l.taken(b, event.TopicLedger, event.TopicCampaignLog)
	for p.sql("SELECT toString(uniqExact(account_id)) AS n FROM segment_changes")[0]["n"] != fmt.Sprint(bigSegment) {
		time.Sleep(2 * time.Second) // between looks: each is a program of its own
	}
}

// taken waits until all that is in one topic now is decided in the other.
func (l *latency) taken(b *testing.B, from, to string) {
	b.Helper()
	ctx := context.Background()
	ends, err := l.c.Ends(ctx, from, stream.ReadCommitted)
	if err != nil {
		b.Fatal(err)
	}
	until(b, from+" is taken into "+to, 3*time.Minute, func() bool {
		for part, r := range ends {
			tail, err := l.c.Tail(ctx, to, part, 1)
			if err != nil || len(tail) == 0 {
				return false
			}
			// A transaction's marker takes an offset too.
			if _, _, source, ok := event.EntryPosition(tail[0].Value); !ok || source < r.End-2 {
				return false
			}
		}
		return true
	})
}

// wave is what a reader saw of one campaign.
type wave struct {
	messages    int
	first, last time.Time
}

// countMessages reads the topic from its end until each customer has a message.
func (l *latency) countMessages(ctx context.Context, b *testing.B, ready chan<- struct{}) (w wave) {
	topic := event.TopicCampaigns(event.ChannelEmail)
	ends, err := l.c.Ends(ctx, topic, stream.ReadCommitted)
	if err != nil {
		b.Error(err)
	}
	from := map[int32]int64{}
	for p, r := range ends {
		from[p] = r.End
	}
	r, err := l.c.Reader(ctx, stream.ReaderOptions{Topic: topic, Partitions: from, Isolation: stream.ReadUncommitted})
	close(ready)
	if err != nil {
		b.Error(err)
		return w
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	seen := map[string]bool{}
	for len(seen) < bigSegment {
		recs, err := r.Poll(ctx, 10_000)
		if err != nil {
			b.Errorf("%d messages came: %v", len(seen), err)
			break
		}
		now := time.Now()
		for _, rec := range recs {
			var m event.CampaignMessage
			if event.DecodeCampaignMessage(rec.Value, &m) != nil || m.CampaignID != bigCampaignID || !strings.HasPrefix(m.CustomerID, "c") {
				continue
			}
			if len(seen) == 0 {
				w.first = now
			}
			seen[m.CustomerID], w.last = true, now
		}
	}
	w.messages = len(seen)
	return w
}

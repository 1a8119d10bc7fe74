package demo

import (
	"container/heap"
	"context"
	"time"

	"github.com/punchcard/punchcard/event"
)

const (
	// maxQueued bounds the acts that wait for their time; beyond it no further
	// message is read.
	maxQueued = 100_000
	// maxActs is how many acts one message can lead to, at most.
	maxActs = 8
	// maxBehind is how old an act may be by the demo's clock: the door takes 30
	// days, and what is older was posted before this process began.
	maxBehind = 28 * 24 * time.Hour
)

// Audience are the simulated receivers of messages: they open, click, answer,
// leave and buy, each act at its time by the demo's clock. Nothing is remembered:
// a restarted demo reads all messages again, posts the same acts with the same
// ids, and nothing doubles.
type Audience struct {
	Shop *Shop
	Seed uint64
	// Door is the address of the HTTP door, http://host:port; Key a server key.
	Door, Key string
	// Now is the demo's clock.
	Now func() event.Time
	// Posted is told what was posted; may be nil.
	Posted func(acts []Post)
}

// Run takes messages, in any order and any number of times, and posts what comes
// of them until ctx ends, or until messages is closed and nothing waits any more.
func (a *Audience) Run(ctx context.Context, messages <-chan event.CampaignMessage) error {
	door := newCaller(a.Door, a.Key)
	var q queue
	clock := time.NewTicker(glance)
	defer clock.Stop()
	for {
		from := messages
		if len(q) > maxQueued-maxActs {
			from = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case m, open := <-from:
			if !open {
				messages = nil
				break
			}
			a.take(&q, &m)
			continue
		case <-clock.C:
		}
		if err := a.act(ctx, door, &q); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if messages == nil && len(q) == 0 {
			return nil
		}
	}
}

// take queues what will come of a message.
func (a *Audience) take(q *queue, m *event.CampaignMessage) {
	oldest := a.Now().Add(-maxBehind)
	for _, s := range React(a.Seed, m) {
		if s.Time >= oldest {
			heap.Push(q, a.post(m, s))
		}
	}
}

// act posts everything whose time has come.
func (a *Audience) act(ctx context.Context, door *caller, q *queue) error {
	now := a.Now()
	var due []Post
	for len(*q) > 0 && (*q)[0].Time <= now {
		due = append(due, heap.Pop(q).(Post))
	}
	if len(due) == 0 {
		return nil
	}
	if err := door.post(ctx, due); err != nil {
		return err
	}
	if a.Posted != nil {
		a.Posted(due)
	}
	return nil
}

// actNames are the event names of acts, after the channel's own; ids end with them.
var actNames = map[Act][2]string{
	Delivers: {"Delivered", "-delivered"}, Bounces: {"Bounced", "-bounced"}, Opens: {"Opened", "-opened"},
	Clicks: {"Link Clicked", "-clicked"}, Complains: {"Marked as Spam", "-complained"},
}

// channelNames are how events name channels.
var channelNames = map[string]string{
	event.ChannelEmail: "Email", event.ChannelSMS: "SMS", event.ChannelPush: "Push", event.ChannelInApp: "In-App", event.ChannelMail: "Mail",
}

// post is the call that says an act.
func (a *Audience) post(m *event.CampaignMessage, s Step) Post {
	about := map[string]any{"message_id": m.MessageID, "campaign_id": m.CampaignID, "channel": m.Channel}
	switch s.Act {
	case Buys:
		id := "sim-m-" + m.MessageID
		return a.Shop.completed(order{time: s.Time, id: id, customer: m.CustomerID, lines: a.Shop.basket(m.CustomerID, draws(a.Seed, "basket:"+m.MessageID))})
	case Answers:
		p := personaOf(a.Seed, m.CustomerID, "")
		return track(event.NameSurveyAnswered, m.MessageID+"-answered", m.CustomerID, s.Time, map[string]any{
			"survey_id": "nps-after-order", "kind": "nps", "score": p.score("nps", draws(a.Seed, "answer:"+m.MessageID)),
		})
	case Unsubscribes:
		return track(nameUnsubscribed, m.MessageID+"-unsubscribed", m.CustomerID, s.Time, about)
	}
	name := actNames[s.Act]
	return track(channelNames[m.Channel]+" "+name[0], m.MessageID+name[1], m.CustomerID, s.Time, about)
}

// queue holds acts by time, then by id.
type queue []Post

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].Time != q[j].Time {
		return q[i].Time < q[j].Time
	}
	a, _ := q[i].Body["messageId"].(string)
	b, _ := q[j].Body["messageId"].(string)
	return a < b
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(Post)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = Post{}
	*q = (*q)[:last]
	return p
}

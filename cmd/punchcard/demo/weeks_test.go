package demo

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/campaigns"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
)

// dueState is a state in memory that knows what is due, as a partition's does.
type dueState struct {
	program.MemState
	due map[string]event.Time
	q   dueQueue
}

type dueKey struct {
	at  event.Time
	key string
}

type dueQueue []dueKey

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].key < q[j].key
}
func (q dueQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *dueQueue) Push(x any)   { *q = append(*q, x.(dueKey)) }
func (q *dueQueue) Pop() any {
	k := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return k
}

func (s *dueState) Put(key, value []byte, due event.Time) {
	s.MemState.Put(key, value, due)
	if delete(s.due, string(key)); due != 0 {
		s.due[string(key)] = due
		heap.Push(&s.q, dueKey{due, string(key)})
	}
}

func (s *dueState) Delete(key []byte) {
	s.MemState.Delete(key)
	delete(s.due, string(key))
}

func (s *dueState) Due(clock event.Time) ([]byte, event.Time, bool) {
	for len(s.q) > 0 && s.q[0].at <= clock {
		if k := s.q[0]; s.due[k.key] == k.at {
			return []byte(k.key), k.at, true
		}
		heap.Pop(&s.q)
	}
	return nil, 0, false
}

// weeks are the first weeks after the import, lived in memory: shoppers, segments,
// campaigns and their audience.
type weeks struct {
	t        *testing.T
	y        *year
	shop     *Shop
	audience *Audience
	door     *ingest.Normaliser
	machine  *campaigns.Machine
	own      *dueState
	queue    queue
	known    map[string]bool
	zones    map[string]*time.Location

	decided  map[string]int // campaign, outcome and reason
	messages []event.CampaignMessage
	assigned map[string]map[string]bool // campaign and arm to customers
	bought   map[string]int             // extra orders by campaign and arm
	reported map[string]int             // acts by campaign and event name
}

const liveSeed = 1

func newWeeks(t *testing.T) *weeks {
	past := lived(t)
	y := *past
	y.st = past.st.Clone()
	y.lib = program.NewLibrary()
	y.lib.Add(y.book, 0)
	y.keeper = segments.NewKeeper(y.lib)
	y.accounts = slices.Clone(past.accounts)
	y.moment.IsHistory = false
	_, plan := parsed(t)
	w := &weeks{
		t: t, y: &y, shop: Learn(y.plan.Events), own: &dueState{due: map[string]event.Time{}},
		door:  ingest.NewNormaliser(ingest.Config{Declared: []string{"message_id", "campaign_id"}}),
		known: map[string]bool{}, zones: map[string]*time.Location{}, decided: map[string]int{},
		assigned: map[string]map[string]bool{}, bought: map[string]int{}, reported: map[string]int{},
	}
	w.audience = &Audience{Shop: w.shop, Seed: liveSeed}
	w.machine = campaigns.NewMachine(0, 1, func(map[string]string) (*campaigns.Plan, error) { return plan, nil })
	w.take(&event.Entry{
		Kind: event.KindControl, Outcome: event.OutcomeApplied, Cause: event.Cause{Type: event.TypeBundle, ID: y.book.ID}, IsHistory: true,
		Control: &event.ControlFact{BundleID: y.book.ID, Files: map[string]string{"program.yaml": ""}}, EntryTime: y.moment.Clock,
	})
	for _, id := range y.accounts {
		w.known[id] = true
		e := y.next(id)
		e.Kind, e.Outcome, e.IsHistory, e.EntryTime = event.KindEvent, event.OutcomeApplied, true, y.moment.Clock
		e.Facts = segments.ReadFacts(y.st, id)
		if e.Standing, _ = program.ReadStanding(y.st, y.lib, id); e.Standing != nil {
			e.Standing.Segments = segments.ReadSegments(y.st, id)
		}
		w.take(e)
	}
	return w
}

// take gives the campaigns an entry and keeps what they make of it.
func (w *weeks) take(e *event.Entry) (more bool) {
	err := w.machine.Take(w.own, e, func(c *event.CampaignEntry) {
		if c.Tick != nil {
			more = c.Tick.MoreDue
		}
		if d := c.Decision; d != nil {
			w.decided[d.CampaignID+" "+string(d.Outcome)+" "+d.Reason]++
			if d.Arm != "" {
				arm := d.CampaignID + " " + d.Arm
				if w.assigned[arm] == nil {
					w.assigned[arm] = map[string]bool{}
				}
				w.assigned[arm][c.CustomerID] = true
			}
		}
		if c.Message != nil {
			m := event.CampaignMessage{EntryTime: c.EntryTime, Message: *c.Message}
			w.messages = append(w.messages, m)
			for _, s := range React(liveSeed, &m) {
				heap.Push(&w.queue, w.audience.post(&m, s))
				if s.Act == Buys {
					w.bought[m.CampaignID+" "+m.Arm]++
				}
			}
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return more
}

// decide gives the ledger an entry's segments, and campaigns the entry.
func (w *weeks) decide(in segments.Input, kind event.Kind, at event.Time, e *event.Entry) {
	e.Kind, e.EventTime, e.EntryTime = kind, at, w.y.moment.Clock
	if in.Event != nil {
		e.Cause = event.Cause{Type: in.Event.Type, Name: in.Event.Name, ID: in.Event.MessageID}
	}
	w.y.see(in, e)
	w.take(e)
}

// posted decides what shoppers and audience post.
func (w *weeks) posted(p Post) {
	ev := &event.Event{}
	if p.Path == pathRedeem {
		id := p.Body["idempotency_key"].(string)
		*ev = event.Event{
			Type: event.TypeRedeem, MessageID: "redeem:" + id, AccountID: p.Body["customer_id"].(string), EventTime: p.Time, IsSimulated: true,
			Redeem: &event.Redeem{RedemptionID: id, Points: int64(p.Body["points"].(int))},
		}
	} else {
		raw, _ := json.Marshal(p.Body)
		m := w.door.Normalise(raw, ingest.Call{Key: &ingest.Key{Name: "demo", Kind: ingest.KeyServer}, Now: p.Time + 1, Received: p.Time + 1})
		if m.Invalid != nil {
			w.t.Fatalf("%s: %v", raw, m.Invalid)
		}
		ev = m.Event
		w.reported[ev.Name]++
	}
	if !w.known[ev.AccountID] {
		w.known[ev.AccountID] = true
		w.y.accounts = append(w.y.accounts, ev.AccountID)
	}
	e := w.y.next(ev.AccountID)
	w.y.lib.Apply(w.y.st, w.y.moment, ev, e)
	w.decide(segments.Input{Event: ev, Clock: w.y.moment.Clock, Cause: event.SegmentByEvent}, event.KindEvent, ev.EventTime, e)
}

// tick moves the clock; what time does to customers happens when a day begins.
func (w *weeks) tick(clock event.Time) {
	y := w.y
	newDay := event.DayOf(y.moment.Clock, y.book.Zone) != event.DayOf(clock, y.book.Zone)
	y.moment.Clock = clock
	if newDay {
		for _, id := range y.accounts {
			w.fire(id)
		}
		w.cut(clock)
	}
	for slice := int64(0); ; slice++ {
		if !w.take(&event.Entry{
			Kind: event.KindTick, Outcome: event.OutcomeApplied, Cause: event.Cause{Type: event.TypeTick}, EventTime: clock, EntryTime: clock,
			Tick: &event.TickFact{Slice: slice},
		}) {
			return
		}
	}
}

func (w *weeks) fire(id string) {
	y := w.y
	for {
		due, flip := y.lib.NextDue(y.st, id), y.keeper.NextDue(y.st, id)
		if due == 0 || flip != 0 && flip < due {
			due = flip
		}
		if due == 0 || due > y.moment.Clock {
			return
		}
		e := y.next(id)
		if due == y.lib.NextDue(y.st, id) {
			y.lib.Fire(y.st, y.moment, id, e)
		}
		w.decide(segments.Input{Clock: due, Cause: event.SegmentByTime}, event.KindTimer, due, e)
	}
}

func (w *weeks) cut(clock event.Time) {
	y := w.y
	on := y.book.CountsDay(clock)
	if y.moment.CutPoints.Day == on {
		return
	}
	y.moment.CutPoints = program.CutPointsOf([]*event.Counts{program.ReadCounts(y.st, on)}, on, y.book.RFM.MinimumCustomers)
	for _, id := range y.accounts {
		e := y.next(id)
		e.Cause = event.Cause{Type: event.TypeCutPoints, ID: on.String()}
		y.lib.Rescore(y.st, y.moment, id, e)
		w.decide(segments.Input{Clock: clock, Cause: event.SegmentByCutPoints}, event.KindSweep, clock, e)
	}
}

// live lives some weeks, half an hour at a time.
func (w *weeks) live(n int) {
	const step = event.Time(30 * 60 * 1000)
	from := w.y.moment.Clock
	generated := HourOf(from) - 1
	for clock := from - from%step + step; clock < from+event.Time(n)*7*day; clock += step {
		for generated < HourOf(clock) {
			generated++
			for _, p := range w.shop.Hour(liveSeed, generated) {
				heap.Push(&w.queue, p)
			}
		}
		w.tick(clock)
		for len(w.queue) > 0 && w.queue[0].Time <= clock {
			w.posted(heap.Pop(&w.queue).(Post))
		}
	}
}

// Six weeks of the demo: every campaign sends; nothing goes out in anybody's
// quiet hours, without consent, or to who is held out.
func TestSixWeeksOfCampaigns(t *testing.T) {
	if testing.Short() {
		t.Skip("lives through six weeks")
	}
	w := newWeeks(t)
	w.live(6)
	sent := map[string]int{}
	for i := range w.messages {
		m := &w.messages[i]
		sent[m.CampaignID+" "+m.Arm]++
		w.checkMessage(m)
	}
	w.checkCaps()
	w.checkExtra()
	_, plan := parsed(t)
	for i := range plan.Campaigns {
		for _, a := range plan.Campaigns[i].Arms {
			arm := plan.Campaigns[i].ID + " " + a.ID
			t.Logf("%-32s assigned %5d sent %5d extra orders %4d", arm, len(w.assigned[arm]), sent[arm], w.bought[arm])
			if sent[arm] == 0 {
				t.Errorf("%s never sends", arm)
			}
		}
	}
	var lines []string
	for what, n := range w.decided {
		lines = append(lines, fmt.Sprintf("%s: %d", what, n))
	}
	slices.Sort(lines)
	t.Logf("%d messages; decisions:\n%s\nevents: %v", len(w.messages), strings.Join(lines, "\n"), w.reported)
}

// checkMessage holds a message against what the customer has said.
func (w *weeks) checkMessage(m *event.CampaignMessage) {
	w.t.Helper()
	if w.assigned[m.CampaignID+" "+event.ArmHoldout][m.CustomerID] || w.assigned[m.CampaignID+" "+event.ArmGlobalHoldout][m.CustomerID] {
		w.t.Errorf("%s goes to %s, who is held out", m.CampaignID, m.CustomerID)
	}
	p := personaOf(1, m.CustomerID, "")
	if !p.identified || m.Channel == event.ChannelEmail && !p.email || m.Channel == event.ChannelSMS && !p.sms {
		if m.Purpose != "service" || p.identified {
			w.t.Errorf("%s (%s, %s) goes to %s, who has not consented: %+v", m.CampaignID, m.Channel, m.Purpose, m.CustomerID, p)
		}
	}
	zone := w.zoneOf(m.CustomerID)
	if h := m.EntryTime.Std().In(zone).Hour(); h >= 21 || h < 8 {
		w.t.Errorf("%s goes to %s at %s", m.CampaignID, m.CustomerID, m.EntryTime.Std().In(zone))
	}
}

// checkCaps: nobody gets more than two marketing e-mails in seven days.
func (w *weeks) checkCaps() {
	w.t.Helper()
	times := map[string][]event.Time{}
	for i := range w.messages {
		if m := &w.messages[i]; m.Channel == event.ChannelEmail && m.Purpose == "marketing" {
			times[m.CustomerID] = append(times[m.CustomerID], m.EntryTime)
		}
	}
	for id, list := range times {
		for i := 2; i < len(list); i++ {
			if list[i]-list[i-2] < 7*day {
				w.t.Errorf("%s gets three marketing e-mails from %s to %s", id, list[i-2], list[i])
			}
		}
	}
}

// checkExtra: orders that messages made are as many as planted, within four
// standard deviations.
func (w *weeks) checkExtra() {
	w.t.Helper()
	var want, variance, got float64
	for i := range w.messages {
		p := effectOf(&w.messages[i].Message).Extra
		want += p
		variance += p * (1 - p)
	}
	for _, n := range w.bought {
		got += float64(n)
	}
	w.t.Logf("%.0f extra orders of %d messages, %.1f planted", got, len(w.messages), want)
	if math.Abs(got-want) > 4*math.Sqrt(variance) {
		w.t.Errorf("%.0f extra orders, planted %.1f ± %.1f", got, want, 4*math.Sqrt(variance))
	}
}

func (w *weeks) zoneOf(id string) *time.Location {
	for _, f := range segments.ReadFacts(w.y.st, id) {
		var name string
		if f.Name != "time_zone" || json.Unmarshal(f.Value, &name) != nil {
			continue
		}
		if zone, err := time.LoadLocation(name); err == nil {
			return zone
		}
	}
	return w.y.book.Zone
}

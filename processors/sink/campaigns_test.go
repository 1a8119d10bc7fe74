package sink

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// campaigns invents entries of campaign-log: each run ends once, what is sent has
// its message.
type campaigns struct {
	random   *rand.Rand
	sequence map[int32]int64
	open     map[int32]*event.CampaignDecision // a postponed run
	clock    event.Time
	sent     int
}

func newCampaigns(seed uint64) *campaigns {
	c := &campaigns{random: rand.New(rand.NewPCG(seed, 3)), sequence: make(map[int32]int64), open: make(map[int32]*event.CampaignDecision)}
	c.clock = event.At(time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC))
	for p := range int32(testPartitions) {
		c.sequence[p] = 0
	}
	return c
}

func (c *campaigns) next() *event.CampaignEntry {
	p := int32(c.random.IntN(testPartitions))
	c.sequence[p]++
	n := c.sequence[p]
	c.clock = c.clock.Add(time.Minute)
	e := &event.CampaignEntry{Partition: p, Sequence: n, SourceOffset: n - 1, Semantics: 1, BundleID: "b1", CustomerID: fmt.Sprintf("c%d-%d", p, c.random.IntN(20)),
		Kind: event.CampaignStanding, LedgerSequence: n, EventTime: c.clock.Add(-time.Second), EntryTime: c.clock}
	switch c.random.IntN(5) {
	case 0:
		e.Kind, e.CustomerID, e.Tick = event.CampaignTick, "", &event.TickFact{Fired: 1}
		return e
	case 1:
		return e
	}
	e.Kind = event.CampaignDecided
	d := c.open[p]
	if d == nil {
		d = &event.CampaignDecision{CampaignID: "welcome", Version: "v1", RunID: fmt.Sprintf("run-%d-%d", p, n), Trigger: "enters", Detail: "new's", TriggerTime: e.EventTime,
			Cause: event.Cause{Type: event.TypeTrack, Name: "Signed Up", ID: "m"}, Channel: event.ChannelEmail, Purpose: "marketing"}
	} else {
		copied := *d
		d, e.CustomerID = &copied, d.Detail
		d.Detail = ""
	}
	delete(c.open, p)
	e.Decision = d
	switch c.random.IntN(4) {
	case 0:
		d.Outcome, d.Reason, d.Until, d.Arm = event.CampaignPostponed, event.PostponedQuietHours, c.clock.Add(time.Hour), "a"
		later := *d
		later.Reason, later.Until, later.Detail = "", 0, e.CustomerID
		c.open[p] = &later
	case 1:
		d.Outcome, d.Reason, d.Arm = event.CampaignHeld, event.HeldCampaignHoldout, event.ArmHoldout
	default:
		c.sent++
		d.Outcome, d.Arm = event.CampaignSent, "a"
		e.Message = &event.Message{MessageID: d.RunID, CustomerID: e.CustomerID, CampaignID: d.CampaignID, Version: d.Version, Arm: d.Arm, Channel: d.Channel, Purpose: d.Purpose, Template: "welcome",
			Subject: "it's \\ a \"thing\"\n€", Text: "Hello {{first_name}}", Trigger: d.Trigger, Cause: d.Cause, NotBefore: c.clock, ExpiresTime: c.clock.Add(time.Hour)}
		if n%2 == 0 {
			e.Message.Variables = map[string]string{"balance": fmt.Sprint(n), "points_name": "it's"}
		}
	}
	return e
}

// What segments and campaigns say is there as it was said.
func TestActivitiesAndMessagesArrive(t *testing.T) {
	w := newWorld(t)
	w.publish(1500)
	s := New(w.config())
	w.run(s)
	w.arrive(s)
	for statement, want := range map[string]string{
		"SELECT DISTINCT properties['message_id'], properties['price'], properties['new'], properties['tags'], mapContains(properties, 'gone') FROM activities":                                                                                                                           `[[run-1 12.50 true ["a","b"] 0]]`,
		"SELECT DISTINCT properties['kind'], properties['score'], properties['survey_id'] FROM activities WHERE properties['kind'] != ''":                                                                                                                                                 "[[nps 9 s]]",
		"SELECT countIf(account_id LIKE 'anon:%'), countIf(message_id NOT LIKE 'm-%'), uniqExact(name) FROM activities":                                                                                                                                                                   "[[0 0 11]]",
		"SELECT DISTINCT outcome, channel, message_id FROM outcomes ORDER BY ALL":                                                                                                                                                                                                         "[[bounced push run-1] [clicked sms run-1] [complained email run-1] [delivered email run-1] [opened email run-1] [opened in_app run-1] [unsubscribed email run-1]]",
		"SELECT count() FROM activities WHERE name IN ('Email Delivered', 'Email Opened', 'SMS Link Clicked', 'Push Bounced', 'Email Marked as Spam', 'Unsubscribed', 'Email Unsubscribed', 'In-App Opened') AND (partition, sequence) NOT IN (SELECT partition, sequence FROM outcomes)": "[[0]]",
		"SELECT DISTINCT index, name, value FROM customer_facts ORDER BY ALL":                                                                                                                                                                                                             `[[0 country "DE"] [1 consent.email null]]`,
		"SELECT DISTINCT segment_id, version, change, clause, cause FROM segment_changes ORDER BY ALL":                                                                                                                                                                                    "[[big's v1 entered count of order >= 1 event] [big's v1 left count of order >= 1 event] [loyal v1 entered count of order >= 1 event] [loyal v1 left count of order >= 1 event]]",
		"SELECT count() FROM segment_changes WHERE cause_id NOT LIKE 'm-%'":                                                                                                                                                                                                               "[[0]]",
		"SELECT DISTINCT segments FROM customers ORDER BY ALL":                                                                                                                                                                                                                            "[[[]] [[big's loyal]]]",
		"SELECT DISTINCT subject, text, trigger, purpose FROM messages":                                                                                                                                                                                                                   "[[it's \\ a \"thing\"\n€ Hello {{first_name}} enters marketing]]",
		"SELECT countIf(variables['balance'] != if(sequence % 2 = 0, toString(sequence), '')), countIf(not_before != entry_time OR expires_time != entry_time + INTERVAL 1 HOUR) FROM messages":                                                                                           "[[0 0]]",
		"SELECT DISTINCT outcome, reason, arm, cause_name, until > entry_time FROM campaign_log ORDER BY ALL":                                                                                                                                                                             "[[held campaign_holdout holdout Signed Up 0] [postponed quiet_hours a Signed Up 1] [sent  a Signed Up 0]]",
		"SELECT countIf(ledger_sequence != sequence), countIf(source_offset != sequence - 1), uniqExact(kind), max(bundle_id) FROM campaign_entries":                                                                                                                                      "[[0 0 3 b1]]",
	} {
		if have := fmt.Sprint(w.ask(statement)); have != want {
			t.Errorf("%s\ngives %s\nwant  %s", statement, have, want)
		}
	}
	if have := fmt.Sprint(w.ask("SELECT count(), uniqExact(message_id) FROM messages")); have != fmt.Sprintf("[[%d %[1]d]]", w.campaigns.sent) {
		t.Errorf("%s messages, want %d", have, w.campaigns.sent)
	}
}

package audit

import (
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// campaignLog makes records of one partition: run r2 waits, then goes; r1 goes at
// once; r3 is held.
func campaignLog() []event.CampaignEntry {
	sent := func(seq, source int64, id string) event.CampaignEntry {
		return event.CampaignEntry{
			Sequence: seq, SourceOffset: source, LedgerSequence: source, Kind: event.CampaignDecided, CustomerID: "ann",
			Decision: &event.CampaignDecision{RunID: id, Outcome: event.CampaignSent, Channel: event.ChannelEmail},
			Message:  &event.Message{MessageID: id, CustomerID: "ann", Channel: event.ChannelEmail, Text: "hello"},
		}
	}
	decided := func(seq, source int64, id string, o event.CampaignOutcome) event.CampaignEntry {
		return event.CampaignEntry{Sequence: seq, SourceOffset: source, LedgerSequence: source, Kind: event.CampaignDecided, Decision: &event.CampaignDecision{RunID: id, Outcome: o}}
	}
	return []event.CampaignEntry{
		sent(1, 3, "r1"),
		decided(2, 7, "r2", event.CampaignPostponed),
		{Sequence: 3, SourceOffset: 7, LedgerSequence: 7, Kind: event.CampaignTakeover},
		sent(4, 9, "r2"),
		decided(5, 12, "r3", event.CampaignHeld),
		decided(6, 13, "r4", event.CampaignPostponed),
	}
}

func auditCampaigns(entries []event.CampaignEntry, topic func(m []*stream.Record) []*stream.Record) *CampaignAuditor {
	a := NewCampaigns(0)
	var messages []*stream.Record
	for i := range entries {
		e := &entries[i]
		a.Take(&stream.Record{Offset: int64(i), Value: e.Append(nil)})
		if e.Message != nil {
			messages = append(messages, &stream.Record{Offset: int64(len(messages)), Value: e.Message.AppendCampaignMessage(nil, 0, e.Sequence, e.EntryTime)})
		}
	}
	topics := a.Messages()
	for _, m := range topic(messages) {
		topics.TakeMessage(event.ChannelEmail, m)
	}
	topics.Finish()
	return a
}

func TestCampaignAudit(t *testing.T) {
	whole := func(m []*stream.Record) []*stream.Record { return m }
	for _, c := range []struct {
		name   string
		change func(e []event.CampaignEntry) []event.CampaignEntry
		topic  func(m []*stream.Record) []*stream.Record
		want   string
	}{
		{"right", nil, whole, ""},
		{"a message came twice", nil, func(m []*stream.Record) []*stream.Record { return append(m, m...) }, ""},
		{"a message is missing", nil, func(m []*stream.Record) []*stream.Record { return m[:1] }, "message r2 is missing"},
		{"a message differs", nil, func(m []*stream.Record) []*stream.Record {
			m[0].Value = []byte(strings.Replace(string(m[0].Value), "hello", "hallo", 1))
			return m
		}, "not what was decided"},
		{"a run is sent twice", func(e []event.CampaignEntry) []event.CampaignEntry {
			e[4] = e[0]
			e[4].Sequence, e[4].SourceOffset, e[4].LedgerSequence = 5, 12, 12
			return e
		}, whole, "r1 was sent and is decided again"},
		{"an entry is lost", func(e []event.CampaignEntry) []event.CampaignEntry { return append(e[:1], e[2:]...) }, whole, "sequence 3 after 1"},
		{"an input is decided twice", func(e []event.CampaignEntry) []event.CampaignEntry {
			e[4].SourceOffset = 9
			return e
		}, whole, "source 9.0 after 9.0"},
		{"held with a message", func(e []event.CampaignEntry) []event.CampaignEntry {
			e[4].Message = e[0].Message
			return e
		}, whole, "r3 is held, and its message"},
	} {
		entries := campaignLog()
		if c.change != nil {
			entries = c.change(entries)
		}
		a := auditCampaigns(entries, c.topic)
		found := strings.Join(a.Findings, "\n")
		if c.want == "" && found != "" || !strings.Contains(found, c.want) {
			t.Errorf("%s: found %q, want %q", c.name, found, c.want)
		}
		if c.name == "right" && (a.Sent != 2 || a.Held != 1 || a.Waiting != 1) {
			t.Errorf("sent %d held %d waiting %d", a.Sent, a.Held, a.Waiting)
		}
	}
}

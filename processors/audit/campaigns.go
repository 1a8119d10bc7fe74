package audit

import (
	"bytes"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// CampaignAuditor reads one partition of campaign-log in order, then what topics
// campaigns.<channel> hold of it.
type CampaignAuditor struct {
	Partition int32
	Entries   int64
	Digest    uint64 // as Auditor's
	Findings  []string
	More      int
	// Sent, Held and Waiting count runs by how they stand.
	Sent, Held, Waiting int64

	source, index  int64
	ledgerSequence int64
	runs           map[string]event.CampaignOutcome
	messages       map[string]*published
}

// published is a message that was decided.
type published struct {
	channel  string
	sequence int64
	value    []byte // as it must be on the topic
}

// NewCampaigns starts an audit of a partition.
func NewCampaigns(partition int32) *CampaignAuditor {
	return &CampaignAuditor{Partition: partition, source: -1, runs: map[string]event.CampaignOutcome{}, messages: map[string]*published{}}
}

func (a *CampaignAuditor) find(format string, args ...any) {
	if len(a.Findings) >= maxFindings {
		a.More++
		return
	}
	a.Findings = append(a.Findings, fmt.Sprintf("campaign-log/%d ", a.Partition)+fmt.Sprintf(format, args...))
}

// Take reads the next record of the campaign log.
func (a *CampaignAuditor) Take(rec *stream.Record) {
	var e event.CampaignEntry
	if err := event.DecodeCampaignEntry(rec.Value, &e); err != nil {
		a.find("offset %d: not a campaign entry: %v", rec.Offset, err)
		return
	}
	if e.Sequence != a.Entries+1 {
		a.find("offset %d: sequence %d after %d", rec.Offset, e.Sequence, a.Entries)
	}
	a.Digest += xxhash.Sum64(rec.Value)
	a.Entries = e.Sequence
	a.takeSource(&e)
	if e.Decision != nil {
		a.takeDecision(&e)
	}
	if e.Message != nil {
		a.takeMessage(&e)
	}
}

// takeSource: inputs may make no entry, but never come back.
func (a *CampaignAuditor) takeSource(e *event.CampaignEntry) {
	at, index := e.SourceOffset, int64(e.SourceIndex)
	switch {
	case e.Kind == event.CampaignTakeover:
		if at != a.source {
			a.find("sequence %d: a takeover of source %d after source %d", e.Sequence, at, a.source)
		}
		return
	case at == a.source && index == a.index+1:
	case at > a.source && index == 0:
	default:
		a.find("sequence %d: source %d.%d after %d.%d", e.Sequence, at, index, a.source, a.index)
	}
	if e.LedgerSequence < a.ledgerSequence {
		a.find("sequence %d: ledger entry %d after %d", e.Sequence, e.LedgerSequence, a.ledgerSequence)
	}
	a.source, a.index, a.ledgerSequence = at, index, e.LedgerSequence
}

// takeDecision: a run ends once.
func (a *CampaignAuditor) takeDecision(e *event.CampaignEntry) {
	d := e.Decision
	switch before := a.runs[d.RunID]; before {
	case event.CampaignSent, event.CampaignHeld:
		a.find("sequence %d: run %s was %s and is decided again: %s", e.Sequence, d.RunID, before, d.Outcome)
		return
	case event.CampaignPostponed:
		a.Waiting--
	}
	a.runs[d.RunID] = d.Outcome
	switch d.Outcome {
	case event.CampaignSent:
		a.Sent++
	case event.CampaignHeld:
		a.Held++
	case event.CampaignPostponed:
		a.Waiting++
	}
	if sent := d.Outcome == event.CampaignSent; sent != (e.Message != nil) || sent && e.Message.MessageID != d.RunID {
		a.find("sequence %d: run %s is %s, and its message is %+v", e.Sequence, d.RunID, d.Outcome, e.Message)
	}
}

func (a *CampaignAuditor) takeMessage(e *event.CampaignEntry) {
	m := e.Message
	if a.messages[m.MessageID] != nil {
		a.find("sequence %d: message %s was sent before", e.Sequence, m.MessageID)
		return
	}
	a.messages[m.MessageID] = &published{
		channel: m.Channel, sequence: e.Sequence, value: m.AppendCampaignMessage(nil, e.Partition, e.Sequence, e.EntryTime),
	}
}

// Messages begins a look at the topics of what was read so far.
func (a *CampaignAuditor) Messages() *MessageAudit {
	return &MessageAudit{log: a, seen: make(map[string]int, len(a.messages))}
}

// MessageAudit holds topics campaigns.<channel> against a campaign log.
type MessageAudit struct {
	log      *CampaignAuditor
	seen     map[string]int
	findings []string
}

// TakeMessage reads a record of topic campaigns.<channel>. It may repeat, never
// differ from what was decided.
func (a *MessageAudit) TakeMessage(channel string, rec *stream.Record) {
	var m event.CampaignMessage
	if err := event.DecodeCampaignMessage(rec.Value, &m); err != nil {
		a.find("campaigns.%s offset %d: not a message: %v", channel, rec.Offset, err)
		return
	}
	p := a.log.messages[m.MessageID]
	switch {
	case m.Sequence > a.log.Entries: // decided after the audit began
	case p == nil:
		a.find("campaigns.%s offset %d: message %s was never decided", channel, rec.Offset, m.MessageID)
	case p.channel != channel || !bytes.Equal(p.value, rec.Value):
		a.find("campaigns.%s offset %d: message %s is not what was decided", channel, rec.Offset, m.MessageID)
	default:
		a.seen[m.MessageID]++
	}
}

func (a *MessageAudit) find(format string, args ...any) {
	a.findings = append(a.findings, fmt.Sprintf(format, args...))
}

// Missing is how many messages have not been seen.
func (a *MessageAudit) Missing() int { return len(a.log.messages) - len(a.seen) }

// Finish adds what was found, and messages that are missing, to the log's
// findings, and returns how many came more than once.
func (a *MessageAudit) Finish() (repeats int64) {
	for _, f := range a.findings {
		a.log.find("%s", f)
	}
	for id, p := range a.log.messages {
		n := a.seen[id]
		if n == 0 {
			a.log.find("sequence %d: message %s is missing on campaigns.%s", p.sequence, id, p.channel)
		}
		repeats += int64(max(n-1, 0))
	}
	return repeats
}

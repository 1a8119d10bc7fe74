package sink

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// campaignTables are the tables that topic campaign-log fills, in the order in
// which they are inserted.
var campaignTables = []string{"campaign_log", "messages", "campaign_entries"}

// decided takes entries of campaign-log apart into rows.
type decided struct {
	decisions runRows
	messages  messageRows
	entries   campaignRows
}

func newDecided(positions map[string]map[int32]int64) *decided {
	f := &decided{}
	f.decisions.name("campaign_log", positions)
	f.messages.name("messages", positions)
	f.entries.name("campaign_entries", positions)
	return f
}

func (f *decided) add(rec *stream.Record) (place, error) {
	e := new(event.CampaignEntry)
	if err := event.DecodeCampaignEntry(rec.Value, e); err != nil {
		return place{}, err
	}
	if e.Decision != nil && f.decisions.isNew(e.Partition, e.Sequence) {
		f.decisions.add(e)
	}
	if e.Message != nil && f.messages.isNew(e.Partition, e.Sequence) {
		f.messages.add(e)
	}
	if f.entries.isNew(e.Partition, e.Sequence) {
		f.entries.add(e, rec)
	}
	return place{e.Partition, e.Sequence, e.EntryTime}, nil
}

func (f *decided) widest() int { return max(f.decisions.len(), f.messages.len(), f.entries.len()) }

func (f *decided) blocks() []block { return filled(&f.decisions, &f.messages, &f.entries) }

// runRows is the table campaign_log.
type runRows struct {
	rows
	ledgerSequence, triggerTime, until          []int64
	campaignID, version, runID, trigger, detail []string
	causeType, causeName, causeID               []string
	outcome, reason, arm, channel, purpose      []string
}

func (t *runRows) add(e *event.CampaignEntry) {
	d := e.Decision
	t.keyCampaign(e)
	t.ledgerSequence = append(t.ledgerSequence, e.LedgerSequence)
	t.triggerTime = append(t.triggerTime, int64(d.TriggerTime))
	t.until = append(t.until, int64(d.Until))
	t.campaignID = append(t.campaignID, d.CampaignID)
	t.version = append(t.version, d.Version)
	t.runID = append(t.runID, d.RunID)
	t.trigger = append(t.trigger, d.Trigger)
	t.detail = append(t.detail, d.Detail)
	t.causeType = append(t.causeType, string(d.Cause.Type))
	t.causeName = append(t.causeName, d.Cause.Name)
	t.causeID = append(t.causeID, d.Cause.ID)
	t.outcome = append(t.outcome, string(d.Outcome))
	t.reason = append(t.reason, d.Reason)
	t.arm = append(t.arm, d.Arm)
	t.channel = append(t.channel, d.Channel)
	t.purpose = append(t.purpose, d.Purpose)
}

func (t *runRows) take() block {
	return t.block(
		column{Name: "ledger_sequence", Values: t.ledgerSequence},
		column{Name: "campaign_id", Values: t.campaignID},
		column{Name: "version", Values: t.version},
		column{Name: "run_id", Values: t.runID},
		column{Name: "trigger", Values: t.trigger},
		column{Name: "detail", Values: t.detail},
		column{Name: "trigger_time", Values: t.triggerTime},
		column{Name: "cause_type", Values: t.causeType},
		column{Name: "cause_name", Values: t.causeName},
		column{Name: "cause_id", Values: t.causeID},
		column{Name: "outcome", Values: t.outcome},
		column{Name: "reason", Values: t.reason},
		column{Name: "until", Values: t.until},
		column{Name: "arm", Values: t.arm},
		column{Name: "channel", Values: t.channel},
		column{Name: "purpose", Values: t.purpose},
	)
}

type messageRows struct {
	rows
	messageID, campaignID, version, arm, channel, purpose []string
	template, locale, subject, text, trigger, detail      []string
	variables                                             []map[string]string
	notBefore, expires                                    []int64
}

func (t *messageRows) add(e *event.CampaignEntry) {
	m := e.Message
	t.keyCampaign(e)
	t.messageID = append(t.messageID, m.MessageID)
	t.campaignID = append(t.campaignID, m.CampaignID)
	t.version = append(t.version, m.Version)
	t.arm = append(t.arm, m.Arm)
	t.channel = append(t.channel, m.Channel)
	t.purpose = append(t.purpose, m.Purpose)
	t.template = append(t.template, m.Template)
	t.locale = append(t.locale, m.Locale)
	t.subject = append(t.subject, m.Subject)
	t.text = append(t.text, m.Text)
	t.trigger = append(t.trigger, m.Trigger)
	t.detail = append(t.detail, m.Detail)
	t.variables = append(t.variables, m.Variables)
	t.notBefore = append(t.notBefore, int64(m.NotBefore))
	t.expires = append(t.expires, int64(m.ExpiresTime))
}

func (t *messageRows) take() block {
	return t.block(
		column{Name: "message_id", Values: t.messageID},
		column{Name: "campaign_id", Values: t.campaignID},
		column{Name: "version", Values: t.version},
		column{Name: "arm", Values: t.arm},
		column{Name: "channel", Values: t.channel},
		column{Name: "purpose", Values: t.purpose},
		column{Name: "template", Values: t.template},
		column{Name: "locale", Values: t.locale},
		column{Name: "variables", Values: t.variables},
		column{Name: "subject", Values: t.subject},
		column{Name: "text", Values: t.text},
		column{Name: "trigger", Values: t.trigger},
		column{Name: "detail", Values: t.detail},
		column{Name: "not_before", Values: t.notBefore},
		column{Name: "expires_time", Values: t.expires},
	)
}

// campaignRows is the table campaign_entries.
type campaignRows struct {
	rows
	logOffset, sourceOffset, ledgerSequence []int64
	sourceIndex                             []int32
	kind, value                             []string
}

func (t *campaignRows) add(e *event.CampaignEntry, rec *stream.Record) {
	t.keyCampaign(e)
	t.logOffset = append(t.logOffset, rec.Offset)
	t.sourceOffset = append(t.sourceOffset, e.SourceOffset)
	t.sourceIndex = append(t.sourceIndex, e.SourceIndex)
	t.ledgerSequence = append(t.ledgerSequence, e.LedgerSequence)
	t.kind = append(t.kind, string(e.Kind))
	t.value = append(t.value, string(rec.Value))
}

func (t *campaignRows) take() block {
	return t.block(
		column{Name: "log_offset", Values: t.logOffset},
		column{Name: "source_offset", Values: t.sourceOffset},
		column{Name: "source_index", Values: t.sourceIndex},
		column{Name: "ledger_sequence", Values: t.ledgerSequence},
		column{Name: "kind", Values: t.kind},
		column{Name: "value", Values: t.value},
	)
}

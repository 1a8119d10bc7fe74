package event

// CampaignKind says what made a campaign entry.
type CampaignKind string

// Kinds of campaign entries.
const (
	CampaignStanding CampaignKind = "standing" // what is known of the customer changed; nothing was decided
	CampaignDecided  CampaignKind = "decision" // one decision on one run
	CampaignTick     CampaignKind = "tick"     // the clock moved; Tick says whether more is due
	CampaignControl  CampaignKind = "control"  // a bundle, or a history bracket
	CampaignTakeover CampaignKind = "takeover" // a writer took the partition; no input
)

// CampaignOutcome says what became of a run: of one trigger of one campaign for
// one customer.
type CampaignOutcome string

// Outcomes. Each run ends with exactly one sent or held; postponed may come
// before it, any number of times.
const (
	CampaignSent      CampaignOutcome = "sent"
	CampaignHeld      CampaignOutcome = "held"
	CampaignPostponed CampaignOutcome = "postponed"
)

// Reasons of campaign decisions, a closed list: of held, then of postponed runs.
// A sent one has none.
const (
	HeldNotInAudience   = "not_in_audience"
	HeldNoConsent       = "no_consent"
	HeldGlobalHoldout   = "global_holdout"
	HeldCampaignHoldout = "campaign_holdout"
	HeldReEntry         = "re_entry"      // the campaign's rule for coming again
	HeldCapped          = "capped"        // frequency caps across campaigns
	HeldBudget          = "budget_spent"  // the partition's share of it
	HeldTooLate         = "too_late"      // older than max_age when it could go
	HeldPaused          = "paused"        //
	HeldWithdrawn       = "withdrawn"     // the campaign is not in the bundle any more
	HeldEventCame       = "event_came"    // wait_for with if_comes: stop
	HeldEventMissing    = "event_missing" // wait_for with if_not: stop
	HeldNotRendered     = "not_rendered"  // a variable has no value

	PostponedDelay       = "delay"
	PostponedWaiting     = "waiting" // for the event of wait_for
	PostponedQuietHours  = "quiet_hours"
	PostponedHourlyLimit = "hourly_limit"
)

// Arms that are no variant.
const (
	ArmHoldout       = "holdout"
	ArmGlobalHoldout = "global_holdout"
)

// Channels of messages: topic campaigns.<channel> each.
const (
	ChannelEmail = "email"
	ChannelSMS   = "sms"
	ChannelPush  = "push"
	ChannelInApp = "in_app"
	ChannelMail  = "mail"
)

// Channels are all channels.
var Channels = []string{ChannelEmail, ChannelSMS, ChannelPush, ChannelInApp, ChannelMail}

// TopicCampaigns returns the topic of a channel's messages.
func TopicCampaigns(channel string) string { return "campaigns." + channel }

// CampaignEntry is one record of topic campaign-log. Its key is CustomerID (empty
// for partition-level entries). Its first fields are those of an Entry, so that
// EntryPosition reads both; the source is topic ledger.
type CampaignEntry struct {
	V            int          `json:"v"`
	Partition    int32        `json:"partition"`
	Sequence     int64        `json:"sequence"`
	SourceOffset int64        `json:"source_offset"`
	SourceIndex  int32        `json:"source_index"`
	Semantics    int          `json:"semantics"`
	BundleID     string       `json:"bundle_id,omitempty"`
	CustomerID   string       `json:"customer_id,omitempty"`
	Kind         CampaignKind `json:"kind"`
	// LedgerSequence is the ledger entry (same partition) that was taken.
	LedgerSequence int64 `json:"ledger_sequence"`
	// EventTime is the trigger's (or timer's) own time, EntryTime the partition's
	// clock when it was decided.
	EventTime   Time              `json:"event_time"`
	EntryTime   Time              `json:"entry_time"`
	IsHistory   bool              `json:"is_history,omitempty"`
	IsSimulated bool              `json:"is_simulated,omitempty"`
	Decision    *CampaignDecision `json:"decision,omitempty"`
	Message     *Message          `json:"message,omitempty"`
	Tick        *TickFact         `json:"tick,omitempty"`
}

// CampaignDecision is what was decided on a run, and why.
type CampaignDecision struct {
	CampaignID string `json:"campaign_id"`
	// Version is the content hash of the campaign's file.
	Version string `json:"version"`
	// RunID names the trigger's run for ever: the id of the message, if one is sent.
	RunID string `json:"run_id"`
	// Trigger is the kind of trigger, TriggerTime when it happened, Cause what was
	// behind it, Detail what of it (the segment, the tier, ...).
	Trigger     string          `json:"trigger"`
	Detail      string          `json:"detail,omitempty"`
	TriggerTime Time            `json:"trigger_time"`
	Cause       Cause           `json:"cause"`
	Outcome     CampaignOutcome `json:"outcome"`
	Reason      string          `json:"reason,omitempty"`
	// Until is when a postponed run is looked at again.
	Until Time `json:"until,omitempty"`
	// Arm is set once the customer was assigned: a variant, ArmHoldout or
	// ArmGlobalHoldout. Lift is measured by it.
	Arm     string `json:"arm,omitempty"`
	Channel string `json:"channel"`
	Purpose string `json:"purpose"`
}

// Message is the value of topic campaigns.<channel>: what a campaign tool is to
// send. The tool holds the address, and fills {{first_name}} and the like.
type Message struct {
	MessageID  string `json:"message_id"`
	CustomerID string `json:"customer_id"`
	CampaignID string `json:"campaign_id"`
	Version    string `json:"version"`
	Arm        string `json:"arm"`
	Channel    string `json:"channel"`
	Purpose    string `json:"purpose"`
	Template   string `json:"template"`
	Locale     string `json:"locale,omitempty"`
	// Variables are the values that the template used, as rendered.
	Variables map[string]string `json:"variables,omitempty"`
	Subject   string            `json:"subject,omitempty"`
	Text      string            `json:"text"`
	Trigger   string            `json:"trigger"`
	Detail    string            `json:"detail,omitempty"`
	Cause     Cause             `json:"cause"`
	// NotBefore and ExpiresTime bound when it may go out.
	NotBefore   Time `json:"not_before"`
	ExpiresTime Time `json:"expires_time"`
	IsSimulated bool `json:"is_simulated,omitempty"`
}

// CampaignMessage is the value of topic campaigns.<channel>: the message and the
// position of the campaign entry that decided it.
type CampaignMessage struct {
	V         int   `json:"v"`
	Partition int32 `json:"partition"`
	Sequence  int64 `json:"sequence"`
	EntryTime Time  `json:"entry_time"`
	Message
}

// SegmentRecord is the value of topic segments: a change of membership and the
// position of the entry that holds it.
type SegmentRecord struct {
	V           int    `json:"v"`
	Partition   int32  `json:"partition"`
	Sequence    int64  `json:"sequence"`
	CustomerID  string `json:"customer_id"`
	EventTime   Time   `json:"event_time"`
	EntryTime   Time   `json:"entry_time"`
	CauseID     string `json:"cause_id,omitempty"` // id of the event behind it
	IsHistory   bool   `json:"is_history,omitempty"`
	IsSimulated bool   `json:"is_simulated,omitempty"`
	SegmentChange
}

// DecodeCampaignEntry reads a campaign entry from a record's value.
func DecodeCampaignEntry(value []byte, e *CampaignEntry) error { return decoder.Unmarshal(value, e) }

// DecodeCampaignMessage reads the value of a record on topic campaigns.<channel>.
func DecodeCampaignMessage(value []byte, m *CampaignMessage) error {
	return decoder.Unmarshal(value, m)
}

// DecodeSegmentRecord reads the value of a record on topic segments.
func DecodeSegmentRecord(value []byte, r *SegmentRecord) error { return decoder.Unmarshal(value, r) }

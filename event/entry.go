package event

import "encoding/json"

// Kind says what made an entry.
type Kind string

// Kinds of entries.
const (
	KindEvent    Kind = "event"    // an outer event of the account
	KindTimer    Kind = "timer"    // time alone: Cause.Time is when it was due
	KindSweep    Kind = "sweep"    // cut points or an activation visited the account
	KindTick     Kind = "tick"     // the tick itself
	KindControl  Kind = "control"  // bundle, cut points, history bracket
	KindTakeover Kind = "takeover" // a writer took the partition; no input
)

// Outcome says what became of the input.
type Outcome string

// Outcomes of an input.
const (
	// OutcomeApplied: it changed something (or could have).
	OutcomeApplied Outcome = "applied"
	// OutcomeKept: a fact without effect (unknown name, no program, a guest).
	OutcomeKept Outcome = "kept"
	// OutcomeDuplicate: the same message id and body was seen; nothing changed.
	OutcomeDuplicate Outcome = "duplicate"
	// OutcomeDuplicateOrder and ..Refund: the same order or refund id was seen.
	OutcomeDuplicateOrder  Outcome = "duplicate_order"
	OutcomeDuplicateRefund Outcome = "duplicate_refund"
	// OutcomeConflict: the same id came with another body; nothing changed.
	OutcomeConflict Outcome = "conflict"
	// OutcomeRejected: the rules refuse it; Reason says why.
	OutcomeRejected Outcome = "rejected"
)

// Reasons of refused or kept inputs, a closed list.
const (
	ReasonInsufficientPoints = "insufficient_points"
	ReasonNotMember          = "not_member"
	ReasonWrongCurrency      = "wrong_currency"
	ReasonUnknownOrder       = "unknown_order"
	ReasonNothingToRefund    = "nothing_to_refund"
	ReasonRefundTooLarge     = "refund_too_large"
	ReasonGuest              = "guest"
	ReasonNoProgram          = "no_active_program"
	ReasonNoRule             = "no_rule"
	ReasonTooOld             = "too_old"
	ReasonMinimumPoints      = "below_minimum_points"
	ReasonInvalid            = "invalid"  // no event of ours: nothing of it is counted
	ReasonOutdated           = "outdated" // a tick behind the clock, cut points of a day that has some
)

// Entry is one record of topic ledger: what was decided for one account, and
// why. Its key is AccountID (empty for partition-level entries).
type Entry struct {
	V int `json:"v"`
	// Partition and Sequence identify the entry; Sequence is dense from 1.
	Partition int32 `json:"partition"`
	Sequence  int64 `json:"sequence"`
	// SourceOffset is the input's offset in events (a takeover repeats the last
	// one; -1: none yet); SourceIndex counts the entries of one input from 0.
	SourceOffset int64 `json:"source_offset"`
	SourceIndex  int32 `json:"source_index"`
	Semantics    int   `json:"semantics"`
	// BundleID is the version of the rules that decided.
	BundleID  string  `json:"bundle_id,omitempty"`
	AccountID string  `json:"account_id,omitempty"`
	Kind      Kind    `json:"kind"`
	Outcome   Outcome `json:"outcome"`
	Reason    string  `json:"reason,omitempty"`
	Cause     Cause   `json:"cause"`
	// EventTime is the event's (or timer's) own time, EntryTime the partition's
	// clock when it was decided.
	EventTime   Time `json:"event_time"`
	EntryTime   Time `json:"entry_time"`
	IsHistory   bool `json:"is_history,omitempty"`
	IsSimulated bool `json:"is_simulated,omitempty"`
	// Answer marks the one entry of a root that answers the sender.
	Answer bool `json:"answer,omitempty"`

	Enrolment  *Enrolment   `json:"enrolment,omitempty"`
	Order      *OrderFact   `json:"order,omitempty"`
	Refund     *RefundFact  `json:"refund,omitempty"`
	Survey     *Survey      `json:"survey,omitempty"`
	Redemption *Redemption  `json:"redemption,omitempty"`
	Decisions  []Decision   `json:"decisions,omitempty"`
	Postings   []Posting    `json:"postings,omitempty"`
	Tier       *TierChange  `json:"tier,omitempty"`
	Scores     *ScoreChange `json:"scores,omitempty"`
	Commands   []Command    `json:"commands,omitempty"`
	// Facts are what the account's traits say now and did not before; Properties
	// those of a track event that has no typed section.
	Facts      []FactChange               `json:"facts,omitempty"`
	Properties map[string]json.RawMessage `json:"properties,omitempty"`
	// Segments are those entered or left, by name.
	Segments []SegmentChange `json:"segments,omitempty"`
	// Standing is how the account stands after this entry, when it changed.
	Standing *Standing `json:"standing,omitempty"`
	// Tick, Counts, Control: partition-level entries.
	Tick    *TickFact    `json:"tick,omitempty"`
	Counts  *Counts      `json:"counts,omitempty"`
	Control *ControlFact `json:"control,omitempty"`
}

// FactChange is a fact of the account that changed: a trait, flattened
// ("consent.email"), its value a JSON scalar or list; null forgets it.
type FactChange struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// Changes of membership of a segment.
const (
	SegmentEntered = "entered"
	SegmentLeft    = "left"
)

// Causes of a change of membership.
const (
	SegmentByEvent      = "event"      // an event of the account
	SegmentByTime       = "time"       // time alone
	SegmentByCutPoints  = "cut_points" // new cut points moved a score
	SegmentByActivation = "activation" // the rules or the segment itself changed
)

// SegmentChange says that the account entered or left a segment, and why.
type SegmentChange struct {
	SegmentID string `json:"segment_id"`
	// Version is the content hash of the segment's file.
	Version string `json:"version"`
	Change  string `json:"change"`
	// Clause is the condition that flipped, as the file has it in one line.
	Clause string `json:"clause"`
	Cause  string `json:"cause"`
}

// SegmentTrigger begins the name of a condition that only a campaign asks for: it
// is in entries, and neither in Standing nor on topic segments.
const SegmentTrigger = "trigger:"

// Cause is the event or timer behind an entry.
type Cause struct {
	Type Type   `json:"type"`           // type of the input; "timer" entries: tick or the event that let it fire
	Name string `json:"name,omitempty"` // event name, or timer name
	// ID is the message id, the bundle id, or the day of the cut points.
	ID string `json:"id,omitempty"`
}

// Enrolment says that the customer became a member.
type Enrolment struct {
	RuleID string `json:"rule_id"`
}

// OrderFact is an order as counted.
type OrderFact struct {
	OrderID  string `json:"order_id"`
	Currency string `json:"currency"`
	// Number counts the customer's orders from 1.
	Number        int64      `json:"number,omitempty"`
	Lines         []LineFact `json:"lines,omitempty"`
	DiscountMinor int64      `json:"discount_minor,omitempty"`
	ShippingMinor int64      `json:"shipping_minor,omitempty"`
	TaxMinor      int64      `json:"tax_minor,omitempty"`
	// NetMinor is Σ lines − discount; BaseMinor the part that can earn.
	NetMinor  int64  `json:"net_minor"`
	BaseMinor int64  `json:"base_minor"`
	Channel   string `json:"channel,omitempty"`
	Country   string `json:"country,omitempty"`
}

// LineFact is a line of an order; Excluded lines do not earn.
type LineFact struct {
	OrderLine
	Excluded bool `json:"excluded,omitempty"`
}

// Match says how much of a refund line was found in the customer's orders.
type Match string

// Matches of refund lines.
const (
	Matched   Match = "matched"
	Partly    Match = "partly"
	Unmatched Match = "unmatched"
)

// RefundFact is a refund as counted.
type RefundFact struct {
	RefundID string `json:"refund_id"`
	OrderID  string `json:"order_id,omitempty"`
	Currency string `json:"currency"`
	// NetMinor is the whole money given back (positive); MatchedMinor the part
	// that was found in orders.
	NetMinor     int64        `json:"net_minor"`
	MatchedMinor int64        `json:"matched_minor"`
	Lines        []RefundLine `json:"lines,omitempty"`
	// Allocations say which order gave back how much.
	Allocations []Allocation `json:"allocations,omitempty"`
}

// RefundLine is a line of a refund as it was matched.
type RefundLine struct {
	OrderLine
	Match           Match `json:"match"`
	MatchedQuantity int64 `json:"matched_quantity,omitempty"`
	MatchedMinor    int64 `json:"matched_minor,omitempty"`
}

// Allocation is the share of a refund that one order bears.
type Allocation struct {
	OrderID     string `json:"order_id"`
	Line        int32  `json:"line"` // index in the refund's lines; -1: the whole refund
	Quantity    int64  `json:"quantity,omitempty"`
	AmountMinor int64  `json:"amount_minor"`
	// PointsReversed is how many points of the order's lots went back.
	PointsReversed int64 `json:"points_reversed,omitempty"`
	// Wholly says that with it nothing of the order is left: it counts no more.
	Wholly bool `json:"wholly,omitempty"`
}

// Redemption is the answer to a Redeem.
type Redemption struct {
	RedemptionID string `json:"redemption_id"`
	Points       int64  `json:"points"`
	OrderID      string `json:"order_id,omitempty"`
	Accepted     bool   `json:"accepted"`
	// Balance is the balance after it (unchanged when refused).
	Balance int64 `json:"balance"`
}

// Decision says why points (or nothing) came of a rule.
type Decision struct {
	RuleID string `json:"rule_id"`
	Points int64  `json:"points"`
	// BaseMinor is the money that the rule looked at, Percent the product of the
	// multipliers (100 = ×1), with the ids of those that took part.
	BaseMinor   int64    `json:"base_minor,omitempty"`
	Percent     int64    `json:"percent,omitempty"`
	Multipliers []string `json:"multipliers,omitempty"`
	Reason      string   `json:"reason,omitempty"`
}

// Ledger accounts. Customer is what we owe; every other one is a counterpart.
const (
	AccountCustomer = "customer"
	AccountEarned   = "earned"
	AccountSpent    = "spent"
	AccountExpired  = "expired"
)

// LotDebt is the lot that holds a negative balance.
const LotDebt = "debt"

// Reasons of postings.
const (
	PostEarn    = "earn"
	PostReverse = "reverse"
	PostSpend   = "spend"
	PostExpire  = "expire"
	PostSettle  = "settle" // new points fill a debt
)

// Posting moves points of a wallet between accounts. The postings of one entry
// sum to zero. Customer postings name their lot.
type Posting struct {
	Account   string `json:"account"`
	Wallet    string `json:"wallet"`
	Points    int64  `json:"points"`
	LotID     string `json:"lot_id,omitempty"`
	ExpiresOn Day    `json:"expires_on,omitempty"`
	Reason    string `json:"reason"`
	RuleID    string `json:"rule_id,omitempty"`
	OrderID   string `json:"order_id,omitempty"`
}

// TierChange is a move between tiers ("" = none).
type TierChange struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Reason string `json:"reason"` // enrolled, reached, review, refund, program (other rules)
	// SpendMinor is the net spend in the window that decided.
	SpendMinor int64 `json:"spend_minor"`
}

// Scores are R, F and M, each 1–5; 0 = not scored.
type Scores struct {
	R int8 `json:"r"`
	F int8 `json:"f"`
	M int8 `json:"m"`
}

// ScoreChange is a move of scores. Day names the cut points in force (0: fixed).
type ScoreChange struct {
	From   Scores `json:"from"`
	To     Scores `json:"to"`
	Day    Day    `json:"cut_points_day,omitempty"`
	Reason string `json:"reason"` // order, refund, time, cut_points, program (other rules)
}

// Standing is how a customer stands: the value of topic customers and of the
// table customers.
type Standing struct {
	CustomerID   string `json:"customer_id"`
	Member       bool   `json:"member"`
	EnrolledTime Time   `json:"enrolled_time,omitempty"`
	Balance      int64  `json:"balance"`
	// NextExpiryOn is when NextExpiryPoints of the balance go.
	NextExpiryOn     Day    `json:"next_expiry_on,omitempty"`
	NextExpiryPoints int64  `json:"next_expiry_points,omitempty"`
	Tier             string `json:"tier,omitempty"`
	TierSince        Time   `json:"tier_since,omitempty"`
	TierReviewOn     Day    `json:"tier_review_on,omitempty"`
	TierSpendMinor   int64  `json:"tier_spend_minor"`
	// TierLackingMinor is what is missing to be confirmed at the tier's review if
	// nothing more is bought until then.
	TierLackingMinor int64  `json:"tier_lacking_minor,omitempty"`
	Scores           Scores `json:"scores"`
	// Orders and NetSpendMinor count the customer's whole life, net of refunds;
	// Window* the RFM window.
	Orders              int64  `json:"orders"`
	NetSpendMinor       int64  `json:"net_spend_minor"`
	WindowOrders        int64  `json:"window_orders"`
	WindowNetSpendMinor int64  `json:"window_net_spend_minor"`
	Currency            string `json:"currency,omitempty"`
	FirstOrderTime      Time   `json:"first_order_time,omitempty"`
	LastOrderTime       Time   `json:"last_order_time,omitempty"`
	// Segments are the ids of those that the customer is in, ascending.
	Segments    []string `json:"segments,omitempty"`
	IsSimulated bool     `json:"is_simulated,omitempty"`
}

// TickFact is what a tick did. MoreDue asks the clock for another slice of the
// same time.
type TickFact struct {
	Slice   int64 `json:"slice"`
	Fired   int64 `json:"fired"`
	MoreDue bool  `json:"more_due"`
}

// ControlFact is a control record as taken.
type ControlFact struct {
	BundleID      string     `json:"bundle_id,omitempty"`
	EffectiveFrom Time       `json:"effective_from,omitempty"`
	CutPoints     *CutPoints `json:"cut_points,omitempty"`
	HistorySource string     `json:"history_source,omitempty"`
	// Late says that the record arrived after its effective time and applies from
	// arrival.
	Late bool `json:"late,omitempty"`
	// Files of the bundle that was taken, for those who read only the ledger.
	Files map[string]string `json:"files,omitempty"`
}

// DecodeEntry reads an entry from a ledger record's value.
func DecodeEntry(value []byte, e *Entry) error { return decoder.Unmarshal(value, e) }

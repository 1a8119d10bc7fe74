package event

import (
	"encoding/json"

	"github.com/bytedance/sonic"
)

// Version is the "v" of every JSON value that we write.
const Version = 1

// Type says what an Event is. The first six are Segment's calls.
type Type string

// Types of events.
const (
	TypeTrack    Type = "track"
	TypeIdentify Type = "identify"
	TypePage     Type = "page"
	TypeScreen   Type = "screen"
	TypeGroup    Type = "group"
	TypeAlias    Type = "alias"
	// TypeRedeem asks to spend points; the entry is the answer.
	TypeRedeem Type = "redeem"

	// Control records: key empty, written to every partition explicitly.
	TypeTick         Type = "tick"
	TypeBundle       Type = "bundle"
	TypeCutPoints    Type = "cut_points"
	TypeHistoryBegin Type = "history_begin"
	TypeHistoryEnd   Type = "history_end"
	// TypeCommand comes from another account, through the projector.
	TypeCommand Type = "command"

	// TypeUnknown and TypeTakeover are only causes of entries: an input that is no
	// event, and a writer that took the partition.
	TypeUnknown  Type = "unknown"
	TypeTakeover Type = "takeover"
)

// Names of track events that have a typed section (Segment e-commerce spec v2,
// and ours for surveys). Any other name is kept as an event; a program may give
// points for it by name.
const (
	NameOrderCompleted = "Order Completed"
	NameOrderRefunded  = "Order Refunded"
	NameSignedUp       = "Signed Up"
	NameReviewed       = "Product Reviewed"
	NameSurveyAnswered = "Survey Answered"
)

// Event is one canonical event: the value of a record on topic events. The
// record's key is AccountID (empty for control records).
type Event struct {
	V         int    `json:"v"`
	Type      Type   `json:"type"`
	Name      string `json:"name,omitempty"`
	MessageID string `json:"message_id"`
	AccountID string `json:"account_id,omitempty"`
	// EventTime is when it happened by the sender's corrected clock; for a tick,
	// the time it announces.
	EventTime Time `json:"event_time"`
	// ReceivedTime is when the door took it (wall clock; decides nothing).
	ReceivedTime Time `json:"received_time,omitempty"`
	// BodyHash is a hash of what the sender sent, without times and context (hex,
	// xxhash64): the same message id with another body is a conflict.
	BodyHash    string   `json:"body_hash,omitempty"`
	IsSimulated bool     `json:"is_simulated,omitempty"`
	Context     *Context `json:"context,omitempty"`

	Order      *Order                     `json:"order,omitempty"`
	Refund     *Refund                    `json:"refund,omitempty"`
	Survey     *Survey                    `json:"survey,omitempty"`
	Redeem     *Redeem                    `json:"redeem,omitempty"`
	Traits     map[string]json.RawMessage `json:"traits,omitempty"`
	Properties map[string]json.RawMessage `json:"properties,omitempty"`

	Tick      *Tick      `json:"tick,omitempty"`
	Bundle    *Bundle    `json:"bundle,omitempty"`
	CutPoints *CutPoints `json:"cut_points,omitempty"`
	History   *History   `json:"history,omitempty"`
	Command   *Command   `json:"command,omitempty"`
}

// Context says where an event came from. It decides nothing.
type Context struct {
	Source  string `json:"source,omitempty"`  // key name or import source
	Library string `json:"library,omitempty"` // client library, name/version
	Channel string `json:"channel,omitempty"` // web, app, store, ...
	Country string `json:"country,omitempty"`
}

// Order is a completed order. Amounts are in minor units of Currency; a line's
// amount is quantity × unit price, rounded once, half up.
type Order struct {
	OrderID       string      `json:"order_id"`
	Currency      string      `json:"currency"`
	Lines         []OrderLine `json:"lines,omitempty"`
	DiscountMinor int64       `json:"discount_minor,omitempty"`
	ShippingMinor int64       `json:"shipping_minor,omitempty"`
	TaxMinor      int64       `json:"tax_minor,omitempty"`
	Coupon        string      `json:"coupon,omitempty"`
}

// OrderLine is one line of an order or of a refund. Quantity and AmountMinor
// are positive, also in a refund.
type OrderLine struct {
	ProductID   string `json:"product_id"`
	Name        string `json:"name,omitempty"`
	Category    string `json:"category,omitempty"`
	Brand       string `json:"brand,omitempty"`
	Quantity    int64  `json:"quantity"`
	AmountMinor int64  `json:"amount_minor"`
}

// Refund gives money back: by lines, by amount (spread pro rata over what is not
// yet refunded), or whole. Without an order id it is allocated by the program.
type Refund struct {
	RefundID    string      `json:"refund_id"`
	OrderID     string      `json:"order_id,omitempty"`
	Currency    string      `json:"currency"`
	Lines       []OrderLine `json:"lines,omitempty"`
	AmountMinor int64       `json:"amount_minor,omitempty"`
	Whole       bool        `json:"whole,omitempty"`
}

// Survey is an answered survey. Kind is nps (0–10), ces (1–7) or csat (1–5).
type Survey struct {
	SurveyID string `json:"survey_id,omitempty"`
	Kind     string `json:"kind"`
	Score    int64  `json:"score"`
	OrderID  string `json:"order_id,omitempty"`
}

// Redeem asks to spend points. RedemptionID is the sender's idempotency key,
// known for ever; the same key with another body is an error.
type Redeem struct {
	RedemptionID string `json:"redemption_id"`
	Points       int64  `json:"points"`
	OrderID      string `json:"order_id,omitempty"`
}

// NetMinor returns Σ line amounts less the discount: what the goods cost,
// without shipping and tax.
func (o *Order) NetMinor() int64 {
	var n int64
	for i := range o.Lines {
		n += o.Lines[i].AmountMinor
	}
	return n - o.DiscountMinor
}

// decoder ignores unknown fields and copies strings, so that a decoded value
// does not hold the record's buffer.
var decoder = sonic.Config{CopyString: true}.Froze()

// eventDecoder copies the value once, as a whole: an event is decided and dropped,
// so that its strings may share one copy. Whoever keeps one keeps them all.
var eventDecoder = sonic.Config{}.Froze()

// Decode reads an event from a record's value. Its strings do not point into
// value, but a part of it that is kept should be cloned.
func Decode(value []byte, e *Event) error { return eventDecoder.Unmarshal(value, e) }

// Encode writes an event as JSON, with "v" set.
func (e *Event) Encode() ([]byte, error) {
	e.V = Version
	return json.Marshal(e)
}

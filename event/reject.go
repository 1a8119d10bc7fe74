package event

// Reject is the value of a record on topic rejects: what came, why it was
// refused, and what to do about it.
type Reject struct {
	V            int    `json:"v"`
	Code         string `json:"code"` // closed list below
	Field        string `json:"field,omitempty"`
	Message      string `json:"message"`
	Hint         string `json:"hint,omitempty"`
	Source       string `json:"source,omitempty"` // key name, or file:row
	MessageID    string `json:"message_id,omitempty"`
	ReceivedTime Time   `json:"received_time"`
	IsHistory    bool   `json:"is_history,omitempty"`
	// Original is what came, cut at MaxRejectBytes; base64 when it is not UTF-8.
	Original       string `json:"original"`
	OriginalBytes  int64  `json:"original_bytes"`
	OriginalBase64 bool   `json:"original_base64,omitempty"`
}

// Codes of rejects.
const (
	RejectInvalidJSON     = "invalid_json"
	RejectMissingField    = "missing_field"
	RejectInvalidField    = "invalid_field"
	RejectTooLarge        = "too_large"
	RejectTooOld          = "too_old"
	RejectInFuture        = "in_future"
	RejectUnknownType     = "unknown_type"
	RejectKeyNotAllowed   = "key_not_allowed"
	RejectInvalidCurrency = "invalid_currency"
)

package ingest

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/punchcard/punchcard/event"
)

// problem is why a call was refused whole; its JSON is the "error" of the answer.
type problem struct {
	status  int
	retry   time.Duration
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// refusal is why one message of a call was rejected.
type refusal struct {
	Index     int    `json:"index"`
	MessageID string `json:"message_id,omitempty"`
	Code      string `json:"code"`
	Field     string `json:"field,omitempty"`
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
}

// taken is the answer to events: Segment's {"success":true}, and what became of
// them.
type taken struct {
	Success  bool `json:"success"`
	Accepted int  `json:"accepted"`
	Rejected int  `json:"rejected"`
	// MessageID is that of a single call, also when the door made it.
	MessageID string `json:"message_id,omitempty"`
	// Errors holds the first MaxErrors.
	Errors []refusal `json:"errors,omitempty"`
}

// pending is the answer to a wait that was too long.
type pending struct {
	Status    string `json:"status"`
	MessageID string `json:"message_id"`
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// An error here is the caller's connection, gone.
	_ = json.NewEncoder(w).Encode(v)
}

func (d *Door) fail(w http.ResponseWriter, p problem) {
	d.counter.add(func(c *Counts) { c.Refused[p.Code]++ })
	if p.retry > 0 {
		w.Header().Set("Retry-After", seconds(p.retry))
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="punchcard"`)
	}
	answer(w, p.status, struct {
		Success bool    `json:"success"`
		Error   problem `json:"error"`
	}{false, p})
}

func (d *Door) pending(w http.ResponseWriter, messageID string) {
	d.counter.add(func(c *Counts) { c.Pending++ })
	answer(w, http.StatusAccepted, pending{"pending", messageID})
}

func problemOf(status int, bad *event.Invalid) problem {
	return problem{status: status, Code: bad.Code, Field: bad.Field, Message: bad.Message, Hint: bad.Hint}
}

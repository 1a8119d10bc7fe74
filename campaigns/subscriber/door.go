package subscriber

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Rejected says that the door refused some outcomes for good; they are in topic
// rejects.
type Rejected struct {
	Accepted, Rejected int
	// Reasons are the first, at most 20.
	Reasons []Reason
}

// Reason is why one outcome was refused: its place in the report, from 0.
type Reason struct {
	Index   int    `json:"index"`
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (r *Rejected) Error() string {
	text := fmt.Sprintf("subscriber: the door refused %d of %d outcomes", r.Rejected, r.Rejected+r.Accepted)
	if len(r.Reasons) > 0 {
		text += fmt.Sprintf("; number %d: %s %s: %s", r.Reasons[0].Index, r.Reasons[0].Code, r.Reasons[0].Field, r.Reasons[0].Message)
	}
	return text
}

// post sends until the door has it. Sending twice is harmless: the ids are the
// same.
func (o *Outcomes) post(ctx context.Context, body []byte) error {
	wait := DefaultPause
	for attempt := 1; ; attempt++ {
		after, err := o.once(ctx, body)
		if err == nil || after < 0 || ctx.Err() != nil {
			return err
		}
		if attempt >= o.config.Attempts {
			return fmt.Errorf("subscriber: after %d attempts: %w", attempt, err)
		}
		if after == 0 {
			after, wait = wait, min(2*wait, MaxPause)
		}
		if !pause(ctx, min(after, MaxRetryAfter)) {
			return fmt.Errorf("subscriber: %w, last: %w", context.Cause(ctx), err)
		}
	}
}

// once sends one call. With an error, after says when to try again: 0 as the
// caller likes, negative never.
func (o *Outcomes) once(ctx context.Context, body []byte) (after time.Duration, err error) {
	const never = -1
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.batch, bytes.NewReader(body))
	if err != nil {
		return never, fmt.Errorf("subscriber: %w", err)
	}
	req.SetBasicAuth(o.config.Key, "")
	req.Header.Set("Content-Type", "application/json")
	resp, err := o.config.Client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("subscriber: the door does not answer: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return 0, fmt.Errorf("subscriber: the door's answer broke off: %w", err)
	}
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return never, verdict(text)
	case code == http.StatusTooManyRequests || code >= 500:
		seconds, _ := strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 32)
		return time.Duration(max(seconds, 0)) * time.Second, fmt.Errorf("subscriber: the door says %s: %.300s", resp.Status, text)
	}
	return never, fmt.Errorf("subscriber: the door refuses: %s: %.300s", resp.Status, text)
}

// verdict reads a 200: each outcome stands alone.
func verdict(text []byte) error {
	var answer struct {
		Accepted int      `json:"accepted"`
		Rejected int      `json:"rejected"`
		Errors   []Reason `json:"errors"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("subscriber: is this the door? It answered %.200q: %w", text, err)
	}
	if answer.Rejected > 0 {
		return &Rejected{answer.Accepted, answer.Rejected, answer.Errors}
	}
	return nil
}

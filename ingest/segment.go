package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/punchcard/punchcard/event"
)

// single serves a call that brings one message, whose type is the path.
func (d *Door) single(kind event.Type) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _, key, ok := d.open(w, r)
		if !ok {
			return
		}
		d.take(w, r, Call{Type: kind, Key: key}, []json.RawMessage{body})
	}
}

// batch serves {batch: [messages], sentAt, context}.
func (d *Door) batch(w http.ResponseWriter, r *http.Request) {
	body, top, key, ok := d.open(w, r)
	if !ok {
		return
	}
	var messages []json.RawMessage
	if raw, given := top["batch"]; !given || json.Unmarshal(raw, &messages) != nil {
		bad := missing("batch", `send {"batch": [ ... ]}`)
		if given {
			bad = invalid("batch", `send {"batch": [ ... ]}`, "is not a list")
		}
		d.unsplit(w, r, key, body, problemOf(http.StatusBadRequest, bad))
		return
	}
	if len(messages) > d.config.Batch {
		d.unsplit(w, r, key, body, problem{status: http.StatusRequestEntityTooLarge, Code: event.RejectTooLarge, Field: "batch",
			Message: fmt.Sprintf("%d messages, at most %d", len(messages), d.config.Batch), Hint: "send smaller batches"})
		return
	}
	d.take(w, r, Call{Key: key, Envelope: envelope(top)}, messages)
}

// envelope keeps what messages inherit from their batch. A context that cannot
// be read is as none: it decides nothing.
func envelope(top map[string]json.RawMessage) map[string]any {
	out := map[string]any{}
	if o, bad := parseObject(top["context"]); bad == nil {
		out["context"] = map[string]any(o)
	}
	var sent any
	if json.Unmarshal(top["sentAt"], &sent) == nil && sent != nil {
		out["sentAt"] = sent
	}
	return out
}

// open does what comes before the split: size, JSON, key, gate. ok is false when
// the call was answered.
func (d *Door) open(w http.ResponseWriter, r *http.Request) (body []byte, top map[string]json.RawMessage, key *Key, ok bool) {
	// A wrong key in the header is told before the body is read.
	if k, sent := d.basicKey(r); sent && k == nil {
		d.fail(w, *noKey(true))
		return
	}
	if p := d.gate(); p != nil {
		d.fail(w, *p)
		return
	}
	body, p := readBody(w, r, d.config.BodyBytes)
	if p == nil {
		if err := json.Unmarshal(body, &top); err != nil || top == nil {
			p = notJSON(err)
		}
	}
	key, denied := d.writer(r, top)
	switch {
	case denied != nil:
		d.fail(w, *denied)
	case p != nil:
		d.unsplit(w, r, key, body, *p)
	default:
		return body, top, key, true
	}
	return
}

// unsplit answers a body that cannot be split, and keeps it as one reject.
func (d *Door) unsplit(w http.ResponseWriter, r *http.Request, key *Key, body []byte, p problem) {
	bad := &event.Invalid{Code: p.Code, Field: p.Field, Message: p.Message, Hint: p.Hint}
	rec := d.rejectOf(bad, key, "", event.At(d.config.Wall()), body)
	d.settle([]string{p.Code}, 0, d.publish(r, []Outgoing{rec}))
	d.fail(w, p)
}

// take normalises the messages, publishes what came of them and answers.
func (d *Door) take(w http.ResponseWriter, r *http.Request, c Call, messages []json.RawMessage) {
	c.Now, c.Received = event.At(d.config.Now()), event.At(d.config.Wall())
	out := taken{Success: true}
	var records []Outgoing
	var codes []string
	for i, raw := range messages {
		m := d.normaliser.Normalise(raw, c)
		made, bad := recordsOf(&m)
		if bad == nil {
			out.Accepted++
			records = append(records, made...)
		} else {
			out.Rejected++
			codes = append(codes, bad.Code)
			records = append(records, d.rejectOf(bad, c.Key, m.ID, c.Received, raw))
			if len(out.Errors) < MaxErrors {
				out.Errors = append(out.Errors, refusal{i, m.ID, bad.Code, bad.Field, bad.Message, bad.Hint})
			}
		}
		if c.Type != "" {
			out.MessageID = m.ID
		}
	}
	p := d.publish(r, records)
	d.settle(codes, out.Accepted, p)
	if p != nil {
		d.fail(w, *p)
		return
	}
	answer(w, http.StatusOK, out)
}

// settle counts messages by what became of them.
func (d *Door) settle(codes []string, accepted int, p *problem) {
	d.counter.add(func(c *Counts) {
		n := int64(accepted + len(codes))
		c.In += n
		if p != nil {
			c.TurnedAway += n
			return
		}
		c.Accepted += int64(accepted)
		c.Rejected += int64(len(codes))
		for _, code := range codes {
			c.RejectedBy[code]++
		}
	})
}

// recordsOf encodes an accepted message: its event, and its profile.
func recordsOf(m *Message) ([]Outgoing, *event.Invalid) {
	if m.Invalid != nil {
		return nil, m.Invalid
	}
	value, err := m.Event.Encode()
	if err != nil {
		return nil, &event.Invalid{Code: event.RejectInvalidJSON, Message: "cannot be written as an event: " + err.Error()}
	}
	if len(value) > event.MaxEventBytes {
		return nil, &event.Invalid{Code: event.RejectTooLarge, Hint: "split it",
			Message: fmt.Sprintf("%d bytes as an event, at most %d", len(value), event.MaxEventBytes)}
	}
	out := []Outgoing{{Topic: event.TopicEvents, Key: m.Event.AccountID, Value: value, Class: event.ClassOuter}}
	if m.Profile == nil {
		return out, nil
	}
	value, err = json.Marshal(m.Profile)
	if err != nil || len(value) > event.MaxEventBytes {
		return nil, &event.Invalid{Code: event.RejectTooLarge, Field: "traits", Message: fmt.Sprintf("personal traits of %d bytes", len(value)), Hint: "send fewer traits"}
	}
	return append(out, Outgoing{Topic: event.TopicProfiles, Key: m.Event.AccountID, Value: value}), nil
}

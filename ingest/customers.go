package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/punchcard/punchcard/event"
)

// reading is the answer to GET /v1/customers/{id}.
type reading struct {
	V        int            `json:"v"`
	Standing event.Standing `json:"standing"`
	// The standing is that after entry Sequence of Partition, whose clock is Clock.
	Partition int32      `json:"partition"`
	Sequence  int64      `json:"sequence"`
	Clock     event.Time `json:"clock"`
}

// page is the answer to GET /v1/customers/{id}/entries, newest first.
type page struct {
	V          int               `json:"v"`
	CustomerID string            `json:"customer_id"`
	Entries    []json.RawMessage `json:"entries"`
	// NextBefore is ?before= of the next page; none without a next page.
	NextBefore int64 `json:"next_before,omitempty"`
}

// customerID reads and bounds the path's id.
func customerID(r *http.Request) (string, *problem) {
	id := r.PathValue("id")
	if id == "" || len(id) > event.MaxIDBytes {
		return "", &problem{status: http.StatusBadRequest, Code: event.RejectInvalidField, Field: "id",
			Message: fmt.Sprintf("an id has 1 to %d bytes", event.MaxIDBytes)}
	}
	return id, nil
}

func (d *Door) customer(w http.ResponseWriter, r *http.Request) {
	p := d.reader(r)
	id, badID := customerID(r)
	after := r.URL.Query().Get("after")
	switch {
	case p != nil:
	case badID != nil:
		p = badID
	case len(after) > event.MaxIDBytes:
		p = &problem{status: http.StatusBadRequest, Code: event.RejectInvalidField, Field: "after", Message: "is longer than a message id may be"}
	case d.config.Desk == nil:
		p = unavailable("no_desk", "this process does not know how customers stand")
	}
	if p != nil {
		d.fail(w, *p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), d.config.Wait)
	defer cancel()
	if after != "" {
		if err := d.config.Desk.After(ctx, id, after); err != nil {
			d.unanswered(w, r, ctx, after, err)
			return
		}
	}
	c, err := d.config.Desk.Customer(ctx, id)
	if err != nil {
		d.unanswered(w, r, ctx, after, err)
		return
	}
	answer(w, http.StatusOK, reading{event.Version, c.Standing, c.Partition, c.Sequence, c.Clock})
}

// unanswered tells a desk's error: a wait that was too long is 202.
func (d *Door) unanswered(w http.ResponseWriter, r *http.Request, ctx context.Context, messageID string, err error) {
	switch {
	case errors.Is(err, ErrUnknownCustomer):
		d.fail(w, problem{status: http.StatusNotFound, Code: "unknown_customer", Field: "id", Message: "nothing is known of this customer",
			Hint: "events are keyed by userId, else anon:anonymousId, else guest:order_id"})
	case ctx.Err() != nil && messageID != "":
		d.pending(w, messageID)
	default:
		d.config.Report(fmt.Errorf("ingest: %s: %w", r.URL.Path, err))
		d.fail(w, *unavailable("not_reached", "the owner of this customer's partition was not reached"))
	}
}

func unavailable(code, message string) *problem {
	return &problem{status: http.StatusServiceUnavailable, Code: code, Message: message, retry: 2 * time.Second, Hint: "try again"}
}

func (d *Door) entries(w http.ResponseWriter, r *http.Request) {
	p := d.reader(r)
	id, badID := customerID(r)
	before, badBefore := number(r, "before", 0, 0, 1<<62)
	limit, badLimit := number(r, "limit", DefaultEntries, 1, MaxEntries)
	for _, bad := range [...]*problem{badID, badBefore, badLimit} {
		if p == nil {
			p = bad
		}
	}
	if p == nil && d.config.Entries == nil {
		p = unavailable("no_warehouse", "this process has no warehouse to read entries from")
	}
	if p != nil {
		d.fail(w, *p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), d.config.Wait)
	defer cancel()
	list, err := d.config.Entries.Entries(ctx, id, before, int(limit))
	if err != nil {
		d.config.Report(fmt.Errorf("ingest: %s: %w", r.URL.Path, err))
		d.fail(w, *unavailable("warehouse_unavailable", "the warehouse did not answer"))
		return
	}
	out := page{V: event.Version, CustomerID: id, Entries: list}
	if out.Entries == nil {
		out.Entries = []json.RawMessage{}
	}
	if len(list) == int(limit) {
		out.NextBefore = sequenceOf(list[len(list)-1])
	}
	answer(w, http.StatusOK, out)
}

func sequenceOf(raw json.RawMessage) int64 {
	var e struct {
		Sequence int64 `json:"sequence"`
	}
	_ = json.Unmarshal(raw, &e) // what we wrote; 0 ends the paging
	return e.Sequence
}

// number reads a whole number of the query.
func number(r *http.Request, name string, missing, least, most int64) (int64, *problem) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		return 0, &problem{status: http.StatusBadRequest, Code: event.RejectInvalidField, Field: name,
			Message: fmt.Sprintf("is not a whole number from %d to %d", least, most)}
	}
	return n, nil
}

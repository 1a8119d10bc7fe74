package ingest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/punchcard/punchcard/event"
)

// maxKeyBytes bounds an idempotency key, so that its message id fits.
const maxKeyBytes = event.MaxIDBytes - len(RedeemMessagePrefix)

// redeemed is the answer to a redemption: the same for ever to the same key, so
// nothing of it may depend on when it was asked.
type redeemed struct {
	Accepted     bool   `json:"accepted"`
	RedemptionID string `json:"redemption_id"`
	CustomerID   string `json:"customer_id"`
	Points       int64  `json:"points"`
	// Balance is what it was right after the decision.
	Balance int64 `json:"balance"`
	// Code says why it was refused.
	Code string `json:"code,omitempty"`
}

// redeem serves POST /v1/redemptions: a command in the log, answered from its
// entry. The ticket is taken before the command is produced, so the answer
// cannot be missed.
func (d *Door) redeem(w http.ResponseWriter, r *http.Request) {
	body, key, ok := d.openRedemption(w, r)
	if !ok {
		return
	}
	e, bad := d.redemption(body, key)
	if bad != nil {
		d.unsplit(w, r, key, body, problemOf(http.StatusBadRequest, bad))
		return
	}
	ticket, err := d.config.Desk.Expect(e.AccountID, e.MessageID)
	if err != nil {
		d.unanswered(w, r, context.Background(), "", err)
		return
	}
	defer ticket.Cancel()
	records, bad := recordsOf(&Message{ID: e.MessageID, Event: e})
	if bad != nil {
		d.unsplit(w, r, key, body, problemOf(http.StatusBadRequest, bad))
		return
	}
	p := d.publish(r, records)
	d.settle(nil, 1, p)
	if p != nil {
		p.Hint = "send it again with the same idempotency_key"
		d.fail(w, *p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), d.config.Wait)
	defer cancel()
	entry, err := ticket.Wait(ctx)
	if err != nil {
		// It is in the log: whatever went wrong in waiting, it will be decided.
		d.pending(w, e.MessageID)
		return
	}
	d.answerRedemption(w, e, entry)
}

// openRedemption does what comes before the body is read as a redemption.
func (d *Door) openRedemption(w http.ResponseWriter, r *http.Request) (body []byte, key *Key, ok bool) {
	key, sent := d.basicKey(r)
	var p *problem
	switch {
	case key == nil:
		p = noKey(sent)
	case key.Kind != KeyServer:
		p = &problem{status: http.StatusForbidden, Code: event.RejectKeyNotAllowed, Message: "only a server key may redeem", Hint: "send it from a server, with a server key"}
	case d.config.Desk == nil:
		p = unavailable("no_desk", "this process cannot answer redemptions")
	default:
		p = d.gate()
	}
	if p != nil {
		d.fail(w, *p)
		return nil, nil, false
	}
	body, p = readBody(w, r, MaxRedemptionBytes)
	if p != nil {
		d.unsplit(w, r, key, body, *p)
		return nil, nil, false
	}
	return body, key, true
}

// redemption reads {idempotency_key, customer_id, points, order_id, context}.
// Its message id is made of the key, so that a repeat is a duplicate and another
// body a conflict. Fields we do not know are refused: this moves points.
func (d *Door) redemption(body []byte, key *Key) (*event.Event, *event.Invalid) {
	o, bad := parseObject(body)
	if bad != nil {
		return nil, bad
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch name {
		case "idempotency_key", "customer_id", "points", "order_id", "context":
		default:
			return nil, invalid("body", "idempotency_key, customer_id, points, order_id", "%.60q is not a field of a redemption", name)
		}
	}
	v := &event.Redeem{}
	e := &event.Event{V: event.Version, Type: event.TypeRedeem, Redeem: v,
		EventTime: event.At(d.config.Now()), ReceivedTime: event.At(d.config.Wall()), Context: &event.Context{Source: key.Name}}
	bad = o.texts(map[string]*string{"idempotency_key": &v.RedemptionID, "customer_id": &e.AccountID, "order_id": &v.OrderID})
	if bad != nil {
		return nil, bad
	}
	points, given, bad := o.whole("points")
	ctx, badContext := o.section("context")
	switch {
	case bad != nil:
		return nil, bad
	case badContext != nil:
		return nil, badContext
	case v.RedemptionID == "":
		return nil, missing("idempotency_key", "a key of yours that names this redemption for ever")
	case len(v.RedemptionID) > maxKeyBytes:
		return nil, invalid("idempotency_key", "use a shorter key", "longer than %d bytes", maxKeyBytes)
	case e.AccountID == "":
		return nil, missing("customer_id", "")
	case !given:
		return nil, missing("points", "how many points to spend")
	}
	v.Points = points
	e.MessageID = RedeemMessagePrefix + v.RedemptionID
	e.IsSimulated = ctx.isTrue("is_simulated")
	e.BodyHash = bodyHash(e.Type, object{"customer_id": e.AccountID, "points": points, "order_id": v.OrderID})
	if bad := e.Validate(); bad != nil {
		if bad.Field == "account_id" {
			bad.Field = "customer_id"
		}
		return nil, bad
	}
	return e, nil
}

// answerRedemption tells what the entry says.
func (d *Door) answerRedemption(w http.ResponseWriter, e *event.Event, entry *event.Entry) {
	if entry.Outcome == event.OutcomeConflict {
		d.fail(w, problem{status: http.StatusConflict, Code: "idempotency_conflict", Field: "idempotency_key",
			Message: "this key came before with another body", Hint: "use a new key for a new redemption"})
		return
	}
	out := redeemed{RedemptionID: e.Redeem.RedemptionID, CustomerID: e.AccountID, Points: e.Redeem.Points, Code: entry.Reason}
	if fact := entry.Redemption; fact != nil {
		out.Accepted, out.Balance = fact.Accepted, fact.Balance
	}
	switch {
	case out.Accepted:
		out.Code = ""
		answer(w, http.StatusOK, out)
		return
	case out.Code == "":
		d.config.Report(fmt.Errorf("ingest: redemption %s: the entry %d/%d (%s) holds no answer", out.RedemptionID, entry.Partition, entry.Sequence, entry.Outcome))
		d.fail(w, problem{status: http.StatusInternalServerError, Code: "internal", Message: "a bug of ours: the entry holds no answer; it is logged"})
		return
	}
	d.counter.add(func(c *Counts) { c.Refused[out.Code]++ })
	answer(w, http.StatusUnprocessableEntity, out)
}

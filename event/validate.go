package event

import "fmt"

// Invalid says what is wrong with an event: the code of a Reject, the field,
// and a hint.
type Invalid struct {
	Code, Field, Message, Hint string
}

func (e *Invalid) Error() string {
	s := e.Code + ": " + e.Message
	if e.Field != "" {
		s = e.Code + " " + e.Field + ": " + e.Message
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func invalid(field, hint, format string, args ...any) *Invalid {
	return &Invalid{Code: RejectInvalidField, Field: field, Message: fmt.Sprintf(format, args...), Hint: hint}
}

func missing(field, hint string) *Invalid {
	return &Invalid{Code: RejectMissingField, Field: field, Message: "is missing", Hint: hint}
}

// Validate checks the form of an outer event against the limits. Every door
// calls it before the event may enter the log; nil means it may.
func (e *Event) Validate() *Invalid {
	switch {
	case e.AccountID == "":
		return missing("account_id", "send userId or anonymousId")
	case e.MessageID == "":
		return missing("message_id", "send messageId")
	case e.EventTime <= 0:
		return missing("event_time", "send timestamp")
	}
	for _, f := range [...]struct{ name, v string }{
		{"account_id", e.AccountID}, {"message_id", e.MessageID},
	} {
		if bad := checkID(f.name, f.v); bad != nil {
			return bad
		}
	}
	if len(e.Name) > MaxNameBytes {
		return invalid("event", "", "longer than %d bytes", MaxNameBytes)
	}
	if len(e.Properties) > MaxProperties || len(e.Traits) > MaxProperties {
		return invalid("properties", "declare fewer", "more than %d", MaxProperties)
	}
	return e.validateSection()
}

func (e *Event) validateSection() *Invalid {
	switch {
	case e.Order != nil:
		return e.Order.validate()
	case e.Refund != nil:
		return e.Refund.validate()
	case e.Survey != nil:
		return e.Survey.validate()
	case e.Redeem != nil:
		return e.Redeem.validate()
	}
	return nil
}

func checkID(field, v string) *Invalid {
	if v == "" {
		return missing(field, "")
	}
	if len(v) > MaxIDBytes {
		return invalid(field, "use a shorter id", "longer than %d bytes", MaxIDBytes)
	}
	for i := 0; i < len(v); i++ {
		if v[i] < 0x20 || v[i] == 0x7f {
			return invalid(field, "use printable characters", "holds a control character")
		}
	}
	return nil
}

func checkCurrency(v string) *Invalid {
	if v == "" {
		return missing("currency", "send an ISO 4217 code such as GBP")
	}
	if !ValidCurrency(v) {
		return &Invalid{Code: RejectInvalidCurrency, Field: "currency", Message: fmt.Sprintf("%.20q is not an ISO 4217 code", v), Hint: "three capital letters, such as GBP"}
	}
	return nil
}

func checkAmount(field string, v int64) *Invalid {
	if v < 0 || v > MaxAmountMinor {
		return invalid(field, "amounts are positive, also in refunds", "%d is not between 0 and %d minor units", v, int64(MaxAmountMinor))
	}
	return nil
}

func checkLines(lines []OrderLine) *Invalid {
	if len(lines) > MaxLines {
		return invalid("products", "split the order", "%d lines, at most %d", len(lines), MaxLines)
	}
	var sum int64
	for i := range lines {
		if bad := checkLine(&lines[i]); bad != nil {
			bad.Field = fmt.Sprintf("products[%d].%s", i, bad.Field)
			return bad
		}
		if sum += lines[i].AmountMinor; sum > MaxAmountMinor {
			return invalid("products", "", "the lines sum to more than %d minor units", int64(MaxAmountMinor))
		}
	}
	return nil
}

func checkLine(l *OrderLine) *Invalid {
	if bad := checkID("product_id", l.ProductID); bad != nil {
		return bad
	}
	if l.Quantity <= 0 || l.Quantity > MaxQuantity {
		return invalid("quantity", "whole and positive; for weights send 1 and the amount", "%d is not between 1 and %d", l.Quantity, int64(MaxQuantity))
	}
	if bad := checkAmount("price", l.AmountMinor); bad != nil {
		return bad
	}
	if max(len(l.Name), len(l.Category), len(l.Brand)) > MaxNameBytes {
		return invalid("name", "", "name, category or brand is longer than %d bytes", MaxNameBytes)
	}
	return nil
}

func (o *Order) validate() *Invalid {
	if bad := checkID("order_id", o.OrderID); bad != nil {
		return bad
	}
	if bad := checkCurrency(o.Currency); bad != nil {
		return bad
	}
	if len(o.Lines) == 0 {
		return missing("products", "send at least one line, or one with the whole amount")
	}
	if bad := checkLines(o.Lines); bad != nil {
		return bad
	}
	for _, f := range [...]struct {
		name string
		v    int64
	}{{"discount", o.DiscountMinor}, {"shipping", o.ShippingMinor}, {"tax", o.TaxMinor}} {
		if bad := checkAmount(f.name, f.v); bad != nil {
			return bad
		}
	}
	if o.NetMinor() < 0 {
		return invalid("discount", "", "%d is more than the lines", o.DiscountMinor)
	}
	return nil
}

func (r *Refund) validate() *Invalid {
	if bad := checkID("refund_id", r.RefundID); bad != nil {
		return bad
	}
	if bad := checkCurrency(r.Currency); bad != nil {
		return bad
	}
	if r.OrderID != "" {
		if bad := checkID("order_id", r.OrderID); bad != nil {
			return bad
		}
	}
	if bad := checkLines(r.Lines); bad != nil {
		return bad
	}
	if bad := checkAmount("amount", r.AmountMinor); bad != nil {
		return bad
	}
	ways := 0
	for _, has := range [...]bool{len(r.Lines) > 0, r.AmountMinor > 0, r.Whole} {
		if has {
			ways++
		}
	}
	if ways != 1 {
		return invalid("refund", "send products, or an amount, or neither for the whole order", "a refund is by lines, by amount or whole: one of them")
	}
	if r.Whole && r.OrderID == "" {
		return missing("order_id", "a whole refund names its order")
	}
	return nil
}

func (s *Survey) validate() *Invalid {
	limits := map[string][2]int64{"nps": {0, 10}, "ces": {1, 7}, "csat": {1, 5}}
	l, ok := limits[s.Kind]
	if !ok {
		return invalid("kind", "nps, ces or csat", "%.20q is not a kind of survey", s.Kind)
	}
	if s.Score < l[0] || s.Score > l[1] {
		return invalid("score", "", "%d is not between %d and %d", s.Score, l[0], l[1])
	}
	if len(s.SurveyID) > MaxIDBytes || len(s.OrderID) > MaxIDBytes {
		return invalid("survey_id", "", "an id is longer than %d bytes", MaxIDBytes)
	}
	return nil
}

func (r *Redeem) validate() *Invalid {
	if bad := checkID("idempotency_key", r.RedemptionID); bad != nil {
		return bad
	}
	if r.Points <= 0 || r.Points > MaxPoints {
		return invalid("points", "", "%d is not between 1 and %d", r.Points, int64(MaxPoints))
	}
	if len(r.OrderID) > MaxIDBytes {
		return invalid("order_id", "", "longer than %d bytes", MaxIDBytes)
	}
	return nil
}

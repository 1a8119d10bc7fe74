package ingest

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// Names that clients use for one thing. Beside the specification's snake case,
// Segment's Go client writes orderId, and of a product id and "sky" (its word
// for sku); see TestSegmentGoClient.
var (
	orderIDNames   = []string{"order_id", "orderId"}
	refundIDNames  = []string{"refund_id", "refundId"}
	surveyIDNames  = []string{"survey_id", "surveyId"}
	productIDNames = []string{"product_id", "productId", "id", "sku", "sky"}
)

// section reads the typed sections of the track names that have one.
func (n *Normaliser) section(e *event.Event, o object, _ Call) *event.Invalid {
	if e.Type != event.TypeTrack || !typed[e.Name] || e.Name == event.NameSignedUp {
		return nil
	}
	p, bad := o.section("properties")
	if bad != nil {
		return bad
	}
	switch e.Name {
	case event.NameOrderCompleted:
		e.Order, bad = order(p)
	case event.NameOrderRefunded:
		e.Refund, bad = refund(p, e.MessageID)
	case nameOrderCancelled:
		e.Refund, bad = cancellation(p)
	case event.NameSurveyAnswered:
		e.Survey, bad = survey(p)
	}
	if bad != nil {
		bad.Field = "properties." + bad.Field
	}
	return bad
}

// order reads Segment's Order Completed. The amounts of products are price ×
// quantity, exact, rounded once. Without products the whole is one line
// "order": revenue is the goods less discount, total has shipping and tax too.
func order(p object) (*event.Order, *event.Invalid) {
	v := &event.Order{}
	bad := p.texts(map[string]*string{"currency": &v.Currency, "coupon": &v.Coupon})
	if bad != nil {
		return nil, bad
	}
	if v.OrderID, bad = p.firstText(orderIDNames...); bad != nil {
		return nil, bad
	}
	if v.OrderID == "" {
		return nil, missing("order_id", "send the shop's order number")
	}
	if len(v.Coupon) > event.MaxNameBytes {
		return nil, invalid("coupon", "", "longer than %d bytes", event.MaxNameBytes)
	}
	if v.Currency, bad = currency(v.Currency); bad != nil {
		return nil, bad
	}
	amounts := [...]struct {
		field string
		into  *int64
	}{{"discount", &v.DiscountMinor}, {"shipping", &v.ShippingMinor}, {"tax", &v.TaxMinor}}
	for _, a := range amounts {
		if *a.into, _, bad = p.minor(a.field, v.Currency); bad != nil {
			return nil, bad
		}
	}
	var priced bool
	if v.Lines, priced, bad = lines(p, v.Currency); bad != nil {
		return nil, bad
	}
	if len(v.Lines) > 0 && !priced {
		return nil, missing("products[].price", "each product needs its unit price")
	}
	if len(v.Lines) == 0 {
		bad = oneLine(v, p)
	}
	return v, bad
}

// oneLine stands for an order without products. Its amount is before discount,
// as any line's, so that the order's net is the revenue that was sent.
func oneLine(v *event.Order, p object) *event.Invalid {
	net, given, bad := goods(p, v.Currency, "revenue", "total")
	if bad != nil {
		return bad
	}
	if !given {
		return missing("products", "send products, or revenue or total")
	}
	v.Lines = []event.OrderLine{{ProductID: "order", Quantity: 1, AmountMinor: net + v.DiscountMinor}}
	return nil
}

// goods returns what the goods cost after discount, from the first of the fields
// that is given: amount and revenue are without shipping and tax, total is with.
func goods(p object, cur string, fields ...string) (minor int64, given bool, bad *event.Invalid) {
	for _, field := range fields {
		r, bad := p.decimal(field)
		if bad != nil {
			return 0, false, bad
		}
		if r == nil {
			continue
		}
		if field == "total" {
			for _, less := range [...]string{"shipping", "tax"} {
				part, bad := p.decimal(less)
				if bad != nil {
					return 0, false, bad
				}
				if part != nil {
					r.Sub(r, part)
				}
			}
		}
		minor, bad = toMinor(field, r, cur)
		return minor, true, bad
	}
	return 0, false, nil
}

// currency accepts small letters, which many shops send.
func currency(code string) (string, *event.Invalid) {
	code = strings.ToUpper(code)
	if code == "" {
		return "", missing("currency", "send an ISO 4217 code such as GBP")
	}
	if !event.ValidCurrency(code) {
		return "", &event.Invalid{Code: event.RejectInvalidCurrency, Field: "currency",
			Message: fmt.Sprintf("%.20q is not an ISO 4217 code", code), Hint: "three letters, such as GBP"}
	}
	return code, nil
}

func toMinor(field string, r *big.Rat, cur string) (int64, *event.Invalid) {
	m, err := event.Minor(r, cur)
	if err != nil {
		return 0, invalid(field, "", "%v", err)
	}
	if m < 0 {
		return 0, invalid(field, "amounts are positive, also in refunds", "is negative")
	}
	return m, nil
}

// minor reads an amount in major units and rounds it to minor units.
func (o object) minor(field, cur string) (minor int64, given bool, bad *event.Invalid) {
	r, bad := o.decimal(field)
	if bad != nil || r == nil {
		return 0, false, bad
	}
	minor, bad = toMinor(field, r, cur)
	return minor, true, bad
}

// lines reads products; priced is false when any has no price.
func lines(p object, cur string) (out []event.OrderLine, priced bool, bad *event.Invalid) {
	list, ok := p["products"].([]any)
	if !ok && p["products"] != nil {
		return nil, false, invalid("products", "send a list of products", "is not a list")
	}
	if len(list) > event.MaxLines {
		return nil, false, invalid("products", "split the order", "%d lines, at most %d", len(list), event.MaxLines)
	}
	priced = true
	for i, item := range list {
		at := fmt.Sprintf("products[%d]", i)
		product, ok := item.(map[string]any)
		if !ok {
			return nil, false, invalid(at, "", "is not an object")
		}
		l, hasPrice, bad := line(product, cur)
		if bad != nil {
			bad.Field = at + "." + bad.Field
			return nil, false, bad
		}
		priced = priced && hasPrice
		out = append(out, l)
	}
	return out, priced, nil
}

func line(p object, cur string) (l event.OrderLine, priced bool, bad *event.Invalid) {
	bad = p.texts(map[string]*string{"name": &l.Name, "category": &l.Category, "brand": &l.Brand})
	if bad != nil {
		return l, false, bad
	}
	if l.ProductID, bad = p.firstText(productIDNames...); bad != nil {
		return l, false, bad
	}
	if l.ProductID == "" {
		return l, false, missing("product_id", "send product_id or sku")
	}
	quantity, given, bad := p.whole("quantity")
	if bad != nil {
		bad.Hint = "whole and positive; for weights send 1 and the price of the whole"
		return l, false, bad
	}
	if !given {
		quantity = 1
	}
	if quantity <= 0 || quantity > event.MaxQuantity {
		return l, false, invalid("quantity", "amounts and quantities are positive, also in refunds", "%d is not between 1 and %d", quantity, int64(event.MaxQuantity))
	}
	l.Quantity = quantity
	price, bad := p.decimal("price")
	if bad != nil || price == nil {
		return l, false, bad
	}
	l.AmountMinor, bad = toMinor("price", price.Mul(price, new(big.Rat).SetInt64(quantity)), cur)
	return l, true, bad
}

// refund reads Segment's Order Refunded: by priced products, else by amount,
// else the whole order. Without refund_id the message id names it.
func refund(p object, messageID string) (*event.Refund, *event.Invalid) {
	v := &event.Refund{}
	var bad *event.Invalid
	if v.RefundID, bad = p.firstText(refundIDNames...); bad != nil {
		return nil, bad
	}
	if v.OrderID, bad = p.firstText(orderIDNames...); bad != nil {
		return nil, bad
	}
	if v.Currency, bad = p.text("currency"); bad != nil {
		return nil, bad
	}
	if v.RefundID == "" {
		v.RefundID = messageID
	}
	if v.Currency, bad = currency(v.Currency); bad != nil {
		return nil, bad
	}
	list, priced, bad := lines(p, v.Currency)
	if bad != nil {
		return nil, bad
	}
	if len(list) > 0 && priced {
		v.Lines = list
		return v, nil
	}
	amount, given, bad := goods(p, v.Currency, "amount", "revenue", "total")
	switch {
	case bad != nil:
		return nil, bad
	case given && amount == 0:
		return nil, invalid("amount", "leave it out to refund the whole order", "is zero")
	case given:
		v.AmountMinor = amount
	case len(list) > 0:
		return nil, missing("products[].price", "each product needs its unit price, or send amount")
	default:
		v.Whole = true
	}
	return v, nil
}

// cancellation reads Order Cancelled: a whole refund, which an order has once.
func cancellation(p object) (*event.Refund, *event.Invalid) {
	v := &event.Refund{Whole: true}
	var bad *event.Invalid
	if v.OrderID, bad = p.firstText(orderIDNames...); bad != nil {
		return nil, bad
	}
	if v.Currency, bad = p.text("currency"); bad != nil {
		return nil, bad
	}
	if v.OrderID == "" {
		return nil, missing("order_id", "send the order that is cancelled")
	}
	v.RefundID = "cancel:" + v.OrderID
	v.Currency, bad = currency(v.Currency)
	return v, bad
}

func survey(p object) (*event.Survey, *event.Invalid) {
	v := &event.Survey{}
	var bad *event.Invalid
	for _, f := range [...]struct {
		into  *string
		names []string
	}{{&v.Kind, []string{"kind", "type"}}, {&v.SurveyID, surveyIDNames}, {&v.OrderID, orderIDNames}} {
		if *f.into, bad = p.firstText(f.names...); bad != nil {
			return nil, bad
		}
	}
	if v.Kind == "" {
		return nil, missing("kind", "nps, ces or csat")
	}
	v.Kind = strings.ToLower(v.Kind)
	score, given, bad := p.whole("score")
	if bad != nil {
		return nil, bad
	}
	if !given {
		return nil, missing("score", "a whole number")
	}
	v.Score = score
	return v, nil
}

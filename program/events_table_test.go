package program

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// parseEvent reads what happens in a row of a table:
//
//	sign up
//	event Product Reviewed
//	order A1: 2 mug 20.00, 1 voucher 10.00 @Gift cards; discount 3.00; shipping 3.95; tax 1.00; in EUR
//	refund R1 of A1: 1 mug 10.00        by lines
//	refund R1 of A1: 5.00               by amount
//	refund R1 of A1: whole
//	refund R1: 1 mug 10.00              without an order
//	spend 50 as K1
//	time passes                         (no event)
//	cut points: ...                     (no event)
func parseEvent(text, currency string) (*event.Event, error) {
	ev := &event.Event{Type: event.TypeTrack}
	verb, rest, _ := strings.Cut(text, " ")
	switch verb {
	case "time", "cut":
		return nil, nil
	case "sign":
		ev.Name = event.NameSignedUp
	case "event":
		ev.Name = rest
	case "spend":
		points, id, _ := strings.Cut(rest, " as ")
		n, err := strconv.ParseInt(points, 10, 64)
		ev.Type, ev.Redeem = event.TypeRedeem, &event.Redeem{RedemptionID: id, Points: n}
		return ev, err
	case "order":
		ev.Name = event.NameOrderCompleted
		id, body, _ := strings.Cut(rest, ": ")
		o := &event.Order{OrderID: id, Currency: currency}
		ev.Order = o
		for i, part := range strings.Split(body, "; ") {
			if err := orderPart(o, part, i == 0); err != nil {
				return nil, err
			}
		}
	case "refund":
		ev.Name = event.NameOrderRefunded
		head, body, _ := strings.Cut(rest, ": ")
		id, of, _ := strings.Cut(head, " of ")
		r := &event.Refund{RefundID: id, OrderID: of, Currency: currency}
		ev.Refund = r
		body, in, other := strings.Cut(body, "; in ")
		if other {
			r.Currency = in
		}
		var err error
		switch {
		case body == "whole":
			r.Whole = true
		case !strings.Contains(body, " "):
			r.AmountMinor, err = minor(body, r.Currency)
		default:
			r.Lines, err = parseLines(body, r.Currency)
		}
		return ev, err
	default:
		return nil, fmt.Errorf("%q is not an event of a table", text)
	}
	return ev, nil
}

func orderPart(o *event.Order, part string, first bool) (err error) {
	word, value, _ := strings.Cut(part, " ")
	switch {
	case first:
		o.Lines, err = parseLines(part, o.Currency)
	case word == "discount":
		o.DiscountMinor, err = minor(value, o.Currency)
	case word == "shipping":
		o.ShippingMinor, err = minor(value, o.Currency)
	case word == "tax":
		o.TaxMinor, err = minor(value, o.Currency)
	case word == "in":
		o.Currency = value
	default:
		err = fmt.Errorf("%q is no part of an order", part)
	}
	return err
}

func minor(s, currency string) (int64, error) {
	r, err := event.ParseDecimal(s)
	if err != nil {
		return 0, err
	}
	return event.Minor(r, currency)
}

func parseLines(text, currency string) (out []event.OrderLine, err error) {
	for part := range strings.SplitSeq(text, ", ") {
		part, category, _ := strings.Cut(part, " @")
		f := strings.Fields(part)
		if len(f) != 3 {
			return nil, fmt.Errorf("line %q: want quantity, product, amount", part)
		}
		l := event.OrderLine{ProductID: f[1], Category: category}
		if l.Quantity, err = strconv.ParseInt(f[0], 10, 64); err != nil {
			return nil, err
		}
		if l.AmountMinor, err = minor(f[2], currency); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

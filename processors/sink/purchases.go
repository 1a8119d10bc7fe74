package sink

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/warehouse"
)

type column = warehouse.Column

// orderRows are the tables orders and order_items.
type orderRows struct {
	rows
	money
	isIdentified                                  []bool
	orderID, channel, country, outcome, reason    []string
	number, discount, shipping, tax, net, baseAmt []int64
	lines                                         []int32
}

func (t *orderRows) add(e *event.Entry) {
	f := e.Order
	t.key(e, 0)
	t.money.add(f.Currency)
	t.isIdentified = append(t.isIdentified, event.Identified(e.AccountID))
	t.orderID = append(t.orderID, f.OrderID)
	t.channel = append(t.channel, f.Channel)
	t.country = append(t.country, f.Country)
	t.outcome = append(t.outcome, string(e.Outcome))
	t.reason = append(t.reason, e.Reason)
	t.number = append(t.number, f.Number)
	t.discount = append(t.discount, f.DiscountMinor)
	t.shipping = append(t.shipping, f.ShippingMinor)
	t.tax = append(t.tax, f.TaxMinor)
	t.net = append(t.net, f.NetMinor)
	t.baseAmt = append(t.baseAmt, f.BaseMinor)
	t.lines = append(t.lines, int32(len(f.Lines)))
}

func (t *orderRows) take() block {
	return t.block(t.columns(
		column{Name: "is_identified", Values: t.isIdentified},
		column{Name: "order_id", Values: t.orderID},
		column{Name: "channel", Values: t.channel},
		column{Name: "country", Values: t.country},
		column{Name: "outcome", Values: t.outcome},
		column{Name: "reason", Values: t.reason},
		column{Name: "number", Values: t.number},
		column{Name: "discount_minor", Values: t.discount},
		column{Name: "shipping_minor", Values: t.shipping},
		column{Name: "tax_minor", Values: t.tax},
		column{Name: "net_minor", Values: t.net},
		column{Name: "base_minor", Values: t.baseAmt},
		column{Name: "lines", Values: t.lines},
	)...)
}

// lineRows are what order_items and refund_lines share.
type lineRows struct {
	rows
	money
	isIdentified                            []bool
	ownerID                                 []string // order or refund
	productID, productName, category, brand []string
	quantity, amount                        []int64
}

func (t *lineRows) add(e *event.Entry, index int, ownerID, currency string, l *event.OrderLine) {
	t.key(e, index)
	t.money.add(currency)
	t.isIdentified = append(t.isIdentified, event.Identified(e.AccountID))
	t.ownerID = append(t.ownerID, ownerID)
	t.productID = append(t.productID, l.ProductID)
	t.productName = append(t.productName, l.Name)
	t.category = append(t.category, l.Category)
	t.brand = append(t.brand, l.Brand)
	t.quantity = append(t.quantity, l.Quantity)
	t.amount = append(t.amount, l.AmountMinor)
}

func (t *lineRows) lines(ownerColumn string, own ...column) block {
	return t.block(t.columns(append(own,
		column{Name: "is_identified", Values: t.isIdentified},
		column{Name: ownerColumn, Values: t.ownerID},
		column{Name: "product_id", Values: t.productID},
		column{Name: "product_name", Values: t.productName},
		column{Name: "category", Values: t.category},
		column{Name: "brand", Values: t.brand},
		column{Name: "quantity", Values: t.quantity},
		column{Name: "amount_minor", Values: t.amount},
	)...)...)
}

type itemRows struct {
	lineRows
	isExcluded []bool
}

func (t *itemRows) addOrder(e *event.Entry) {
	for i := range e.Order.Lines {
		l := &e.Order.Lines[i]
		t.add(e, i, e.Order.OrderID, e.Order.Currency, &l.OrderLine)
		t.isExcluded = append(t.isExcluded, l.Excluded)
	}
}

func (t *itemRows) take() block {
	return t.lines("order_id", column{Name: "is_excluded", Values: t.isExcluded})
}

type refundRows struct {
	rows
	money
	isIdentified                       []bool
	refundID, orderID, outcome, reason []string
	lines                              []int32
	net, matched                       []int64
}

func (t *refundRows) add(e *event.Entry) {
	f := e.Refund
	t.key(e, 0)
	t.money.add(f.Currency)
	t.isIdentified = append(t.isIdentified, event.Identified(e.AccountID))
	t.refundID = append(t.refundID, f.RefundID)
	t.orderID = append(t.orderID, f.OrderID)
	t.outcome = append(t.outcome, string(e.Outcome))
	t.reason = append(t.reason, e.Reason)
	t.lines = append(t.lines, int32(len(f.Lines)))
	t.net = append(t.net, f.NetMinor)
	t.matched = append(t.matched, f.MatchedMinor)
}

func (t *refundRows) take() block {
	return t.block(t.columns(
		column{Name: "is_identified", Values: t.isIdentified},
		column{Name: "refund_id", Values: t.refundID},
		column{Name: "order_id", Values: t.orderID},
		column{Name: "outcome", Values: t.outcome},
		column{Name: "reason", Values: t.reason},
		column{Name: "lines", Values: t.lines},
		column{Name: "net_minor", Values: t.net},
		column{Name: "matched_minor", Values: t.matched},
	)...)
}

type refundLineRows struct {
	lineRows
	match                    []string
	matchedQuantity, matched []int64
}

func (t *refundLineRows) addRefund(e *event.Entry) {
	for i := range e.Refund.Lines {
		l := &e.Refund.Lines[i]
		t.add(e, i, e.Refund.RefundID, e.Refund.Currency, &l.OrderLine)
		t.match = append(t.match, string(l.Match))
		t.matchedQuantity = append(t.matchedQuantity, l.MatchedQuantity)
		t.matched = append(t.matched, l.MatchedMinor)
	}
}

func (t *refundLineRows) take() block {
	return t.lines("refund_id",
		column{Name: "match", Values: t.match},
		column{Name: "matched_quantity", Values: t.matchedQuantity},
		column{Name: "matched_minor", Values: t.matched},
	)
}

type allocationRows struct {
	rows
	money
	refundID, orderID        []string
	line                     []int32
	quantity, amount, points []int64
	isWholly                 []bool
}

func (t *allocationRows) add(e *event.Entry) {
	for i := range e.Refund.Allocations {
		a := &e.Refund.Allocations[i]
		t.key(e, i)
		t.money.add(e.Refund.Currency)
		t.refundID = append(t.refundID, e.Refund.RefundID)
		t.orderID = append(t.orderID, a.OrderID)
		t.line = append(t.line, a.Line)
		t.quantity = append(t.quantity, a.Quantity)
		t.amount = append(t.amount, a.AmountMinor)
		t.points = append(t.points, a.PointsReversed)
		t.isWholly = append(t.isWholly, a.Wholly)
	}
}

func (t *allocationRows) take() block {
	return t.block(t.columns(
		column{Name: "refund_id", Values: t.refundID},
		column{Name: "order_id", Values: t.orderID},
		column{Name: "line", Values: t.line},
		column{Name: "quantity", Values: t.quantity},
		column{Name: "amount_minor", Values: t.amount},
		column{Name: "points_reversed", Values: t.points},
		column{Name: "is_wholly", Values: t.isWholly},
	)...)
}

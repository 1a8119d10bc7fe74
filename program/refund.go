package program

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// A refund works on the records of the orders it touches. What each rule of the
// semantics is, and why:
//
//   - A refund id is known for ever once it was counted. Refused refunds and
//     those of orders we do not know are not remembered, so that they can be
//     sent again when the order has come.
//   - An order we do not know never raised anybody's spend, so its refund lowers
//     nothing: kept, unknown_order.
//   - By line: each line takes units of the named order's lines of the product,
//     first line first. What finds no units is Unmatched and without effect when
//     an order was named; nothing found at all is nothing_to_refund.
//   - By amount: goods first, in proportion to what is left of each line; shipping
//     and tax take the rest and change neither spend nor points. More than is
//     left of all that is refund_too_large.
//   - Whole: everything that is left of the goods.
//   - Spend falls by the money given back, in the pane of the order's own day.
//     The base for points falls by the units (or the value, by amount) given
//     back, so a refund at another price never reverses more than was earned.
//   - An order is wholly refunded when no unit, or by amounts no value, is left:
//     then it no longer counts as an order anywhere.

// touched is an order that a refund changes, in memory until all is decided.
type touched struct {
	id    string
	order *order
	// given is the money that this refund gives back of it.
	given int64
	first int // index of its first allocation in the fact, -1: none
}

// refund decides an Order Refunded.
func (d *decision) refund() {
	in := d.ev.Refund
	fact := &event.RefundFact{RefundID: in.RefundID, OrderID: in.OrderID, Currency: in.Currency, NetMinor: refundMoney(in)}
	if d.book == nil {
		fact.Lines = unmatchedLines(in)
		d.e.Refund = fact
		d.keep(event.ReasonNoProgram)
		return
	}
	if d.seenRefund(in) || !d.acceptable(in.Currency) {
		return
	}
	d.load()
	var orders []*touched
	var refused string
	if in.OrderID != "" {
		o := d.getOrder(in.OrderID)
		if o == nil {
			fact.Lines = unmatchedLines(in)
			d.e.Refund = fact
			d.keep(event.ReasonUnknownOrder)
			return
		}
		d.e.BundleID = o.bundle
		t := &touched{id: in.OrderID, order: o, first: -1}
		orders = append(orders, t)
		refused = takeNamed(in, fact, t)
	} else {
		orders = d.allocate(in, fact)
	}
	if refused != "" {
		d.reject(refused)
		return
	}
	d.e.Refund = fact
	d.settleRefund(in, fact, orders)
}

// settleRefund writes what a refund changed: orders, lots, spend, tier, scores.
func (d *decision) settleRefund(in *event.Refund, fact *event.RefundFact, orders []*touched) {
	d.l.value = appendRefund(d.l.value[:0], d.hash)
	d.st.Put(d.l.key.named(kindRefund, d.id, in.RefundID), d.l.value, 0)
	gone := false
	for _, t := range orders {
		if !t.order.guest {
			reversed := d.reverseGrants(t.id, t.order)
			if t.first >= 0 {
				fact.Allocations[t.first].PointsReversed = reversed
			}
		}
		wholly := d.closeOrder(t)
		if wholly && t.first >= 0 {
			fact.Allocations[t.first].Wholly = true
		}
		gone = wholly || gone
		d.putOrder(t.id, t.order)
	}
	if d.c == nil {
		d.keep(event.ReasonGuest)
		return
	}
	d.settleDebt()
	if gone {
		d.findLastOrder()
	}
	if in.OrderID == "" {
		rest := fact.NetMinor - fact.MatchedMinor
		if rest > 0 {
			d.c.net = addMoney(d.c.net, -rest)
			d.c.addPane(d.eventDay, 0, -rest)
		}
	}
	if d.c.currency == "" {
		d.c.currency = in.Currency
	}
	d.measure()
	d.checkGround()
	d.e.Outcome = event.OutcomeApplied
	d.finish(scoreRefund)
}

// closeOrder takes what was given back out of the account's spend, and the order
// out of its counts when nothing is left of it; it reports the latter.
func (d *decision) closeOrder(t *touched) bool {
	o := t.order
	wholly := !o.wholly && o.unitsLeft() == 0
	o.wholly = o.wholly || wholly
	if d.c == nil || o.guest {
		return false
	}
	var fewer int64
	if wholly {
		fewer = 1
		d.st.Delete(d.l.key.newest(d.id, o.time, t.id))
	}
	d.c.orders -= fewer
	d.c.net = addMoney(d.c.net, -t.given)
	d.c.addPane(o.day, -fewer, -t.given)
	return wholly
}

// findLastOrder looks up the latest order that is not wholly refunded.
func (d *decision) findLastOrder() {
	c := d.c
	c.last, c.lastDay = 0, 0
	from, to := rangeOf(kindNewest, d.id)
	d.st.Scan(from, to, func(key, _ []byte) bool {
		c.last, _ = splitNewest(key, len(d.id))
		return false
	})
	if c.last != 0 {
		c.lastDay = d.l.days.Of(c.last, d.now.Zone)
	}
}

// reverseGrants brings what each rule gave for the order down to what the rule
// gives for what is left of it, and returns the points taken back. They come
// first from the order's own lot; then from what has expired, where nothing is
// owed (with fewer points from the start, fewer would have expired); only then
// from what was spent, which leaves a debt.
func (d *decision) reverseGrants(orderID string, o *order) (reversed int64) {
	base := o.base()
	for i := range o.grants {
		g := &o.grants[i]
		keep, _ := g.formula.points(base)
		rest := g.points - g.reversed - keep
		if rest <= 0 {
			continue
		}
		g.reversed += rest
		lotID := orderID + "/" + g.rule
		if n := d.takeFromLot(lotID, g.expiresOn, rest); n > 0 {
			d.post(-n, lotID, g.expiresOn, event.AccountEarned, event.PostReverse, g.rule, orderID)
			d.c.balance -= n
			rest -= n
			reversed += n
		}
		n := min(rest, g.expired-g.void)
		g.void += n
		rest -= n
		if rest > 0 {
			d.post(-rest, event.LotDebt, 0, event.AccountEarned, event.PostReverse, g.rule, orderID)
			d.c.balance -= rest
			d.c.debt += rest
			reversed += rest
		}
	}
	return reversed
}

// takeFromLot takes up to points from one lot and returns how many there were.
func (d *decision) takeFromLot(lotID string, expiresOn event.Day, points int64) int64 {
	key := d.l.key.lot(d.id, expiresOn, lotID)
	value, ok := d.st.Get(key)
	if !ok {
		return 0
	}
	lot, err := decodeLot(key, value, len(d.id))
	packed.Must(err, key)
	n := min(points, lot.Remaining)
	lot.Remaining -= n
	d.putLot(&lot)
	d.lotsChanged = true
	return n
}

// seenRefund answers a refund id that is known.
func (d *decision) seenRefund(in *event.Refund) bool {
	d.hash, d.l.value = hashRefund(d.l.value, in)
	key := d.l.key.named(kindRefund, d.id, in.RefundID)
	value, ok := d.st.Get(key)
	if !ok {
		return false
	}
	known, err := decodeRefund(value)
	packed.Must(err, key)
	d.e.Outcome = event.OutcomeDuplicateRefund
	if known != d.hash {
		d.e.Outcome = event.OutcomeConflict
	}
	return true
}

// takeNamed takes a refund out of the order it names; refused is the reason why
// it cannot.
func takeNamed(in *event.Refund, fact *event.RefundFact, t *touched) (refused string) {
	o := t.order
	if o.unitsLeft() == 0 && (len(in.Lines) > 0 || in.Whole || o.extra == 0) {
		return event.ReasonNothingToRefund
	}
	switch {
	case in.Whole:
		t.given = o.left()
		fact.NetMinor = t.given
		for i := range o.lines {
			o.lines[i].left, o.lines[i].leftQuantity = 0, 0
		}
	case in.AmountMinor > 0:
		if !takeAmount(in.AmountMinor, t) {
			return event.ReasonRefundTooLarge
		}
	default:
		return takeLinesOf(in, fact, t)
	}
	fact.MatchedMinor = t.given
	t.first = len(fact.Allocations)
	fact.Allocations = append(fact.Allocations, event.Allocation{OrderID: t.id, Line: -1, AmountMinor: t.given})
	return ""
}

// takeAmount spreads an amount over what is left of the order's lines.
func takeAmount(amount int64, t *touched) bool {
	o := t.order
	goods := o.left()
	if amount > addMoney(goods, o.extra) {
		return false
	}
	t.given = min(amount, goods)
	o.extra -= amount - t.given
	weights := make([]int64, len(o.lines))
	for i := range o.lines {
		weights[i] = o.lines[i].left
	}
	for i, share := range spread(t.given, weights) {
		o.lines[i].left -= share
	}
	if goods > 0 && t.given == goods {
		for i := range o.lines {
			o.lines[i].leftQuantity = 0
		}
	}
	return true
}

func takeLinesOf(in *event.Refund, fact *event.RefundFact, t *touched) (refused string) {
	for i := range in.Lines {
		line := &in.Lines[i]
		took := t.order.takeUnits(line.ProductID, line.Quantity)
		out := event.RefundLine{OrderLine: *line, Match: event.Unmatched}
		t.addMatch(fact, &out, int32(i), took)
		addLine(fact, out)
	}
	if len(fact.Allocations) == 0 {
		return event.ReasonNothingToRefund
	}
	return ""
}

// takeUnits takes up to quantity unrefunded units of a product from the order,
// first line first, with their part of the value, and returns how many.
func (o *order) takeUnits(product string, quantity int64) (took int64) {
	for i := range o.lines {
		l := &o.lines[i]
		if l.leftQuantity == 0 || l.product != product {
			continue
		}
		n := min(quantity-took, l.leftQuantity)
		value := portion(l.left, n, l.leftQuantity)
		l.leftQuantity -= n
		l.left -= value
		if took += n; took == quantity {
			break
		}
	}
	return took
}

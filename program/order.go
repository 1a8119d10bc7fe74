package program

import (
	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
)

const (
	orderFormat      = 1
	refundFormat     = 1
	redemptionFormat = 1
)

// order is what is kept of an order for ever: enough to know it again, and to
// undo what it earned under the rules that earned it.
type order struct {
	hash   uint64 // of its content, see hashOrder
	time   event.Time
	day    event.Day // program's zone at the time
	bundle string
	guest  bool
	wholly bool  // all of it was refunded
	extra  int64 // shipping and tax not yet refunded
	// Where it was bought: segments ask for it.
	channel, country string
	lines            []orderLine
	grants           []grant
}

// orderLine is one line; net is its amount less its share of the discount.
type orderLine struct {
	product  string
	category string
	brand    string
	eligible bool
	quantity int64
	net      int64
	// What is not refunded yet.
	leftQuantity int64
	left         int64
}

// grant is what one spend rule gave for the order, with all that is needed to
// work it out again for a smaller base.
type grant struct {
	formula
	rule      string
	points    int64
	expiresOn event.Day
	// Of points: reversed by refunds in all; expired with the lot; and void, the
	// part of expired that refunds have claimed since.
	reversed int64
	expired  int64
	void     int64
}

// base returns the money that can earn and is not refunded.
func (o *order) base() (n int64) {
	for i := range o.lines {
		if o.lines[i].eligible {
			n += o.lines[i].left
		}
	}
	return n
}

// left returns the money for goods that is not refunded.
func (o *order) left() (n int64) {
	for i := range o.lines {
		n += o.lines[i].left
	}
	return n
}

func (o *order) unitsLeft() (n int64) {
	for i := range o.lines {
		n += o.lines[i].leftQuantity
	}
	return n
}

func (o *order) append(dst []byte) []byte {
	w := encoder{b: dst}
	w.byte(orderFormat)
	w.hash(o.hash)
	placed := o.channel != "" || o.country != ""
	w.flags(o.guest, o.wholly, placed)
	w.time(o.time)
	w.day(o.day)
	w.string(o.bundle)
	w.int(o.extra)
	if placed {
		w.string(o.channel)
		w.string(o.country)
	}
	w.uint(uint64(len(o.lines)))
	for i := range o.lines {
		l := &o.lines[i]
		touched := l.leftQuantity != l.quantity || l.left != l.net
		named := l.category != "" || l.brand != ""
		w.flags(l.eligible, touched, named)
		w.string(l.product)
		if named {
			w.string(l.category)
			w.string(l.brand)
		}
		w.int(l.quantity)
		w.int(l.net)
		if touched {
			w.int(l.leftQuantity)
			w.int(l.left)
		}
	}
	w.uint(uint64(len(o.grants)))
	for i := range o.grants {
		g := &o.grants[i]
		w.string(g.rule)
		w.flags(g.halfUp)
		w.int(g.perPoints)
		w.int(g.perMinor)
		w.int(g.minimum)
		w.int(g.num)
		w.int(g.den)
		w.int(g.points)
		w.day(g.expiresOn)
		w.int(g.reversed)
		w.int(g.expired)
		w.int(g.void)
	}
	return w.b
}

// decodeOrder reads an order record.
func decodeOrder(value []byte) (*order, error) {
	o := &order{}
	// One string for all ids: each is a part of it.
	whole := string(value)
	r := decoder{b: value}
	text := func() string {
		n := len(r.bytes())
		end := len(whole) - len(r.b)
		if r.bad {
			return ""
		}
		return whole[end-n : end]
	}
	if r.byte() != orderFormat {
		r.fail()
	}
	o.hash = r.hash()
	flags := r.byte()
	o.guest, o.wholly = flags&1 != 0, flags&2 != 0
	o.time, o.day, o.bundle, o.extra = r.time(), r.day(), text(), r.int()
	if flags&4 != 0 {
		o.channel, o.country = text(), text()
	}
	if n := r.count(); n > 0 {
		o.lines = make([]orderLine, 0, n)
		for ; n > 0 && !r.bad; n-- {
			flags := r.byte()
			l := orderLine{eligible: flags&1 != 0, product: text()}
			if flags&4 != 0 {
				l.category, l.brand = text(), text()
			}
			l.quantity, l.net = r.int(), r.int()
			l.leftQuantity, l.left = l.quantity, l.net
			if flags&2 != 0 {
				l.leftQuantity, l.left = r.int(), r.int()
			}
			o.lines = append(o.lines, l)
		}
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		g := grant{rule: text()}
		g.halfUp = r.byte()&1 != 0
		g.perPoints, g.perMinor, g.minimum, g.num, g.den = r.int(), r.int(), r.int(), r.int(), r.int()
		g.points, g.expiresOn, g.reversed, g.expired, g.void = r.int(), r.day(), r.int(), r.int(), r.int()
		o.grants = append(o.grants, g)
	}
	return o, r.end("order")
}

// hashOrder hashes what an order says, whatever message brought it and when:
// the same order id with another hash is a conflict. It returns the scratch
// buffer, grown.
func hashOrder(scratch []byte, o *event.Order) (uint64, []byte) {
	w := encoder{b: scratch[:0]}
	w.string(o.Currency)
	w.string(o.Coupon)
	w.int(o.DiscountMinor)
	w.int(o.ShippingMinor)
	w.int(o.TaxMinor)
	hashLines(&w, o.Lines)
	return xxhash.Sum64(w.b), w.b
}

func hashRefund(scratch []byte, r *event.Refund) (uint64, []byte) {
	w := encoder{b: scratch[:0]}
	w.string(r.OrderID)
	w.string(r.Currency)
	w.int(r.AmountMinor)
	w.flags(r.Whole)
	hashLines(&w, r.Lines)
	return xxhash.Sum64(w.b), w.b
}

func hashRedeem(scratch []byte, r *event.Redeem) (uint64, []byte) {
	w := encoder{b: scratch[:0]}
	w.int(r.Points)
	w.string(r.OrderID)
	return xxhash.Sum64(w.b), w.b
}

// hashLines leaves names and brands out: they may be worded anew.
func hashLines(w *encoder, lines []event.OrderLine) {
	w.uint(uint64(len(lines)))
	for i := range lines {
		w.string(lines[i].ProductID)
		w.string(lines[i].Category)
		w.int(lines[i].Quantity)
		w.int(lines[i].AmountMinor)
	}
}

// answer is what a redemption was told, for ever.
type answer struct {
	hash     uint64
	accepted bool
	points   int64
	balance  int64
	orderID  string
	reason   string
}

func (a *answer) append(dst []byte) []byte {
	w := encoder{b: dst}
	w.byte(redemptionFormat)
	w.hash(a.hash)
	w.flags(a.accepted)
	w.int(a.points)
	w.int(a.balance)
	w.string(a.orderID)
	w.string(a.reason)
	return w.b
}

func decodeAnswer(value []byte) (answer, error) {
	r := decoder{b: value}
	if r.byte() != redemptionFormat {
		r.fail()
	}
	a := answer{hash: r.hash()}
	a.accepted = r.byte()&1 != 0
	a.points, a.balance = r.int(), r.int()
	a.orderID, a.reason = string(r.bytes()), string(r.bytes())
	return a, r.end("redemption")
}

func appendRefund(dst []byte, hash uint64) []byte {
	w := encoder{b: dst}
	w.byte(refundFormat)
	w.hash(hash)
	return w.b
}

func decodeRefund(value []byte) (hash uint64, err error) {
	r := decoder{b: value}
	if r.byte() != refundFormat {
		r.fail()
	}
	hash = r.hash()
	return hash, r.end("refund")
}

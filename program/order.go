package program

import (
	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
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
	w := packed.Encoder{B: dst}
	w.Byte(orderFormat)
	w.Fixed(o.hash)
	placed := o.channel != "" || o.country != ""
	w.Flags(o.guest, o.wholly, placed)
	w.Time(o.time)
	w.Day(o.day)
	w.String(o.bundle)
	w.Int(o.extra)
	if placed {
		w.String(o.channel)
		w.String(o.country)
	}
	w.Uint(uint64(len(o.lines)))
	for i := range o.lines {
		l := &o.lines[i]
		touched := l.leftQuantity != l.quantity || l.left != l.net
		named := l.category != "" || l.brand != ""
		w.Flags(l.eligible, touched, named)
		w.String(l.product)
		if named {
			w.String(l.category)
			w.String(l.brand)
		}
		w.Int(l.quantity)
		w.Int(l.net)
		if touched {
			w.Int(l.leftQuantity)
			w.Int(l.left)
		}
	}
	w.Uint(uint64(len(o.grants)))
	for i := range o.grants {
		g := &o.grants[i]
		w.String(g.rule)
		w.Flags(g.halfUp)
		w.Int(g.perPoints)
		w.Int(g.perMinor)
		w.Int(g.minimum)
		w.Int(g.num)
		w.Int(g.den)
		w.Int(g.points)
		w.Day(g.expiresOn)
		w.Int(g.reversed)
		w.Int(g.expired)
		w.Int(g.void)
	}
	return w.B
}

// decodeOrder reads an order record.
func decodeOrder(value []byte) (*order, error) {
	o := &order{}
	// One string for all ids: each is a part of it.
	whole := string(value)
	r := packed.Decoder{B: value}
	text := func() string {
		n := len(r.Bytes())
		end := len(whole) - len(r.B)
		if r.Bad {
			return ""
		}
		return whole[end-n : end]
	}
	if r.Byte() != orderFormat {
		r.Fail()
	}
	o.hash = r.Fixed()
	flags := r.Byte()
	o.guest, o.wholly = flags&1 != 0, flags&2 != 0
	o.time, o.day, o.bundle, o.extra = r.Time(), r.Day(), text(), r.Int()
	if flags&4 != 0 {
		o.channel, o.country = text(), text()
	}
	if n := r.Count(); n > 0 {
		o.lines = make([]orderLine, 0, n)
		for ; n > 0 && !r.Bad; n-- {
			flags := r.Byte()
			l := orderLine{eligible: flags&1 != 0, product: text()}
			if flags&4 != 0 {
				l.category, l.brand = text(), text()
			}
			l.quantity, l.net = r.Int(), r.Int()
			l.leftQuantity, l.left = l.quantity, l.net
			if flags&2 != 0 {
				l.leftQuantity, l.left = r.Int(), r.Int()
			}
			o.lines = append(o.lines, l)
		}
	}
	for n := r.Count(); n > 0 && !r.Bad; n-- {
		g := grant{rule: text()}
		g.halfUp = r.Byte()&1 != 0
		g.perPoints, g.perMinor, g.minimum, g.num, g.den = r.Int(), r.Int(), r.Int(), r.Int(), r.Int()
		g.points, g.expiresOn, g.reversed, g.expired, g.void = r.Int(), r.Day(), r.Int(), r.Int(), r.Int()
		o.grants = append(o.grants, g)
	}
	return o, r.End("order")
}

// hashOrder hashes what an order says, whatever message brought it and when:
// the same order id with another hash is a conflict. It returns the scratch
// buffer, grown.
func hashOrder(scratch []byte, o *event.Order) (uint64, []byte) {
	w := packed.Encoder{B: scratch[:0]}
	w.String(o.Currency)
	w.String(o.Coupon)
	w.Int(o.DiscountMinor)
	w.Int(o.ShippingMinor)
	w.Int(o.TaxMinor)
	hashLines(&w, o.Lines)
	return xxhash.Sum64(w.B), w.B
}

func hashRefund(scratch []byte, r *event.Refund) (uint64, []byte) {
	w := packed.Encoder{B: scratch[:0]}
	w.String(r.OrderID)
	w.String(r.Currency)
	w.Int(r.AmountMinor)
	w.Flags(r.Whole)
	hashLines(&w, r.Lines)
	return xxhash.Sum64(w.B), w.B
}

func hashRedeem(scratch []byte, r *event.Redeem) (uint64, []byte) {
	w := packed.Encoder{B: scratch[:0]}
	w.Int(r.Points)
	w.String(r.OrderID)
	return xxhash.Sum64(w.B), w.B
}

// hashLines leaves names and brands out: they may be worded anew.
func hashLines(w *packed.Encoder, lines []event.OrderLine) {
	w.Uint(uint64(len(lines)))
	for i := range lines {
		w.String(lines[i].ProductID)
		w.String(lines[i].Category)
		w.Int(lines[i].Quantity)
		w.Int(lines[i].AmountMinor)
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
	w := packed.Encoder{B: dst}
	w.Byte(redemptionFormat)
	w.Fixed(a.hash)
	w.Flags(a.accepted)
	w.Int(a.points)
	w.Int(a.balance)
	w.String(a.orderID)
	w.String(a.reason)
	return w.B
}

func decodeAnswer(value []byte) (answer, error) {
	r := packed.Decoder{B: value}
	if r.Byte() != redemptionFormat {
		r.Fail()
	}
	a := answer{hash: r.Fixed()}
	a.accepted = r.Byte()&1 != 0
	a.points, a.balance = r.Int(), r.Int()
	a.orderID, a.reason = string(r.Bytes()), string(r.Bytes())
	return a, r.End("redemption")
}

func appendRefund(dst []byte, hash uint64) []byte {
	w := packed.Encoder{B: dst}
	w.Byte(refundFormat)
	w.Fixed(hash)
	return w.B
}

func decodeRefund(value []byte) (hash uint64, err error) {
	r := packed.Decoder{B: value}
	if r.Byte() != refundFormat {
		r.Fail()
	}
	hash = r.Fixed()
	return hash, r.End("refund")
}

package program

import (
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// decision is one input being decided.
type decision struct {
	l  *Library
	st State
	m  Moment
	ev *event.Event // nil for timers and sweeps
	e  *event.Entry

	id   string
	book *edition // decides earnings: in force at the event's own time
	now  *edition // decides tier and scores: in force at the clock

	at       event.Time // the event's own time, or when the timer was due
	eventDay event.Day
	today    event.Day // the clock's day

	c    *core // nil until loaded, and for guests
	hash uint64

	tierFrom, tierReason string
	tierSpend            int64
	lotsChanged          bool
}

// Apply decides one outer event (track, identify, redeem, ...) of ev.AccountID
// and stages what it changes. It fills the entry's Outcome, Reason, BundleID,
// Semantics, facts, Decisions, Postings, Enrolment, Tier, Scores, and Standing
// when the account's core changed; the caller fills position, Kind, Cause and
// times, has dropped known message ids, and has fired the account's own timers
// up to the clock.
//
// Earnings go by the version in force at the event's own time, refunds by that
// of the order, redemptions by that of the clock. Tier and scores say how things
// stand now, so they go by the version in force at the clock, also when a late
// event changes them.
//
// Facts of orders and refunds are filled when they are counted, or kept without
// effect (guests, no program, unknown order); not for duplicates, conflicts and
// rejected ones. Apply panics when the state is damaged.
func (l *Library) Apply(st State, m Moment, ev *event.Event, e *event.Entry) {
	d := l.begin(st, m, ev.AccountID, e)
	d.ev = ev
	d.at = ev.EventTime
	if ev.Redeem != nil && m.Clock > 0 {
		d.at = m.Clock
	}
	d.book, d.now = l.at(d.at), l.at(max(d.at, m.Clock))
	e.IsSimulated = ev.IsSimulated
	e.Survey = ev.Survey
	if d.book != nil {
		e.BundleID = d.book.ID
		d.eventDay = l.days.Of(d.at, d.book.Zone)
		d.today = l.days.Of(d.at, d.now.Zone)
		if m.Clock > 0 {
			d.today = l.days.Of(m.Clock, d.now.Zone)
		}
	}
	switch {
	case ev.Order != nil:
		d.applyOrder()
	case ev.Refund != nil:
		d.refund()
	case ev.Redeem != nil:
		d.redeem()
	default:
		d.action()
	}
}

func (l *Library) begin(st State, m Moment, accountID string, e *event.Entry) *decision {
	l.kept = ""
	l.desk = decision{l: l, st: st, m: m, e: e, id: accountID}
	e.AccountID = accountID
	e.Semantics = Semantics
	return &l.desk
}

func (d *decision) keep(reason string) { d.e.Outcome, d.e.Reason = event.OutcomeKept, reason }

func (d *decision) reject(reason string) { d.e.Outcome, d.e.Reason = event.OutcomeRejected, reason }

// acceptable refuses what the program does not count.
func (d *decision) acceptable(currency string) bool {
	if d.book.Currency != "" && currency != d.book.Currency {
		d.reject(event.ReasonWrongCurrency)
		return false
	}
	return d.recent()
}

// recent refuses events that are too old by the partition's clock.
func (d *decision) recent() bool {
	limit := d.m.Clock.Add(-time.Duration(d.book.maxAge()) * 24 * time.Hour)
	if d.m.IsHistory || d.m.Clock == 0 || d.at >= limit {
		return true
	}
	d.reject(event.ReasonTooOld)
	return false
}

// load reads the account's core; guests have none.
func (d *decision) load() {
	if !event.Identified(d.id) {
		return
	}
	d.c = &d.l.core
	key := d.l.key.core(d.id)
	if value, ok := d.st.Get(key); ok {
		packed.Must(d.c.decode(value, d.l.intern), key)
	} else {
		d.c.reset()
	}
	if d.ev != nil && d.ev.IsSimulated {
		d.c.simulated = true
	}
	d.tierFrom = d.c.tier
}

// applyOrder decides an Order Completed.
func (d *decision) applyOrder() {
	in := d.ev.Order
	if d.book == nil {
		d.e.Order = orderFact(d.ev, nil)
		d.keep(event.ReasonNoProgram)
		return
	}
	if d.seenOrder(in) || !d.acceptable(in.Currency) {
		return
	}
	d.load()
	o := &d.l.order
	*o = order{
		hash: d.hash, time: d.at, day: d.eventDay, bundle: d.book.ID,
		guest: d.c == nil, extra: addMoney(in.ShippingMinor, in.TaxMinor),
		lines: takeLines(d.book, in, o.lines[:0]), grants: o.grants[:0],
	}
	d.e.Order = orderFact(d.ev, d.book)
	o.channel, o.country = d.e.Order.Channel, d.e.Order.Country
	d.e.Order.BaseMinor = o.base()
	if d.c == nil {
		d.putOrder(in.OrderID, o)
		d.keep(event.ReasonGuest)
		return
	}
	d.countOrder(in, o)
}

// countOrder counts an order of an identified customer: enrol, earn, spend, tier,
// scores, in this sequence. Orders before this one that are not wholly refunded
// count towards the order that enrols.
func (d *decision) countOrder(in *event.Order, o *order) {
	c := d.c
	c.ordersEver++
	d.e.Order.Number = c.ordersEver
	for i := range d.book.Enrolment {
		if r := &d.book.Enrolment[i]; r.Order > 0 && c.orders+1 >= r.Order {
			d.enrol(r.ID)
		}
	}
	if c.member {
		d.earnOrder(o, in.OrderID, c.tier)
	}
	net := in.NetMinor()
	c.orders++
	c.net = addMoney(c.net, net)
	c.currency = in.Currency
	if c.first == 0 || d.at < c.first {
		c.first = d.at
	}
	if d.at >= c.last {
		c.last, c.lastDay = d.at, d.eventDay
	}
	if o.unitsLeft() > 0 {
		d.st.Put(d.l.key.newest(d.id, o.time, in.OrderID), present, 0)
	}
	d.putOrder(in.OrderID, o)
	c.addPane(o.day, 1, net)
	d.measure()
	d.raiseTier(tierReached)
	d.e.Outcome = event.OutcomeApplied
	d.finish(scoreOrder)
}

// present is the value of a key that says all there is to say.
var present = []byte{1}

// seenOrder answers an order id that is known.
func (d *decision) seenOrder(in *event.Order) bool {
	d.hash, d.l.value = hashOrder(d.l.value, in)
	key := d.l.key.named(kindOrder, d.id, in.OrderID)
	value, ok := d.st.Get(key)
	if !ok {
		return false
	}
	r := packed.Decoder{B: value}
	_, known := r.Byte(), r.Fixed()
	d.e.Outcome = event.OutcomeDuplicateOrder
	if known != d.hash || r.Bad {
		d.e.Outcome = event.OutcomeConflict
	}
	return true
}

func (d *decision) getOrder(orderID string) *order {
	key := d.l.key.named(kindOrder, d.id, orderID)
	value, ok := d.st.Get(key)
	if !ok {
		return nil
	}
	o, err := decodeOrder(value)
	packed.Must(err, key)
	return o
}

func (d *decision) putOrder(orderID string, o *order) {
	d.l.value = o.append(d.l.value[:0])
	d.st.Put(d.l.key.named(kindOrder, d.id, orderID), d.l.value, 0)
}

func orderFact(ev *event.Event, ed *edition) *event.OrderFact {
	in := ev.Order
	f := &event.OrderFact{
		OrderID: in.OrderID, Currency: in.Currency,
		DiscountMinor: in.DiscountMinor, ShippingMinor: in.ShippingMinor, TaxMinor: in.TaxMinor,
		NetMinor: in.NetMinor(), Lines: make([]event.LineFact, len(in.Lines)),
	}
	for i := range in.Lines {
		f.Lines[i] = event.LineFact{OrderLine: in.Lines[i], Excluded: ed != nil && ed.excludes(&in.Lines[i])}
	}
	if ev.Context != nil {
		f.Channel, f.Country = ev.Context.Channel, ev.Context.Country
	}
	return f
}

// enrol makes a member: the tier that the spend so far justifies, and the
// sign-up points, usable at once.
func (d *decision) enrol(ruleID string) {
	c := d.c
	if c.member {
		return
	}
	c.member, c.enrolled = true, d.at
	d.e.Enrolment = &event.Enrolment{RuleID: ruleID}
	d.measure()
	d.raiseTier(tierEnrolled)
	for i := range d.book.Rules {
		if r := &d.book.Rules[i]; r.Kind == RuleSignUp {
			d.earnFixed(r, d.ev.MessageID, d.eventDay)
		}
	}
}

// action decides every event that is no order, refund or redemption: Signed Up
// may enrol; a member's event earns by the action rules for its name.
func (d *decision) action() {
	if d.book == nil {
		d.keep(event.ReasonNoProgram)
		return
	}
	name := d.ev.Name
	signUp := name == event.NameSignedUp && d.book.signUp
	_, listened := d.book.actions[name]
	switch {
	case !event.Identified(d.id):
		d.keep(event.ReasonGuest)
		return
	case d.ev.Type != event.TypeTrack || (!signUp && !listened):
		d.keep(event.ReasonNoRule)
		return
	case !d.recent():
		return
	}
	d.load()
	if signUp {
		for i := range d.book.Enrolment {
			if r := &d.book.Enrolment[i]; r.SignUp {
				d.enrol(r.ID)
			}
		}
	}
	switch {
	case !d.c.member:
		d.keep(event.ReasonNotMember)
		return
	case !listened && d.e.Enrolment == nil:
		d.keep(event.ReasonNoRule)
		return
	}
	for i := range d.book.Rules {
		if r := &d.book.Rules[i]; r.Kind == RuleAction && r.Event == name {
			d.earnFixed(r, d.ev.MessageID, d.eventDay)
		}
	}
	d.measure()
	d.e.Outcome = event.OutcomeApplied
	d.finish(scoreTime)
}

// redeem answers a wish to spend points, at the partition's clock. The answer is
// kept for ever, also a refusal: the same id gets it again.
func (d *decision) redeem() {
	in := d.ev.Redeem
	switch {
	case d.book == nil:
		d.keep(event.ReasonNoProgram)
		return
	case d.seenRedemption(in):
		return
	}
	d.load()
	a := answer{hash: d.hash, points: in.Points, orderID: in.OrderID}
	switch {
	case d.c == nil || !d.c.member:
		a.reason = event.ReasonNotMember
	case in.Points < d.book.Redemption.MinimumPoints:
		a.reason = event.ReasonMinimumPoints
	case in.Points <= 0 || d.c.balance < in.Points:
		a.reason = event.ReasonInsufficientPoints
	default:
		a.accepted = true
		d.spend(in.Points, in.OrderID)
	}
	if d.c != nil {
		a.balance = d.c.balance
	}
	d.l.value = a.append(d.l.value[:0])
	d.st.Put(d.l.key.named(kindRedemption, d.id, in.RedemptionID), d.l.value, 0)
	d.e.Redemption = a.fact(in.RedemptionID)
	if !a.accepted {
		d.reject(a.reason)
		return
	}
	d.e.Outcome = event.OutcomeApplied
	d.measure()
	d.finish(scoreTime)
}

func (a *answer) fact(id string) *event.Redemption {
	return &event.Redemption{RedemptionID: id, Points: a.points, OrderID: a.orderID, Accepted: a.accepted, Balance: a.balance}
}

// seenRedemption answers a redemption id that is known.
func (d *decision) seenRedemption(in *event.Redeem) bool {
	d.hash, d.l.value = hashRedeem(d.l.value, in)
	key := d.l.key.named(kindRedemption, d.id, in.RedemptionID)
	value, ok := d.st.Get(key)
	if !ok {
		return false
	}
	a, err := decodeAnswer(value)
	packed.Must(err, key)
	if a.hash != d.hash {
		d.e.Outcome = event.OutcomeConflict
		return true
	}
	d.e.Outcome, d.e.Reason = event.OutcomeDuplicate, a.reason
	d.e.Redemption = a.fact(in.RedemptionID)
	return true
}

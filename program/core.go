package program

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// coreFormat is the first byte of a core.
const coreFormat = 1

// pane is one day of an account's trade, in the program's zone.
type pane struct {
	day    event.Day
	orders int64 // not wholly refunded
	net    int64 // may be negative: refunds that belong to no order
}

// actionDay counts how often a bounded action rule gave points on a day.
type actionDay struct {
	rule  string
	day   event.Day
	count int64
}

// core is the hot part of an account: all that an ordinary order needs to read
// and change. What it holds beside the facts (window sums, scores, next expiry)
// is of the day it was last visited; timers visit it on every day on which that
// changes.
type core struct {
	nextDue event.Time // first, so that NextDue reads a few bytes

	member    bool
	simulated bool // a simulated event has changed it
	counted   bool // the three counted values are in the histograms
	enrolled  event.Time
	currency  string

	// balance = Σ open lots − debt; a debt and open lots never stand together.
	balance int64
	debt    int64

	orders     int64 // in all, not wholly refunded
	ordersEver int64
	net        int64
	first      event.Time // earliest order ever, also when refunded later
	last       event.Time // latest order not wholly refunded
	lastDay    event.Day

	windowOrders int64
	windowNet    int64
	tierSpend    int64
	tierLacking  int64

	nextExpiry       event.Day
	nextExpiryPoints int64

	tier      string
	tierSince event.Time
	ground    event.Day // when the tier was reached or last confirmed
	review    event.Day
	scores    event.Scores

	countedDay    int64
	countedOrders int64
	countedSpend  int64

	panes   []pane // ascending by day
	actions []actionDay
}

func (c *core) reset() {
	panes, actions := c.panes[:0], c.actions[:0]
	*c = core{panes: panes, actions: actions}
}

func (c *core) append(dst []byte) []byte {
	w := packed.Encoder{B: dst}
	w.Byte(coreFormat)
	w.Time(c.nextDue)
	w.Flags(c.member, c.simulated, c.counted)
	w.Time(c.enrolled)
	w.String(c.currency)
	w.Int(c.balance)
	w.Int(c.debt)
	w.Int(c.orders)
	w.Int(c.ordersEver)
	w.Int(c.net)
	w.Time(c.first)
	w.Time(c.last)
	w.Day(c.lastDay)
	w.Int(c.windowOrders)
	w.Int(c.windowNet)
	w.Int(c.tierSpend)
	w.Int(c.tierLacking)
	w.Day(c.nextExpiry)
	w.Int(c.nextExpiryPoints)
	w.String(c.tier)
	w.Time(c.tierSince)
	w.Day(c.ground)
	w.Day(c.review)
	w.Byte(byte(c.scores.R))
	w.Byte(byte(c.scores.F))
	w.Byte(byte(c.scores.M))
	w.Int(c.countedDay)
	w.Int(c.countedOrders)
	w.Int(c.countedSpend)
	w.Uint(uint64(len(c.panes)))
	var before event.Day
	for _, p := range c.panes {
		w.Day(p.day - before)
		w.Int(p.orders)
		w.Int(p.net)
		before = p.day
	}
	w.Uint(uint64(len(c.actions)))
	for _, a := range c.actions {
		w.String(a.rule)
		w.Day(a.day)
		w.Int(a.count)
	}
	return w.B
}

// decode reads a core; names turns a part of the value into a string.
func (c *core) decode(value []byte, names func([]byte) string) error {
	c.reset()
	r := packed.Decoder{B: value}
	if r.Byte() != coreFormat {
		r.Fail()
	}
	c.nextDue = r.Time()
	flags := r.Byte()
	c.member, c.simulated, c.counted = flags&1 != 0, flags&2 != 0, flags&4 != 0
	c.enrolled = r.Time()
	c.currency = names(r.Bytes())
	c.balance = r.Int()
	c.debt = r.Int()
	c.orders = r.Int()
	c.ordersEver = r.Int()
	c.net = r.Int()
	c.first = r.Time()
	c.last = r.Time()
	c.lastDay = r.Day()
	c.windowOrders = r.Int()
	c.windowNet = r.Int()
	c.tierSpend = r.Int()
	c.tierLacking = r.Int()
	c.nextExpiry = r.Day()
	c.nextExpiryPoints = r.Int()
	c.tier = names(r.Bytes())
	c.tierSince = r.Time()
	c.ground = r.Day()
	c.review = r.Day()
	c.scores = event.Scores{R: int8(r.Byte()), F: int8(r.Byte()), M: int8(r.Byte())}
	c.countedDay = r.Int()
	c.countedOrders = r.Int()
	c.countedSpend = r.Int()
	var before event.Day
	for n := r.Count(); n > 0 && !r.Bad; n-- {
		p := pane{day: before + r.Day(), orders: r.Int(), net: r.Int()}
		c.panes = append(c.panes, p)
		before = p.day
	}
	for n := r.Count(); n > 0 && !r.Bad; n-- {
		c.actions = append(c.actions, actionDay{rule: names(r.Bytes()), day: r.Day(), count: r.Int()})
	}
	return r.End("account core")
}

// dueOfCore reads only when a core is due.
func dueOfCore(value []byte) (event.Time, error) {
	r := packed.Decoder{B: value}
	if r.Byte() != coreFormat {
		r.Fail()
	}
	due := r.Time()
	if r.Bad {
		return 0, r.End("account core")
	}
	return due, nil
}

// addPane adds to the pane of a day, making one when it is new.
func (c *core) addPane(day event.Day, orders, net int64) {
	i := len(c.panes)
	for i > 0 && c.panes[i-1].day > day {
		i--
	}
	if i > 0 && c.panes[i-1].day == day {
		i--
		c.panes[i].orders += orders
		c.panes[i].net = addMoney(c.panes[i].net, net)
		if c.panes[i].orders == 0 && c.panes[i].net == 0 {
			c.panes = append(c.panes[:i], c.panes[i+1:]...)
		}
		return
	}
	c.panes = append(c.panes, pane{})
	copy(c.panes[i+1:], c.panes[i:])
	c.panes[i] = pane{day: day, orders: orders, net: net}
}

// sum adds the panes of the days after < day ≤ until; until 0: no end.
func (c *core) sum(after, until event.Day) (orders, net int64) {
	for _, p := range c.panes {
		if p.day > after && (until == 0 || p.day <= until) {
			orders += p.orders
			net = addMoney(net, p.net)
		}
	}
	return orders, net
}

// forget drops panes of the day and before, and action counts of days whose
// events would be too old to count.
func (c *core) forget(upTo, actionsBefore event.Day) {
	n := 0
	for n < len(c.panes) && c.panes[n].day <= upTo {
		n++
	}
	c.panes = append(c.panes[:0], c.panes[n:]...)
	kept := c.actions[:0]
	for _, a := range c.actions {
		if a.day >= actionsBefore {
			kept = append(kept, a)
		}
	}
	c.actions = kept
}

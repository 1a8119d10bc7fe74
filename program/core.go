package program

import "github.com/punchcard/punchcard/event"

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
	w := encoder{b: dst}
	w.byte(coreFormat)
	w.time(c.nextDue)
	w.flags(c.member, c.simulated, c.counted)
	w.time(c.enrolled)
	w.string(c.currency)
	w.int(c.balance)
	w.int(c.debt)
	w.int(c.orders)
	w.int(c.ordersEver)
	w.int(c.net)
	w.time(c.first)
	w.time(c.last)
	w.day(c.lastDay)
	w.int(c.windowOrders)
	w.int(c.windowNet)
	w.int(c.tierSpend)
	w.int(c.tierLacking)
	w.day(c.nextExpiry)
	w.int(c.nextExpiryPoints)
	w.string(c.tier)
	w.time(c.tierSince)
	w.day(c.ground)
	w.day(c.review)
	w.byte(byte(c.scores.R))
	w.byte(byte(c.scores.F))
	w.byte(byte(c.scores.M))
	w.int(c.countedDay)
	w.int(c.countedOrders)
	w.int(c.countedSpend)
	w.uint(uint64(len(c.panes)))
	var before event.Day
	for _, p := range c.panes {
		w.day(p.day - before)
		w.int(p.orders)
		w.int(p.net)
		before = p.day
	}
	w.uint(uint64(len(c.actions)))
	for _, a := range c.actions {
		w.string(a.rule)
		w.day(a.day)
		w.int(a.count)
	}
	return w.b
}

// decode reads a core; names turns a part of the value into a string.
func (c *core) decode(value []byte, names func([]byte) string) error {
	c.reset()
	r := decoder{b: value}
	if r.byte() != coreFormat {
		r.fail()
	}
	c.nextDue = r.time()
	flags := r.byte()
	c.member, c.simulated, c.counted = flags&1 != 0, flags&2 != 0, flags&4 != 0
	c.enrolled = r.time()
	c.currency = names(r.bytes())
	c.balance = r.int()
	c.debt = r.int()
	c.orders = r.int()
	c.ordersEver = r.int()
	c.net = r.int()
	c.first = r.time()
	c.last = r.time()
	c.lastDay = r.day()
	c.windowOrders = r.int()
	c.windowNet = r.int()
	c.tierSpend = r.int()
	c.tierLacking = r.int()
	c.nextExpiry = r.day()
	c.nextExpiryPoints = r.int()
	c.tier = names(r.bytes())
	c.tierSince = r.time()
	c.ground = r.day()
	c.review = r.day()
	c.scores = event.Scores{R: int8(r.byte()), F: int8(r.byte()), M: int8(r.byte())}
	c.countedDay = r.int()
	c.countedOrders = r.int()
	c.countedSpend = r.int()
	var before event.Day
	for n := r.count(); n > 0 && !r.bad; n-- {
		p := pane{day: before + r.day(), orders: r.int(), net: r.int()}
		c.panes = append(c.panes, p)
		before = p.day
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		c.actions = append(c.actions, actionDay{rule: names(r.bytes()), day: r.day(), count: r.int()})
	}
	return r.end("account core")
}

// dueOfCore reads only when a core is due.
func dueOfCore(value []byte) (event.Time, error) {
	r := decoder{b: value}
	if r.byte() != coreFormat {
		r.fail()
	}
	due := r.time()
	if r.bad {
		return 0, r.end("account core")
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

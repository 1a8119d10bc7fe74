package program

import (
	"encoding/binary"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

const lotFormat = 1

// maxLotsPerEntry bounds how many lots one entry lets expire (each may rewrite
// its order, and an entry must stay below event.MaxRecordBytes); what is left is
// due at the same instant again.
const maxLotsPerEntry = 1024

// Lot is points with one origin and one expiry.
type Lot struct {
	ID        string // order id (or message id), "/", rule id; event.LotDebt
	OrderID   string // "" unless an order earned it
	RuleID    string
	ExpiresOn event.Day // usable through this day; 0: never expires
	Remaining int64     // negative: the debt lot
}

func appendLot(dst []byte, lot *Lot) []byte {
	w := packed.Encoder{B: dst}
	w.Byte(lotFormat)
	w.Int(lot.Remaining)
	w.String(lot.OrderID)
	w.String(lot.RuleID)
	return w.B
}

// decodeLot reads a lot from its key (kind, account, 00, day, id) and value.
func decodeLot(key, value []byte, accountLen int) (Lot, error) {
	lot := Lot{}
	r := packed.Decoder{B: value}
	if len(key) < accountLen+6 || r.Byte() != lotFormat {
		r.Fail()
		return lot, r.End("lot")
	}
	rest := key[accountLen+2:]
	lot.ExpiresOn = expiryOf(binary.BigEndian.Uint32(rest))
	lot.ID = string(rest[4:])
	lot.Remaining = r.Int()
	lot.OrderID, lot.RuleID = string(r.Bytes()), string(r.Bytes())
	return lot, r.End("lot")
}

// scanLots visits open lots, first expiring first, until fn returns false.
func scanLots(st State, accountID string, fn func(lot *Lot) bool) {
	from, to := rangeOf(kindLot, accountID)
	st.Scan(from, to, func(key, value []byte) bool {
		lot, err := decodeLot(key, value, len(accountID))
		packed.Must(err, key)
		return fn(&lot)
	})
}

// Lots returns the open lots of an account, first expiring first (the order in
// which they are spent); a negative balance is a last lot named event.LotDebt.
func Lots(st State, accountID string) []Lot {
	var out []Lot
	scanLots(st, accountID, func(lot *Lot) bool {
		out = append(out, *lot)
		return true
	})
	var key keyBuffer
	value, ok := st.Get(key.core(accountID))
	if !ok {
		return out
	}
	var c core
	packed.Must(c.decode(value, copyName), key.b)
	if c.debt > 0 {
		out = append(out, Lot{ID: event.LotDebt, Remaining: -c.debt})
	}
	return out
}

// expiryAfter returns the last day on which points of an event on the day are
// usable; 0: for ever. A month later is the same day of the month, or the
// month's last.
func expiryAfter(b *Book, day event.Day) event.Day {
	if b.ExpiryMonths == 0 && b.ExpiryDays == 0 {
		return 0
	}
	if b.ExpiryMonths != 0 {
		y, m, dayOfMonth := day.Date()
		month := m + time.Month(b.ExpiryMonths) // past December: normalised by DayOn
		last := event.DayOn(y, month+1, 1) - 1
		day = min(event.DayOn(y, month, 1)+event.Day(dayOfMonth)-1, last)
	}
	return day + event.Day(b.ExpiryDays)
}

// expiryAfter remembers the last answer: the events of a partition cluster around
// its clock.
func (l *Library) expiryAfter(b *Book, day event.Day) event.Day {
	if m := &l.expiry; m.book != b || m.day != day {
		m.book, m.day, m.on = b, day, expiryAfter(b, day)
	}
	return l.expiry.on
}

// post moves points between the customer's lot and a counterpart.
func (d *decision) post(points int64, lotID string, expiresOn event.Day, counterpart, reason, ruleID, orderID string) {
	wallet := d.book.Wallet
	d.e.Postings = append(d.e.Postings,
		event.Posting{Account: event.AccountCustomer, Wallet: wallet, Points: points, LotID: lotID, ExpiresOn: expiresOn, Reason: reason, RuleID: ruleID, OrderID: orderID},
		event.Posting{Account: counterpart, Wallet: wallet, Points: -points, Reason: reason, RuleID: ruleID, OrderID: orderID})
}

// postSettle moves points from a lot into the debt.
func (d *decision) postSettle(points int64, lot *Lot) {
	wallet := d.book.Wallet
	d.e.Postings = append(d.e.Postings,
		event.Posting{Account: event.AccountCustomer, Wallet: wallet, Points: -points, LotID: lot.ID, ExpiresOn: lot.ExpiresOn, Reason: event.PostSettle, RuleID: lot.RuleID, OrderID: lot.OrderID},
		event.Posting{Account: event.AccountCustomer, Wallet: wallet, Points: points, LotID: event.LotDebt, Reason: event.PostSettle})
}

// addLot gives points earned on a day: first they settle a debt; what is left
// opens a lot, or expires at once when its day has passed by the clock (a late
// event). It returns the expiry and how many points expired.
func (d *decision) addLot(lotID, orderID, ruleID string, earned event.Day, points int64) (expiresOn event.Day, expired int64) {
	lot := Lot{ID: lotID, OrderID: orderID, RuleID: ruleID, ExpiresOn: d.l.expiryAfter(d.book.Book, earned), Remaining: points}
	d.post(points, lotID, lot.ExpiresOn, event.AccountEarned, event.PostEarn, ruleID, orderID)
	d.c.balance += points
	if settled := min(d.c.debt, points); settled > 0 {
		d.postSettle(settled, &lot)
		d.c.debt -= settled
		lot.Remaining -= settled
	}
	if lot.Remaining == 0 {
		return lot.ExpiresOn, 0
	}
	if lot.ExpiresOn != 0 && lot.ExpiresOn < d.today {
		d.post(-lot.Remaining, lotID, lot.ExpiresOn, event.AccountExpired, event.PostExpire, ruleID, orderID)
		d.c.balance -= lot.Remaining
		return lot.ExpiresOn, lot.Remaining
	}
	d.openLot(&lot)
	return lot.ExpiresOn, 0
}

// openLot writes a new lot. Lots of orders are new by the order's id; an action's
// could meet an older one of its name, and then joins it.
func (d *decision) openLot(lot *Lot) {
	added := lot.Remaining
	key := d.l.key.lot(d.id, lot.ExpiresOn, lot.ID)
	if lot.OrderID == "" {
		if value, ok := d.st.Get(key); ok {
			old, err := decodeLot(key, value, len(d.id))
			packed.Must(err, key)
			lot.Remaining += old.Remaining
		}
	}
	d.putLot(lot)
	switch c := d.c; {
	case lot.ExpiresOn == 0:
	case c.nextExpiry == 0 || lot.ExpiresOn < c.nextExpiry:
		c.nextExpiry, c.nextExpiryPoints = lot.ExpiresOn, added
	case lot.ExpiresOn == c.nextExpiry:
		c.nextExpiryPoints += added
	}
}

// putLot writes a lot, or removes an empty one.
func (d *decision) putLot(lot *Lot) {
	key := d.l.key.lot(d.id, lot.ExpiresOn, lot.ID)
	if lot.Remaining == 0 {
		d.st.Delete(key)
		return
	}
	d.l.value = appendLot(d.l.value[:0], lot)
	d.st.Put(key, d.l.value, 0)
}

// takeLots takes points from open lots, first expiring first, and returns what
// was taken from each (Remaining holds what was taken).
func (d *decision) takeLots(points int64) []Lot {
	var taken []Lot
	scanLots(d.st, d.id, func(lot *Lot) bool {
		if points == 0 {
			return false
		}
		taken = append(taken, *lot)
		points -= min(points, lot.Remaining)
		return points > 0
	})
	return taken
}

// spend takes points that the balance has.
func (d *decision) spend(points int64, orderID string) {
	rest := points
	for _, lot := range d.takeLots(points) {
		n := min(rest, lot.Remaining)
		d.post(-n, lot.ID, lot.ExpiresOn, event.AccountSpent, event.PostSpend, lot.RuleID, orderID)
		rest -= n
		lot.Remaining -= n
		d.putLot(&lot)
	}
	d.c.balance -= points
	d.lotsChanged = true
}

// settleDebt fills a debt from the other open lots, first expiring first: had
// the reversed points never been there, these would have been spent.
func (d *decision) settleDebt() {
	if d.c.debt == 0 {
		return
	}
	for _, lot := range d.takeLots(d.c.debt) {
		n := min(d.c.debt, lot.Remaining)
		d.postSettle(n, &lot)
		d.c.debt -= n
		lot.Remaining -= n
		d.putLot(&lot)
		d.lotsChanged = true
	}
}

// expireLots lets lots go whose last day is before today, and tells their orders
// (a refund owes nothing for points that are gone).
func (d *decision) expireLots() {
	var gone []Lot
	scanLots(d.st, d.id, func(lot *Lot) bool {
		if lot.ExpiresOn == 0 || lot.ExpiresOn >= d.today || len(gone) == maxLotsPerEntry {
			return false
		}
		gone = append(gone, *lot)
		return true
	})
	for _, lot := range gone {
		n := lot.Remaining
		d.post(-n, lot.ID, lot.ExpiresOn, event.AccountExpired, event.PostExpire, lot.RuleID, lot.OrderID)
		d.c.balance -= n
		lot.Remaining = 0
		d.putLot(&lot)
		if lot.OrderID != "" {
			d.noteExpired(&lot, n)
		}
	}
	d.lotsChanged = true
}

func (d *decision) noteExpired(lot *Lot, points int64) {
	o := d.getOrder(lot.OrderID)
	if o == nil {
		return
	}
	for i := range o.grants {
		if o.grants[i].rule == lot.RuleID {
			o.grants[i].expired += points
		}
	}
	d.putOrder(lot.OrderID, o)
}

// findNextExpiry reads from the lots what the core says of the next expiry.
func (d *decision) findNextExpiry() {
	c := d.c
	c.nextExpiry, c.nextExpiryPoints = 0, 0
	scanLots(d.st, d.id, func(lot *Lot) bool {
		if lot.ExpiresOn == 0 || (c.nextExpiry != 0 && lot.ExpiresOn != c.nextExpiry) {
			return false
		}
		c.nextExpiry = lot.ExpiresOn
		c.nextExpiryPoints += lot.Remaining
		return true
	})
}

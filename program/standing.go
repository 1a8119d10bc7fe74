package program

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// maxDay bounds days that are computed, far beyond any program.
const maxDay = 1 << 24

// PaneDays is how long an account's days of trade are kept at least: the longest
// window that a segment may ask for, with room for late events.
const PaneDays = 400

// keptAfter is the last day whose pane no rule can need any more.
func (d *decision) keptAfter() event.Day {
	keep := max(d.now.rfmWindow(), PaneDays)
	if len(d.now.Tiers.Levels) > 0 {
		keep = max(keep, d.now.tierWindow()+d.now.Tiers.ReviewDays)
	}
	return d.today - event.Day(keep)
}

// measure drops panes that no rule needs (a late event or refund may have just
// written to one) and sums the windows as of today. A window of W days is today and the W−1
// days before; days ahead of the clock (a sender's clock runs fast) count at
// once.
func (d *decision) measure() {
	c := d.c
	c.forget(d.keptAfter(), d.today-event.Day(d.now.maxAge())-2)
	c.windowOrders, c.windowNet = c.sum(d.today-event.Day(d.now.rfmWindow()), 0)
	c.tierSpend = 0
	if len(d.now.Tiers.Levels) > 0 {
		_, c.tierSpend = c.sum(d.today-event.Day(d.now.tierWindow()), 0)
	}
}

// nextExit returns the day on which the next pane leaves a window, 0: none.
func (d *decision) nextExit() (next event.Day) {
	earliest := func(window int) {
		for _, p := range d.c.panes {
			if exit := p.day + event.Day(window); exit > d.today {
				next = sooner(next, exit)
				return
			}
		}
	}
	earliest(d.now.rfmWindow())
	if len(d.now.Tiers.Levels) > 0 {
		earliest(d.now.tierWindow())
	}
	return next
}

func sooner(a, b event.Day) event.Day {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// nextDue returns the instant at which time alone changes something.
func (d *decision) nextDue() event.Time {
	day := d.nextExit()
	if d.c.nextExpiry != 0 {
		day = sooner(day, d.c.nextExpiry+1)
	}
	day = sooner(day, d.c.review)
	day = sooner(day, d.nextRecency())
	if day == 0 {
		return 0
	}
	return day.Start(d.now.Zone)
}

// finish derives what follows from the changed core, writes it, and reports how
// the account stands.
func (d *decision) finish(reason string) {
	c := d.c
	if d.lotsChanged {
		d.findNextExpiry()
	}
	d.score(reason)
	d.reportTier()
	c.tierLacking = d.lacking()
	c.nextDue = d.nextDue()
	d.putCore()
	d.e.Standing = c.standing(d.id)
}

func (d *decision) putCore() {
	d.l.value = d.c.append(d.l.value[:0])
	d.st.Put(d.l.key.core(d.id), d.l.value, d.c.nextDue)
	d.l.kept = d.id
}

// standing needs nothing but the core, so that reading it gives what the last
// entry said.
func (c *core) standing(accountID string) *event.Standing {
	return &event.Standing{
		CustomerID:          accountID,
		Member:              c.member,
		EnrolledTime:        c.enrolled,
		Balance:             c.balance,
		NextExpiryOn:        c.nextExpiry,
		NextExpiryPoints:    c.nextExpiryPoints,
		Tier:                c.tier,
		TierSince:           c.tierSince,
		TierReviewOn:        c.review,
		TierSpendMinor:      c.tierSpend,
		TierLackingMinor:    c.tierLacking,
		Scores:              c.scores,
		Orders:              c.orders,
		NetSpendMinor:       c.net,
		WindowOrders:        c.windowOrders,
		WindowNetSpendMinor: c.windowNet,
		Currency:            c.currency,
		FirstOrderTime:      c.first,
		LastOrderTime:       c.last,
		IsSimulated:         c.simulated,
	}
}

// ReadStanding returns how an account stands: the same as the Standing of its
// last entry that had one. False when nothing is known of it (guests included).
func ReadStanding(st State, _ *Library, accountID string) (*event.Standing, bool) {
	var key keyBuffer
	value, ok := st.Get(key.core(accountID))
	if !ok {
		return nil, false
	}
	var c core
	packed.Must(c.decode(value, copyName), key.b)
	return c.standing(accountID), true
}

// AccountTotals is what must agree within an account.
type AccountTotals struct {
	AccountID string
	Balance   int64
	LotsSum   int64 // Σ open lots, less the debt
}

// scanPage is how many cores ScanAccounts reads ahead.
const scanPage = 1024

// ScanAccounts visits every account that has a core, in key order, until fn
// returns false. fn must not call State.
func ScanAccounts(st State, fn func(AccountTotals) bool) {
	from, to := CoreRange()
	for {
		var page []AccountTotals
		st.Scan(from, to, func(key, value []byte) bool {
			var c core
			packed.Must(c.decode(value, copyName), key)
			id, _ := AccountOfCore(key)
			page = append(page, AccountTotals{AccountID: id, Balance: c.balance, LotsSum: -c.debt})
			return len(page) < scanPage
		})
		for _, a := range page {
			scanLots(st, a.AccountID, func(lot *Lot) bool {
				a.LotsSum += lot.Remaining
				return true
			})
			if !fn(a) {
				return
			}
		}
		if len(page) < scanPage {
			return
		}
		from = append(append([]byte{kindCore}, page[len(page)-1].AccountID...), 0)
	}
}

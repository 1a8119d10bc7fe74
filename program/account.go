package program

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// Account is an account's core as segments read it. It is valid until the
// Library's next call.
type Account struct{ c *core }

// Account reads an account; false when it has no core: nothing of it was counted,
// or it is a guest.
func (l *Library) Account(st State, accountID string) (Account, bool) {
	if l.kept != "" && l.kept == accountID {
		return Account{c: &l.core}, true
	}
	key := l.key.core(accountID)
	value, ok := st.Get(key)
	if !ok {
		return Account{}, false
	}
	l.kept = ""
	packed.Must(l.core.decode(value, l.intern), key)
	l.kept = accountID
	return Account{c: &l.core}, true
}

// Standing fills s with how the account stands.
func (a Account) Standing(accountID string) *event.Standing { return a.c.standing(accountID) }

// Member, Balance and the like are those of event.Standing.
func (a Account) Member() bool { return a.c.member }

// Simulated reports whether a simulated event has changed the account.
func (a Account) Simulated() bool { return a.c.simulated }

// EnrolledTime is when it became a member, 0: it is none.
func (a Account) EnrolledTime() event.Time { return a.c.enrolled }

// Balance is what it may spend, in points.
func (a Account) Balance() int64 { return a.c.balance }

// NextExpiry is the day at whose end points expire next, and how many; 0: none.
func (a Account) NextExpiry() (event.Day, int64) { return a.c.nextExpiry, a.c.nextExpiryPoints }

// Tier is its tier, "": none; TierSince when it was reached.
func (a Account) Tier() string { return a.c.tier }

// TierSince is when the tier was reached.
func (a Account) TierSince() event.Time { return a.c.tierSince }

// TierReviewOn is the day of the tier's next review, 0: none.
func (a Account) TierReviewOn() event.Day { return a.c.review }

// TierSpendMinor is the net spend in the tiers' window, as of its last visit.
func (a Account) TierSpendMinor() int64 { return a.c.tierSpend }

// TierLackingMinor is what is missing to be confirmed at the tier's review if
// nothing more is bought until then.
func (a Account) TierLackingMinor() int64 { return a.c.tierLacking }

// Scores are R, F and M.
func (a Account) Scores() event.Scores { return a.c.scores }

// Orders counts orders in all, not wholly refunded; NetSpendMinor is their spend.
func (a Account) Orders() int64 { return a.c.orders }

// NetSpendMinor is the net spend in all, less refunds.
func (a Account) NetSpendMinor() int64 { return a.c.net }

// Currency is that of its amounts.
func (a Account) Currency() string { return a.c.currency }

// FirstOrderTime is that of the earliest order ever, also one refunded later.
func (a Account) FirstOrderTime() event.Time { return a.c.first }

// LastOrder is the latest order not wholly refunded: its time, and its day in the
// program's zone; 0: none.
func (a Account) LastOrder() (event.Time, event.Day) { return a.c.last, a.c.lastDay }

// SumOrders counts the orders of the days from ≤ day ≤ to that are not wholly
// refunded, and their net spend in minor units. Days older than PaneDays may be
// forgotten.
func (a Account) SumOrders(from, to event.Day) (orders, netMinor int64) { return a.c.sum(from-1, to) }

// EachOrderDay visits the days of trade that are kept, ascending, until fn returns
// false.
func (a Account) EachOrderDay(fn func(day event.Day, orders, netMinor int64) bool) {
	for _, p := range a.c.panes {
		if !fn(p.day, p.orders, p.net) {
			return
		}
	}
}

// OrderLine is a line of an order as it is kept.
type OrderLine struct {
	ProductID, Category, Brand string
	// Quantity and NetMinor (after its share of the discount), and what of both is
	// not refunded.
	Quantity, NetMinor         int64
	LeftQuantity, LeftNetMinor int64
}

// Order is an order as it is kept for ever.
type Order struct {
	OrderID          string
	Time             event.Time
	Day              event.Day // program's zone, at the time
	Wholly           bool      // wholly refunded: it does not count
	Channel, Country string
	Lines            []OrderLine
}

// ScanOrders visits every order of an account, by order id, until fn returns
// false. fn must not call State.
func ScanOrders(st State, accountID string, fn func(o *Order) bool) {
	from, to := rangeOf(kindOrder, accountID)
	st.Scan(from, to, func(key, value []byte) bool {
		in, err := decodeOrder(value)
		packed.Must(err, key)
		o := Order{
			OrderID: string(key[len(from):]), Time: in.time, Day: in.day, Wholly: in.wholly, Channel: in.channel, Country: in.country,
			Lines: make([]OrderLine, len(in.lines)),
		}
		for i, l := range in.lines {
			o.Lines[i] = OrderLine{
				ProductID: l.product, Category: l.category, Brand: l.brand,
				Quantity: l.quantity, NetMinor: l.net, LeftQuantity: l.leftQuantity, LeftNetMinor: l.left,
			}
		}
		return fn(&o)
	})
}

package program

import (
	"encoding/binary"
	"math"

	"github.com/punchcard/punchcard/event"
)

// Kinds of keys: the first byte. Ids are printable, so 0x00 separates them.
//
//	c account                              core
//	f account 00 refund id                 refund
//	h which value(8)                       how many customers have the value
//	l account 00 expiry day(4) lot id      open lot; never expiring ones last
//	n account 00 ^time(8) order id         orders not wholly refunded, newest first
//	o account 00 order id                  order, for ever
//	r account 00 redemption id             redemption, for ever
const (
	kindCore       = 'c'
	kindRefund     = 'f'
	kindHistogram  = 'h'
	kindLot        = 'l'
	kindNewest     = 'n'
	kindOrder      = 'o'
	kindRedemption = 'r'
)

// FreshKinds are the kinds of keys that are usually asked for when they do not
// exist yet: an order, refund or redemption comes once.
const FreshKinds = string(kindOrder) + string(kindRefund) + string(kindRedemption)

// The three histograms behind cut points.
const (
	countLastDay = 'd'
	countOrders  = 'o'
	countSpend   = 's'
)

// never sorts lots without expiry behind all others.
const never = math.MaxUint32

type keyBuffer struct{ b []byte }

func (k *keyBuffer) start(kind byte, accountID string) *keyBuffer {
	k.b = append(append(append(k.b[:0], kind), accountID...), 0)
	return k
}

func (k *keyBuffer) core(accountID string) []byte {
	k.b = append(append(k.b[:0], kindCore), accountID...)
	return k.b
}

func (k *keyBuffer) named(kind byte, accountID, id string) []byte {
	k.start(kind, accountID)
	k.b = append(k.b, id...)
	return k.b
}

func (k *keyBuffer) lot(accountID string, expiresOn event.Day, id string) []byte {
	k.start(kindLot, accountID)
	k.b = binary.BigEndian.AppendUint32(k.b, expiryOrder(expiresOn))
	k.b = append(k.b, id...)
	return k.b
}

func (k *keyBuffer) newest(accountID string, t event.Time, orderID string) []byte {
	k.start(kindNewest, accountID)
	k.b = binary.BigEndian.AppendUint64(k.b, newestOrder(t))
	k.b = append(k.b, orderID...)
	return k.b
}

func (k *keyBuffer) histogram(which byte, value int64) []byte {
	k.b = append(k.b[:0], kindHistogram, which)
	k.b = binary.BigEndian.AppendUint64(k.b, uint64(value)^(1<<63))
	return k.b
}

func expiryOrder(d event.Day) uint32 {
	if d == 0 {
		return never
	}
	return uint32(d) ^ (1 << 31)
}

func expiryOf(order uint32) event.Day {
	if order == never {
		return 0
	}
	return event.Day(order ^ (1 << 31))
}

// newestOrder makes later times sort first.
func newestOrder(t event.Time) uint64 { return ^(uint64(t) ^ (1 << 63)) }

func timeOfNewest(order uint64) event.Time { return event.Time(^order ^ (1 << 63)) }

// rangeOf returns the keys of one kind of one account.
func rangeOf(kind byte, accountID string) (from, to []byte) {
	from = append(append(append(make([]byte, 0, len(accountID)+2), kind), accountID...), 0)
	to = append(append([]byte(nil), from[:len(from)-1]...), 1)
	return from, to
}

// CoreRange returns the key range of all account cores, for sweeps. A core is
// put with due = its account's NextDue.
func CoreRange() (from, to []byte) { return []byte{kindCore}, []byte{kindCore + 1} }

// AccountOfCore returns the account that a core's key belongs to; false when the
// key is not a core's.
func AccountOfCore(key []byte) (string, bool) {
	if len(key) < 2 || key[0] != kindCore {
		return "", false
	}
	return string(key[1:]), true
}

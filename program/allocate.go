package program

import (
	"encoding/binary"

	"github.com/punchcard/punchcard/event"
)

// maxAllocateOrders bounds how many of a customer's orders, newest first, one
// refund without order id looks at; what is older is not found.
const maxAllocateOrders = 2000

// allocate finds the orders that a refund without order id undoes: for each of
// its lines, the customer's own orders up to the refund's time that hold the
// product, newest first (by order id among equals), never more units than are
// unrefunded, over as many orders as it takes. A line's money goes with its units (see portion). A
// refund by amount names no product and finds nothing.
func (d *decision) allocate(in *event.Refund, fact *event.RefundFact) []*touched {
	candidates := d.candidates(len(in.Lines) > 0)
	for i := range in.Lines {
		line := &in.Lines[i]
		out := event.RefundLine{OrderLine: *line, Match: event.Unmatched}
		for _, t := range candidates {
			if out.MatchedQuantity == line.Quantity {
				break
			}
			if t.order == nil {
				t.order = d.getOrder(t.id)
			}
			took := t.order.takeUnits(line.ProductID, line.Quantity-out.MatchedQuantity)
			t.addMatch(fact, &out, int32(i), took)
		}
		addLine(fact, out)
	}
	changed := candidates[:0]
	for _, t := range candidates {
		if t.first >= 0 {
			changed = append(changed, t)
		}
	}
	return changed
}

// candidates lists the customer's orders up to the event's time, newest first,
// not yet read.
func (d *decision) candidates(wanted bool) []*touched {
	if !wanted || !d.book.Refunds.Allocate || d.c == nil {
		return nil
	}
	var list []touched
	_, to := rangeOf(kindNewest, d.id)
	from := append([]byte(nil), d.l.key.newest(d.id, d.ev.EventTime, "")...)
	d.st.Scan(from, to, func(key, _ []byte) bool {
		_, id := splitNewest(key, len(d.id))
		list = append(list, touched{id: id, first: -1})
		return len(list) < maxAllocateOrders
	})
	out := make([]*touched, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// splitNewest reads a key of the newest-first index.
func splitNewest(key []byte, accountLen int) (event.Time, string) {
	rest := key[accountLen+2:]
	return timeOfNewest(binary.BigEndian.Uint64(rest)), string(rest[8:])
}

// addMatch counts took units of a refund's line as found in the order.
func (t *touched) addMatch(fact *event.RefundFact, out *event.RefundLine, line int32, took int64) {
	if took == 0 {
		return
	}
	out.MatchedQuantity += took
	upTo := portion(out.AmountMinor, out.MatchedQuantity, out.Quantity)
	money := upTo - out.MatchedMinor
	out.MatchedMinor = upTo
	t.given += money
	if t.first < 0 {
		t.first = len(fact.Allocations)
	}
	fact.Allocations = append(fact.Allocations, event.Allocation{OrderID: t.id, Line: line, Quantity: took, AmountMinor: money})
}

func addLine(fact *event.RefundFact, line event.RefundLine) {
	switch line.MatchedQuantity {
	case 0:
		line.Match = event.Unmatched
	case line.Quantity:
		line.Match = event.Matched
	default:
		line.Match = event.Partly
	}
	fact.MatchedMinor += line.MatchedMinor
	fact.Lines = append(fact.Lines, line)
}

func unmatchedLines(in *event.Refund) []event.RefundLine {
	out := make([]event.RefundLine, 0, len(in.Lines))
	for i := range in.Lines {
		out = append(out, event.RefundLine{OrderLine: in.Lines[i], Match: event.Unmatched})
	}
	return out
}

// refundMoney is the money that a refund says it gives back; a whole refund
// says it only with its order.
func refundMoney(in *event.Refund) int64 {
	n := in.AmountMinor
	for i := range in.Lines {
		n += in.Lines[i].AmountMinor
	}
	return n
}

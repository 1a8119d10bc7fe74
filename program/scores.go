package program

import (
	"encoding/binary"
	"math/bits"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// Scores are of identified customers with at least one order, not wholly
// refunded, in the window; everybody else has 0, 0, 0 and is not counted.
//
//   - By population: R = 5 − #{5 × days > cut}, F and M = 1 + #{5 × value > cut}
//     (bins closed on the right). Days run from the last order's day to the cut
//     points' day, so R moves with an order or refund of the customer's own and with
//     new cut points, never in between. M looks at SpendBucket of the net spend.
//   - By fixed thresholds (the method, or too few customers for cut points, or
//     none yet): days run to today, and timers visit the day R falls.

// Reasons of score changes.
const (
	scoreOrder   = "order"
	scoreRefund  = "refund"
	scoreTime    = "time"
	scoreCuts    = "cut_points"
	scoreProgram = "program" // a sweep without cut points: another version of the rules
)

// SpendBucket returns the lower bound of the bucket that a net spend is counted
// in: 0 for what is not positive; itself below 256; above, its 8 highest bits,
// the rest 0 (so a bucket is less than 1 % wide):
//
//	k = floor(log2(v)) − 7; bucket = v >> k << k
func SpendBucket(minor int64) int64 {
	if minor <= 0 {
		return 0
	}
	if minor < 256 {
		return minor
	}
	k := bits.Len64(uint64(minor)) - 8
	return minor >> k << k
}

// cutPoints returns the cut points that score, nil: fixed thresholds do.
func (d *decision) cutPoints() *event.CutPoints {
	if d.now.RFM.Method != ScorePopulation || d.m.CutPoints == nil || d.m.CutPoints.Fixed {
		return nil
	}
	return d.m.CutPoints
}

func above(value int64, cuts *[4]int64) (n int8) {
	for _, c := range cuts {
		if value > c {
			n++
		}
	}
	return n
}

// derive works out the scores of the account as its core stands.
func (d *decision) derive() event.Scores {
	c := d.c
	if c.windowOrders <= 0 {
		return event.Scores{}
	}
	if cut := d.cutPoints(); cut != nil {
		days := max(0, int64(cut.Day-c.lastDay))
		return event.Scores{
			R: 5 - above(5*days, &cut.RecencyDays5),
			F: 1 + above(5*c.windowOrders, &cut.OrdersCount5),
			M: 1 + above(5*SpendBucket(c.windowNet), &cut.SpendMinor5),
		}
	}
	fixed := &d.now.RFM
	return event.Scores{
		R: 5 - above(max(0, int64(d.today-c.lastDay)), &fixed.RecencyDays),
		F: 1 + above(c.windowOrders, &fixed.OrdersCount),
		M: 1 + above(c.windowNet, &fixed.SpendMinor),
	}
}

// score derives the scores and keeps the histograms.
func (d *decision) score(reason string) {
	from := d.c.scores
	d.c.scores = d.derive()
	if d.c.scores != from {
		change := &event.ScoreChange{From: from, To: d.c.scores, Reason: reason}
		if cut := d.cutPoints(); cut != nil {
			change.Day = cut.Day
		}
		d.e.Scores = change
	}
	d.count()
}

// nextRecency returns the day on which R falls by time alone, 0: it does not.
func (d *decision) nextRecency() event.Day {
	if d.c.windowOrders <= 0 || d.cutPoints() != nil {
		return 0
	}
	for _, cut := range d.now.RFM.RecencyDays {
		if flip := int64(d.c.lastDay) + cut + 1; flip > int64(d.today) && flip < maxDay {
			return event.Day(flip)
		}
	}
	return 0
}

// count moves the account in the histograms from the values it was counted with
// to those it has.
func (d *decision) count() {
	c := d.c
	is := c.windowOrders > 0
	day, orders, spend := int64(c.lastDay), c.windowOrders, SpendBucket(c.windowNet)
	if !is {
		day, orders, spend = 0, 0, 0
	}
	d.recount(countLastDay, c.counted, is, c.countedDay, day)
	d.recount(countOrders, c.counted, is, c.countedOrders, orders)
	d.recount(countSpend, c.counted, is, c.countedSpend, spend)
	c.counted, c.countedDay, c.countedOrders, c.countedSpend = is, day, orders, spend
}

func (d *decision) recount(which byte, was, is bool, old, new int64) {
	if was == is && old == new {
		return
	}
	if was {
		d.addCount(which, old, -1)
	}
	if is {
		d.addCount(which, new, +1)
	}
}

func (d *decision) addCount(which byte, value, delta int64) {
	key := d.l.key.histogram(which, value)
	var n uint64
	if v, ok := d.st.Get(key); ok {
		n = decodeCount(v, key)
	}
	if n += uint64(delta); n == 0 {
		d.st.Delete(key)
		return
	}
	d.l.value = binary.AppendUvarint(d.l.value[:0], n)
	d.st.Put(key, d.l.value, 0)
}

func decodeCount(value, key []byte) uint64 {
	r := packed.Decoder{B: value}
	n := r.Uint()
	packed.Must(r.End("histogram"), key)
	return n
}

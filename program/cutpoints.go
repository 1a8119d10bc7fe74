package program

import (
	"encoding/binary"
	"slices"

	"github.com/punchcard/punchcard/event"
)

// ReadCounts returns what this partition counts for the cut points of a day:
// how many scored customers have each last order's day, number of orders, and
// bucket of spend, ascending by value.
func ReadCounts(st State, day event.Day) *event.Counts {
	return &event.Counts{
		Day:         day,
		LastOrder:   readHistogram(st, countLastDay),
		Orders:      readHistogram(st, countOrders),
		SpendBucket: readHistogram(st, countSpend),
	}
}

func readHistogram(st State, which byte) []event.Count {
	var out []event.Count
	st.Scan([]byte{kindHistogram, which}, []byte{kindHistogram, which + 1}, func(key, value []byte) bool {
		if len(key) == 10 {
			v := int64(binary.BigEndian.Uint64(key[2:]) ^ (1 << 63))
			out = append(out, event.Count{Value: v, Customers: int64(decodeCount(value, key))})
		}
		return true
	})
	return out
}

// CutPointsOf derives the cut points of a day from all partitions' counts: R
// type-7 quantiles at 20, 40, 60 and 80 %, times five, which makes them whole
// numbers. Fewer customers than minimum: Fixed. It does not depend on the order
// of counts.
func CutPointsOf(counts []*event.Counts, day event.Day, minimum int64) *event.CutPoints {
	var recency, orders, spend []event.Count
	for _, c := range counts {
		for _, v := range c.LastOrder {
			v.Value = max(0, int64(day)-v.Value)
			recency = append(recency, v)
		}
		orders = append(orders, c.Orders...)
		spend = append(spend, c.SpendBucket...)
	}
	cut := &event.CutPoints{Day: day}
	cut.Customers, cut.RecencyDays5 = quintiles(recency)
	_, cut.OrdersCount5 = quintiles(orders)
	_, cut.SpendMinor5 = quintiles(spend)
	if cut.Customers < max(minimum, 1) {
		return &event.CutPoints{Day: day, Customers: cut.Customers, Fixed: true}
	}
	return cut
}

// quintiles returns how many customers there are, and the four cuts times five.
// With n values x[0..n-1] in order, the type-7 quantile of p = k/5 lies at
// (n−1)k/5: so five times it is 5x[j] + rem(x[j+1] − x[j]) with j and rem the
// quotient and remainder of (n−1)k by 5.
func quintiles(counts []event.Count) (n int64, cuts [4]int64) {
	slices.SortFunc(counts, func(a, b event.Count) int {
		switch {
		case a.Value < b.Value:
			return -1
		case a.Value > b.Value:
			return 1
		}
		return 0
	})
	for _, c := range counts {
		n += c.Customers
	}
	if n == 0 {
		return 0, cuts
	}
	for k := int64(1); k <= 4; k++ {
		j, rem := (n-1)*k/5, (n-1)*k%5
		low := valueAt(counts, j)
		cuts[k-1] = 5 * low
		if rem > 0 {
			cuts[k-1] += rem * (valueAt(counts, j+1) - low)
		}
	}
	return n, cuts
}

// valueAt returns the i-th smallest value, from 0.
func valueAt(counts []event.Count, i int64) int64 {
	for _, c := range counts {
		if i < c.Customers {
			return c.Value
		}
		i -= c.Customers
	}
	return 0
}

package sink

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/punchcard/punchcard/event"
)

// take writes the rows in order of partition and sequence.
func (t *standings) take() block {
	c := customerRows{rows: rows{table: t.table, spans: make(map[int32]span)}}
	list := slices.SortedFunc(maps.Values(t.newest), func(a, b *event.Entry) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Sequence, b.Sequence))
	})
	for _, e := range list {
		c.add(e)
	}
	return c.take()
}

type customerRows struct {
	rows
	money
	scores                                 scores
	isMember                               []bool
	enrolled, tierSince, first, last       []int64
	balance, expiryPoints                  []int64
	tierSpend, tierLacking                 []int64
	orders, net, windowOrders, windowSpend []int64
	tier                                   []string
	expiryOn, reviewOn                     []time.Time
	segments                               [][]string
}

func (t *customerRows) add(e *event.Entry) {
	s := e.Standing
	t.key(e, 0)
	// Whose the row is, and whether that one is simulated, says the standing.
	n := t.len() - 1
	t.accountID[n], t.isSimulated[n] = s.CustomerID, s.IsSimulated
	t.money.add(s.Currency)
	t.scores.add(s.Scores)
	t.isMember = append(t.isMember, s.Member)
	t.enrolled = append(t.enrolled, int64(s.EnrolledTime))
	t.tierSince = append(t.tierSince, int64(s.TierSince))
	t.first = append(t.first, int64(s.FirstOrderTime))
	t.last = append(t.last, int64(s.LastOrderTime))
	t.balance = append(t.balance, s.Balance)
	t.expiryPoints = append(t.expiryPoints, s.NextExpiryPoints)
	t.tierSpend = append(t.tierSpend, s.TierSpendMinor)
	t.tierLacking = append(t.tierLacking, s.TierLackingMinor)
	t.orders = append(t.orders, s.Orders)
	t.net = append(t.net, s.NetSpendMinor)
	t.windowOrders = append(t.windowOrders, s.WindowOrders)
	t.windowSpend = append(t.windowSpend, s.WindowNetSpendMinor)
	t.tier = append(t.tier, s.Tier)
	t.expiryOn = append(t.expiryOn, date(s.NextExpiryOn))
	t.reviewOn = append(t.reviewOn, date(s.TierReviewOn))
	t.segments = append(t.segments, s.Segments)
}

func (t *customerRows) take() block {
	b := t.block(t.columns(
		column{Name: "is_member", Values: t.isMember},
		column{Name: "enrolled_time", Values: t.enrolled},
		column{Name: "tier_since", Values: t.tierSince},
		column{Name: "first_order_time", Values: t.first},
		column{Name: "last_order_time", Values: t.last},
		column{Name: "balance", Values: t.balance},
		column{Name: "next_expiry_points", Values: t.expiryPoints},
		column{Name: "tier_spend_minor", Values: t.tierSpend},
		column{Name: "tier_lacking_minor", Values: t.tierLacking},
		column{Name: "orders", Values: t.orders},
		column{Name: "net_spend_minor", Values: t.net},
		column{Name: "window_orders", Values: t.windowOrders},
		column{Name: "window_net_spend_minor", Values: t.windowSpend},
		column{Name: "tier", Values: t.tier},
		column{Name: "next_expiry_on", Values: t.expiryOn},
		column{Name: "tier_review_on", Values: t.reviewOn},
		column{Name: "segments", Values: t.segments},
		column{Name: "r", Values: t.scores.r}, column{Name: "f", Values: t.scores.f}, column{Name: "m", Values: t.scores.m},
	)...)
	for i := range b.columns {
		if b.columns[i].Name == "account_id" {
			b.columns[i].Name = "customer_id"
		}
	}
	return b
}

package program

import (
	"fmt"
	"math/big"
	"sort"

	"github.com/punchcard/punchcard/event"
)

// The second model's refunds.

// takeUnits gives back units of a product of one order, and their part of its
// value: of each line what is left × units / units left, half a penny up.
func (o *modelOrder) takeUnits(product string, want int64) (took int64) {
	for i := range o.lines {
		l := &o.lines[i]
		n := min(want-took, l.units)
		if l.product != product || n == 0 {
			continue
		}
		value := roundHalfUp(big.NewRat(l.left*n, l.units))
		l.left -= value
		l.units -= n
		took += n
	}
	return took
}

// takeLine gives back one refund line over the orders and returns its matched
// money: of n of its units, amount × n / quantity, half a penny up, in steps.
func takeLine(line event.OrderLine, orders []*modelOrder) (money int64) {
	var took int64
	for _, o := range orders {
		n := o.takeUnits(line.ProductID, line.Quantity-took)
		took += n
		upTo := roundHalfUp(big.NewRat(line.AmountMinor*took, line.Quantity))
		o.net -= upTo - money
		money = upTo
	}
	return money
}

func (m *model) giveBack(ev *event.Event) (event.Outcome, string) {
	in := ev.Refund
	body := fmt.Sprint(*in)
	if known, ok := m.refunds[in.RefundID]; ok {
		if known == body {
			return event.OutcomeDuplicateRefund, ""
		}
		return event.OutcomeConflict, ""
	}
	if in.Currency != m.b.Currency {
		return event.OutcomeRejected, event.ReasonWrongCurrency
	}
	if m.tooOld(ev) {
		return event.OutcomeRejected, event.ReasonTooOld
	}
	if in.OrderID == "" {
		m.withoutOrder(ev)
	} else if o := m.order(in.OrderID); o == nil {
		return event.OutcomeKept, event.ReasonUnknownOrder
	} else if reason := ofOrder(in, o); reason != "" {
		return event.OutcomeRejected, reason
	}
	m.refunds[in.RefundID] = body
	m.takeBack()
	m.stand()
	return event.OutcomeApplied, ""
}

// withoutOrder looks for each line in the customer's own orders up to then,
// newest first; the rest belongs to no order.
func (m *model) withoutOrder(ev *event.Event) {
	in := ev.Refund
	var orders []*modelOrder
	for _, o := range m.orders {
		if o.time <= ev.EventTime && m.b.Refunds.Allocate {
			orders = append(orders, o)
		}
	}
	sort.SliceStable(orders, func(i, j int) bool {
		if orders[i].time != orders[j].time {
			return orders[i].time > orders[j].time
		}
		return orders[i].id < orders[j].id
	})
	rest := in.AmountMinor
	for _, line := range in.Lines {
		rest += line.AmountMinor - takeLine(line, orders)
	}
	m.loose = append(m.loose, looseRefund{day: event.DayOf(ev.EventTime, m.b.Zone), money: rest})
}

// ofOrder takes a refund out of the order it names, or says why it cannot.
func ofOrder(in *event.Refund, o *modelOrder) string {
	switch {
	case in.AmountMinor > 0:
		goods := o.goods()
		if o.units() == 0 && o.extra == 0 {
			return event.ReasonNothingToRefund
		}
		if in.AmountMinor > goods+o.extra {
			return event.ReasonRefundTooLarge
		}
		given := min(in.AmountMinor, goods)
		o.extra -= in.AmountMinor - given
		weights := make([]int64, len(o.lines))
		for i, l := range o.lines {
			weights[i] = l.left
		}
		for i, n := range shares(given, weights) {
			o.lines[i].left -= n
		}
		o.net -= given
		if goods > 0 && given == goods {
			for i := range o.lines {
				o.lines[i].units = 0
			}
		}
	case o.units() == 0:
		return event.ReasonNothingToRefund
	case in.Whole:
		o.net -= o.goods()
		for i := range o.lines {
			o.lines[i].left, o.lines[i].units = 0, 0
		}
	default:
		before := o.units()
		for _, line := range in.Lines {
			takeLine(line, []*modelOrder{o})
		}
		if o.units() == before {
			return event.ReasonNothingToRefund
		}
	}
	return ""
}

// takeBack brings every grant of every order down to what its base still
// earns: from its own lot, then from what has expired, then as a debt.
func (m *model) takeBack() {
	for _, o := range m.orders {
		for _, g := range o.grants {
			owed := g.points - g.taken - pointsOf(g.rule, o.base(), g.factor)
			g.taken += owed
			for i := range m.lots {
				if m.lots[i].order == o.id && m.lots[i].rule == g.rule.ID {
					n := min(owed, m.lots[i].points)
					m.lots[i].points -= n
					owed -= n
				}
			}
			n := min(owed, g.gone-g.waived)
			g.waived += n
			m.debt += owed - n
		}
	}
	m.sweep()
	n := min(m.debt, m.debt+m.balance()) // open lots fill the debt
	m.debt -= n
	m.use(n)
}

// stand takes a tier back whose ground is gone.
func (m *model) stand() {
	if !m.member || m.tier == 0 {
		return
	}
	now := m.reaches(m.windowSpend(m.b.Tiers.WindowDays))
	then := m.reaches(m.spend(m.ground-event.Day(m.b.Tiers.WindowDays), m.ground))
	if max(now, then) >= m.tier {
		return
	}
	if m.tier = max(now, then); then < now {
		m.ground = m.today
	}
}

package history

import (
	"fmt"
	"io"
	"sort"
	"text/tabwriter"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Plan is what a file comes to under a mapping.
type Plan struct {
	// Source is the mapping's; it is in every message id.
	Source string
	// Currency is the mapping's; all amounts are in it.
	Currency string
	// Digest identifies the import: a hash of the file's content and the mapping.
	Digest string
	// Events are sorted by time, then orders before refunds, then by message id.
	Events []event.Event
	// LinesRead = LinesUsed + Σ SetAside + LinesRejected.
	LinesRead, LinesUsed, LinesRejected int64
	// SetAside counts lines by the reason that the mapping gives.
	SetAside map[string]int64
	// Rejected holds a reject for each row that could not be read and one for each
	// order that could not be used; their ReceivedTime is not set.
	Rejected []event.Reject
	// Orders and Refunds count events. Guests is how many of them name no customer;
	// Say is what the mapping calls them.
	Orders, Refunds, Guests int64
	Say                     string
	// Customers counts distinct customers with an id.
	Customers int64
	// OrdersMinor and RefundsMinor are sums of line amounts.
	OrdersMinor, RefundsMinor int64
	// First and Last are the times of the first and last event, with the shift.
	First, Last event.Time
	// ShiftDays is by how many days the times have been moved from the source's.
	ShiftDays int64
}

const dayMillis = event.Time(24 * time.Hour / time.Millisecond)

// ShiftToEnd returns by how many days, in whole weeks, a history whose last
// event is at last must be moved to end at least 8 and less than 9 weeks before
// today. It may be negative.
func ShiftToEnd(last, today event.Time) (days int64) {
	const week = int64(7 * dayMillis)
	room := int64(today-last) - 8*week
	weeks := room / week
	if room%week < 0 {
		weeks-- // floor
	}
	return weeks * 7
}

// Shift moves every event by days.
func (p *Plan) Shift(days int64) {
	if days == 0 {
		return
	}
	by := event.Time(days) * dayMillis
	for i := range p.Events {
		p.Events[i].EventTime += by
	}
	if len(p.Events) > 0 {
		p.First += by
		p.Last += by
	}
	p.ShiftDays += days
}

// finish sorts and sums the plan, and checks that no line was lost.
func (p *Plan) finish() error {
	sort.SliceStable(p.Events, func(i, j int) bool { return before(&p.Events[i], &p.Events[j]) })
	customers := map[string]struct{}{}
	for i := range p.Events {
		e := &p.Events[i]
		p.sum(e)
		if event.Identified(e.AccountID) {
			customers[e.AccountID] = struct{}{}
		} else {
			p.Guests++
		}
	}
	p.Customers = int64(len(customers))
	if n := len(p.Events); n > 0 {
		p.First, p.Last = p.Events[0].EventTime, p.Events[n-1].EventTime
	}
	aside := int64(0)
	for _, n := range p.SetAside {
		aside += n
	}
	if p.LinesRead != p.LinesUsed+aside+p.LinesRejected {
		return fmt.Errorf("history: %d lines read, but %d used + %d set aside + %d rejected: a fault of Punchcard, nothing was imported",
			p.LinesRead, p.LinesUsed, aside, p.LinesRejected)
	}
	return nil
}

func (p *Plan) sum(e *event.Event) {
	if e.Order != nil {
		p.Orders++
		p.LinesUsed += int64(len(e.Order.Lines))
		p.OrdersMinor += e.Order.NetMinor()
		return
	}
	p.Refunds++
	p.LinesUsed += int64(len(e.Refund.Lines))
	for i := range e.Refund.Lines {
		p.RefundsMinor += e.Refund.Lines[i].AmountMinor
	}
}

// before orders events: by time; at one time orders come first, so that what is
// bought and cancelled in one minute finds its order.
func before(a, b *event.Event) bool {
	if a.EventTime != b.EventTime {
		return a.EventTime < b.EventTime
	}
	if (a.Order != nil) != (b.Order != nil) {
		return a.Order != nil
	}
	return a.MessageID < b.MessageID
}

// Table writes the plan as text, for a dry run and for the end of an import.
func (p *Plan) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%s\tlines\tevents\t%s\t\n", p.Source, p.Currency)
	fmt.Fprintf(t, "read\t%d\t\t\t\n", p.LinesRead)
	fmt.Fprintf(t, "used\t%d\t%d\t\t\n", p.LinesUsed, len(p.Events))
	fmt.Fprintf(t, "orders\t\t%d\t%s\t\n", p.Orders, p.money(p.OrdersMinor))
	fmt.Fprintf(t, "refunds\t\t%d\t%s\t\n", p.Refunds, p.money(-p.RefundsMinor))
	if p.Guests > 0 {
		fmt.Fprintf(t, "of them %s\t\t%d\t\t\n", p.Say, p.Guests)
	}
	for _, reason := range p.reasons() {
		fmt.Fprintf(t, "set aside: %s\t%d\t\t\t\n", reason, p.SetAside[reason])
	}
	fmt.Fprintf(t, "rejected\t%d\t%d\t\t\n", p.LinesRejected, len(p.Rejected))
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d customers, from %s to %s, moved by %d days\n", p.Customers, p.First, p.Last, p.ShiftDays)
	return err
}

func (p *Plan) reasons() []string {
	var list []string
	for reason := range p.SetAside {
		list = append(list, reason)
	}
	sort.Strings(list)
	return list
}

// money writes minor units in major units.
func (p *Plan) money(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	digits := event.MinorDigits(p.Currency)
	if digits == 0 {
		return fmt.Sprintf("%s%d", sign, minor)
	}
	unit := powers[digits]
	return fmt.Sprintf("%s%d.%0*d", sign, minor/unit, digits, minor%unit)
}

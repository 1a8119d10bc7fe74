package history

import (
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm"
	"github.com/punchcard/punchcard/event"
)

// grouper turns lines into orders and refunds.
type grouper struct {
	file    string
	m       *Mapping
	reader  *lineReader
	machine vm.VM
	memo    map[*condition]memo
	plan    *Plan
	open    map[groupKey]*group
	order   []*group // as first seen
	nth     map[rowKey]int
}

// memo is what a condition on the invoice alone gave last: the lines of an
// invoice mostly follow each other.
type memo struct {
	invoice string
	value   bool
}

// groupKey: an invoice may hold lines of an order and of a refund.
type groupKey struct {
	invoice string
	refund  bool
}

// rowKey counts the rows of one customer at one time, where a row has no id.
type rowKey struct {
	customer string
	at       event.Time
	refund   bool
}

// group is an order or refund in the making.
type group struct {
	key      groupKey
	customer string // "" if missing
	account  string
	country  string
	channel  string
	at       event.Time
	lines    []event.OrderLine
	spoiled  *bad   // by a bad line: all of it is rejected
	where    string // the bad line, or the first
}

func newGrouper(file string, m *Mapping) *grouper {
	return &grouper{
		file: file, m: m, reader: newLineReader(m), memo: map[*condition]memo{}, open: map[groupKey]*group{}, nth: map[rowKey]int{},
		plan: &Plan{Source: m.Source, Currency: m.Currency, Say: m.Say, SetAside: map[string]int64{}},
	}
}

// row takes one row. An error means that the file cannot be used.
func (g *grouper) row(source rows, trouble *bad, cells *[roles]cell) error {
	if g.plan.LinesRead++; g.plan.LinesRead > MaxRows {
		return fmt.Errorf("more than %d rows: split the file by time", MaxRows)
	}
	if trouble != nil {
		return g.rejectRow(source, trouble, nil, false)
	}
	l, b := g.reader.parse(cells)
	if b != nil {
		return g.rejectRow(source, b, &l, false)
	}
	for i := range g.m.setAside {
		s := &g.m.setAside[i]
		yes, err := g.holds(s.when, &l)
		if err != nil {
			return g.rejectRow(source, conditionFailed(err), &l, false)
		}
		if yes {
			g.plan.SetAside[s.reason]++
			return nil
		}
	}
	refund := false
	if g.m.refund != nil {
		var err error
		if refund, err = g.holds(g.m.refund, &l); err != nil {
			return g.rejectRow(source, conditionFailed(err), &l, false)
		}
	}
	if b := g.add(source, &l, refund); b != nil {
		return g.rejectRow(source, b, &l, refund)
	}
	return nil
}

func (g *grouper) holds(c *condition, l *line) (bool, error) {
	if !c.invoiceOnly {
		return c.holds(&g.machine, l)
	}
	if last, ok := g.memo[c]; ok && last.invoice == l.Invoice {
		return last.value, nil
	}
	yes, err := c.holds(&g.machine, l)
	if err == nil {
		g.memo[c] = memo{l.Invoice, yes}
	}
	return yes, err
}

func conditionFailed(err error) *bad {
	return &bad{code: event.RejectInvalidField, field: "when", message: err.Error(), hint: "see the mapping"}
}

// rejectRow rejects a row and with it the order that it belongs to, if known.
func (g *grouper) rejectRow(source rows, b *bad, l *line, refund bool) error {
	if len(g.plan.Rejected) >= MaxRejected {
		return fmt.Errorf("more than %d rows are bad, the last: %s %s: %s: does the mapping fit the file?", MaxRejected, source.at(), b.field, b.message)
	}
	g.plan.LinesRejected++
	g.plan.Rejected = append(g.plan.Rejected, reject(b, g.file+":"+source.at(), "", source.raw()))
	if l == nil || l.Invoice == "" || !g.m.byInvoice {
		return nil
	}
	// Which of the two it is may be unknown (the condition was not reached): the
	// invoice is spoiled as both.
	for _, key := range []groupKey{{l.Invoice, false}, {l.Invoice, true}} {
		if refund && !key.refund {
			continue
		}
		o := g.group(key, l, source)
		o.spoiled, o.where = b, source.at()
	}
	return nil
}

// group returns the open group of the key, a new one with the facts of l.
func (g *grouper) group(key groupKey, l *line, source rows) *group {
	o := g.open[key]
	if o == nil {
		o = &group{key: key, customer: l.Customer, country: l.Country, channel: l.Channel, at: l.at, where: source.at()}
		g.open[key] = o
		g.order = append(g.order, o)
	}
	return o
}

// add puts a line into its group.
func (g *grouper) add(source rows, l *line, refund bool) *bad {
	if g.m.columns[roleInvoice] != "" && l.Invoice == "" {
		return &bad{code: event.RejectMissingField, field: roleNames[roleInvoice], message: "is missing", hint: "set such lines aside in the mapping"}
	}
	if l.Product == "" {
		return &bad{code: event.RejectMissingField, field: roleNames[roleProduct], message: "is missing", hint: "set such lines aside in the mapping"}
	}
	amount, b := g.amount(l, refund)
	if b != nil {
		return b
	}
	account, b := g.m.account(l)
	if b != nil {
		return b
	}
	o := g.group(g.keyOf(l, refund), l, source)
	if !g.m.byInvoice && len(o.lines) > 0 {
		return invalid(roleInvoice, "group by invoice joins them", "another row has invoice %.60q", l.Invoice)
	}
	if o.customer != l.Customer {
		return invalid(roleCustomer, "an order has one customer", "%.60q, but an earlier line of the invoice has %.60q", l.Customer, o.customer)
	}
	o.account = account
	if (l.at < o.at) != g.m.lastTime {
		o.at = l.at
	}
	o.lines = append(o.lines, event.OrderLine{
		ProductID: l.Product, Name: l.Name, Category: l.Category, Brand: l.Brand,
		Quantity: int64(max(l.Quantity, -l.Quantity)), AmountMinor: amount,
	})
	return nil
}

// amount checks the signs and returns the line's amount, positive. A refund's
// quantity or amount may be written negative.
func (g *grouper) amount(l *line, refund bool) (int64, *bad) {
	money := rolePrice
	if g.m.has(roleAmount) {
		money = roleAmount
	}
	quantity, d := int64(l.Quantity), l.money
	if refund {
		quantity = max(quantity, -quantity)
		if d.rat.Sign() < 0 && money == roleAmount {
			d = d.negated()
		}
	}
	switch {
	case quantity <= 0:
		return 0, invalid(roleQuantity, "call such lines a refund or set them aside in the mapping", "%d is not above 0", l.Quantity)
	case d.rat.Sign() < 0:
		return 0, invalid(money, "set such lines aside in the mapping", "%s is below 0", d.rat.FloatString(2))
	}
	if money == roleAmount {
		quantity = 1
	}
	minor, err := d.times(quantity, g.m.Currency)
	if err != nil {
		return 0, invalid(money, "", "%s", err)
	}
	return minor, nil
}

// keyOf is the id of the line's order. A row without invoice is known by
// customer, time and a number among the rows that share them.
func (g *grouper) keyOf(l *line, refund bool) groupKey {
	if g.m.columns[roleInvoice] != "" {
		return groupKey{l.Invoice, refund}
	}
	k := rowKey{l.Customer, l.at, refund}
	g.nth[k]++
	at := l.at.Std().Format("20060102")
	if l.at%dayMillis != 0 {
		at = l.at.Std().Format("20060102T150405.000Z")
	}
	return groupKey{fmt.Sprintf("%s-%s-%d", l.Customer, at, g.nth[k]), refund}
}

// finish makes the events.
func (g *grouper) finish() (*Plan, error) {
	g.plan.Events = make([]event.Event, 0, len(g.order))
	for _, o := range g.order {
		e := g.event(o)
		if o.spoiled == nil {
			if wrong := e.Validate(); wrong != nil {
				o.spoiled = &bad{wrong.Code, wrong.Field, wrong.Message, wrong.Hint}
			}
		}
		if o.spoiled == nil {
			g.plan.Events = append(g.plan.Events, e)
			continue
		}
		if err := g.rejectGroup(o, &e); err != nil {
			return nil, err
		}
	}
	g.open, g.order, g.nth = nil, nil, nil
	return g.plan, g.plan.finish()
}

// rejectGroup rejects an order for one of its lines; its other lines are lost
// with it, and are kept in the reject.
func (g *grouper) rejectGroup(o *group, e *event.Event) error {
	if len(o.lines) == 0 {
		return nil // only the bad line, which has its own reject
	}
	if len(g.plan.Rejected) >= MaxRejected {
		return fmt.Errorf("history: %s: more than %d orders are bad, the last: %s: does the mapping fit the file?", g.file, MaxRejected, o.spoiled.message)
	}
	original, err := e.Encode()
	if err != nil {
		return fmt.Errorf("history: encode %s: %w", e.MessageID, err)
	}
	g.plan.LinesRejected += int64(len(o.lines))
	b := *o.spoiled
	b.message = fmt.Sprintf("%d lines of invoice %.60s go with %s: %s", len(o.lines), o.key.invoice, o.where, b.message)
	b.hint = "an order is taken whole or not at all; mend the line and import the file again"
	g.plan.Rejected = append(g.plan.Rejected, reject(&b, g.file+":"+o.where, e.MessageID, original))
	return nil
}

func (g *grouper) event(o *group) event.Event {
	e := event.Event{
		V: event.Version, Type: event.TypeTrack, AccountID: o.account, EventTime: o.at,
		MessageID: "import:" + g.m.Source + ":" + o.key.invoice,
		Context:   &event.Context{Source: g.m.Source, Channel: o.channel, Country: o.country},
	}
	if !o.key.refund {
		e.Name = event.NameOrderCompleted
		e.Order = &event.Order{OrderID: o.key.invoice, Currency: g.m.Currency, Lines: o.lines}
		return e
	}
	e.Name = event.NameOrderRefunded
	e.Refund = &event.Refund{RefundID: o.key.invoice, Currency: g.m.Currency, Lines: o.lines}
	if g.m.refundOf {
		e.Refund.OrderID = o.key.invoice
		e.MessageID += ":refund" // the order of the invoice has the plain id
	}
	return e
}

// keepOriginal returns what a reject keeps of a row.
func keepOriginal(b []byte) (text string, isBase64 bool) {
	b = b[:min(len(b), event.MaxRejectBytes)]
	if utf8.Valid(b) {
		return string(b), false
	}
	// A letter cut in two at the limit is no reason for base64.
	if len(b) == event.MaxRejectBytes {
		if s := cut(string(b), len(b)-utf8.UTFMax+1); utf8.ValidString(s) {
			return s, false
		}
	}
	return base64.StdEncoding.EncodeToString(b), true
}

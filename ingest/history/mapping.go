package history

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"
	"github.com/punchcard/punchcard/event"
)

// Limits on mapping files.
const (
	// MaxMappingBytes bounds the text of a mapping.
	MaxMappingBytes = 64 << 10
	// MaxSetAside bounds its set-aside rules.
	MaxSetAside = 100
	// MaxProblems bounds what one check reports.
	MaxProblems = 100
)

// Mapping says how the lines of a file become events. It is made by
// ParseMapping and read-only after that.
type Mapping struct {
	// Source names where the data comes from; it is part of every message id.
	Source string
	// Currency of all amounts, ISO 4217.
	Currency string
	// Say is what an order without customer is called in the plan's table.
	Say string

	text       string // as read, part of the import's digest
	format     string // "parquet" or "csv"
	delimiter  rune   // csv; 0: any run of spaces
	header     bool
	columns    [roles]string // the file's column, "" if none
	constants  [roles]string
	hasConst   [roles]bool
	zone       *time.Location
	timeLayout string // Go layout, "" for the usual forms
	byInvoice  bool   // lines of one invoice are one order; else each row is one
	lastTime   bool   // an order's time is that of its last line
	missing    string // template of the account of an order without customer; "" rejects it
	refund     *condition
	refundOf   bool // a refund names the order of the same invoice
	setAside   []setAside
}

// setAside is a rule for lines that are not used.
type setAside struct {
	when   *condition
	reason string
}

// condition is a compiled expression over a line.
type condition struct {
	text    string
	program *vm.Program
	// invoiceOnly: it looks at nothing but the invoice.
	invoiceOnly bool
}

// Problem is one thing wrong with a mapping.
type Problem struct {
	File         string
	Line, Column int // from 1; 0 when the problem has no place
	Message      string
	Hint         string
}

func (p Problem) String() string {
	s := p.File
	if p.Line > 0 {
		s += fmt.Sprintf(":%d:%d", p.Line, p.Column)
	}
	s += ": " + p.Message
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// role is what a column means to us.
type role int

const (
	roleInvoice role = iota
	roleProduct
	roleName
	roleCategory
	roleBrand
	roleQuantity
	rolePrice
	roleAmount
	roleTime
	roleCustomer
	roleCountry
	roleChannel
	roles
)

var roleNames = [roles]string{
	"invoice", "product", "name", "category", "brand", "quantity", "price", "amount",
	"time", "customer", "country", "channel",
}

func roleOf(name string) (role, bool) {
	for r, n := range roleNames {
		if n == name {
			return role(r), true
		}
	}
	return 0, false
}

func (m *Mapping) has(r role) bool { return m.columns[r] != "" || m.hasConst[r] }

// account returns the key of an order of a customer who may be missing.
func (m *Mapping) account(l *line) (string, *bad) {
	if l.Customer != "" {
		if !event.Identified(l.Customer) {
			return "", invalid(roleCustomer, "customer ids may not begin with guest: or anon:", "%.60q is not a customer id", l.Customer)
		}
		return l.Customer, nil
	}
	if m.missing == "" {
		return "", &bad{code: event.RejectMissingField, field: roleNames[roleCustomer], message: "is missing", hint: "say in customer_missing what such orders belong to"}
	}
	return strings.ReplaceAll(m.missing, "{invoice}", l.Invoice), nil
}

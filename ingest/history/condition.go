package history

import (
	"errors"
	"fmt"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/goccy/go-yaml/token"
)

// conditions reads refund and set_aside.
func (c *checker) conditions(f *mappingFile, m *Mapping) {
	if f.Refund != nil {
		m.refund = c.condition("$.refund.when", f.Refund.When, m)
		m.refundOf = !f.Refund.WithoutOrder
		if m.refundOf && m.columns[roleInvoice] == "" {
			c.at("$.refund", "without_order: true lets the program look for it", "a refund of an order needs the column invoice")
		}
	}
	if len(f.SetAside) > MaxSetAside {
		c.at("$.set_aside", "join some with ||", "%d rules, at most %d", len(f.SetAside), MaxSetAside)
		return
	}
	for i, s := range f.SetAside {
		path := fmt.Sprintf("$.set_aside[%d]", i)
		if s.Reason == "" || len(s.Reason) > 100 {
			c.at(path+".reason", "lines are counted by reason", "reason is missing or longer than 100 bytes")
		}
		m.setAside = append(m.setAside, setAside{when: c.condition(path+".when", s.When, m), reason: s.Reason})
	}
}

// condition compiles an expression over the columns that the mapping names.
func (c *checker) condition(path, text string, m *Mapping) *condition {
	if text == "" {
		c.at(path, `such as when: 'price == 0'`, "when is missing")
		return nil
	}
	program, err := expr.Compile(text, expr.Env(&line{}), expr.AsBool(), expr.MaxNodes(1000),
		expr.DisableBuiltin("now")) // an import must not depend on when it is run
	if err != nil {
		var at *file.Error
		if !errors.As(err, &at) {
			c.at(path, "", "%s", err)
			return nil
		}
		row, column := c.within(path, at.Line, at.Column)
		c.add(row, column, `such as price == 0 or invoice startsWith "C"`, "%s", at.Message)
		return nil
	}
	names := &identifiers{}
	node := program.Node()
	ast.Walk(&node, names)
	for _, name := range names.seen {
		if r, ok := roleOf(name); ok && !m.has(r) && r != roleInvoice {
			c.at(path, "add it to columns", "the expression uses %s, which is no column of this mapping", name)
		}
	}
	return &condition{text: text, program: program, invoiceOnly: slices.Equal(names.seen, []string{"invoice"})}
}

// within is the place of line and column of an expression in the YAML text.
func (c *checker) within(path string, exprLine, exprColumn int) (line, column int) {
	line, column = c.place(path)
	node := c.node(path)
	if node == nil {
		return line, column
	}
	switch node.GetToken().Type {
	case token.SingleQuoteType, token.DoubleQuoteType:
		column++
	}
	if exprLine <= 1 {
		return line, column + exprColumn
	}
	return line + exprLine - 1, exprColumn + 1
}

type identifiers struct{ seen []string }

// Visit implements ast.Visitor.
func (v *identifiers) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.IdentifierNode); ok && !slices.Contains(v.seen, n.Value) {
		v.seen = append(v.seen, n.Value)
	}
}

// holds evaluates the condition for a line, in a machine that the caller keeps.
func (c *condition) holds(machine *vm.VM, l *line) (bool, error) {
	v, err := machine.Run(c.program, l)
	if err != nil {
		return false, fmt.Errorf("when %.80q: %w", c.text, err)
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("when %.80q gives %T, not true or false", c.text, v)
	}
	return b, nil
}

package history

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/punchcard/punchcard/event"
)

// mappingFile is the YAML form of a mapping; its keys are mappingKeys.
type mappingFile struct {
	Source    string            `yaml:"source"`
	Format    string            `yaml:"format"`
	CSV       csvForm           `yaml:"csv"`
	Columns   map[string]string `yaml:"columns"`
	Constants map[string]string `yaml:"constants"`
	Currency  string            `yaml:"currency"`
	TimeZone  string            `yaml:"time_zone"`
	TimeForm  string            `yaml:"time_format"`
	Group     struct {
		By   string `yaml:"by"`
		Time string `yaml:"time"`
	} `yaml:"group"`
	CustomerMissing *struct {
		Account string `yaml:"account"`
		Say     string `yaml:"say"`
	} `yaml:"customer_missing"`
	Refund *struct {
		When         string `yaml:"when"`
		WithoutOrder bool   `yaml:"without_order"`
	} `yaml:"refund"`
	SetAside []struct {
		When   string `yaml:"when"`
		Reason string `yaml:"reason"`
	} `yaml:"set_aside"`
}

type csvForm struct {
	Delimiter string `yaml:"delimiter"`
	Header    *bool  `yaml:"header"`
}

// mappingKeys lists the keys of each object, by its path without indexes.
var mappingKeys = map[string][]string{
	"$": {
		"source", "format", "csv", "columns", "constants", "currency", "time_zone", "time_format",
		"group", "customer_missing", "refund", "set_aside",
	},
	"$.csv":              {"delimiter", "header"},
	"$.columns":          roleNames[:],
	"$.constants":        {"product", "name", "category", "brand", "quantity", "country", "channel"},
	"$.group":            {"by", "time"},
	"$.customer_missing": {"account", "say"},
	"$.refund":           {"when", "without_order"},
	"$.set_aside":        {"when", "reason"},
}

// checker collects the problems of one mapping.
type checker struct {
	name     string
	ast      *ast.File
	problems []Problem
}

// ParseMapping reads the text of a mapping file called name. It reports all
// problems that it finds, by line and column, up to MaxProblems; the mapping is
// nil if there is any.
func ParseMapping(name, text string) (*Mapping, []Problem) {
	c := &checker{name: name}
	if len(text) > MaxMappingBytes {
		c.at("", "", "the mapping has %d bytes, at most %d", len(text), MaxMappingBytes)
		return nil, c.problems
	}
	tree, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		c.yamlError(err)
		return nil, c.problems
	}
	c.ast = tree
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		c.at("", "start from a mapping that comes with Punchcard: "+strings.Join(BuiltinMappings(), ", "), "is not one YAML document with keys")
		return nil, c.problems
	}
	c.keys("$", tree.Docs[0].Body)
	var f mappingFile
	if err := yaml.NodeToValue(tree.Docs[0].Body, &f); err != nil {
		c.yamlError(err)
		return nil, c.problems
	}
	m := c.mapping(&f)
	if len(c.problems) > 0 {
		sort.SliceStable(c.problems, func(i, j int) bool { return c.problems[i].Line < c.problems[j].Line })
		return nil, c.problems
	}
	m.text = text
	return m, nil
}

// at reports a problem at a path such as $.refund.when; "" has no place. A path
// that is not there is reported at the nearest one above it.
func (c *checker) at(path, hint, format string, args ...any) {
	line, column := c.place(path)
	c.add(line, column, hint, format, args...)
}

func (c *checker) add(line, column int, hint, format string, args ...any) {
	if len(c.problems) < MaxProblems {
		c.problems = append(c.problems, Problem{File: c.name, Line: line, Column: column, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
}

func (c *checker) place(path string) (line, column int) {
	for c.ast != nil && len(path) > 1 {
		if node := c.node(path); node != nil {
			t := node.GetToken()
			if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
				t = m.Values[0].Key.GetToken()
			}
			return t.Position.Line, t.Position.Column
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0, 0
}

func (c *checker) node(path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(c.ast)
	if err != nil || node == nil || node.GetToken() == nil {
		return nil
	}
	return node
}

// yamlError reports an error of the YAML library at its token.
func (c *checker) yamlError(err error) {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		p := at.GetToken().Position
		c.add(p.Line, p.Column, "", "%s", at.GetMessage())
		return
	}
	c.add(0, 0, "", "%s", err)
}

// keys reports unknown keys anywhere below node, and what YAML can do that a
// mapping does not need.
func (c *checker) keys(path string, node ast.Node) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			c.key(path, v)
		}
	case *ast.MappingValueNode:
		c.key(path, n)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			c.keys(path, v)
		}
	case *ast.AnchorNode, *ast.AliasNode:
		p := node.GetToken().Position
		c.add(p.Line, p.Column, "write the value again", "anchors and aliases are not for mappings")
	}
}

func (c *checker) key(path string, v *ast.MappingValueNode) {
	name := v.Key.GetToken().Value
	if known := mappingKeys[path]; !slices.Contains(known, name) {
		p := v.Key.GetToken().Position
		c.add(p.Line, p.Column, "one of "+strings.Join(known, ", "), "%.60q is not a key here", name)
		return
	}
	c.keys(path+"."+name, v.Value)
}

func (c *checker) mapping(f *mappingFile) *Mapping {
	m := &Mapping{Source: f.Source, Currency: f.Currency, format: f.Format, zone: time.UTC, header: true}
	if f.Source == "" || len(f.Source) > 60 || strings.ContainsFunc(f.Source, notInName) {
		c.at("$.source", "such as source: online-retail", "source must be a name of small letters, digits and dashes")
	}
	if !event.ValidCurrency(f.Currency) {
		c.at("$.currency", "such as currency: GBP", "currency %.20q is not an ISO 4217 code", f.Currency)
	}
	if f.TimeZone != "" {
		zone, err := time.LoadLocation(f.TimeZone)
		if err != nil || f.TimeZone == "Local" {
			c.at("$.time_zone", "such as UTC or Europe/London", "time_zone %.60q is not known", f.TimeZone)
		} else {
			m.zone = zone
		}
	}
	c.form(f, m)
	c.columns(f, m)
	c.grouping(f, m)
	c.conditions(f, m)
	return m
}

func notInName(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }

// form reads format, csv and time_format.
func (c *checker) form(f *mappingFile, m *Mapping) {
	switch f.Format {
	case "csv":
	case "parquet":
		if f.CSV != (csvForm{}) {
			c.at("$.csv", "leave it out", "csv is for format: csv")
		}
	default:
		c.at("$.format", "format: parquet or format: csv", "format %.20q is not known", f.Format)
	}
	switch d := []rune(f.CSV.Delimiter); {
	case f.CSV.Delimiter == "":
		m.delimiter = ','
	case f.CSV.Delimiter == "spaces":
		m.delimiter = 0
	case f.CSV.Delimiter == "tab":
		m.delimiter = '\t'
	case len(d) == 1 && strings.ContainsRune(",;|\t:", d[0]):
		m.delimiter = d[0]
	default:
		c.at("$.csv.delimiter", `one of "," ";" "|" ":" tab, or spaces for any run of spaces`, "delimiter %.20q is not known", f.CSV.Delimiter)
	}
	if f.CSV.Header != nil {
		m.header = *f.CSV.Header
	}
	if f.TimeForm != "" {
		m.timeLayout = timeLayout(f.TimeForm)
		if !strings.Contains(m.timeLayout, "2006") || len(f.TimeForm) > 60 {
			c.at("$.time_format", "such as YYYY-MM-DD hh:mm:ss or DD.MM.YYYY", "time_format %.60q has no YYYY", f.TimeForm)
		}
	}
}

// timeLayout turns YYYY-MM-DD hh:mm:ss into Go's layout.
func timeLayout(form string) string {
	return strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "hh", "15", "mm", "04", "ss", "05").Replace(form)
}

// columns reads columns and constants.
func (c *checker) columns(f *mappingFile, m *Mapping) {
	used := map[string]string{}
	for _, name := range sortedKeys(f.Columns) {
		r, ok := roleOf(name)
		column := f.Columns[name]
		path := "$.columns." + name
		if !ok {
			continue // reported by keys
		}
		if column == "" {
			c.at(path, "name the file's column", "%s names no column", name)
		}
		if _, err := columnNumber(column); err != nil && f.Format == "csv" && !m.header {
			c.at(path, "without a header, columns are numbers from 1", "%.60q is not a column", column)
		}
		if other := used[column]; other != "" && column != "" {
			c.at(path, "", "%s and %s are the same column %.60q", other, name, column)
		}
		used[column] = name
		m.columns[r] = column
	}
	for _, name := range sortedKeys(f.Constants) {
		r, ok := roleOf(name)
		if !ok {
			continue
		}
		if m.columns[r] != "" {
			c.at("$.constants."+name, "leave one out", "%s is a column already", name)
		}
		m.constants[r], m.hasConst[r] = f.Constants[name], true
	}
	for _, r := range []role{roleTime, roleProduct, roleQuantity} {
		if !m.has(r) {
			c.at("$.columns", "", "%s is missing", roleNames[r])
		}
	}
	if m.has(rolePrice) == m.has(roleAmount) {
		c.at("$.columns", "price: of one unit, or amount: of the whole line", "name price or amount, one of them")
	}
	if m.hasConst[roleQuantity] {
		if q, bad := wholeNumber(m.constants[roleQuantity]); bad != nil || q < 1 {
			c.at("$.constants.quantity", "such as 1", "quantity is not a whole number above 0")
		}
	}
}

func columnNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxColumns {
		return 0, fmt.Errorf("%q is not a number of a column, from 1 to %d", s, maxColumns)
	}
	return n, nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// grouping reads group and customer_missing.
func (c *checker) grouping(f *mappingFile, m *Mapping) {
	switch f.Group.By {
	case "invoice":
		m.byInvoice = true
		if m.columns[roleInvoice] == "" {
			c.at("$.columns", "", "group by invoice needs the column invoice")
		}
	case "row":
		if m.columns[roleInvoice] == "" && m.columns[roleCustomer] == "" {
			c.at("$.columns", "a row needs an id: invoice, or customer and time", "name the column invoice or customer")
		}
	default:
		c.at("$.group.by", "by: invoice (its lines are one order) or by: row", "group by %.20q is not known", f.Group.By)
	}
	switch f.Group.Time {
	case "", "first":
	case "last":
		m.lastTime = true
	default:
		c.at("$.group.time", "time: first or time: last", "time %.20q is not known", f.Group.Time)
	}
	miss := f.CustomerMissing
	if miss == nil {
		if m.columns[roleCustomer] == "" {
			c.at("$.columns", "name it, or say in customer_missing what orders belong to", "customer is missing")
		}
		return
	}
	m.missing, m.Say = miss.Account, miss.Say
	if !strings.HasPrefix(miss.Account, event.PrefixGuest) || !strings.Contains(miss.Account, "{invoice}") || m.columns[roleInvoice] == "" {
		c.at("$.customer_missing.account", `account: "guest:{invoice}", with a column invoice`, "every order without customer needs a key of its own")
	}
	if m.Say == "" {
		m.Say = "no customer id in the source"
	}
}

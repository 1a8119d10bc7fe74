package sql

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Column is one column of a table or view.
type Column struct{ Name, Type, Comment string }

// Parameter is what a view must be given: its name, and its ClickHouse type.
type Parameter struct{ Name, Type string }

// Section is a part of a file's header: Meaning, Formula, Base, Unit, Source or
// Caveat.
type Section struct{ Title, Text string }

// Entry is what is known of a table or view: its file's header and the COMMENTs
// that ClickHouse has too.
type Entry struct {
	Name   string
	IsView bool
	// Comment is the COMMENT of the table or view: one line.
	Comment string
	// Summary is the header's first sentence.
	Summary  string
	Sections []Section
	// Parameters must all be given: SELECT * FROM name(conversion_days = 14).
	Parameters []Parameter
	Columns    []Column
}

// Dictionary describes every table and view: tables first, each kind in the order
// of its files.
func Dictionary() ([]Entry, error) {
	tables, err := Migrations()
	if err != nil {
		return nil, err
	}
	views, err := Views()
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, f := range append(tables, views...) {
		e, err := describe(f)
		if err != nil {
			return nil, err
		}
		if e.Name != "" {
			out = append(out, e)
			continue
		}
		if err := alter(out, f); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var adds = regexp.MustCompile(`(?s)^ALTER TABLE (\w+)\s+(ADD COLUMN .*)$`)

// alter adds the columns of ALTER TABLE … ADD COLUMN … to the entries before it.
func alter(entries []Entry, f File) error {
	for _, statement := range f.Statements {
		m := adds.FindStringSubmatch(statement)
		i := slices.IndexFunc(entries, func(e Entry) bool { return m != nil && e.Name == m[1] })
		if i < 0 {
			return fmt.Errorf("sql: %s: the dictionary knows CREATE, and ADD COLUMN of a table before it", f.Path)
		}
		for _, item := range split(m[2]) {
			c, err := column(strings.TrimPrefix(strings.TrimPrefix(item, "ADD COLUMN "), "IF NOT EXISTS "))
			if err != nil {
				return fmt.Errorf("sql: %s: %w", f.Path, err)
			}
			entries[i].Columns = append(entries[i].Columns, c)
		}
	}
	return nil
}

var (
	creates     = regexp.MustCompile(`^CREATE (OR REPLACE )?(MATERIALIZED )?(TABLE|VIEW) (IF NOT EXISTS )?(\w+)`)
	lastComment = regexp.MustCompile(`COMMENT '((?:[^'\\]|''|\\.)*)'\s*;?\s*$`)
	typed       = regexp.MustCompile(`\{(\w+)\s*:\s*([^}]+)\}`)
)

// describe reads one file. A file that only alters has no entry.
func describe(f File) (Entry, error) {
	if len(f.Statements) == 0 {
		return Entry{}, nil
	}
	statement := f.Statements[0]
	m := creates.FindStringSubmatch(statement)
	if m == nil {
		return Entry{}, nil
	}
	e := Entry{Name: m[5], IsView: m[3] == "VIEW"}
	if c := lastComment.FindStringSubmatch(statement); c != nil {
		e.Comment = unquote(c[1])
	}
	e.Summary, e.Sections = header(f.Text)
	seen := map[string]bool{}
	for _, p := range typed.FindAllStringSubmatch(statement, -1) {
		if !seen[p[1]] {
			seen[p[1]] = true
			e.Parameters = append(e.Parameters, Parameter{p[1], strings.TrimSpace(p[2])})
		}
	}
	list, ok := inner(statement[len(m[0]):])
	if !ok {
		return Entry{}, fmt.Errorf("sql: %s: no list of columns after the name", f.Path)
	}
	for _, item := range split(list) {
		if strings.HasPrefix(item, "INDEX ") || strings.HasPrefix(item, "PROJECTION ") || strings.HasPrefix(item, "CONSTRAINT ") {
			continue
		}
		c, err := column(item)
		if err != nil {
			return Entry{}, fmt.Errorf("sql: %s: %w", f.Path, err)
		}
		e.Columns = append(e.Columns, c)
	}
	return e, nil
}

var sectionLine = regexp.MustCompile(`^(Meaning|Formula|Base|Unit|Source|Caveat|Parameters?|Note):\s+(.*)$`)

// header reads the comment that opens a file.
func header(text string) (summary string, sections []Section) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "--") {
			break
		}
		words := strings.TrimSpace(strings.TrimPrefix(line, "--"))
		m := sectionLine.FindStringSubmatch(words)
		switch {
		case m != nil:
			sections = append(sections, Section{m[1], m[2]})
		case words == "":
		case len(sections) == 0:
			summary = strings.TrimSpace(summary + " " + words)
		default:
			last := &sections[len(sections)-1]
			last.Text += " " + words
		}
	}
	if _, rest, ok := strings.Cut(summary, ": "); ok {
		summary = rest
	}
	return summary, sections
}

// inner is what stands between the first bracket and its partner.
func inner(s string) (string, bool) {
	start := strings.IndexByte(s, '(')
	if start < 0 || strings.TrimSpace(s[:start]) != "" {
		return "", false
	}
	end, ok := 0, false
	walk(s[start:], func(i, depth int) {
		if !ok && depth == 0 && s[start+i] == ')' {
			end, ok = start+i, true
		}
	})
	if !ok {
		return "", false
	}
	return s[start+1 : end], true
}

// split cuts at the commas outside of brackets and quotes.
func split(s string) (out []string) {
	from := 0
	walk(s, func(i, depth int) {
		if s[i] == ',' && depth == 0 {
			out, from = append(out, strings.TrimSpace(s[from:i])), i+1
		}
	})
	if last := strings.TrimSpace(s[from:]); last != "" {
		out = append(out, last)
	}
	return out
}

// walk calls fn on every byte outside of quotes, with the depth of brackets after it.
func walk(s string, fn func(i, depth int)) {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
			continue
		case quote != 0:
			if c == quote {
				quote = 0
			}
			continue
		case c == '\'' || c == '`':
			quote = c
			continue
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		fn(i, depth)
	}
}

var columnItem = regexp.MustCompile("(?s)^`?(\\w+)`?\\s+(.*?)\\s+COMMENT '((?:[^'\\\\]|''|\\\\.)*)'")

func column(item string) (Column, error) {
	m := columnItem.FindStringSubmatch(item)
	if m == nil {
		return Column{}, fmt.Errorf("column without name, type and COMMENT: %s", item)
	}
	kind, _, _ := strings.Cut(m[2], " DEFAULT ")
	return Column{Name: m[1], Type: kind, Comment: unquote(m[3])}, nil
}

func unquote(s string) string {
	return strings.NewReplacer("''", "'", `\'`, "'", `\\`, `\`).Replace(s)
}

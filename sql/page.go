package sql

import (
	"fmt"
	"strings"
)

// Call is the FROM clause that reads the entry: its name, with its parameters.
func (e Entry) Call() string {
	if len(e.Parameters) == 0 {
		return e.Name
	}
	var given []string
	for _, p := range e.Parameters {
		given = append(given, fmt.Sprintf("%s = …", p.Name))
	}
	return e.Name + "(" + strings.Join(given, ", ") + ")"
}

// DictionaryPage is the data dictionary as Markdown.
func DictionaryPage() (string, error) {
	entries, err := Dictionary()
	if err != nil {
		return "", err
	}
	examples, err := Examples()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(`# Data dictionary

Made from the comments of [sql/schema](../sql/schema) and [sql/views](../sql/views); do not edit. ClickHouse has the same:
` + "`SELECT name, comment FROM system.columns WHERE table = 'points'`, or `punchcard sql --describe points`" + `.
Money in tables is in minor units (pence) with its currency, in views in major units. Times are UTC; days and months of views go by
the program's time zone. Views never ask for the time of day: they answer as of the newest tick (view ` + "`as_of`" + `).

`)
	list(&b, "Views", entries, true)
	list(&b, "Tables", entries, false)
	b.WriteString("## Worked questions\n\n`punchcard sql --example NN` runs them.\n\n")
	for _, e := range examples {
		fmt.Fprintf(&b, "%d. [%s](../sql/examples/%02d_%s.sql)\n", e.Number, e.Question, e.Number, e.Name)
	}
	for _, e := range entries {
		if e.IsView {
			entry(&b, e)
		}
	}
	for _, e := range entries {
		if !e.IsView {
			entry(&b, e)
		}
	}
	return b.String(), nil
}

func list(b *strings.Builder, title string, entries []Entry, views bool) {
	fmt.Fprintf(b, "## %s\n\n| name | what it has |\n|---|---|\n", title)
	for _, e := range entries {
		if e.IsView == views {
			fmt.Fprintf(b, "| [%s](#%s) | %s |\n", e.Name, e.Name, cell(e.Comment))
		}
	}
	b.WriteString("\n")
}

func entry(b *strings.Builder, e Entry) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n", e.Name, e.Summary)
	for _, s := range e.Sections {
		fmt.Fprintf(b, "- **%s:** %s\n", s.Title, s.Text)
	}
	if len(e.Parameters) > 0 {
		fmt.Fprintf(b, "\n`SELECT * FROM %s`\n\n| parameter | type |\n|---|---|\n", e.Call())
		for _, p := range e.Parameters {
			fmt.Fprintf(b, "| %s | %s |\n", p.Name, cell(p.Type))
		}
	}
	b.WriteString("\n| column | type | |\n|---|---|---|\n")
	for _, c := range e.Columns {
		fmt.Fprintf(b, "| %s | %s | %s |\n", c.Name, cell(c.Type), cell(c.Comment))
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

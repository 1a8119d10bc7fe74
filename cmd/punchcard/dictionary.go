package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/punchcard/punchcard/sql"
)

// describeTables prints what there is, or what one table or view has. It needs no
// database: binary and database have the same comments.
func describeTables(out io.Writer, name string) error {
	entries, err := sql.Dictionary()
	if err != nil {
		return err
	}
	if name == "" {
		return listTables(out, entries)
	}
	e, err := findEntry(entries, name)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n\n", e.Name, e.Summary)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range e.Sections {
		fmt.Fprintf(t, "%s:\t%s\n", s.Title, s.Text)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(e.Parameters) > 0 {
		fmt.Fprintf(out, "\nSELECT * FROM %s\n", e.Call())
		for _, p := range e.Parameters {
			fmt.Fprintf(out, "  %s %s\n", p.Name, p.Type)
		}
	}
	fmt.Fprintln(out)
	t = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "column\ttype\tmeaning")
	for _, c := range e.Columns {
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.Name, c.Type, c.Comment)
	}
	return t.Flush()
}

func listTables(out io.Writer, entries []sql.Entry) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, views := range []bool{true, false} {
		fmt.Fprintf(t, "%s\t\n", map[bool]string{true: "views", false: "\t\ntables"}[views])
		for _, e := range entries {
			if e.IsView == views {
				fmt.Fprintf(t, "  %s\t%s\n", e.Name, e.Comment)
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "\npunchcard sql --describe NAME shows the columns; punchcard sql --example lists worked questions")
	return err
}

// findEntry finds a table or view, or says which are like it.
func findEntry(entries []sql.Entry, name string) (sql.Entry, error) {
	var like []string
	for _, e := range entries {
		if e.Name == name {
			return e, nil
		}
		if strings.Contains(e.Name, strings.Trim(strings.ToLower(name), "s_")) {
			like = append(like, e.Name)
		}
	}
	hint := "punchcard sql --describe lists them"
	if len(like) > 0 {
		hint = "is it " + strings.Join(like, ", ") + "?"
	}
	return sql.Entry{}, fmt.Errorf("there is no table or view %q: %s", name, hint)
}

// example lists the worked questions, or runs the one with the number.
func (c *sqlCommand) example(ctx context.Context, s *Settings, log *slog.Logger) error {
	examples, err := sql.Examples()
	if err != nil {
		return err
	}
	if c.Query == "" {
		for _, e := range examples {
			fmt.Printf("%2d  %s\n", e.Number, e.Question)
		}
		fmt.Println("\npunchcard sql --example NN runs one, and prints its SQL")
		return nil
	}
	n, err := strconv.Atoi(c.Query)
	i := slices.IndexFunc(examples, func(e sql.Example) bool { return e.Number == n })
	if err != nil || i < 0 {
		return fmt.Errorf("there is no question %q: they are 1 to %d (punchcard sql --example lists them)", c.Query, len(examples))
	}
	if c.Format == "table" { // csv and json are for other programs
		fmt.Fprintln(os.Stdout, strings.TrimSpace(examples[i].Text)+"\n")
	}
	c.Query = examples[i].Query
	return c.ask(ctx, s, log)
}

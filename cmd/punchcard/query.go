package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// sqlCommand asks the warehouse.
type sqlCommand struct {
	Query    string `arg:"" optional:"" help:"The query (from standard input when left out); with --describe a table or view, with --example a number."`
	Format   string `help:"table, csv or json (one object a line)." enum:"table,csv,json" default:"table"`
	Describe bool   `help:"Say what tables and views there are, or what one has: columns, base, unit." xor:"what"`
	Example  bool   `help:"List worked questions, or run one." xor:"what"`
}

const maxQueryBytes = 1 << 20

// Run prints the answer.
func (c *sqlCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	switch {
	case c.Describe:
		return describeTables(os.Stdout, c.Query)
	case c.Example:
		return c.example(ctx, s, log)
	}
	return c.ask(ctx, s, log)
}

func (c *sqlCommand) ask(ctx context.Context, s *Settings, log *slog.Logger) error {
	if c.Query == "" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, maxQueryBytes))
		if err != nil {
			return err
		}
		c.Query = string(text)
	}
	return withConnection(ctx, s, log, needWarehouse, func(conn *connection) error {
		columns, _, rows, err := conn.warehouse.Query(ctx, strings.TrimRight(strings.TrimSpace(c.Query), ";"))
		if err != nil {
			return err
		}
		return printRows(os.Stdout, c.Format, columns, rows)
	})
}

func printRows(w io.Writer, format string, columns []string, rows [][]any) error {
	switch format {
	case "csv":
		return printCSV(w, columns, rows)
	case "json":
		return printJSON(w, columns, rows)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(texts(row), "\t"))
	}
	return t.Flush()
}

func printCSV(w io.Writer, columns []string, rows [][]any) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, row := range rows {
		if err := out.Write(texts(row)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func printJSON(w io.Writer, columns []string, rows [][]any) error {
	enc := json.NewEncoder(w)
	for _, row := range rows {
		object := make(map[string]any, len(columns))
		for i, name := range columns {
			object[name] = row[i]
		}
		if err := enc.Encode(object); err != nil {
			return err
		}
	}
	return nil
}

// texts writes values as a person reads them; NULL is empty.
func texts(row []any) []string {
	out := make([]string, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case nil:
		case time.Time:
			out[i] = strings.TrimSuffix(v.UTC().Format("2006-01-02 15:04:05.000"), " 00:00:00.000")
		default:
			out[i] = fmt.Sprint(v)
		}
	}
	return out
}

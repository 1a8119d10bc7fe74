package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/punchcard/punchcard/sql"
	"github.com/punchcard/punchcard/warehouse"
	engine "github.com/punchcard/punchcard/warehouse/embedded"
	"github.com/punchcard/punchcard/warehouse/export"
)

// exportCommand writes a table, a view or an answer to a file.
type exportCommand struct {
	Name   string            `arg:"" optional:"" help:"Table or view (punchcard sql --describe lists them)."`
	Query  string            `help:"Export the answer of this SELECT instead." placeholder:"SQL"`
	Format string            `help:"parquet, arrow (an IPC file, also called Feather) or csv; by the file's ending when left out." placeholder:"FORMAT" enum:",parquet,arrow,csv" default:""`
	Out    string            `help:"File to write." required:"" placeholder:"FILE"`
	AsOf   string            `name:"as-of" help:"What was known then: YYYY-MM-DD (its beginning, UTC) or 2026-11-22T10:00:00Z. For tables with an entry_time and views with a parameter as_of." placeholder:"TIME"`
	Param  map[string]string `help:"Parameters of a view: --param conversion_days=14." placeholder:"NAME=VALUE"`
	Force  bool              `help:"Replace the file if it is there."`
}

// Run exports.
func (c *exportCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	file, err := c.file()
	if err != nil {
		return err
	}
	statement, parameters, err := c.statement()
	if err != nil {
		return err
	}
	return withConnection(ctx, s, log, needWarehouse, func(conn *connection) error {
		w := conn.warehouse
		if c.Query == "" && s.embeddedEngine() {
			whole, err := wholeAnswers(ctx, s, w)
			if err != nil {
				return err
			}
			defer whole.Close()
			w = whole
		}
		return c.write(ctx, w, statement, parameters, file)
	})
}

// wholeAnswers is for our own statements: the embedded engine limits a reader's
// answers, and a table may be larger.
func wholeAnswers(ctx context.Context, s *Settings, w *warehouse.Warehouse) (*warehouse.Warehouse, error) {
	key, err := engine.ReadWriterKey(s.path("engine"))
	if err != nil {
		return nil, err
	}
	return w.Whole(ctx, writerUser, key)
}

func (c *exportCommand) write(ctx context.Context, w *warehouse.Warehouse, statement string, parameters map[string]string, file export.File) error {
	out := os.Stderr
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetDescription("rows"), progressbar.OptionSetWriter(out), progressbar.OptionSetVisibility(isTerminal(out)),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	r, err := export.Write(ctx, w, statement, parameters, file, func(p export.Progress) { _ = bar.Set64(p.Rows) })
	_ = bar.Finish()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d rows, %d columns, %.1f MB in %.1f s (%.0f rows/s)\n", file.Path, r.Rows, r.Columns, float64(r.Bytes)/1e6, r.Took.Seconds(), float64(r.Rows)/r.Took.Seconds())
	return nil
}

func (c *exportCommand) file() (export.File, error) {
	f := export.File{Path: c.Out, Format: c.Format, Overwrite: c.Force}
	if f.Format == "" {
		f.Format = strings.TrimPrefix(filepath.Ext(c.Out), ".")
		if f.Format == "feather" {
			f.Format = "arrow"
		}
		if !slices.Contains(export.Formats, f.Format) {
			return f, fmt.Errorf("--out %s: its ending names no format: add --format %s", c.Out, strings.Join(export.Formats, ", --format "))
		}
	}
	return f, nil
}

// statement is the SELECT, with its parameters.
func (c *exportCommand) statement() (string, map[string]string, error) {
	if (c.Name == "") == (c.Query == "") {
		return "", nil, errors.New("name a table or view, or give --query")
	}
	if c.Query != "" {
		if c.AsOf != "" {
			return "", nil, errors.New("--as-of is for tables and views: write the time into the query, or as {name:DateTime64(3)} with --param name=…")
		}
		return strings.TrimRight(strings.TrimSpace(c.Query), ";"), c.Param, nil
	}
	entries, err := sql.Dictionary()
	if err != nil {
		return "", nil, err
	}
	e, err := findEntry(entries, c.Name)
	if err != nil {
		return "", nil, err
	}
	if e.IsView {
		return c.view(e)
	}
	return c.table(e)
}

func (c *exportCommand) view(e sql.Entry) (string, map[string]string, error) {
	values := map[string]string{}
	var given []string
	for _, p := range e.Parameters {
		value, ok := c.Param[p.Name]
		if p.Name == "as_of" && c.AsOf != "" {
			at, err := asOf(c.AsOf, p.Type)
			if err != nil {
				return "", nil, err
			}
			value, ok = at, true
		}
		if !ok {
			return "", nil, fmt.Errorf("view %s needs %s (%s): --param %s=…", e.Name, p.Name, p.Type, p.Name)
		}
		values[p.Name] = value
		given = append(given, fmt.Sprintf("%s = {%s:%s}", p.Name, p.Name, p.Type))
	}
	for name := range c.Param {
		if _, ok := values[name]; !ok {
			return "", nil, fmt.Errorf("view %s has no parameter %s: it is read as %s", e.Name, name, e.Call())
		}
	}
	if _, ok := values["as_of"]; c.AsOf != "" && !ok {
		return "", nil, fmt.Errorf("view %s has no parameter as_of: it answers as of the newest tick", e.Name)
	}
	if len(given) == 0 {
		return "SELECT * FROM " + e.Name, nil, nil
	}
	return fmt.Sprintf("SELECT * FROM %s(%s)", e.Name, strings.Join(given, ", ")), values, nil
}

func (c *exportCommand) table(e sql.Entry) (string, map[string]string, error) {
	has := func(name string) bool {
		return slices.ContainsFunc(e.Columns, func(col sql.Column) bool { return col.Name == name })
	}
	if len(c.Param) > 0 {
		return "", nil, fmt.Errorf("%s is a table: it has no parameters", e.Name)
	}
	statement, values := "SELECT * FROM "+e.Name, map[string]string(nil)
	if c.AsOf != "" {
		// Of a customer the table has the newest standing only, not the ones before.
		if !has("entry_time") || e.Name == "customer_standings" {
			return "", nil, fmt.Errorf("table %s does not know what was there earlier: leave --as-of out", e.Name)
		}
		at, err := asOf(c.AsOf, "DateTime64")
		if err != nil {
			return "", nil, err
		}
		statement, values = statement+" WHERE entry_time <= {as_of:DateTime64(3, 'UTC')}", map[string]string{"as_of": at}
	}
	if has("partition") && has("sequence") && has("index") {
		statement += " ORDER BY partition, sequence, index"
	}
	return statement, values, nil
}

// asOf reads a time and writes it as ClickHouse reads the type.
func asOf(text, kind string) (string, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return "", fmt.Errorf("--as-of %q: write 2026-11-22 or 2026-11-22T10:00:00Z", text)
		}
	}
	switch {
	case strings.HasPrefix(kind, "DateTime64"):
		return t.UTC().Format("2006-01-02 15:04:05.000"), nil
	case strings.HasPrefix(kind, "DateTime"):
		return t.UTC().Format(time.DateTime), nil
	case strings.HasPrefix(kind, "Date"):
		return t.Format(time.DateOnly), nil
	}
	return text, nil
}

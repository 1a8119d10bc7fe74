package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/sql"
	"github.com/punchcard/punchcard/warehouse"
	engine "github.com/punchcard/punchcard/warehouse/embedded"
)

func TestExportStatement(t *testing.T) {
	for _, c := range []struct {
		command   exportCommand
		statement string
		values    string
		err       string
	}{
		{exportCommand{Name: "orders"}, "SELECT * FROM orders ORDER BY partition, sequence, index", "", ""},
		{exportCommand{Name: "orders", AsOf: "2026-11-22"}, "SELECT * FROM orders WHERE entry_time <= {as_of:DateTime64(3, 'UTC')} ORDER BY partition, sequence, index", "2026-11-22 00:00:00.000", ""},
		{exportCommand{Name: "orders", AsOf: "2026-11-22T10:00:00.5+02:00"}, "SELECT * FROM orders WHERE entry_time <= {as_of:DateTime64(3, 'UTC')} ORDER BY partition, sequence, index", "2026-11-22 08:00:00.500", ""},
		{exportCommand{Name: "customers"}, "SELECT * FROM customers", "", ""},
		{exportCommand{Name: "campaign_conversions", Param: map[string]string{"conversion_days": "14"}}, "SELECT * FROM campaign_conversions(conversion_days = {conversion_days:UInt32})", "14", ""},
		{exportCommand{Query: " SELECT 1; "}, "SELECT 1", "", ""},
		{exportCommand{Name: "campaign_conversions"}, "", "", "needs conversion_days (UInt32): --param conversion_days="},
		{exportCommand{Name: "customers", Param: map[string]string{"x": "1"}}, "", "", "has no parameter x"},
		{exportCommand{Name: "customers", AsOf: "2026-11-22"}, "", "", "as of the newest tick"},
		{exportCommand{Name: "customer_standings", AsOf: "2026-11-22"}, "", "", "does not know what was there earlier"},
		{exportCommand{Name: "orders", AsOf: "yesterday"}, "", "", "write 2026-11-22"},
		{exportCommand{Name: "orders; DROP TABLE orders"}, "", "", "there is no table or view"},
		{exportCommand{Name: "order"}, "", "", "is it orders, "},
		{exportCommand{Name: "orders", Query: "SELECT 1"}, "", "", "name a table or view, or give --query"},
		{exportCommand{}, "", "", "name a table or view, or give --query"},
	} {
		statement, values, err := c.command.statement()
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v: %v, want %q", c.command, err, c.err)
			}
			continue
		}
		value := ""
		for _, v := range values {
			value += v
		}
		if err != nil || statement != c.statement || value != c.values {
			t.Errorf("%+v gives\n%s %q, %v", c.command, statement, value, err)
		}
	}
}

func TestAsOfIsWrittenAsTheTypeIsRead(t *testing.T) {
	for kind, want := range map[string]string{"Date": "2026-11-22", "Date32": "2026-11-22", "DateTime": "2026-11-22 10:00:00", "DateTime64(3, 'UTC')": "2026-11-22 10:00:00.000"} {
		if have, err := asOf("2026-11-22T10:00:00Z", kind); err != nil || have != want {
			t.Errorf("%s: %q %v", kind, have, err)
		}
	}
}

func TestExportFormat(t *testing.T) {
	for out, want := range map[string]string{"a.parquet": "parquet", "a.b/c.arrow": "arrow", "c.feather": "arrow", "c.csv": "csv"} {
		if f, err := (&exportCommand{Out: out}).file(); err != nil || f.Format != want {
			t.Errorf("%s: %+v %v", out, f, err)
		}
	}
	if f, err := (&exportCommand{Out: "x", Format: "csv", Force: true}).file(); err != nil || f.Format != "csv" || !f.Overwrite {
		t.Errorf("%+v %v", f, err)
	}
	if _, err := (&exportCommand{Out: "x.xlsx"}).file(); err == nil {
		t.Error("a spreadsheet")
	}
}

// The command itself, on a data folder of its own: an empty table has its columns
// all the same; a reader's limits do not cut a table, and hold a query.
func TestExportRuns(t *testing.T) {
	if _, err := engine.FindLibrary(); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	s := &Settings{Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", KafkaListen: "127.0.0.1:0", ClickhouseListen: "127.0.0.1:0"}
	log := slog.New(slog.DiscardHandler)
	ctx := context.Background()
	if err := writeAlone(ctx, s, log, func(*warehouse.Warehouse) error { return nil }); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "orders.csv")
	if err := (&exportCommand{Name: "orders", Out: out}).Run(ctx, s, log); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(out)
	if !strings.HasPrefix(string(text), "partition,sequence,index,event_time,") || strings.Count(string(text), "\n") != 1 {
		t.Errorf("%q", text)
	}
	if err := (&exportCommand{Name: "orders", Out: out}).Run(ctx, s, log); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a file that is there: %v", err)
	}
	wide := &exportCommand{Query: "SELECT repeat('x', 1000) || toString(number) AS x FROM numbers(700000)", Out: filepath.Join(dir, "x.parquet")}
	if err := wide.Run(ctx, s, log); err == nil || !strings.Contains(err.Error(), "Limit for result exceeded") {
		t.Errorf("700 MB of a query: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDescribe(t *testing.T) {
	var b bytes.Buffer
	if err := describeTables(&b, ""); err != nil || !strings.Contains(b.String(), "campaign_log") || !strings.Contains(b.String(), "tier_mix") {
		t.Errorf("%v\n%s", err, b.String())
	}
	entries, err := sql.Dictionary()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b.Reset()
		if err := describeTables(&b, e.Name); err != nil {
			t.Error(err)
		}
		for _, c := range e.Columns {
			if !strings.Contains(b.String(), c.Name) || !strings.Contains(b.String(), c.Comment) {
				t.Errorf("%s: nothing of %s", e.Name, c.Name)
			}
		}
	}
}

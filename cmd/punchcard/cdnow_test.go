package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/ingest/history"
)

// cdnowFile is the sample that the project carries.
const cdnowFile = root + "/ingest/history/data/cdnow/CDNOW_sample.txt"

// cdnow are its known figures.
func cdnow() []figure {
	list := []figure{
		{what: "customers with an order", query: "SELECT uniqExact(account_id) AS v FROM orders", want: 2357},
		{what: "rows", query: "SELECT count() AS v FROM orders", want: 6919},
		{what: "customers", query: "SELECT count() AS v FROM customers", want: 2357},
		{what: "rejects", query: "SELECT count() AS v FROM rejects", want: 0},
		{what: "gaps and doubles", query: "SELECT sum(gaps) + sum(doubles) AS v FROM pipeline_health", want: 0},
	}
	for _, c := range []struct {
		month                  string
		size, month1, in1After float64
	}{{"1997-01", 781, 124, 355}, {"1997-02", 857, 134, 378}, {"1997-03", 719, 87, 333}} {
		of := func(column string) string {
			return fmt.Sprintf("SELECT %s AS v FROM retention_cohorts WHERE base = 'real' AND cohort_month = '%s-01' AND month_number = 1", column, c.month)
		}
		list = append(list,
			figure{what: "cohort " + c.month + ": size", query: of("size"), want: c.size},
			figure{what: "cohort " + c.month + ": back in month 1", query: of("active"), want: c.month1},
			figure{what: "cohort " + c.month + ": in or after month 1", query: of("active_in_or_after"), want: c.in1After},
		)
	}
	return list
}

// planned reads the table that an import prints, by the name of the line.
func planned(t *testing.T, out string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, line := range strings.Split(out, "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		var v int
		name := f[0]
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "set aside: "); ok {
			name, f = "set aside", strings.Fields(rest)
		}
		if _, err := fmt.Sscan(f[len(f)-1], &v); name == "set aside" && err == nil {
			n[name] += v
		} else if _, err := fmt.Sscan(f[1], &v); err == nil {
			n[name] = v
		}
	}
	return n
}

// TestCDNOW imports the sample alone, then asks beside a running program.
func TestCDNOW(t *testing.T) {
	p := newPlace(t)
	p.mustRun("program", "activate", bundleDir(t, smallProgram))
	dry := p.mustRun("import", cdnowFile, "--mapping", "cdnow", "--dry-run")
	t.Log(dry)
	if n := planned(t, dry); n["read"] != 6919 || n["used"] != 6919 || n["set aside"] != 0 || n["rejected"] != 0 {
		t.Errorf("lines: %v", n)
	}
	p.row(t, "SELECT count() AS n FROM entries WHERE kind = 'event'", "map[n:0]")
	if _, err := os.Stat(filepath.Join(p.data, "imports")); !os.IsNotExist(err) {
		t.Errorf("a dry run left progress behind: %v", err)
	}
	began := time.Now()
	out := p.mustRun("import", cdnowFile, "--mapping", "cdnow")
	t.Logf("%.1f s\n%s", time.Since(began).Seconds(), out)
	if !strings.Contains(out, "imported: 6919 events") {
		t.Error("the import does not say that it imported 6,919 events")
	}
	p.row(t, "SELECT count() AS n FROM orders", "map[n:6919]") // alone: the import left nothing behind
	pr := p.spawn("serve")
	p.awaitReady(pr, time.Minute)
	entries := p.sql("SELECT count() AS n FROM entries WHERE kind = 'event'")
	if out := p.mustRun("import", cdnowFile, "--mapping", "cdnow"); !strings.Contains(out, "already imported: nothing was published") {
		t.Errorf("the second import: %s", out)
	}
	if again := p.sql("SELECT count() AS n FROM entries WHERE kind = 'event'"); fmt.Sprint(again) != fmt.Sprint(entries) {
		t.Errorf("the second import made entries: %v, before %v", again, entries)
	}
	p.figures(cdnow())
	t.Log(p.mustRun("verify"))
	if out := pr.out.String(); !strings.Contains(out, "allow it with --clock-jump=") {
		t.Errorf("time stands still in 1998, and serve does not say so: %s", out)
	}
	pr.interrupt()
}

// badFile has one line for each thing that can be wrong with a row; good ones
// between them.
const badFile = `invoice,product,quantity,price,when,customer
b-1,tea,2,1.50,2024-03-01 10:00:00,bad-1
b-2,tea,two,1.50,2024-03-01 10:01:00,bad-1
b-3,tea,1,one,2024-03-01 10:02:00,bad-1
b-4,tea,1,1.50,yesterday,bad-1
b-5,tea,1
b-6,cup,0,3.00,2024-03-01 10:05:00,bad-1
b-7,cup,1,3.00,2024-03-01 10:06:00,bad-2
`

const badMapping = `source: bad-rows
format: csv
csv: {delimiter: ",", header: true}
columns: {invoice: invoice, product: product, quantity: quantity, price: price, time: when, customer: customer}
currency: USD
time_zone: UTC
group: {by: invoice}
set_aside:
  - {when: quantity == 0, reason: nothing bought}
`

// TestImportOfABadCSV: each bad row is a reject that says where, what and how to
// help it; the good rows are used, and then time goes on to today.
func TestImportOfABadCSV(t *testing.T) {
	p := newPlace(t)
	p.mustRun("program", "activate", bundleDir(t, smallProgram))
	dir := t.TempDir()
	file, mapping := filepath.Join(dir, "bad.csv"), filepath.Join(dir, "bad.yaml")
	for path, text := range map[string]string{file: badFile, mapping: badMapping} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := p.mustRun("import", file, "--mapping", mapping, "--shift", "recent")
	t.Log(out)
	n := planned(t, out)
	if n["read"] != 7 || n["used"] != 2 || n["set aside"] != 1 || n["rejected"] != 4 || n["read"] != n["used"]+n["set aside"]+n["rejected"] {
		t.Errorf("lines: %v", n)
	}
	pr := p.spawn("serve", "--clock-jump", "1600h") // 9 weeks are 1,512 hours
	p.awaitReady(pr, time.Minute)
	until(t, "4 rejects in ClickHouse", 30*time.Second, func() bool { return len(p.sql("SELECT 1 FROM rejects WHERE is_history")) == 4 })
	rows := p.sql("SELECT source, code, field, message, hint, original, original_bytes FROM rejects WHERE is_history ORDER BY source")
	for i, want := range []struct{ source, code, field, original string }{
		{"bad.csv:line 3", "invalid_field", "quantity", "b-2,tea,two,1.50,2024-03-01 10:01:00,bad-1"},
		{"bad.csv:line 4", "invalid_field", "price", "b-3,tea,1,one,2024-03-01 10:02:00,bad-1"},
		{"bad.csv:line 5", "invalid_field", "time", "b-4,tea,1,1.50,yesterday,bad-1"},
		{"bad.csv:line 6", "missing_field", "price", "b-5,tea,1"},
	} {
		r := rows[i]
		t.Log(r)
		if r["source"] != want.source || r["code"] != want.code || r["field"] != want.field || r["hint"] == "" || r["message"] == "" {
			t.Errorf("row %d: %v, want %+v and a hint", i, r, want)
		}
		if strings.TrimSpace(fmt.Sprint(r["original"])) != want.original {
			t.Errorf("row %d: the original is %q, want %q", i, r["original"], want.original)
		}
	}
	p.row(t, "SELECT count() AS n FROM orders WHERE order_id IN ('b-1', 'b-7')", "map[n:2]")
	until(t, "the clock has walked to today", time.Minute, func() bool {
		row := p.sql("SELECT toUnixTimestamp(min(c)) AS clock FROM (SELECT max(entry_time) AS c FROM entries GROUP BY partition)")[0]
		clock, _ := row["clock"].(float64)
		return time.Since(time.Unix(int64(clock), 0)) < time.Minute
	})
	t.Log(p.mustRun("verify"))
	pr.interrupt()
}

// TestCDNOWKilledInTheMiddle: an import that is killed with -9, alone with its own
// broker and engine, goes on when it is run again and comes to the same figures.
func TestCDNOWKilledInTheMiddle(t *testing.T) {
	// With cut points the import waits for them each week, else monthly, and goes on
	// from there.
	weekly := strings.Replace(smallProgram, "method: fixed", "method: population\n  every: 7 days\n  minimum_customers: 100", 1)
	t.Run("cut points of each week", func(t *testing.T) { killedInTheMiddle(t, weekly, 1, 3000) })
	t.Run("fixed scores", func(t *testing.T) { killedInTheMiddle(t, smallProgram, 3000) })
}

// killedInTheMiddle kills when so many events are published and settled.
func killedInTheMiddle(t *testing.T, text string, moments ...int64) {
	p := newPlace(t)
	p.mustRun("program", "activate", bundleDir(t, text))
	progress := filepath.Join(p.data, "imports", "cdnow.json")
	read := func() (c history.Cursor) {
		if text, err := os.ReadFile(progress); err == nil {
			_ = json.Unmarshal(text, &c) // replaced at once, never half
		}
		return c
	}
	for _, at := range moments {
		pr := p.spawn("import", cdnowFile, "--mapping", "cdnow")
		until(t, fmt.Sprintf("%d events published and settled", at), 2*time.Minute, func() bool {
			select {
			case <-pr.done:
				t.Fatalf("the import ended before it was killed: %v\n%s", pr.err, pr.out)
			default:
			}
			return read().Published >= at
		})
		pr.kill()
		c := read()
		t.Logf("killed at %d of 6,919 events, clock %s", c.Published, c.Clock)
		if c.Done || c.Published >= 6919 {
			t.Fatalf("not in the middle: %+v", c)
		}
	}
	out := p.mustRun("import", cdnowFile, "--mapping", "cdnow")
	t.Log(out)
	if !strings.Contains(out, "resumed and finished") {
		t.Error("the import does not say that it went on")
	}
	pr := p.spawn("serve")
	p.awaitReady(pr, time.Minute)
	p.figures(cdnow())
	t.Log(p.mustRun("verify"))
	pr.interrupt()
}

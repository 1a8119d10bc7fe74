package dashboards

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/warehouse"
	"github.com/punchcard/punchcard/warehouse/embedded"
)

func TestMain(m *testing.M) {
	if embedded.IsChild() {
		embedded.RunChild()
	}
	os.Exit(m.Run())
}

// question is anything that is asked of ClickHouse.
type question struct {
	name, kind, sql, interval string
}

func questions() []question {
	var out []question
	for _, d := range List() {
		for _, p := range Panels(d.UID) {
			if p.SQL != "" {
				out = append(out, question{d.UID + "/" + p.Title, p.Type, p.SQL, p.Interval})
			}
		}
		for _, v := range Variables(d.UID) {
			out = append(out, question{d.UID + "/$" + v.Name, "variable", v.SQL, ""})
		}
		for _, a := range Annotations(d.UID) {
			out = append(out, question{d.UID + "/@" + a.Name, "annotation", a.SQL, ""})
		}
	}
	return out
}

// answer is what a question gave.
type answer struct {
	columns []string // name type
	rows    [][]any
	took    time.Duration
}

func ask(t testing.TB, w *warehouse.Warehouse, q question, r Range, vars map[string][]string) (answer, error) {
	t.Helper()
	sql, err := Expand(q.sql, r, vars)
	if err != nil {
		return answer{}, err
	}
	start := time.Now()
	names, types, rows, err := w.Query(context.Background(), sql)
	if err != nil {
		return answer{}, fmt.Errorf("%w\n%s", err, sql)
	}
	var columns []string
	for i := range names {
		columns = append(columns, names[i]+" "+types[i])
	}
	return answer{columns, rows, time.Since(start)}, nil
}

// TestOnOwnData runs everything on a ClickHouse of one's own and prints what it
// gives: PUNCHCARD_PANELS=http://127.0.0.1:8123 go test -v -run TestOnOwnData
func TestOnOwnData(t *testing.T) {
	url := os.Getenv("PUNCHCARD_PANELS")
	if url == "" {
		t.Skip("PUNCHCARD_PANELS names no ClickHouse")
	}
	w, err := warehouse.Open(t.Context(), warehouse.Config{URL: url, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_, _, rows, err := w.Query(t.Context(), "SELECT toUnixTimestamp64Milli(time) FROM as_of")
	if err != nil {
		t.Fatal(err)
	}
	to := event.Time(rows[0][0].(int64))
	r := Range{From: to - 180*24*3600*1000, To: to, IntervalSeconds: 24 * 3600}
	vars := map[string][]string{}
	if c := os.Getenv("PUNCHCARD_CUSTOMER"); c != "" {
		vars["customer"] = []string{c}
	}
	only := os.Getenv("PUNCHCARD_ONLY")
	for _, q := range questions() {
		if !strings.Contains(q.name, only) {
			continue
		}
		a, err := ask(t, w, q, r, vars)
		if err != nil {
			t.Errorf("%s: %v", q.name, err)
			continue
		}
		t.Logf("%s (%s): %d rows in %d ms: %s", q.name, q.kind, len(a.rows), a.took.Milliseconds(), strings.Join(a.columns, ", "))
		most := 3
		if only != "" {
			most = 40
		}
		for i, row := range a.rows {
			if i < most || i == len(a.rows)-1 {
				t.Logf("      %v", cells(row))
			}
		}
	}
}

func cells(row []any) []any {
	out := slices.Clone(row)
	for i, v := range out {
		switch v := v.(type) {
		case time.Time:
			out[i] = strings.TrimSuffix(v.UTC().Format("2006-01-02T15:04:05"), "T00:00:00")
		case float64:
			out[i] = fmt.Sprintf("%.4g", v)
		case map[string]uint64:
			out[i] = slices.Sorted(maps.Keys(v))
		}
	}
	return out
}

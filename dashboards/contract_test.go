package dashboards

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
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

func started(t *testing.T) *embedded.Engine {
	t.Helper()
	if _, err := embedded.FindLibrary(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	e, err := embedded.Start(context.Background(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func fill(t *testing.T, w *warehouse.Warehouse, statement string) {
	t.Helper()
	if _, _, _, err := w.Query(t.Context(), statement); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
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
	for _, a := range Alerts() {
		out = append(out, question{"alert/" + a.UID, "alert", flat(a.SQL), ""})
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

// asked is the range that the seed has facts in.
func (q question) asked() Range {
	if strings.Contains(q.sql, "$__timeFilter(received_time)") {
		return seedRejects
	}
	r := seedLong
	if q.kind == "alert" {
		for _, a := range Alerts() {
			if "alert/"+a.UID == q.name {
				r.From = r.To - event.Time(a.Window)*1000
			}
		}
	}
	return r
}

// mayBeEmpty are questions whose answer is good news.
var mayBeEmpty = []string{"alert/punchcard-liability", "alert/punchcard-campaign-quiet"}

// Every panel, variable, annotation and alert is asked of the engine. The columns
// and their types, and the number of rows of the seed, are in testdata.
func TestContract(t *testing.T) {
	w := seeded(t)
	var lines []string
	known := map[string]answer{} // variables and annotations are the same on all dashboards
	for _, q := range questions() {
		a, again := known[q.sql]
		var err error
		if !again {
			a, err = ask(t, w, q, q.asked(), map[string][]string{"customer": {"c1"}, "grain": {"month"}})
		}
		if err != nil {
			t.Errorf("%s: %v", q.name, err)
			continue
		}
		if len(a.rows) == 0 && !slices.Contains(mayBeEmpty, q.name) {
			t.Errorf("%s is empty", q.name)
		}
		if a.took > time.Minute {
			t.Errorf("%s took %s", q.name, a.took)
		}
		known[q.sql] = a
		checkShape(t, q, a)
		lines = append(lines, fmt.Sprintf("%s (%s, %d rows): %s", q.name, q.kind, len(a.rows), strings.Join(a.columns, ", ")))
	}
	golden(t, "testdata/columns.txt", strings.Join(lines, "\n")+"\n")
	// Whatever is chosen, the SQL stays SQL.
	for _, vars := range []map[string][]string{
		{"tier": {"silver"}, "segment": {"loyal"}, "channel": {"web"}, "campaign": {"welcome"}, "simulated": {"real"}, "grain": {"week"}, "customer": {"nobody"}},
		{"tier": {"'); DROP TABLE orders --", `\`}, "segment": {"'"}, "channel": {"a'b"}, "campaign": {"\\'"}, "customer": {"' OR 1=1 --"}},
	} {
		for _, q := range questions() {
			if !strings.Contains(q.sql, "${") {
				continue
			}
			if _, err := ask(t, w, q, q.asked(), vars); err != nil {
				t.Errorf("%s with %v: %v", q.name, vars, err)
			}
		}
	}
	goldenNumbers(t, w)
}

// checkShape: a series begins with its time, a stat has one number, a gauge a name
// and a number, an alert one number and names only.
func checkShape(t *testing.T, q question, a answer) {
	t.Helper()
	if len(a.columns) == 0 {
		return
	}
	numbers, times, texts := 0, 0, 0
	for _, c := range a.columns {
		_, kind, _ := strings.Cut(c, " ")
		for _, wrapper := range []string{"Nullable(", "LowCardinality("} {
			kind = strings.TrimPrefix(kind, wrapper)
		}
		switch {
		case strings.HasPrefix(kind, "Date"):
			times++
		case strings.HasPrefix(kind, "String"):
			texts++
		case strings.Contains(kind, "Int"), strings.HasPrefix(kind, "Float"):
			numbers++
		default:
			t.Errorf("%s: %s is a type that Grafana does not draw well", q.name, c)
		}
	}
	bad := false
	switch q.kind {
	case "stat":
		bad = numbers != 1 || texts > 0
	case "timeseries":
		bad = times != 1 || !strings.HasPrefix(a.columns[0], "time ") || texts > 1 || (texts == 1 && numbers != 1) || numbers == 0
	case "heatmap":
		bad = times != 1 || texts != 1 || numbers != 1
	case "bargauge":
		bad = texts != 1 || numbers != 1
	case "barchart":
		bad = texts != 1 || numbers == 0 || times > 0
	case "alert":
		bad = numbers != 1 || times > 0
	case "annotation":
		bad = times != 1 || !strings.HasPrefix(a.columns[0], "time ")
	}
	if bad {
		t.Errorf("%s: a %s cannot draw %v", q.name, q.kind, a.columns)
	}
	checkOverrides(t, q, a)
}

// checkOverrides: what is special about columns is about columns that are there.
func checkOverrides(t *testing.T, q question, a answer) {
	for _, b := range boards() {
		for _, r := range b.rows {
			for _, p := range r.panels {
				if q.name != "punchcard-"+b.name+"/"+p.title || q.kind != p.kind {
					continue
				}
				for name := range p.columns {
					if !slices.ContainsFunc(a.columns, func(c string) bool { return strings.HasPrefix(c, name+" ") }) {
						t.Errorf("%s has no column %s: %v", q.name, name, a.columns)
					}
				}
			}
		}
	}
}

func golden(t *testing.T, path, have string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == have {
		return
	}
	was := strings.Split(string(want), "\n")
	for line := range strings.SplitSeq(have, "\n") {
		if !slices.Contains(was, line) {
			t.Errorf("not as in %s: %s", path, line)
		}
	}
	t.Errorf("%s differs: if that is meant, go test ./dashboards -run TestContract -update", path)
}

// goldenNumbers are worked out by hand from the seed: 239 orders of £10 in the
// range, 60 of them simulated; the textbook's NPS.
func goldenNumbers(t *testing.T, w *warehouse.Warehouse) {
	t.Helper()
	for _, c := range []struct {
		name   string
		column string
		row    int // from the end
		vars   map[string][]string
		want   float64
	}{
		{"punchcard-overview/Sales", "sales", 0, nil, 2390},
		{"punchcard-overview/Sales", "sales", 0, map[string][]string{"simulated": {"real"}}, 1790},
		{"punchcard-overview/Sales", "sales", 24, nil, 10},
		{"punchcard-overview/Orders", "orders", 0, map[string][]string{"channel": {"store"}}, 120},
		{"punchcard-overview/Buyers", "customers", 0, nil, 40},
		{"punchcard-overview/Average order", "average_order", 0, nil, 10},
		{"punchcard-overview/Points owed", "points_owed", 0, nil, 2330},
		{"punchcard-points-and-tiers/Spent", "points", 0, nil, 20},
		{"punchcard-points-and-tiers/Expired", "points", 0, nil, 50},
		{"punchcard-points-and-tiers/Members", "members", 0, nil, 30},
		{"punchcard-campaigns/Messages sent", "messages", 0, map[string][]string{"campaign": {"welcome"}}, 15},
		{"punchcard-campaigns/Messages sent", "messages", 0, nil, 25},
		{"punchcard-campaigns/Opened", "share", 0, map[string][]string{"campaign": {"welcome"}}, 1},
		{"punchcard-voice/NPS", "nps", 0, nil, 30},
		{"punchcard-voice/NPS with its interval", "low", 0, map[string][]string{"grain": {"month"}}, 14.0511},
		{"punchcard-voice/NPS with its interval", "high", 0, map[string][]string{"grain": {"month"}}, 44.2013},
		{"punchcard-voice/Found it easy", "share", 0, nil, 0.2},
		{"punchcard-retention/Median gap", "days", 0, nil, 25},
		{"punchcard-value/Next 12 months", "expected_spend", 0, nil, 1200},
		{"punchcard-pipeline/Missing entries", "missing", 0, nil, 0},
		{"punchcard-pipeline/Refused", "rejects", 0, nil, 7},
		{"alert/punchcard-rejects", "rejects", 0, nil, 7},
		{"alert/punchcard-lag", "seconds", 0, nil, 0},
	} {
		i := slices.IndexFunc(questions(), func(q question) bool { return q.name == c.name })
		if i < 0 {
			t.Errorf("there is no %s", c.name)
			continue
		}
		q := questions()[i]
		a, err := ask(t, w, q, q.asked(), c.vars)
		if err != nil || len(a.rows) <= c.row {
			t.Errorf("%s: %d rows, %v", c.name, len(a.rows), err)
			continue
		}
		at := slices.IndexFunc(a.columns, func(s string) bool { return strings.HasPrefix(s, c.column+" ") })
		have, err := strconv.ParseFloat(fmt.Sprint(a.rows[len(a.rows)-1-c.row][max(at, 0)]), 64)
		if at < 0 || err != nil || math.Abs(have-c.want) > 0.0001 {
			t.Errorf("%s with %v: %s is %v, want %v (%v)", c.name, c.vars, c.column, have, c.want, err)
		}
	}
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

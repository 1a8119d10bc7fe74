package page

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// A world of canned answers: enough to look at every kind of panel.

//go:embed testdata
var testdata embed.FS

const readKey = "read-key-of-the-stand-0123456789"

// cannedNow is where the canned world's clock stands.
var cannedNow = time.Date(2011, 12, 9, 12, 50, 0, 0, time.UTC)

func cannedBoards(t testing.TB) []Dashboard {
	var out []Dashboard
	for _, name := range []string{"overview", "retention", "states"} {
		raw, err := testdata.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var j struct{ UID, Title, Description string }
		if err := json.Unmarshal(raw, &j); err != nil {
			t.Fatal(err)
		}
		out = append(out, Dashboard{j.UID, j.Title, j.Description, raw})
	}
	return out
}

func cannedConfig(t testing.TB) Config {
	return Config{
		Dashboards: cannedBoards(t), Query: cannedQuery, Expand: cannedExpand,
		Now: func() event.Time { return event.At(cannedNow) }, TimeZone: func() string { return "Europe/London" },
		Subscribe: cannedFeed, Story: cannedStory, Program: cannedProgram,
		Allowed: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+readKey },
		Report:  func(err error) { t.Log(err) },
	}
}

func cannedExpand(sql string, r Range, vars map[string][]string) (string, error) {
	sql = strings.ReplaceAll(sql, "$__timeFilter(day)", fmt.Sprintf("day BETWEEN %d AND %d", r.From, r.To))
	return strings.ReplaceAll(sql, "${tier:singlequote}", "'"+strings.Join(vars["tier"], "','")+"'"), nil
}

var cannedTable = regexp.MustCompile(`canned_(\w+)`)

func cannedQuery(ctx context.Context, sql string, _ Limits) (Result, error) {
	name := cannedTable.FindStringSubmatch(sql)
	if name == nil {
		return Result{}, errors.New("no such table")
	}
	switch name[1] {
	case "fails":
		return Result{}, errors.New("code: 241, message: memory limit (for query) exceeded: would use 1.2 GiB")
	case "slow_one":
		<-ctx.Done()
		return Result{}, ctx.Err()
	}
	return canned(name[1]), nil
}

func columns(list ...string) (out []Column) {
	for i := 0; i < len(list); i += 2 {
		out = append(out, Column{list[i], list[i+1]})
	}
	return out
}

// wave is a course that looks like a shop's year: it grows, with a season and a
// little noise that is the same each time.
func wave(i, n int, from, to float64) float64 {
	x := float64(i) / float64(max(n-1, 1))
	noise := math.Sin(float64(i)*12.9898) * 0.06
	return (from + (to-from)*x) * (1 + 0.10*math.Sin(x*9) + noise)
}

// course is a time series: n points back from now, step apart.
func course(n int, step time.Duration, names []string, value func(series, i int) any) Result {
	res := Result{Columns: columns("time", "DateTime('UTC')")}
	for _, name := range names {
		res.Columns = append(res.Columns, Column{name, "Nullable(Float64)"})
	}
	start := cannedNow.Truncate(24 * time.Hour).Add(-time.Duration(n-1) * step)
	for i := range n {
		row := []any{start.Add(time.Duration(i) * step)}
		for s := range names {
			row = append(row, value(s, i))
		}
		res.Rows = append(res.Rows, row)
	}
	return res
}

const week = 7 * 24 * time.Hour

func canned(name string) Result {
	one := func(from, to float64, round float64) Result {
		return course(12, 30*24*time.Hour, []string{name}, func(_, i int) any { return math.Round(wave(i, 12, from, to)/round) * round })
	}
	switch name {
	case "tiers":
		return Result{Columns: columns("tier", "String"), Rows: [][]any{{"bronze"}, {"silver"}, {"gold"}}}
	case "starts":
		return Result{Columns: columns("time", "DateTime('UTC')", "text", "String"), Rows: [][]any{{cannedNow.AddDate(0, -5, 0), "Win back began"}, {cannedNow.AddDate(0, -1, -4), "Christmas double points began"}}}
	case "revenue":
		return one(520_000, 1_120_000, .01)
	case "members":
		return one(1180, 4372, 1)
	case "aov":
		return one(341, 372, .01)
	case "repeat":
		return one(.52, .654, .0001)
	case "points":
		return one(310_000, 2_480_000, 1)
	case "nps":
		return one(22, 34, 1)
	case "revenue_by_tier":
		return course(52, week, []string{"bronze", "silver", "gold"}, func(s, i int) any {
			return math.Round(wave(i+7*s, 60, []float64{60e3, 30e3, 9e3}[s], []float64{90e3, 78e3, 64e3}[s]))
		})
	case "nps_band":
		return course(12, 30*24*time.Hour, []string{"nps", "low", "high"}, func(s, i int) any {
			v := wave(i, 12, 22, 34)
			return math.Round((v+[]float64{0, -9 + float64(i)/3, 9 - float64(i)/3}[s])*10) / 10
		})
	case "orders":
		return course(40, week, []string{"orders", "refunds"}, func(s, i int) any { return math.Round(wave(i, 40, 380-330*float64(s), 640-560*float64(s))) })
	case "mix":
		return course(52, week, []string{"bronze", "silver", "gold"}, func(s, i int) any {
			return math.Round(wave(i, 52, []float64{900, 200, 20}[s], []float64{2600, 1200, 572}[s]))
		})
	case "lag":
		return course(96, 15*time.Minute, []string{"processor", "sink"}, func(s, i int) any {
			return math.Max(0, math.Round(wave(i, 96, 40, 60)*(1+float64(s))+600*math.Exp(-math.Pow(float64(i-60)/3, 2))*float64(s)))
		})
	case "empty":
		return Result{Columns: columns("time", "DateTime('UTC')", "v", "Float64")}
	}
	return cannedTables(name)
}

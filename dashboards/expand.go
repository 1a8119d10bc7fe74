package dashboards

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/punchcard/punchcard/event"
)

const (
	// AllValues is what a page sends for Grafana's choice All.
	AllValues = "$__all"
	// all stands in the SQL for the choice All.
	all = "(all)"
	// maxValues and maxValueBytes bound the values of one variable.
	maxValues     = 1000
	maxValueBytes = 1024
)

// Range is the range of time that is asked for. IntervalSeconds is the width of
// one point of a time series, 1 at least.
type Range struct {
	From, To        event.Time
	IntervalSeconds int
}

// plainColumn is the only argument that macros take: the data source's own parser
// ends an argument at the first parenthesis.
var plainColumn = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// Expand fills in the macros of the ClickHouse data source and the variables of
// the dashboards: $__timeFilter(column), $__timeInterval(column), $__fromTime,
// $__toTime, $__interval_s, ${name:singlequote} and $name. Every value is quoted;
// several values are separated by commas. A variable that vars does not name has
// its default. Unknown macros, variables and formats are errors.
func Expand(sql string, r Range, vars map[string][]string) (string, error) {
	if r.To < r.From {
		return "", fmt.Errorf("dashboards: the range ends (%s) before it begins (%s)", r.To, r.From)
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(sql, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		text, length, err := expandOne(rest, r, vars)
		if err != nil {
			return "", fmt.Errorf("dashboards: %w", err)
		}
		out.WriteString(text)
		sql = rest[length:]
	}
}

// expandOne expands what stands after a $, and says how much of it it took.
func expandOne(s string, r Range, vars map[string][]string) (text string, length int, err error) {
	if strings.HasPrefix(s, "{") {
		inner, _, found := strings.Cut(s[1:], "}")
		if !found {
			return "", 0, fmt.Errorf("${%.40s: the closing brace is missing", inner)
		}
		name, format, formatted := strings.Cut(inner, ":")
		if formatted && format != "singlequote" {
			return "", 0, fmt.Errorf("${%.60s}: format %.20q is not known; only singlequote is", inner, format)
		}
		text, err = quoted(name, vars)
		return text, len(inner) + 2, err
	}
	name := word(s)
	switch {
	case name == "":
		return "$", 0, nil
	case strings.HasPrefix(name, "__"):
		return expandMacro(name, s, r)
	}
	text, err = quoted(name, vars)
	return text, len(name), err
}

func word(s string) string {
	end := strings.IndexFunc(s, func(c rune) bool {
		return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
	if end < 0 {
		return s
	}
	return s[:end]
}

func expandMacro(name, s string, r Range) (string, int, error) {
	from, to := seconds(r.From), seconds(r.To)
	step := strconv.Itoa(max(r.IntervalSeconds, 1))
	switch name {
	case "__fromTime":
		return from, len(name), nil
	case "__toTime":
		return to, len(name), nil
	case "__interval_s":
		return step, len(name), nil
	case "__timeFilter", "__timeInterval":
	default:
		return "", 0, fmt.Errorf("macro $%.40s is not known", name)
	}
	argument, _, found := strings.Cut(s[len(name):], ")")
	column, opened := strings.CutPrefix(argument, "(")
	if !found || !opened || !plainColumn.MatchString(column) {
		return "", 0, fmt.Errorf("macro $%s needs the name of a column in parentheses, not %.40q", name, argument)
	}
	length := len(name) + len(argument) + 1
	if name == "__timeFilter" {
		return column + " >= " + from + " AND " + column + " <= " + to, length, nil
	}
	return "toStartOfInterval(toDateTime(" + column + "), INTERVAL " + step + " second)", length, nil
}

// seconds writes a time as the data source does.
func seconds(t event.Time) string {
	return "toDateTime(" + strconv.FormatInt(max(0, int64(t)/1000), 10) + ")"
}

// quoted writes the values of a variable as string literals.
func quoted(name string, vars map[string][]string) (string, error) {
	known, ok := variables[name]
	if !ok {
		return "", fmt.Errorf("variable %.40q is not known", name)
	}
	values, given := vars[name]
	if !given || len(values) == 0 {
		values = known.initial
	}
	if len(values) > maxValues || (len(values) > 1 && !known.multi) {
		return "", fmt.Errorf("variable %s has %d values: too many", name, len(values))
	}
	literals := make([]string, len(values))
	for i, v := range values {
		if len(v) > maxValueBytes || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return "", fmt.Errorf("a value of variable %s is no text, or longer than %d bytes", name, maxValueBytes)
		}
		if known.multi && (v == AllValues || v == literal(all)) {
			v = all
		}
		literals[i] = literal(v)
	}
	return strings.Join(literals, ","), nil
}

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// literal writes a string literal of ClickHouse.
func literal(s string) string { return "'" + escapes.Replace(s) + "'" }

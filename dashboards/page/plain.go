package page

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// columnJSON is a column as the page gets it. Kind says how its values are
// written: time (milliseconds since 1970), date (2011-12-09), number, bool, text
// or other (JSON).
type columnJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Kind string `json:"kind"`
}

// Kinds of columns.
const (
	kindTime   = "time"
	kindDate   = "date"
	kindNumber = "number"
	kindBool   = "bool"
	kindText   = "text"
	kindOther  = "other"
)

// kindOf reads the kind from a ClickHouse type.
func kindOf(t string) string {
	for _, wrapper := range []string{"LowCardinality(", "Nullable("} {
		if inner, ok := strings.CutPrefix(t, wrapper); ok {
			t = strings.TrimSuffix(inner, ")")
		}
	}
	switch {
	case strings.HasPrefix(t, "DateTime"):
		return kindTime
	case strings.HasPrefix(t, "Date"):
		return kindDate
	case strings.HasPrefix(t, "Int"), strings.HasPrefix(t, "UInt"), strings.HasPrefix(t, "Float"), strings.HasPrefix(t, "Decimal"), strings.HasPrefix(t, "BFloat"):
		return kindNumber
	case t == "Bool":
		return kindBool
	case t == "String", strings.HasPrefix(t, "FixedString"), strings.HasPrefix(t, "Enum"), t == "UUID", strings.HasPrefix(t, "IPv"):
		return kindText
	}
	return kindOther
}

// plain turns a result into what JSON can say.
func plain(res Result) ([]columnJSON, [][]any) {
	columns := make([]columnJSON, len(res.Columns))
	for i, c := range res.Columns {
		columns[i] = columnJSON{c.Name, c.Type, kindOf(c.Type)}
	}
	rows := make([][]any, len(res.Rows))
	for i, row := range res.Rows {
		out := make([]any, len(row))
		for j, v := range row {
			if j < len(columns) {
				out[j] = plainValue(columns[j].Kind, v)
			}
		}
		rows[i] = out
	}
	return columns, rows
}

func plainValue(kind string, v any) any {
	// A Nullable may come as a pointer.
	for rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer; rv = reflect.ValueOf(v) {
		if rv.IsNil() {
			return nil
		}
		if _, ok := v.(fmt.Stringer); ok && kind != kindTime && kind != kindDate {
			break // *big.Int
		}
		v = rv.Elem().Interface()
	}
	switch x := v.(type) {
	case nil, bool, string, int64, uint64, int32, uint32, int16, uint16, int8, uint8, int, uint:
		return x
	case time.Time:
		if kind == kindDate {
			return x.Format(time.DateOnly)
		}
		return x.UnixMilli()
	case float64:
		return finite(x)
	case float32:
		return finite(float64(x))
	}
	if kind == kindNumber {
		// Decimals and integers of 128 bits write themselves.
		if n := json.Number(fmt.Sprint(v)); json.Valid([]byte(n)) {
			return n
		}
	}
	if _, err := json.Marshal(v); kind == kindText || err != nil {
		return fmt.Sprint(v)
	}
	return v
}

// finite leaves out what JSON has no word for.
func finite(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

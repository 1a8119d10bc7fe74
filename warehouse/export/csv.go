package export

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// csvFile writes CSV (RFC 4180) with a line of names: NULL is empty, times are
// RFC 3339 in their zone, lists, maps and tuples are JSON.
type csvFile struct {
	w     *csv.Writer
	cells []string
}

func newCSV(w io.Writer, schema *arrow.Schema) (*csvFile, error) {
	c := &csvFile{w: csv.NewWriter(w), cells: make([]string, len(schema.Fields()))}
	for i, f := range schema.Fields() {
		c.cells[i] = f.Name
	}
	return c, c.w.Write(c.cells)
}

// Write adds the rows of a record.
func (c *csvFile) Write(r arrow.Record) error {
	for row := range int(r.NumRows()) {
		for i, column := range r.Columns() {
			cell, err := cellText(column, row)
			if err != nil {
				return fmt.Errorf("column %s: %w", r.ColumnName(i), err)
			}
			c.cells[i] = cell
		}
		if err := c.w.Write(c.cells); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left.
func (c *csvFile) Close() error {
	c.w.Flush()
	return c.w.Error()
}

func cellText(a arrow.Array, i int) (string, error) {
	if a.IsNull(i) {
		return "", nil
	}
	switch a := a.(type) { // most cells, without a detour
	case *array.String:
		return a.Value(i), nil
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10), nil
	case *array.Int32:
		return strconv.FormatInt(int64(a.Value(i)), 10), nil
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), nil
	}
	switch v := cellValue(a, i).(type) {
	case string:
		return v, nil
	case json.RawMessage:
		return string(v), nil
	case map[string]any, []any:
		text, err := json.Marshal(v)
		return string(text), err
	default:
		return fmt.Sprint(v), nil
	}
}

// cellValue is a value as JSON has it, but for numbers and decimals, which keep
// their digits, and times, which are text.
func cellValue(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Binary:
		return string(a.Value(i))
	case *array.Decimal128:
		return json.RawMessage(decimalText(a.Value(i).BigInt(), a.DataType().(*arrow.Decimal128Type).Scale))
	case *array.Decimal256:
		return json.RawMessage(decimalText(a.Value(i).BigInt(), a.DataType().(*arrow.Decimal256Type).Scale))
	case *array.Timestamp:
		return timeText(a.Value(i), a.DataType().(*arrow.TimestampType))
	case *array.Date32:
		return a.Value(i).ToTime().Format(time.DateOnly)
	case *array.Map:
		from, to := a.ValueOffsets(i)
		out := make(map[string]any, to-from)
		for k := int(from); k < int(to); k++ {
			out[fmt.Sprint(cellValue(a.Keys(), k))] = cellValue(a.Items(), k)
		}
		return out
	case *array.List:
		from, to := a.ValueOffsets(i)
		out := make([]any, 0, to-from)
		for k := int(from); k < int(to); k++ {
			out = append(out, cellValue(a.ListValues(), k))
		}
		return out
	case *array.Struct:
		out := make(map[string]any, a.NumField())
		for f, field := range a.DataType().(*arrow.StructType).Fields() {
			out[field.Name] = cellValue(a.Field(f), i)
		}
		return out
	}
	return json.RawMessage(a.ValueStr(i))
}

func timeText(v arrow.Timestamp, t *arrow.TimestampType) string {
	zone, err := t.GetZone()
	if err != nil || zone == nil {
		zone = time.UTC
	}
	return v.ToTime(t.Unit).In(zone).Format(time.RFC3339Nano)
}

// decimalText is exact; Arrow's own goes by way of a float.
func decimalText(n *big.Int, scale int32) string {
	if scale <= 0 {
		return n.String()
	}
	digits := new(big.Int).Abs(n).String()
	if missing := int(scale) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - int(scale)
	text := digits[:point] + "." + digits[point:]
	if n.Sign() < 0 {
		return "-" + text
	}
	return text
}

package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// batchRows is how many rows of a Parquet file are decoded at a time.
const batchRows = 16 << 10

// parquetRows streams the mapped columns of a Parquet file.
type parquetRows struct {
	file    *file.Reader
	columns []*pqarrow.ColumnReader
	zone    *time.Location
	names   []string // of the columns that are read
	roles   []role
	getters []getter // of the current batch
	row     int      // in the batch
	rows    int      // of the batch
	done    int64
	total   int64
}

// getter reads one column of a batch.
type getter func(row int, c *cell)

func openParquet(ctx context.Context, in Input, m *Mapping) (p *parquetRows, err error) {
	defer recovered(&err)
	f, err := file.NewParquetReader(in)
	if err != nil {
		return nil, fmt.Errorf("is not a Parquet file: %w", err)
	}
	reader, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return nil, fmt.Errorf("read Parquet: %w", err)
	}
	schema, err := reader.Schema()
	if err != nil {
		return nil, fmt.Errorf("read Parquet's columns: %w", err)
	}
	p = &parquetRows{file: f, zone: m.zone, total: f.NumRows()}
	var wanted []int
	for _, field := range schema.Fields() {
		if r, ok := m.roleOfColumn(field.Name); ok {
			// A leaf's number is its field's number only without nested columns before.
			wanted = append(wanted, f.MetaData().Schema.ColumnIndexByName(field.Name))
			p.names, p.roles = append(p.names, field.Name), append(p.roles, r)
			if !readable(field.Type) {
				return nil, fmt.Errorf("column %s is of type %s, which cannot be read as %s", field.Name, field.Type, roleNames[r])
			}
		}
	}
	if err := m.missingColumns(p.names); err != nil {
		return nil, err
	}
	// Not GetRecordReader: it works in goroutines of its own, where a panic on a
	// broken file cannot be recovered (TestBrokenParquet).
	for _, i := range wanted {
		column, err := reader.GetColumn(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("read Parquet: %w", err)
		}
		p.columns = append(p.columns, column)
	}
	return p, nil
}

// recovered turns a panic of the Parquet library on a broken file into an error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("broken Parquet file: %v", r)
	}
}

func (m *Mapping) roleOfColumn(name string) (role, bool) {
	for r, column := range m.columns {
		if column == name {
			return role(r), true
		}
	}
	return 0, false
}

// missingColumns fails if the mapping names a column that is not in the file.
func (m *Mapping) missingColumns(have []string) error {
	var lost []string
	for r, column := range m.columns {
		found := column == ""
		for _, name := range have {
			found = found || name == column
		}
		if !found {
			lost = append(lost, fmt.Sprintf("%s (%s)", column, roleNames[r]))
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("no column %s in the file: see columns in the mapping", strings.Join(lost, ", "))
	}
	return nil
}

func (p *parquetRows) next(cells *[roles]cell) (trouble *bad, err error) {
	defer recovered(&err)
	for p.row+1 >= p.rows {
		if p.done == p.total {
			return nil, io.EOF
		}
		if err := p.batch(); err != nil {
			return nil, err
		}
	}
	p.row++
	p.done++
	for i, get := range p.getters {
		get(p.row, &cells[p.roles[i]])
	}
	return nil, nil
}

// batch reads the next rows of each column.
func (p *parquetRows) batch() error {
	getters := make([]getter, len(p.names))
	rows := -1
	for i, column := range p.columns {
		chunks, err := column.NextBatch(batchRows)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read Parquet's column %s: %w", p.names[i], err)
		}
		if chunks == nil || chunks.Len() == 0 || rows >= 0 && chunks.Len() != rows {
			return fmt.Errorf("broken Parquet file: column %s ends after %d of %d rows", p.names[i], p.done, p.total)
		}
		rows = chunks.Len()
		values := chunks.Chunk(0)
		if len(chunks.Chunks()) > 1 {
			if values, err = array.Concatenate(chunks.Chunks(), memory.DefaultAllocator); err != nil {
				return fmt.Errorf("read Parquet's column %s: %w", p.names[i], err)
			}
		}
		getters[i] = p.column(values)
	}
	p.row, p.rows, p.getters = -1, rows, getters
	return nil
}

func (p *parquetRows) at() string { return "row " + strconv.FormatInt(p.done, 10) }

// raw is the row's mapped columns as JSON.
func (p *parquetRows) raw() []byte {
	row := map[string]string{}
	for i, get := range p.getters {
		var c cell
		if get(p.row, &c); c.kind != cellMissing {
			row[p.names[i]] = strings.ToValidUTF8(c.text(), "\ufffd")
		}
	}
	b, err := json.Marshal(row)
	if err != nil {
		return []byte(err.Error()) // a map of strings always encodes
	}
	return b
}

func (p *parquetRows) progress() (done, total int64) { return p.done, p.total }

func (p *parquetRows) close() {
	p.file.Close() // the input is the caller's and closed again by it; nothing was written
}

func readable(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64,
		arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.FLOAT32, arrow.FLOAT64,
		arrow.DECIMAL128, arrow.DECIMAL256, arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64, arrow.NULL:
		return true
	}
	return false
}

// column returns how to read an array of any readable type.
func (p *parquetRows) column(a arrow.Array) getter {
	var get getter
	switch a := a.(type) {
	case *array.String:
		get = func(i int, c *cell) { c.kind, c.s = cellText, a.Value(i) }
	case *array.Int32:
		get = func(i int, c *cell) { c.kind, c.i = cellInt, int64(a.Value(i)) }
	case *array.Int64:
		get = func(i int, c *cell) { c.kind, c.i = cellInt, a.Value(i) }
	case *array.Uint32:
		get = func(i int, c *cell) { c.kind, c.i = cellInt, int64(a.Value(i)) }
	case *array.Float64:
		get = func(i int, c *cell) { c.kind, c.f = cellFloat, a.Value(i) }
	case *array.Binary:
		get = func(i int, c *cell) { c.kind, c.s = cellText, string(a.Value(i)) }
	case *array.Timestamp:
		get = p.timestamps(a)
	case *array.Date32:
		get = func(i int, c *cell) { c.kind, c.t = cellTime, p.local(a.Value(i).ToTime()) }
	case *array.Date64:
		get = func(i int, c *cell) { c.kind, c.t = cellTime, p.local(a.Value(i).ToTime()) }
	default:
		// The rest is rare; ValueStr writes numbers as decimals, exactly (a float32 in
		// its own shortest form).
		get = func(i int, c *cell) { c.kind, c.s = cellText, a.ValueStr(i) }
	}
	if a.NullN() == 0 {
		return get
	}
	return func(i int, c *cell) {
		if !a.IsNull(i) {
			get(i, c)
		}
	}
}

func (p *parquetRows) timestamps(a *array.Timestamp) getter {
	kind := a.DataType().(*arrow.TimestampType)
	return func(i int, c *cell) {
		c.kind, c.t = cellTime, instant(int64(a.Value(i)), kind.Unit)
		if kind.TimeZone == "" { // a time on the wall
			c.t = p.local(c.t)
		}
	}
}

// instant avoids the overflow of arrow's own conversion in the far future.
func instant(v int64, unit arrow.TimeUnit) time.Time {
	switch unit {
	case arrow.Second:
		if v > math.MaxInt64/1000 || v < math.MinInt64/1000 {
			return time.Time{}
		}
		return time.Unix(v, 0).UTC()
	case arrow.Millisecond:
		return time.UnixMilli(v).UTC()
	case arrow.Microsecond:
		return time.UnixMicro(v).UTC()
	}
	return time.Unix(0, v).UTC()
}

// local takes a time without a zone as one in the mapping's.
func (p *parquetRows) local(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), p.zone)
}

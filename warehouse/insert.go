package warehouse

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

const (
	// insertTimeout bounds one Insert.
	insertTimeout = time.Minute
	// MaxInsertRows bounds one Insert: below it ClickHouse never cuts a block, so
	// that an insert is one part and atomic.
	MaxInsertRows = 1_000_000
)

// Column is one column of an insert. Values is a slice of the Go type of the
// column: []int64, []int32, []int8, []uint16, []bool, []string, []time.Time for
// a Date32, []int64 milliseconds for a DateTime64(3), [][]string for an array,
// []map[string]string for a map.
type Column struct {
	Name   string
	Values any
}

// Insert appends rows to a table: all of them or none. token names the rows: an
// insert with the same token (and table) that is already there, or on its way,
// is not done again. After an error the rows may be there; ask Positions, or
// insert the same again with the same token.
func (w *Warehouse) Insert(ctx context.Context, table, token string, columns []Column) error {
	rows, err := countRows(table, columns)
	if err != nil || rows == 0 {
		return err
	}
	known, err := w.columnTypes(ctx, table)
	if err != nil {
		return err
	}
	names := make([]string, len(columns))
	types := make([]clickhouse.ColumnNameAndType, len(columns))
	for i, c := range columns {
		t, ok := known[c.Name]
		if !ok {
			return fmt.Errorf("warehouse: table %s in database %s has no column %s: run the migrations of this binary", table, w.cfg.Database, c.Name)
		}
		names[i] = "`" + c.Name + "`"
		types[i] = clickhouse.ColumnNameAndType{Name: c.Name, Type: t}
	}
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(types), clickhouse.WithSettings(clickhouse.Settings{
		"async_insert":                             0,
		"insert_deduplicate":                       1,
		"insert_deduplication_token":               token,
		"min_insert_block_size_rows":               MaxInsertRows,
		"min_insert_block_size_bytes":              0,
		"max_insert_block_size":                    MaxInsertRows,
		"max_partitions_per_insert_block":          1,
		"throw_on_max_partitions_per_insert_block": 1,
	}))
	if err := w.send(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+")", columns); err != nil {
		return w.failed(fmt.Sprintf("inserting %d rows into %s", rows, table), err)
	}
	return nil
}

func (w *Warehouse) send(ctx context.Context, query string, columns []Column) error {
	batch, err := w.conn.PrepareBatch(ctx, query)
	if err != nil {
		return err
	}
	defer batch.Close()
	for i, c := range columns {
		if err := batch.Column(i).Append(c.Values); err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return batch.Send()
}

func countRows(table string, columns []Column) (int, error) {
	rows := -1
	for _, c := range columns {
		n := reflect.ValueOf(c.Values).Len()
		if rows >= 0 && n != rows {
			return 0, fmt.Errorf("warehouse: inserting into %s: column %s has %d values, column %s has %d", table, c.Name, n, columns[0].Name, rows)
		}
		rows = n
	}
	if rows > MaxInsertRows {
		return 0, fmt.Errorf("warehouse: inserting %d rows into %s: at most %d at once", rows, table, MaxInsertRows)
	}
	return rows, nil
}

// columnTypes asks for the types of a table's columns, once.
func (w *Warehouse) columnTypes(ctx context.Context, table string) (map[string]string, error) {
	w.mu.Lock()
	known := w.columns[table]
	w.mu.Unlock()
	if known != nil {
		return known, nil
	}
	ctx, cancel := bound(ctx, insertTimeout)
	defer cancel()
	rows, err := w.conn.Query(ctx, "SELECT name, type FROM system.columns WHERE database = $1 AND table = $2", w.cfg.Database, table)
	if err != nil {
		return nil, w.failed("asking for the columns of "+table, err)
	}
	defer rows.Close()
	known = make(map[string]string)
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			return nil, w.failed("asking for the columns of "+table, err)
		}
		known[name] = typ
	}
	if err := rows.Err(); err != nil {
		return nil, w.failed("asking for the columns of "+table, err)
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("warehouse: database %s at %s has no table %s: run the migrations", w.cfg.Database, w.where, table)
	}
	w.mu.Lock()
	w.columns[table] = known
	w.mu.Unlock()
	return known, nil
}

package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	queryTimeout = 2 * time.Minute
	// MaxQueryRows bounds the rows that Query returns.
	MaxQueryRows = 1_000_000
	// MaxEntries bounds the limit of Entries.
	MaxEntries = 1000
)

// ErrTooManyRows says that an answer was cut after MaxQueryRows rows.
var ErrTooManyRows = errors.New("warehouse: the answer has too many rows")

// Query runs one statement and returns the names and ClickHouse types of its
// columns, and its rows as Go values (nil for NULL). args fill $1, $2, …. With
// ErrTooManyRows the first MaxQueryRows rows are returned.
func (w *Warehouse) Query(ctx context.Context, statement string, args ...any) (columns, types []string, rows [][]any, err error) {
	err = w.scan(ctx, queryTimeout, "query", statement, args, func(r driver.Rows) error {
		columns = r.Columns()
		kinds := r.ColumnTypes()
		for _, k := range kinds {
			types = append(types, k.DatabaseTypeName())
		}
		for r.Next() {
			if len(rows) == MaxQueryRows {
				return fmt.Errorf("%w: more than %d: add a LIMIT", ErrTooManyRows, MaxQueryRows)
			}
			row, err := scanRow(r, kinds)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return columns, types, rows, err
}

func scanRow(r driver.Rows, kinds []driver.ColumnType) ([]any, error) {
	into := make([]any, len(kinds))
	for i, k := range kinds {
		into[i] = reflect.New(k.ScanType()).Interface()
	}
	if err := r.Scan(into...); err != nil {
		return nil, err
	}
	for i := range into {
		v := reflect.ValueOf(into[i]).Elem()
		// A Nullable scans into a pointer.
		for v.Kind() == reflect.Pointer && kinds[i].Nullable() {
			if v.IsNil() {
				break
			}
			v = v.Elem()
		}
		if v.Kind() == reflect.Pointer && v.IsNil() {
			into[i] = nil
			continue
		}
		into[i] = v.Interface()
	}
	return into, nil
}

// Entries returns the entries of an account as JSON, newest first, those with a
// sequence below before (0: all), at most limit (MaxEntries at most).
func (w *Warehouse) Entries(ctx context.Context, accountID string, before int64, limit int) ([]json.RawMessage, error) {
	if limit <= 0 || limit > MaxEntries {
		limit = MaxEntries
	}
	var out []json.RawMessage
	const statement = `SELECT value FROM entries WHERE account_id = $1 AND ($2 <= 0 OR sequence < $2)
		ORDER BY sequence DESC LIMIT 1 BY partition, sequence LIMIT $3`
	err := w.each(ctx, queryTimeout, "reading the entries of an account", statement, []any{accountID, before, limit}, func(r driver.Rows) error {
		var value string
		err := r.Scan(&value)
		out = append(out, json.RawMessage(value))
		return err
	})
	return out, err
}

// each calls fn on every row.
func (w *Warehouse) each(ctx context.Context, within time.Duration, what, statement string, args []any, fn func(driver.Rows) error) error {
	return w.scan(ctx, within, what, statement, args, func(r driver.Rows) error {
		for r.Next() {
			if err := fn(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *Warehouse) scan(ctx context.Context, within time.Duration, what, statement string, args []any, fn func(driver.Rows) error) error {
	ctx, cancel := bound(ctx, within)
	defer cancel()
	if w.limits != nil {
		ctx = clickhouse.Context(ctx, clickhouse.WithSettings(maps.Clone(w.limits)))
	}
	rows, err := w.conn.Query(ctx, statement, args...)
	if err != nil {
		return w.failed(what, err)
	}
	err = fn(rows)
	if err == nil {
		err = rows.Err()
	}
	if closed := rows.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return w.failed(what, err)
	}
	return nil
}

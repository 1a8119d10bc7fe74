package warehouse

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

func TestArrow(t *testing.T) {
	e, writer := migrated(t)
	reader, err := Open(t.Context(), Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	for _, w := range []*Warehouse{writer, reader} {
		var rows, sum int64
		last := ""
		err := w.Arrow(context.Background(), "SELECT toInt64(number) AS n, concat({name:String}, toString(number)) AS s FROM numbers(200000) ORDER BY n", map[string]string{"name": "tea & co. "}, func(r arrow.Record) error {
			rows += r.NumRows()
			for _, v := range r.Column(0).(*array.Int64).Int64Values() {
				sum += v
			}
			last = r.Column(1).(*array.String).Value(int(r.NumRows()) - 1)
			return nil
		})
		if err != nil || rows != 200000 || sum != 200000*199999/2 || last != "tea & co. 199999" {
			t.Errorf("%d rows, sum %d, last %q, %v", rows, sum, last, err)
		}
		err = w.Arrow(context.Background(), "SELECT nothing FROM orders", nil, func(arrow.Record) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "UNKNOWN_IDENTIFIER") {
			t.Errorf("a wrong column: %v", err)
		}
		mine := errors.New("mine")
		if err := w.Arrow(context.Background(), "SELECT 1", nil, func(arrow.Record) error { return mine }); !errors.Is(err, mine) {
			t.Errorf("an error of the caller: %v", err)
		}
	}
	if err := reader.Arrow(context.Background(), "INSERT INTO rejects (partition) VALUES (1)", nil, func(arrow.Record) error { return nil }); err == nil {
		t.Error("a reader wrote")
	}
	native := &Warehouse{cfg: Config{URL: "clickhouse://127.0.0.1:9000"}}
	if err := native.Arrow(context.Background(), "SELECT 1", nil, nil); !errors.Is(err, ErrNoArrow) {
		t.Errorf("the native port: %v", err)
	}
}

// A query that fails after its first megabyte was sent, and an answer that stops.
func TestArrowThatBreaks(t *testing.T) {
	e, _ := migrated(t)
	reader, err := Open(t.Context(), Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	var rows int64
	err = reader.Arrow(t.Context(), "SELECT number, throwIf(number = 900000, 'the milk is off') FROM numbers(1000000)", nil, func(r arrow.Record) error {
		rows += r.NumRows()
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "the milk is off") || rows == 0 || rows > 900_000 {
		t.Errorf("%d rows, then %v", rows, err)
	}
	var whole bytes.Buffer
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	w := ipc.NewWriter(&whole, ipc.WithSchema(schema))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(arrow.Record) error { return nil }
	begin := func(s *arrow.Schema) error {
		if !s.Equal(schema) {
			t.Errorf("columns %v", s)
		}
		return nil
	}
	if err := reader.readArrow(newArrowBody(&whole), begin, nothing); err != nil {
		t.Errorf("an answer without rows: %v", err)
	}
	whole.Reset()
	if err := ipc.NewWriter(&whole, ipc.WithSchema(schema)).Close(); err != nil {
		t.Fatal(err)
	}
	whole.Truncate(whole.Len() - 8)
	if err := reader.readArrow(newArrowBody(&whole), begin, nothing); !errors.Is(err, errArrowCut) {
		t.Errorf("an answer without end: %v", err)
	}
}

package warehouse

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
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

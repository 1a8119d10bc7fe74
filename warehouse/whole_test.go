package warehouse

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Whole answers have no limit of size, and write no more than a reader does.
func TestWhole(t *testing.T) {
	e, _ := migrated(t)
	reader, err := Open(t.Context(), Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	whole, err := reader.Whole(t.Context(), "punchcard", e.WriterKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { whole.Close() })
	limits := func(w *Warehouse) (bytes, rows uint64) {
		err := w.Arrow(t.Context(), "SELECT toUInt64(getSetting('max_result_bytes')) AS a, toUInt64(getSetting('max_result_rows')) AS b", nil, func(r arrow.Record) error {
			bytes, rows = r.Column(0).(*array.Uint64).Value(0), r.Column(1).(*array.Uint64).Value(0)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return bytes, rows
	}
	if bytes, rows := limits(reader); bytes == 0 || rows == 0 {
		t.Errorf("a reader has no limit: %d bytes, %d rows", bytes, rows)
	}
	if bytes, rows := limits(whole); bytes != 0 || rows != 0 {
		t.Errorf("a whole answer has a limit: %d bytes, %d rows", bytes, rows)
	}
	if err := whole.Arrow(t.Context(), "INSERT INTO rejects (partition) VALUES (1)", nil, nil); err == nil {
		t.Error("it wrote")
	}
	if reader.limits != nil {
		t.Error("the reader's own limits were changed")
	}
}

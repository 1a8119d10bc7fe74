package embedded

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// An answer of many pieces is one Arrow stream: a reader that stops at the first
// end has all of it.
func TestArrowStreamIsOne(t *testing.T) {
	e := startAt(t, t.TempDir())
	for _, rows := range []int64{0, 1, 65_000, 700_000} {
		status, body, _ := ask(t, e, "SELECT number AS n, toLowCardinality(toString(number % 7)) AS s, [number] AS a FROM numbers({rows:UInt64}) FORMAT ArrowStream", "param_rows", strconv.FormatInt(rows, 10))
		if status != http.StatusOK {
			t.Fatal(body)
		}
		in := strings.NewReader(body)
		r, err := ipc.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		var n, sum, records int64
		for r.Next() {
			records++
			n += r.Record().NumRows()
			for _, v := range r.Record().Column(0).(*array.Uint64).Uint64Values() {
				sum += int64(v)
			}
		}
		if r.Err() != nil || n != rows || sum != rows*(rows-1)/2 || in.Len() != 0 || len(r.Schema().Fields()) != 3 {
			t.Errorf("%d rows: %d came in %d records with sum %d, %d bytes were left, %v, %v", rows, n, records, sum, in.Len(), r.Schema(), r.Err())
		}
		if rows > 100_000 && records < 3 {
			t.Errorf("%d rows came in %d records: nothing was joined", rows, records)
		}
	}
	if status, body, _ := ask(t, e, "SELECT nothing FORMAT ArrowStream"); status == http.StatusOK {
		t.Errorf("a wrong query: %q", body)
	}
}

func TestArrowPiecesThatDoNotFit(t *testing.T) {
	stream := func(schema, records string) []byte {
		b := append([]byte{0xff, 0xff, 0xff, 0xff, byte(len(schema)), 0, 0, 0}, schema...)
		return append(append(b, records...), arrowEnd...)
	}
	var out bytes.Buffer
	a := arrowPieces{sink: func(b []byte) error { out.Write(b); return nil }}
	for _, records := range []string{"one", "two"} {
		if err := a.add(stream("schema..", records)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.end(); err != nil || !bytes.Equal(out.Bytes(), stream("schema..", "onetwo")) {
		t.Errorf("%q %v", out.Bytes(), err)
	}
	whole := stream("schema..", "three")
	for _, piece := range [][]byte{nil, whole[:7], whole[:12], whole[:len(whole)-1], append([]byte{1}, whole...), stream("another.", "x"), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0}} {
		if err := a.add(piece); err == nil {
			t.Errorf("%q was taken", piece)
		}
	}
}

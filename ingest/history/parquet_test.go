package history

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

const parquetMapping = `
source: small
format: parquet
columns: {invoice: nr, product: art, quantity: n, price: p, time: at, customer: who}
currency: EUR
time_zone: Europe/Berlin
group: {by: invoice}
`

// smallParquet has other types than Online Retail: a whole number as invoice, a
// float32 price, a time on the wall, in microseconds.
func smallParquet(t *testing.T) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "nr", Type: arrow.PrimitiveTypes.Int64}, {Name: "art", Type: arrow.BinaryTypes.String},
		{Name: "n", Type: arrow.PrimitiveTypes.Int16}, {Name: "p", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		{Name: "at", Type: arrow.FixedWidthTypes.Date32}, {Name: "who", Type: arrow.PrimitiveTypes.Uint64},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	date := arrow.Date32FromTime(time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC))
	for i := range 3 {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append("A")
		b.Field(2).(*array.Int16Builder).Append(2)
		b.Field(4).(*array.Date32Builder).Append(date)
		b.Field(5).(*array.Uint64Builder).Append(77)
	}
	b.Field(3).(*array.Float32Builder).AppendValues([]float32{2.55, 0.1, 0}, []bool{true, true, false})
	rec := b.NewRecord()
	defer rec.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, nil, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestParquetTypes(t *testing.T) {
	got := brief(readText(t, parquetMapping, string(smallParquet(t))))
	want := `2025-06-30T22:00:00.000Z 77 order 0: 2×A[]=510
2025-06-30T22:00:00.000Z 77 order 1: 2×A[]=20
reject t.csv:row 3 missing_field price: is missing <{"art":"A","at":"2025-06-30T22>
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestBrokenParquet: a broken file is an error or rejects, never a crash.
func TestBrokenParquet(t *testing.T) {
	good := smallParquet(t)
	m, problems := ParseMapping("m.yaml", parquetMapping)
	if m == nil {
		t.Fatal(problems)
	}
	errs := 0
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		b := bytes.Clone(good)
		for range 1 + rng.IntN(3) {
			b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		}
		if _, err := ReadInput(context.Background(), "b.parquet", bytes.NewReader(b), m, nil); err != nil {
			errs++
		}
	}
	if errs == 0 {
		t.Error("nothing was found broken")
	}
	t.Logf("%d of 1000 broken files refused", errs)
}

package export

import (
	"context"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/parquet/file"

	"github.com/punchcard/punchcard/warehouse"
	"github.com/punchcard/punchcard/warehouse/embedded"
)

func TestMain(m *testing.M) {
	if embedded.IsChild() {
		embedded.RunChild()
	}
	os.Exit(m.Run())
}

// reader is a warehouse with the schema, asked as analysts do.
func reader(t testing.TB) *warehouse.Warehouse {
	t.Helper()
	library, err := embedded.FindLibrary()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	e, err := embedded.Start(context.Background(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Library: library, Logger: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	w, err := warehouse.Open(t.Context(), warehouse.Config{URL: e.URL(), User: embedded.WriterUser, Password: e.WriterKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := warehouse.Open(t.Context(), warehouse.Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if strings.Join(have, " ") != strings.Join(want, " ") {
		t.Errorf("the folder has %v, want %v", have, want)
	}
}

// A file is whole or not there.
func TestFileIsWholeOrNotThere(t *testing.T) {
	w := reader(t)
	dir := t.TempDir()
	f := File{Path: filepath.Join(dir, "n.csv"), Format: "csv"}
	r, err := Write(t.Context(), w, "SELECT number AS n FROM numbers({rows:UInt64}) ORDER BY n", map[string]string{"rows": "3"}, f, nil)
	text, _ := os.ReadFile(f.Path)
	if err != nil || string(text) != "n\n0\n1\n2\n" || r.Rows != 3 || r.Columns != 1 || r.Bytes != size(t, f.Path) {
		t.Errorf("%q %+v %v", text, r, err)
	}
	if info, _ := os.Stat(f.Path); info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	if _, err := Write(t.Context(), w, "SELECT 1", nil, f, nil); !errors.Is(err, ErrExists) {
		t.Errorf("a file that is there: %v", err)
	}
	f.Overwrite = true
	if _, err := Write(t.Context(), w, "SELECT number, throwIf(number = 900000, 'the milk is off') FROM numbers(1000000)", nil, f, nil); err == nil || !strings.Contains(err.Error(), "the milk is off") {
		t.Errorf("a query that fails half-way: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := func(Progress) { cancel() }
	if _, err := Write(ctx, w, "SELECT number FROM numbers(1000000)", nil, f, stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped half-way: %v", err)
	}
	if _, err := Write(t.Context(), w, "SELECT 1", nil, File{Path: filepath.Join(dir, "x"), Format: "xlsx"}, nil); err == nil || !strings.Contains(err.Error(), "parquet, arrow, csv") {
		t.Errorf("a format that is none: %v", err)
	}
	if again, _ := os.ReadFile(f.Path); string(again) != string(text) {
		t.Errorf("the file was touched: %q", again)
	}
	only(t, dir, "n.csv")
	if _, err := Write(t.Context(), w, "SELECT 'new' AS n", nil, f, nil); err != nil {
		t.Error(err)
	}
	if again, _ := os.ReadFile(f.Path); string(again) != "n\nnew\n" {
		t.Errorf("it was not replaced: %q", again)
	}
	only(t, dir, "n.csv")
	if _, err := Write(t.Context(), w, "SELECT 1", nil, File{Path: dir, Format: "csv", Overwrite: true}, nil); err == nil {
		t.Error("a folder was replaced")
	}
}

func TestCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	_, err := Write(t.Context(), reader(t), allKinds, nil, File{Path: path, Format: "csv"}, nil)
	text, _ := os.ReadFile(path)
	want := `name,money,small,flag,at,seconds,day,old_day,low,counts,tags,nested,nothing,maybe,pair,id,kind,wide,ratio,times,stays
"a ""b"", c",-12345678901234567890.123,-3,true,2026-03-29T00:30:00.123Z,2026-03-29T09:30:00+09:00,2026-03-29,1900-01-02,gold,"{""n"":1,""ü"":2}","[""x"",""""]","{""k"":[1,2]}",,7,"{""p"":1,""q"":""two""}",61f0c404-5cb3-11e7-907b-a6006ad3dba0,DateTime,170141183460469231731687303715884105727,0.1,"[""2026-03-29T09:30:00+09:00""]","{""a"":""2026-03-29T09:30:00+09:00""}"
`
	if err != nil || string(text) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, text, want)
	}
}

// Every kind of value that tables, views and analysts' queries have.
const allKinds = `SELECT 'a "b", c' AS name, toDecimal128('-12345678901234567890.123', 3) AS money, toInt8(-3) AS small, true AS flag,
	toDateTime64('2026-03-29 00:30:00.123', 3, 'UTC') AS at, toDateTime('2026-03-29 09:30:00', 'Asia/Tokyo') AS seconds, toDate('2026-03-29') AS day, toDate32('1900-01-02') AS old_day,
	toLowCardinality('gold') AS low, map('n', toUInt64(1), 'ü', 2) AS counts, ['x', ''] AS tags, map('k', [1, 2]) AS nested, CAST(NULL AS Nullable(String)) AS nothing, toNullable(toInt64(7)) AS maybe,
	CAST((1, 'two') AS Tuple(p Int32, q String)) AS pair, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS id, CAST('DateTime' AS Enum8('DateTime' = 1, 'it''s' = 2)) AS kind,
	toInt128('170141183460469231731687303715884105727') AS wide, 0.1 AS ratio,
	[toDateTime('2026-03-29 09:30:00', 'Asia/Tokyo')] AS times, map('a', toDateTime('2026-03-29 09:30:00', 'Asia/Tokyo')) AS stays`

func TestDecimalsAreExact(t *testing.T) {
	for want, n := range map[string]int64{"0.000": 0, "-0.001": -1, "0.012": 12, "1.000": 1000, "-1234.567": -1234567} {
		if have := decimalText(big.NewInt(n), 3); have != want {
			t.Errorf("%s, want %s", have, want)
		}
	}
	if have := decimalText(big.NewInt(-5), 0); have != "-5" {
		t.Error(have)
	}
}

func TestTypesThatArrowHasNoWordFor(t *testing.T) {
	for is, want := range map[string]string{
		"DateTime64(3, 'UTC')":                        "DateTime64(3, 'UTC')",
		"Nullable(DateTime('Asia/Tokyo'))":            "Nullable(DateTime64(0, 'Asia/Tokyo'))",
		"Array(DateTime)":                             "Array(DateTime64(0, 'UTC'))",
		"Enum8('UUID' = 1, 'a\\'b' = -2)":             "String",
		"Map(UUID, Tuple(a IPv4, b Enum16('x' = 1)))": "Map(String, Tuple(a String, b String))",
		"Decimal(38, 3)":                              "Decimal(38, 3)",
		"Int64":                                       "Int64",
	} {
		if have := asType(is); have != want {
			t.Errorf("%s: %s, want %s", is, have, want)
		}
	}
}

// What is held does not grow with what is written: of a million rows, about 250
// MB, no more than a row group and its pages is live.
func TestMemoryStaysFlat(t *testing.T) {
	w := reader(t)
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const query = "SELECT number, toString(cityHash64(number)) || '-' || toString(cityHash64(number, 1)) || repeat('x', number % 400) AS text, [number, number] AS list FROM numbers(1000000)"
	for _, format := range Formats {
		before, most := live(), int64(0)
		path := filepath.Join(t.TempDir(), "m."+format)
		records := 0
		r, err := Write(t.Context(), w, query, nil, File{Path: path, Format: format}, func(Progress) {
			if records++; records%3 == 0 {
				most = max(most, live()-before)
			}
		})
		if err != nil || r.Rows != 1_000_000 {
			t.Fatal(r, err)
		}
		t.Logf("%s: %d MB written, at most %d MB live", format, r.Bytes>>20, most>>20)
		if most == 0 || most > 2*rowGroupBytes {
			t.Errorf("%s: %d MB were live", format, most>>20)
		}
		if format != "parquet" {
			continue
		}
		p, err := file.OpenParquetFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.NumRowGroups() {
			if n := p.RowGroup(i).NumRows(); n > rowGroupRows || n == 0 {
				t.Errorf("row group %d has %d rows", i, n)
			}
		}
		if p.NumRows() != 1_000_000 || p.NumRowGroups() < 1_000_000/rowGroupRows {
			t.Errorf("%d rows in %d groups", p.NumRows(), p.NumRowGroups())
		}
		p.Close()
	}
}

package export

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const readersFolder = "../../.readers"

// needReaders fetches DuckDB, pandas and pyarrow, or skips with what pip said.
func needReaders(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("DuckDB and pandas are fetched: not in a short run")
	}
	out, err := exec.Command("sh", "readers/fetch.sh", readersFolder).CombinedOutput()
	if err != nil {
		t.Skipf("no DuckDB and pandas to read exports with: %v: %s", err, out)
	}
	return filepath.Join(readersFolder, "bin", "python")
}

// seen is what the readers say: of each, the rows, or the types of columns.
type seen map[string]json.RawMessage

func readBack(t *testing.T, python, statement string) seen {
	t.Helper()
	w := reader(t)
	dir := t.TempDir()
	var paths []string
	for _, format := range Formats {
		path := filepath.Join(dir, "x."+format)
		if _, err := Write(t.Context(), w, statement, nil, File{Path: path, Format: format}, nil); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	cmd := exec.Command(python, append([]string{"readers/read.py"}, paths...)...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var s seen
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err, string(text))
	}
	return s
}

// canonical is JSON with its keys in order.
func canonical(t *testing.T, text []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err, string(text))
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (s seen) expect(t *testing.T, want string, readers ...string) {
	t.Helper()
	for _, r := range readers {
		if have := canonical(t, s[r]); have != canonical(t, []byte(want)) {
			t.Errorf("%s sees\n%s\nwant\n%s", r, have, canonical(t, []byte(want)))
		}
	}
}

// What analysts open exports with sees the values that ClickHouse has.
func TestReadersSeeTheSameValues(t *testing.T) {
	python := needReaders(t)
	s := readBack(t, python, allKinds)
	const (
		shared = `[{"name": "a \"b\", c", "money": "-12345678901234567890.123", "small": -3, "flag": true, "at": "2026-03-29T00:30:00.123+00:00 UTC",
			"day": "2026-03-29", "old_day": "1900-01-02", "low": "gold", "counts": {"n": 1, "ü": 2}, "tags": ["x", ""], "nested": {"k": [1, 2]}, "nothing": null, "maybe": 7,
			"pair": {"p": 1, "q": "two"}, "id": "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "kind": "DateTime", "wide": "170141183460469231731687303715884105727", "ratio": 0.1,
			"seconds": "%[1]s", "times": ["%[1]s"], "stays": {"a": "%[1]s"}}]`
		tokyo = "2026-03-29T09:30:00.000+09:00 Asia/Tokyo"
		utc   = "2026-03-29T00:30:00.000+00:00 UTC" // DuckDB knows the instant, not the name of the zone
	)
	s.expect(t, fmt.Sprintf(shared, tokyo), "pyarrow parquet", "pyarrow arrow", "pandas parquet", "pandas arrow")
	s.expect(t, fmt.Sprintf(shared, utc), "duckdb parquet")
	s.expect(t, `{"name": "VARCHAR", "money": "DECIMAL(38,3)", "small": "TINYINT", "flag": "BOOLEAN", "at": "TIMESTAMP WITH TIME ZONE", "seconds": "TIMESTAMP WITH TIME ZONE",
		"day": "DATE", "old_day": "DATE", "low": "VARCHAR", "counts": "MAP(VARCHAR, UBIGINT)", "tags": "VARCHAR[]", "nested": "MAP(VARCHAR, UTINYINT[])", "nothing": "VARCHAR",
		"maybe": "BIGINT", "pair": "STRUCT(p INTEGER, q VARCHAR)", "id": "VARCHAR", "kind": "VARCHAR", "wide": "VARCHAR", "ratio": "DOUBLE",
		"times": "TIMESTAMP WITH TIME ZONE[]", "stays": "MAP(VARCHAR, TIMESTAMP WITH TIME ZONE)"}`, "duckdb types")
	s.expect(t, `[{"name": "a \"b\", c", "money": "-12345678901234567890.123", "small": "-3", "flag": "true", "at": "2026-03-29T00:30:00.123Z", "seconds": "2026-03-29T09:30:00+09:00",
		"day": "2026-03-29", "old_day": "1900-01-02", "low": "gold", "counts": "{\"n\":1,\"ü\":2}", "tags": "[\"x\",\"\"]", "nested": "{\"k\":[1,2]}", "nothing": "", "maybe": "7",
		"pair": "{\"p\":1,\"q\":\"two\"}", "id": "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "kind": "DateTime", "wide": "170141183460469231731687303715884105727", "ratio": "0.1",
		"times": "[\"2026-03-29T09:30:00+09:00\"]", "stays": "{\"a\":\"2026-03-29T09:30:00+09:00\"}"}]`, "pandas csv")
}

// Many records and row groups, with NULLs: DuckDB's sums are ClickHouse's.
func TestReadersSeeEveryRow(t *testing.T) {
	python := needReaders(t)
	w := reader(t)
	const (
		rows = `SELECT number AS n, if(number % 3 = 0, NULL, toNullable(number)) AS maybe, toLowCardinality(toString(number % 1000)) AS low,
			toDecimal128(number, 3) / 8 AS money, range(number % 4) AS list, map(toString(number % 5), number) AS counts, toDateTime64(number, 3, 'UTC') AS time FROM numbers(400000)`
		sums = "count() AS a, toString(sum(n)) AS b, count(maybe) AS c, toString(sum(maybe)) AS d, uniqExact(low) AS e, toDecimalString(sum(money), 3) AS f, sum(length(list)) AS g, toString(sum(counts['3'])) AS h, toString(max(time)) AS i"
		code = `import sys, duckdb
duck = duckdb.connect()
duck.sql("SET TimeZone = 'UTC'")
print(*duck.sql(f"SELECT count(*), sum(n), count(maybe), sum(maybe), count(DISTINCT low), sum(money), sum(len(list)), sum(counts['3']), strftime(max(time), '%Y-%m-%d %H:%M:%S.%g') FROM '{sys.argv[1]}'").fetchall()[0], sep="|")`
	)
	_, want, err := w.Ask(t.Context(), "SELECT "+sums+" FROM ("+rows+")", nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	if _, err := Write(t.Context(), w, rows, nil, File{Path: path, Format: "parquet"}, nil); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", code, path).CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	var cells []string
	for _, v := range want[0] {
		cells = append(cells, fmt.Sprint(v))
	}
	if have := strings.TrimSpace(string(out)); have != strings.Join(cells, "|") {
		t.Errorf("DuckDB: %s\nClickHouse: %s", have, strings.Join(cells, "|"))
	}
}

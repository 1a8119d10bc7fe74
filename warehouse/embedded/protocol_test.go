package embedded

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

func get(t *testing.T, target string, change func(*http.Request)) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// The plain protocol, as curl speaks it.
func TestPlainHTTP(t *testing.T) {
	e := startAt(t, t.TempDir())
	for _, path := range []string{"/ping", "/replicas_status", "/"} {
		if resp, body := get(t, e.URL()+path, nil); resp.StatusCode != 200 || string(body) != "Ok.\n" {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
	resp, body := get(t, e.URL()+"/?query=SELECT+1+AS+x+FORMAT+JSON&query_id=mine", nil)
	var doc struct{ Data []map[string]int }
	if err := json.Unmarshal(body, &doc); err != nil || len(doc.Data) != 1 || doc.Data[0]["x"] != 1 {
		t.Errorf("%v %s", err, body)
	}
	for name, want := range map[string]string{"X-ClickHouse-Format": "JSON", "X-ClickHouse-Timezone": "UTC", "X-ClickHouse-Query-Id": "mine", "Content-Type": "application/json; charset=UTF-8"} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if summary := resp.Header.Get("X-ClickHouse-Summary"); !strings.Contains(summary, `"result_rows":"1"`) {
		t.Errorf("summary %s", summary)
	}
	resp, body = get(t, e.URL()+"/?query=SELECT+1+FROM+nosuch", nil)
	if resp.StatusCode != 404 || resp.Header.Get("X-ClickHouse-Exception-Code") != "60" || !strings.HasPrefix(string(body), "Code: 60. DB::Exception: ") {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	resp, body = get(t, e.URL()+"/?query=SELECT+number+FROM+numbers(3)", func(r *http.Request) {
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set("X-ClickHouse-Format", "CSV")
	})
	if zipped, err := gzip.NewReader(bytes.NewReader(body)); err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("not gzip: %v", err)
	} else if text, _ := io.ReadAll(zipped); string(text) != "0\n1\n2\n" {
		t.Errorf("%q", text)
	}
}

func TestUsers(t *testing.T) {
	e := startAt(t, t.TempDir())
	who := func(change func(*http.Request), query string) int {
		resp, _ := get(t, e.URL()+"/?query="+url.QueryEscape("SELECT getSetting('readonly')")+query, change)
		return resp.StatusCode
	}
	basic := func(user, key string) func(*http.Request) { return func(r *http.Request) { r.SetBasicAuth(user, key) } }
	headers := func(user, key string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("X-ClickHouse-User", user)
			r.Header.Set("X-ClickHouse-Key", key)
		}
	}
	for name, got := range map[string]int{
		"nobody": who(nil, ""), "default": who(basic("default", ""), ""), "reader": who(headers("reader", ""), ""),
		"writer by basic": who(basic(WriterUser, e.WriterKey()), ""), "writer by headers": who(headers(WriterUser, e.WriterKey()), ""),
		"writer by url": who(nil, "&user="+WriterUser+"&password="+e.WriterKey()),
	} {
		if got != 200 {
			t.Errorf("%s: %d", name, got)
		}
	}
	for name, got := range map[string]int{
		"wrong key": who(basic(WriterUser, "x"), ""), "no key": who(headers(WriterUser, ""), ""), "other user": who(basic("admin", e.WriterKey()), ""),
		"key without user": who(headers("", e.WriterKey()), ""), "reader with a key": who(basic("default", "x"), ""),
	} {
		if got != 403 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if resp, body := get(t, e.URL()+"/?query="+url.QueryEscape("CREATE DATABASE got"), basic(WriterUser, e.WriterKey())); resp.StatusCode == 200 {
		t.Errorf("GET wrote: %s", body)
	}
}

// INSERT with its rows in the body, in the query, and from SELECT.
func TestInserts(t *testing.T) {
	e := startAt(t, t.TempDir())
	write(t, e, "CREATE DATABASE shop")
	write(t, e, "CREATE TABLE t (a Int64, s String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10", "database", "shop")
	for _, c := range []struct{ query, body string }{
		{"INSERT INTO shop.t FORMAT CSV", "1,\"a\"\n2,\"b;\"\n"},
		{"INSERT INTO shop.t (s, a) FORMAT JSONEachRow", `{"a":3,"s":"c"}` + "\n" + `{"a":4,"s":"d"}`},
		{"INSERT INTO shop.t VALUES", "(5, 'e'), (6, 'f')"},
		{"", "INSERT INTO shop.t VALUES (7, 'g;'), (8, 'h')"},
		{"", "INSERT INTO shop.t FORMAT TSV\n9\ti\n10\tj\n"},
		{"INSERT INTO shop.t", "VALUES (11, 'k'), (12, 'l')"},
		{"", "INSERT INTO shop.t SELECT number + 13, 'm' FROM numbers(2)"},
		{"INSERT INTO {table:Identifier} FORMAT CSV", "15,x\n16,x\n"},
	} {
		write(t, e, c.body, "query", c.query, "param_table", "t", "database", "shop")
	}
	if got := write(t, e, "SELECT count(), sum(a), countIf(s = 'b;' OR s = 'g;') FROM shop.t"); got != "16\t136\t2\n" {
		t.Errorf("%q", got)
	}
	for range 2 {
		write(t, e, "100,z\n", "query", "INSERT INTO shop.t FORMAT CSV", "insert_deduplication_token", "once's \\ token")
	}
	if got := write(t, e, "SELECT count() FROM shop.t WHERE a = 100"); got != "1\n" {
		t.Errorf("%s rows of one token", got)
	}
	status, body, header := ask(t, e, "x,y\n", "query", "INSERT INTO shop.t FORMAT CSV", "user", WriterUser, "password", e.WriterKey())
	if status == 200 || header.Get("X-ClickHouse-Exception-Code") == "" {
		t.Errorf("bad rows: %d %s", status, body)
	}
	status, body, _ = ask(t, e, "1,y\n", "query", "INSERT INTO shop.t FORMAT CSV")
	if status != 403 {
		t.Errorf("a reader's rows: %d %s", status, body)
	}
}

// A body cut short must not be taken for a whole one.
func TestCutBodyCommitsNothing(t *testing.T) {
	e := startAt(t, t.TempDir())
	write(t, e, "CREATE TABLE default.t (a Int64) ENGINE = MergeTree ORDER BY a")
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, e.URL()+"/?query="+url.QueryEscape("INSERT INTO default.t FORMAT CSV"), r)
	req.SetBasicAuth(WriterUser, e.WriterKey())
	go func() {
		_, _ = io.WriteString(w, strings.Repeat("1\n", 1000))
		cancel()
		_ = w.CloseWithError(errors.New("cut"))
	}()
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Fatal("was answered", resp.Status)
	}
	write(t, e, "SELECT count() FROM system.processes") // the insert's end is in the log before this one's
	deadline := time.Now().Add(10 * time.Second)
	for write(t, e, "SELECT count() FROM system.processes WHERE query_kind = 'Insert'") != "0\n" {
		if time.Now().After(deadline) {
			t.Fatal("the insert still runs")
		}
	}
	if got := write(t, e, "SELECT count() FROM default.t"); got != "0\n" {
		t.Fatalf("%s rows of a body cut short", got)
	}
}

func TestArrowAndParquet(t *testing.T) {
	e := startAt(t, t.TempDir())
	const query = "SELECT number AS n, toString(number) AS s FROM numbers(100000) FORMAT "
	_, body, header := ask(t, e, query+"ArrowStream")
	if header.Get("X-ClickHouse-Format") != "ArrowStream" {
		t.Error(header)
	}
	stream, err := ipc.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	rows := int64(0)
	for stream.Next() {
		rows += stream.Record().NumRows()
	}
	if rows != 100000 || stream.Err() != nil {
		t.Fatalf("%d rows, %v", rows, stream.Err())
	}
	_, body, _ = ask(t, e, query+"Parquet SETTINGS output_format_parquet_version = '2.latest'", "user", WriterUser, "password", e.WriterKey())
	pf, err := file.NewParquetReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := reader.ReadTable(context.Background())
	if err != nil || table.NumRows() != 100000 {
		t.Fatal(table, err)
	}
}

// An error after a part of the answer is out must not look like its end.
func TestErrorInMidStream(t *testing.T) {
	e := startAt(t, t.TempDir())
	const query = "SELECT throwIf(number = 3000000) AS x, number, 'some text to fill the answer' FROM numbers(4000000)"
	resp, err := http.Post(e.URL()+"/?default_format=CSV", "text/plain", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil || !strings.Contains(string(body[max(0, len(body)-2000):]), "__exception__\r\n"+resp.Header.Get("X-ClickHouse-Exception-Tag")) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	conn := openWriter(t, e, clickhouse.CompressionLZ4)
	rows, err := conn.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	var ex *clickhouse.Exception
	if !errors.As(rows.Err(), &ex) || ex.Code != 395 {
		t.Errorf("clickhouse-go saw %v", rows.Err())
	}
}

// Light queries run beside heavy ones, and limits are kept and named.
func TestConcurrencyAndLimits(t *testing.T) {
	e := startAt(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	var heavy sync.WaitGroup
	for range 2 {
		heavy.Go(func() {
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, e.URL(), strings.NewReader("SELECT sum(sipHash64(number)) FROM numbers(1000000000000) SETTINGS max_rows_to_read = 0"))
			req.SetBasicAuth(WriterUser, e.WriterKey())
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	const running = "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'"
	waitFor(t, func() bool { return write(t, e, running) == "2\n" })
	var light sync.WaitGroup
	for i := range 40 {
		light.Go(func() {
			if status, body, _ := ask(t, e, fmt.Sprint("SELECT ", i)); status != 200 || body != fmt.Sprintln(i) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	light.Wait()
	if got := write(t, e, running); got != "2\n" {
		t.Errorf("the heavy queries were to run still: %s", got)
	}
	cancel() // the clients go away, and the queries with them
	heavy.Wait()
	waitFor(t, func() bool { return write(t, e, running) == "0\n" })
	for query, want := range map[string]string{
		"SELECT count() FROM numbers(1000000000000)":                 "158",
		"SELECT number FROM numbers(10000001) FORMAT JSONCompact":    "396",
		"SELECT groupArray(repeat('x', 1000)) FROM numbers(9000000)": "241",
	} {
		if _, body, header := ask(t, e, query); header.Get("X-ClickHouse-Exception-Code") != want {
			t.Errorf("%s: code %s, want %s: %.300s", query, header.Get("X-ClickHouse-Exception-Code"), want, body)
		}
	}
	_, body, header := ask(t, e, "SELECT sleep(3) FROM numbers(10) SETTINGS max_block_size = 1", "max_execution_time", "1")
	_ = body
	if code := header.Get("X-ClickHouse-Exception-Code"); code == "" {
		t.Error("a query over its time was answered")
	}
	if _, body, header := ask(t, e, "SELECT count() FROM numbers(1900000000) WHERE NOT ignore(sipHash128(toString(number)))", "max_execution_time", "1", "max_threads", "1"); header.Get("X-ClickHouse-Exception-Code") != "159" {
		t.Errorf("a query over its time: %.300s", body)
	}
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("did not happen in 20 s")
		}
	}
}

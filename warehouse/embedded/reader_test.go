package embedded

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ask sends one query as a user of no name, unless params say otherwise.
func ask(t testing.TB, e *Engine, query string, pairs ...string) (status int, body string, header http.Header) {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.Post(e.URL()+"/?"+values.Encode(), "text/plain", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data), resp.Header
}

// write runs a statement as the writer.
func write(t testing.TB, e *Engine, query string, pairs ...string) string {
	t.Helper()
	status, body, _ := ask(t, e, query, append(pairs, "user", WriterUser, "password", e.WriterKey())...)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", query, status, body)
	}
	return body
}

const secretText = "the-secret-of-this-test"

// What readers may not do. Where a marker is written, @FILE, @DIR or @PORT,
// the test puts in a file with a secret, its folder, and the port of a server
// that must never be called.
var readerAttempts = []string{
	// files, by table function
	"SELECT * FROM file('@FILE', 'LineAsString')",
	"SELECT * FROM file('@FILE')",
	"SELECT * FROM FiLe('@FILE', 'LineAsString')",
	"SELECT * FROM `file`('@FILE', 'LineAsString')",
	"SELECT * FROM \"file\"('@FILE', 'LineAsString')",
	"SELECT * FROM /* x */ file /* y */ ('@FILE', 'LineAsString')",
	"select 1 -- \n from file('@FILE', 'LineAsString')",
	"FROM file('@FILE', 'LineAsString') SELECT *",
	"WITH a AS (SELECT * FROM file('@FILE', 'LineAsString')) SELECT * FROM a",
	"SELECT (SELECT any(line) FROM file('@FILE', 'LineAsString'))",
	"SELECT 1 WHERE 'x' IN (SELECT line FROM file('@FILE', 'LineAsString'))",
	"SELECT 1 IN file('@FILE')",
	"SELECT 1 UNION ALL SELECT * FROM file('@FILE', 'LineAsString')",
	"SELECT * FROM numbers(1) JOIN file('@FILE', 'LineAsString') AS f ON 1",
	"SELECT * FROM view(SELECT * FROM file('@FILE', 'LineAsString'))",
	"SELECT * FROM fileCluster('default', '@FILE', 'LineAsString')",
	"SELECT * FROM filesystem('@DIR')",
	"SELECT * FROM sqlite('@FILE', 't')",
	"SELECT * FROM icebergLocal('@DIR')",
	"SELECT * FROM deltaLakeLocal('@DIR')",
	"SELECT * FROM paimonLocal('@DIR')",
	"SELECT * FROM executable('cat @FILE', 'LineAsString', 'line String')",
	"SELECT * FROM eval('SELECT 1')",
	"SELECT * FROM loop(file('@FILE', 'LineAsString'))",
	"SELECT * FROM merge('system', 'one')",
	"SELECT * FROM input('x String')",
	"SELECT * FROM arrowstream('x')",
	"SELECT * FROM nosuch('x')",
	"SELECT * FROM default.file('@FILE', 'LineAsString')",
	"SELECT * FROM default.t(x = 1)",
	// files, by scalar function
	"SELECT file('@FILE')",
	"SELECT `file`('@FILE')",
	"SELECT file({x:String})",
	"SELECT arrayMap(x -> file(x), ['@FILE'])",
	"SELECT arrayMap(file, ['@FILE'])",
	"SELECT arrayMap(`file`, ['@FILE'])",
	"SELECT * APPLY(file) FROM (SELECT '@FILE' AS a)",
	"SELECT * APPLY file FROM (SELECT '@FILE' AS a)",
	"SELECT a.* APPLY(x -> file(x)) FROM (SELECT '@FILE' AS a) AS a",
	"SELECT COLUMNS('a') APPLY(file) FROM (SELECT '@FILE' AS a)",
	"SELECT * REPLACE(file(a) AS a) FROM (SELECT '@FILE' AS a)",
	"WITH (x -> file(x)) AS f SELECT f('@FILE')",
	"WITH file AS f SELECT arrayMap(f, ['@FILE'])",
	"SELECT {f:Identifier}('@FILE')",
	"SELECT arrayMap({f:Identifier}, ['@FILE'])",
	"SELECT catboostEvaluate('@FILE', 1)",
	// files, by name
	"SELECT * FROM `@FILE`",
	"SELECT * FROM \"@FILE\"",
	"SELECT * FROM default.`@FILE`",
	"SELECT * FROM {path:Identifier}",
	"SELECT * FROM default.{path:Identifier}",
	"SELECT * FROM _local.`@FILE`",
	// files, by other statements
	"DESCRIBE file('@FILE', 'LineAsString')",
	"DESCRIBE TABLE file('@FILE')",
	"DESC (SELECT file('@FILE'))",
	"EXPLAIN SELECT * FROM file('@FILE', 'LineAsString')",
	"EXPLAIN ESTIMATE SELECT * FROM file('@FILE', 'LineAsString')",
	"EXPLAIN QUERY TREE SELECT file('@FILE')",
	"EXPLAIN PIPELINE SELECT * FROM file('@FILE', 'LineAsString')",
	"EXPLAIN SYNTAX SELECT file('@FILE')",
	"SHOW CREATE TABLE `@FILE`",
	"SELECT 1 INTO OUTFILE '@DIR/out.txt'",
	"SELECT 1 INTO OUTFILE '@DIR/out.txt' TRUNCATE FORMAT CSV",
	"INSERT INTO FUNCTION file('@DIR/out.txt', 'CSV', 'a String') SELECT 'x'",
	"BACKUP TABLE default.t TO File('@DIR/backup')",
	"RESTORE TABLE default.t FROM File('@DIR/backup')",
	"CREATE TABLE x (a String) ENGINE = File('CSV', '@FILE')",
	"CREATE DATABASE f ENGINE = Filesystem('/')",
	"CREATE DICTIONARY d (a String) PRIMARY KEY a SOURCE(FILE(path '@FILE' format 'CSV')) LAYOUT(FLAT()) LIFETIME(1)",
	"CREATE FUNCTION f AS x -> file(x)",
	"ATTACH TABLE x FROM '@DIR' (a String) ENGINE = MergeTree ORDER BY a",
	// network
	"SELECT * FROM url('http://127.0.0.1:@PORT/', 'LineAsString')",
	"SELECT * FROM url('http://127.0.0.1:@PORT/', 'LineAsString', 'a String')",
	"SELECT 1 IN url('http://127.0.0.1:@PORT/')",
	"DESCRIBE url('http://127.0.0.1:@PORT/', 'LineAsString')",
	"EXPLAIN SELECT * FROM url('http://127.0.0.1:@PORT/', 'CSV')",
	"SELECT * FROM urlCluster('default', 'http://127.0.0.1:@PORT/', 'CSV')",
	"SELECT * FROM s3('http://127.0.0.1:@PORT/b/k', 'CSV')",
	"SELECT * FROM gcs('http://127.0.0.1:@PORT/b/k', 'CSV')",
	"SELECT * FROM oss('http://127.0.0.1:@PORT/b/k', 'CSV')",
	"SELECT * FROM hdfs('hdfs://127.0.0.1:@PORT/k', 'CSV')",
	"SELECT * FROM azureBlobStorage('http://127.0.0.1:@PORT/', 'c', 'b')",
	"SELECT * FROM iceberg('http://127.0.0.1:@PORT/')",
	"SELECT * FROM deltaLake('http://127.0.0.1:@PORT/')",
	"SELECT * FROM hudi('http://127.0.0.1:@PORT/')",
	"SELECT * FROM remote('127.0.0.1:@PORT', system.one)",
	"SELECT * FROM remoteSecure('127.0.0.1:@PORT', system.one)",
	"SELECT * FROM cluster('default', system.one)",
	"SELECT * FROM clusterAllReplicas('default', system.one)",
	"SELECT * FROM mysql('127.0.0.1:@PORT', 'd', 't', 'u', 'p')",
	"SELECT * FROM postgresql('127.0.0.1:@PORT', 'd', 't', 'u', 'p')",
	"SELECT * FROM mongodb('127.0.0.1:@PORT', 'd', 't', 'u', 'p')",
	"SELECT * FROM redis('127.0.0.1:@PORT', 'k', 'k String, v String')",
	"SELECT * FROM jdbc('jdbc:mysql://127.0.0.1:@PORT', 'd', 't')",
	"SELECT * FROM odbc('DSN=x', 'd', 't')",
	"SELECT hasColumnInTable('127.0.0.1:@PORT', 'u', 'p', 'system', 'one', 'dummy')",
	"SELECT reverseDNSQuery('127.0.0.1')",
	"SELECT aiGenerate('x')",
	"SELECT AIGenerate('x')",
	"EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:@PORT', 'd', 't', 'u', 'p') PARTITION BY x",
	// writing
	"INSERT INTO default.t VALUES (2)",
	"INSERT INTO default.t SELECT 2",
	"INSERT INTO default.t FORMAT CSV\n2\n",
	"CREATE TABLE default.x (a Int8) ENGINE = Memory",
	"CREATE TEMPORARY TABLE x (a Int8)",
	"CREATE DATABASE x",
	"CREATE VIEW v AS SELECT 1",
	"CREATE USER u",
	"GRANT ALL ON *.* TO default",
	"ALTER TABLE default.t DELETE WHERE 1",
	"ALTER TABLE default.t ADD COLUMN b Int8",
	"DELETE FROM default.t WHERE 1",
	"UPDATE default.t SET a = 2 WHERE 1",
	"TRUNCATE TABLE default.t",
	"DROP TABLE default.t",
	"DROP DATABASE default",
	"DETACH TABLE default.t",
	"RENAME TABLE default.t TO default.u",
	"EXCHANGE TABLES default.t AND default.t",
	"OPTIMIZE TABLE default.t",
	"UNDROP TABLE default.x",
	"EXECUTE AS punchcard SELECT 1",
	// the process and other sessions
	"KILL QUERY WHERE 1",
	"SYSTEM FLUSH LOGS",
	"SYSTEM SHUTDOWN",
	"SYSTEM STOP MERGES",
	"USE system",
	"SET readonly = 0",
	"SET max_execution_time = 0",
	"SELECT trap('access violation')",
	"SELECT * FROM system.stack_trace",
	"SELECT * FROM `system`.`stack_trace`",
	"CHECK TABLE default.t",
	"WATCH default.t",
	"BEGIN TRANSACTION",
	// limits taken off
	"SELECT 1 SETTINGS readonly = 0",
	"SELECT 1 SETTINGS max_execution_time = 0",
	"SELECT 1 SETTINGS max_memory_usage = 0",
	"SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
	"SELECT * FROM (SELECT * FROM file('@FILE', 'LineAsString') SETTINGS readonly = 0)",
	"SELECT 1 FORMAT Template SETTINGS format_template_row = '@FILE'",
	"SELECT 1 FORMAT CapnProto SETTINGS format_schema = '@FILE:X'",
	"EXPLAIN SELECT 1 SETTINGS readonly = 0",
	// more than one statement
	"SELECT 1; SELECT 2",
	"SELECT 1; DROP TABLE default.t",
	"SELECT 1;\nSELECT * FROM file('@FILE', 'LineAsString')",
	"SELECT 1 PARALLEL WITH SELECT * FROM file('@FILE', 'LineAsString')",
	"SELECT ';'; INSERT INTO default.t VALUES (2)",
	// hiding in names with line breaks
	"SELECT 1 AS `x\n SelectQuery`, file('@FILE')",
	"SELECT * FROM `\nx/../../../../../../../../../../../@FILE`",
	"SELECT file('@FILE') AS `x\nLiteral 1`",
	"SELECT file /*\n*/ ('@FILE')",
}

func TestReadersCannotReachOut(t *testing.T) {
	e := startAt(t, t.TempDir())
	dir := t.TempDir()
	file := filepath.Join(dir, "secret.txt")
	if err := os.WriteFile(file, []byte(secretText+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	called := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case called <- r.URL.String():
		default:
		}
		_, _ = io.WriteString(w, secretText)
	}))
	defer server.Close()
	port := server.URL[strings.LastIndexByte(server.URL, ':')+1:]
	write(t, e, "CREATE TABLE default.t (a Int8) ENGINE = MergeTree ORDER BY a")
	write(t, e, "INSERT INTO default.t VALUES (1)")
	for _, attempt := range readerAttempts {
		query := strings.NewReplacer("@FILE", file, "@DIR", dir, "@PORT", port).Replace(attempt)
		status, body, header := ask(t, e, query, "param_x", file, "param_f", "file", "param_path", file)
		code := header.Get("X-ClickHouse-Exception-Code")
		if status == http.StatusOK || code == "" || strings.Contains(body, secretText) {
			t.Errorf("%s\n   was answered: %d code %q %.300s", attempt, status, code, body)
		}
		if testing.Verbose() {
			t.Logf("%-90q %d %.160s", attempt, status, body)
		}
	}
	select {
	case path := <-called:
		t.Errorf("the network was reached: %s", path)
	default:
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("files were written: %v", left)
	}
	if got := write(t, e, "SELECT count(), sum(a) FROM default.t"); got != "1\t1\n" {
		t.Errorf("the table was changed: %q", got)
	}
	if e.Restarts() != 0 {
		t.Errorf("the engine was brought down %d times", e.Restarts())
	}
}

// Readers' settings in the URL: closed list, and limits only downwards.
func TestReaderSettings(t *testing.T) {
	e := startAt(t, t.TempDir())
	for _, c := range []struct {
		name, value string
		ok          bool
	}{
		{"max_execution_time", "5", true}, {"max_execution_time", "0", false}, {"max_execution_time", "1000000", false},
		{"max_execution_time", "-1", false}, {"max_execution_time", "nan", false}, {"max_memory_usage", "0", false},
		{"max_threads", "1", true}, {"readonly", "0", false}, {"readonly", "2", true}, {"readonly", "1", true}, {"allow_ddl", "1", false},
		{"dialect", "kusto", false}, {"format_schema", "/etc/passwd", false}, {"output_format_schema", "/tmp/x", false},
		{"output_format_json_quote_64bit_integers", "1", true}, {"allow_introspection_functions", "1", false},
		{"max_result_rows", "10", true}, {"no_such_setting", "1", false}, {"log_comment", "x", false}, {"implicit_select", "1", false},
		{"user_files_path", "/", false}, {"path", "/", false}, {"config_file", "/etc/passwd", false}, {"max_ast_elements", "0", false},
	} {
		status, body, _ := ask(t, e, "SELECT 1", c.name, c.value)
		if (status == http.StatusOK) != c.ok {
			t.Errorf("%s=%s: %d %s", c.name, c.value, status, body)
		}
		if _, readonly, _ := ask(t, e, "SELECT getSetting('readonly')", c.name, c.value); c.ok && readonly != "1\n" {
			t.Errorf("%s=%s left readonly=%q", c.name, c.value, readonly)
		}
	}
}

// What analysts do must work.
func TestReadersCanRead(t *testing.T) {
	e := startAt(t, t.TempDir())
	write(t, e, "CREATE TABLE default.t (a Int64, s String, at DateTime, n Nullable(Int64), tags Array(String), m Map(String, Int64)) ENGINE = MergeTree ORDER BY a")
	write(t, e, "INSERT INTO default.t SELECT number, toString(number % 3), toDateTime('2011-01-01') + number * 86400, if(number % 2, number, NULL), [toString(number)], map('k', number) FROM numbers(100)")
	write(t, e, "CREATE VIEW default.v AS SELECT s, count() AS c FROM default.t WHERE a < {most:Int64} GROUP BY s")
	for query, want := range map[string]string{
		"SELECT count() FROM default.t":                                       "100\n",
		"SELECT count() FROM default.t;":                                      "100\n",
		"SELECT count() FROM t -- a comment":                                  "100\n",
		"WITH x AS (SELECT * FROM t WHERE a > 50) SELECT count() FROM x":      "49\n",
		"SELECT count() FROM t AS l LEFT JOIN t AS r USING (a)":               "100\n",
		"SELECT s, count() AS c FROM t GROUP BY s ORDER BY c DESC, s LIMIT 1": "0\t34\n",
		"SELECT sum(c) FROM default.v(most = 50)":                             "50\n",
		"SELECT sum(c) FROM v(most = 50)":                                     "50\n",
		"SELECT quantile(0.5)(a) FROM t":                                      "49.5\n",
		"SELECT sum(a) OVER (PARTITION BY s ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS w FROM t ORDER BY a LIMIT 1":   "0\n",
		"SELECT toStartOfMonth(at) AS month, uniq(s) FROM t GROUP BY month ORDER BY month WITH FILL STEP INTERVAL 1 MONTH LIMIT 1": "2011-01-01\t3\n",
		"SELECT arrayMap(x -> x || 'y', tags) FROM t ORDER BY a LIMIT 1":                                                           "['0y']\n",
		"SELECT m['k'] FROM t ORDER BY a DESC LIMIT 1":                                                                             "99\n",
		"SELECT a::String, cast(a AS Float64), a = 1 ? 'x' : 'y' FROM t ORDER BY a LIMIT 1":                                        "0\t0\ty\n",
		"SELECT count() FROM t WHERE a IN (SELECT number FROM numbers(5))":                                                         "5\n",
		"SELECT {x:Int64} + 1":                                    "8\n",
		"SELECT count() FROM {t:Identifier}":                      "100\n",
		"SELECT 'a\nb' = concat('a', char(10), 'b')":              "1\n",
		"SELECT DISTINCT ON (s) s FROM t ORDER BY s LIMIT 1":      "0\n",
		"SELECT * EXCEPT (tags, m, at) FROM t ORDER BY a LIMIT 1": "0\t0\t\\N\n",
		"SELECT count() FROM t ARRAY JOIN tags":                   "100\n",
		"(SELECT 1) UNION ALL (SELECT 1)":                         "1\n1\n",
		"SELECT 1 INTERSECT SELECT 1":                             "1\n",
		"SELECT a FROM t ORDER BY a LIMIT 1 BY s LIMIT 1":         "0\n",
		"SELECT if(grouping(s) = 1, 'all', s) AS g, count() FROM t GROUP BY GROUPING SETS ((s), ()) ORDER BY g DESC LIMIT 1": "all\t100\n",
		"SHOW TABLES FROM default": "t\nv\n",
		"EXISTS TABLE default.t":   "1\n",
		"SELECT name FROM system.columns WHERE table = 't' AND database = 'default' LIMIT 1":                 "a\n",
		"SELECT currentDatabase(), timezone()":                                                               "default\tUTC\n",
		"SELECT any(a) FROM t WHERE a BETWEEN 3 AND 3 AND s LIKE '%' AND n IS NOT NULL":                      "3\n",
		"SELECT dateDiff('day', toDate('2011-01-01'), toDate('2011-01-08'))":                                 "7\n",
		"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT max(n) FROM r": "5\n",
		"SELECT sum(a) FROM (SELECT * FROM values('a Int64', 1, 2))":                                         "3\n",
	} {
		status, body, _ := ask(t, e, query, "param_x", "7", "param_t", "t")
		if status != http.StatusOK || body != want {
			t.Errorf("%s\n   %d %q, want %q", query, status, body, want)
		}
	}
	for _, query := range []string{"DESCRIBE TABLE default.t", "SHOW CREATE TABLE default.t", "SHOW DATABASES", "EXPLAIN SELECT count() FROM default.t",
		"EXPLAIN PIPELINE SELECT count() FROM default.t", "SHOW COLUMNS FROM t", "SHOW TABLES FROM default FORMAT JSON", "SELECT * FROM system.settings LIMIT 3", "SHOW PROCESSLIST",
		"SELECT * FROM t FORMAT JSON", "SELECT * FROM t FORMAT Pretty", "SELECT * FROM t FORMAT CSVWithNames", "SHOW FUNCTIONS LIKE 'plus'"} {
		if status, body, _ := ask(t, e, query); status != http.StatusOK || body == "" {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

package embedded

import (
	"net/http"
	"strings"
	"testing"
)

// What a reader is told: each refusal names what it refuses, and why or what to do.
func TestRefusalsAreClear(t *testing.T) {
	e := startAt(t, t.TempDir())
	write(t, e, "CREATE TABLE default.orders (a Int64) ENGINE = MergeTree ORDER BY a")
	for _, c := range []struct {
		query  string
		pairs  []string
		status int
		says   []string
	}{
		{"INSERT INTO orders VALUES (1)", nil, http.StatusForbidden, []string{"Read-only user", "only statements that read", "the writer is user punchcard with its key"}},
		{"ALTER TABLE orders DELETE WHERE 1", nil, http.StatusForbidden, []string{"only statements that read"}},
		{"DROP TABLE orders", nil, http.StatusForbidden, []string{"only statements that read"}},
		{"CREATE TABLE x (a Int8) ENGINE = Memory", nil, http.StatusForbidden, []string{"only statements that read"}},
		{"SELECT * FROM file('/etc/passwd', 'LineAsString')", nil, http.StatusForbidden, []string{"function file", "could reach files, the network"}},
		{"SELECT file('/etc/passwd')", nil, http.StatusForbidden, []string{"function file"}},
		{"SELECT * FROM url('http://127.0.0.1:1/', 'CSV')", nil, http.StatusForbidden, []string{"function url", "could reach files, the network"}},
		{"SELECT * FROM remote('127.0.0.1', system.one)", nil, http.StatusForbidden, []string{"function remote"}},
		{"SELECT * FROM s3('http://127.0.0.1:1/b', 'CSV')", nil, http.StatusForbidden, []string{"function s3"}},
		{"SELECT 1 SETTINGS max_execution_time = 0", nil, http.StatusForbidden, []string{"max_execution_time", "readonly mode"}},
		{"SET max_execution_time = 0", nil, http.StatusForbidden, []string{"only statements that read"}},
		{"SELECT 1", []string{"max_execution_time", "0"}, http.StatusForbidden, []string{"setting max_execution_time", "up to 60"}},
		{"SELECT 1", []string{"max_memory_usage", "100000000000"}, http.StatusForbidden, []string{"setting max_memory_usage", "up to"}},
		{"SELECT 1", []string{"readonly", "0"}, http.StatusForbidden, []string{"readonly cannot be changed"}},
		{"SELECT 1", []string{"format_schema", "/etc/passwd"}, http.StatusForbidden, []string{"format_schema is not open to readers"}},
		{"SELECT 1", []string{"user", "punchcard", "password", "guess"}, http.StatusForbidden, []string{"password is incorrect"}},
		{"SELECT 1", []string{"user", "admin"}, http.StatusForbidden, []string{"no such user", "readers are default"}},
		{"SELECT 1; SELECT 2", nil, http.StatusBadRequest, []string{"Multi-statements are not allowed"}},
		{"SELECT sum(cityHash64(number)) FROM numbers(100000000000)", nil, 0, []string{"Limit for rows", "2.00 billion"}},
		{"SELECT max(sipHash64(a.number, b.number)) FROM numbers(30000) AS a, numbers(30000) AS b", []string{"max_execution_time", "1"}, http.StatusRequestTimeout, []string{"Timeout exceeded", "maximum: 1"}},
		{"SELECT groupArray(number) FROM numbers(1000000000)", []string{"max_memory_usage", "50000000"}, 0, []string{"memory limit exceeded", "maximum: 47.68 MiB"}},
		{"SELECT number FROM numbers(20000000)", []string{"default_format", "Null"}, 0, []string{"Limit for result exceeded", "10.00 million"}},
	} {
		status, body, header := ask(t, e, c.query, c.pairs...)
		if status == http.StatusOK || c.status != 0 && status != c.status || header.Get("X-ClickHouse-Exception-Code") == "" {
			t.Errorf("%s %v: %d", c.query, c.pairs, status)
		}
		for _, word := range c.says {
			if !strings.Contains(body, word) {
				t.Errorf("%s %v\n   says %d %.300s\n   not %q", c.query, c.pairs, status, body, word)
			}
		}
	}
	if e.Restarts() != 0 {
		t.Errorf("the engine was brought down %d times", e.Restarts())
	}
}

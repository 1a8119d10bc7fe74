package embedded

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	target, _ := url.Parse("/?query=SELECT+{x:Int64}&param_x=7&database=shop&default_format=JSON&max_threads=2&session_id=s&compress=1&client_protocol_version=54460&max_threads=3")
	req, err := parseRequest(http.MethodGet, target, http.Header{"X-Clickhouse-User": {"reader"}, "X-Clickhouse-Format": {"CSV"}})
	if err != nil {
		t.Fatal(err)
	}
	if req.query != "SELECT {x:Int64}" || req.params["x"] != "7" || req.database != "shop" || req.format != "JSON" || req.user != "reader" ||
		!req.readOnly || !req.compress || req.protocol != 54460 || len(req.settings) != 1 || req.settings["max_threads"] != "3" {
		t.Fatalf("%+v", req)
	}
	for _, bad := range []string{"/?a-b=1", "/?a%20=1", "/?param_=1", "/?default_format=a%27b", "/?a;b=%zz", "/?readonly%00=0", "/?max_threads%3D1,readonly=0"} {
		target, err := url.Parse(bad)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseRequest(http.MethodPost, target, http.Header{})
		var ex *exception
		if !errors.As(err, &ex) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// What comes out of a request goes into SET and USE: names must be plain,
// values must stay inside their quotes.
func FuzzParseRequest(f *testing.F) {
	f.Add("query=SELECT+1&max_threads=1", "reader", "shop")
	f.Add("a=%27%2C+readonly%3D%270&param_x=%5C%27", "punchcard", "a`b")
	f.Add("insert_deduplication_token=x%5C", "", "\\`")
	f.Fuzz(func(t *testing.T, query, user, database string) {
		req, err := parseRequest(http.MethodPost, &url.URL{Path: "/", RawQuery: query}, http.Header{"X-Clickhouse-User": {user}, "X-Clickhouse-Database": {database}})
		if err != nil {
			var ex *exception
			if !errors.As(err, &ex) || ex.code == 0 || ex.status() < 400 {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(req.settings) > maxSettings || len(req.params) > maxParams || !formatName.MatchString(req.format) {
			t.Fatalf("%+v", req)
		}
		for name, value := range req.settings {
			if strings.ContainsAny(name, "'`\"\\ ,=;()\x00") || name == "" {
				t.Fatalf("setting %q", name)
			}
			if got, rest := unquote(t, quoteString(value), '\''); got != value || rest != "" {
				t.Fatalf("%q came back as %q and %q", value, got, rest)
			}
			_ = checkReaderSetting(name, value, defaultMemory)
		}
		if got, rest := unquote(t, quoteName(req.database), '`'); got != req.database || rest != "" {
			t.Fatalf("%q came back as %q and %q", req.database, got, rest)
		}
	})
}

// unquote reads a quoted text as ClickHouse's lexer does: up to the first quote
// that no backslash precedes.
func unquote(t *testing.T, s string, quote byte) (value, rest string) {
	t.Helper()
	if s[0] != quote {
		t.Fatalf("%q does not begin with a quote", s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return b.String(), s[i+1:]
		case s[i] == '\\':
			i++
			if i == len(s) {
				t.Fatalf("%q ends in a backslash", s)
			}
			if s[i] == '0' {
				b.WriteByte(0)
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	t.Fatalf("%q is not closed", s)
	return "", ""
}

// Whatever text stands for a parse, a function that reaches out is never let
// through when its node is in it.
func FuzzCheckReader(f *testing.F) {
	f.Add("SelectWithUnionQuery (children 1)\n ExpressionList (children 1)", " (alias x\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		if before != "" {
			before += "\n"
		}
		err := parseTree(before + "    Function file" + strings.TrimSuffix(" "+after, "\n") + "\nLiteral UInt64_1").checkReader(map[string]bool{"file": true})
		if err == nil {
			t.Fatalf("%q %q", before, after)
		}
	})
}

func TestChooseEncoding(t *testing.T) {
	for accept, want := range map[string]string{"": "", "gzip": "gzip", "gzip, deflate, br": "gzip", "GZIP;q=0.5": "gzip", "gzip;q=0": "", "br": "", "lz4, zstd": "zstd"} {
		if got := chooseEncoding(accept); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

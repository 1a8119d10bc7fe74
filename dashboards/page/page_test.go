package page

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// rig is a served page.
type rig struct {
	t   *testing.T
	url string
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	c := cannedConfig(t)
	if change != nil {
		change(&c)
	}
	h, err := Handler(c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &rig{t, srv.URL}
}

// call asks with the key, unless headers say otherwise (name, value, …).
func (r *rig) call(method, path, body string, headers ...string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+readKey)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res, string(raw)
}

func (r *rig) wants(method, path, body string, status int, holds string, headers ...string) *http.Response {
	r.t.Helper()
	res, got := r.call(method, path, body, headers...)
	if res.StatusCode != status || !strings.Contains(got, holds) {
		r.t.Errorf("%s %s %.200s: %d %.400s; want %d and %q", method, path, body, res.StatusCode, got, status, holds)
	}
	return res
}

const askRevenue = `{"uid":"punchcard-overview","panel":1,"from":"now-1y","to":"now","vars":{"tier":["gold"]}}`

func TestReadersOnly(t *testing.T) {
	r := newRig(t, nil)
	for _, path := range []string{"/page/api/dashboards", "/page/api/dashboards/punchcard-overview", "/page/api/feed", "/page/api/customers/1", "/page/api/program"} {
		res := r.wants("GET", path, "", 401, "key_needed", "Authorization", "")
		if res.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s makes the browser ask for a password", path)
		}
		r.wants("GET", path, "", 403, "other_site", "Sec-Fetch-Site", "cross-site")
	}
	r.wants("POST", "/page/api/query", askRevenue, 401, "key_needed", "Authorization", "Bearer wrong")
	r.wants("GET", "/", "", 200, "<html", "Authorization", "") // the page itself holds no secret
}

func TestSecurityHeaders(t *testing.T) {
	r := newRig(t, nil)
	for _, path := range []string{"/", "/page/api/dashboards", "/nothing"} {
		res, _ := r.call("GET", path, "")
		csp := res.Header.Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "script-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
}

func TestQuery(t *testing.T) {
	var sql string
	var limits Limits
	r := newRig(t, func(c *Config) {
		c.Query = func(ctx context.Context, s string, l Limits) (Result, error) {
			sql, limits = s, l
			return cannedQuery(ctx, s, l)
		}
	})
	_, body := r.call("POST", "/page/api/query", askRevenue)
	var got answered
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err, body)
	}
	if len(got.Columns) != 2 || got.Columns[0].Kind != "time" || got.Columns[1].Kind != "number" || len(got.Rows) != 12 {
		t.Errorf("%+v", got)
	}
	year := event.At(cannedNow.AddDate(-1, 0, 0))
	if got.From != int64(year) || got.To != int64(event.At(cannedNow)) || !strings.Contains(sql, fmt.Sprint(int64(year))) || !strings.Contains(sql, "tier IN ('gold')") {
		t.Errorf("%d %d %s", got.From, got.To, sql)
	}
	if limits.Rows != MaxRows || limits.Time <= 0 || limits.Time > MaxQueryTime {
		t.Errorf("limits %+v", limits)
	}
	r.wants("POST", "/page/api/query", `{"uid":"punchcard-overview","variable":"tier"}`, 200, `"silver"`)
	r.wants("POST", "/page/api/query", `{"uid":"punchcard-overview","annotation":"Campaign starts"}`, 200, "Win back began")
}

// TestQueryRefused: nobody sends SQL, nor what the dashboard does not have.
func TestQueryRefused(t *testing.T) {
	r := newRig(t, nil)
	many := `"` + strings.Repeat(`x","`, MaxValues) + `x"`
	for _, c := range []struct {
		body   string
		status int
		code   string
	}{
		{`{"uid":"punchcard-overview","panel":1,"sql":"SELECT 1"}`, 400, "invalid_json"},
		{`{`, 400, "invalid_json"},
		{`{"uid":"nobody","panel":1}`, 404, "unknown_dashboard"},
		{`{"uid":"punchcard-overview","panel":99}`, 404, "unknown_panel"},
		{`{"uid":"punchcard-overview","variable":"grain"}`, 404, "unknown_panel"},
		{`{"uid":"punchcard-overview","panel":1,"vars":{"other":["x"]}}`, 400, "invalid_variables"},
		{`{"uid":"punchcard-overview","panel":1,"vars":{"tier":[` + many + `]}}`, 400, "invalid_variables"},
		{`{"uid":"punchcard-overview","panel":1,"vars":{"tier":["` + strings.Repeat("x", event.MaxNameBytes+1) + `"]}}`, 400, "invalid_variables"},
		{`{"uid":"punchcard-overview","panel":1,"from":"yesterday"}`, 400, "invalid_range"},
		{`{"uid":"punchcard-overview","panel":1,"from":"now","to":"now-1d"}`, 400, "invalid_range"},
		{`{"uid":"punchcard-overview","panel":1,"from":"now-900y"}`, 400, "invalid_range"},
		{`{"uid":"` + strings.Repeat("x", MaxBodyBytes) + `"}`, 413, "too_large"},
		{`{"uid":"punchcard-states","panel":2}`, 502, "memory limit"},
	} {
		r.wants("POST", "/page/api/query", c.body, c.status, c.code)
	}
	r.wants("GET", "/page/api/query", "", 404, "not_found")
}

func TestRowsAreBounded(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Query = func(context.Context, string, Limits) (Result, error) {
			res := Result{Columns: columns("n", "UInt64")}
			for i := range uint64(MaxRows + 1) {
				res.Rows = append(res.Rows, []any{i})
			}
			return res, nil
		}
	})
	_, body := r.call("POST", "/page/api/query", askRevenue)
	var got answered
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Rows) != MaxRows || !got.Truncated {
		t.Errorf("%d rows, truncated %v, %v", len(got.Rows), got.Truncated, err)
	}
}

// TestTurns: as many questions run as may, as many wait as may, the next is refused.
func TestTurns(t *testing.T) {
	inside, goOn := make(chan struct{}, MaxQueries+MaxWaiting), make(chan struct{})
	c := cannedConfig(t)
	c.Query = func(context.Context, string, Limits) (Result, error) {
		inside <- struct{}{}
		<-goOn
		return canned("revenue"), nil
	}
	h, err := Handler(c)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() *httptest.ResponseRecorder {
		req := httptest.NewRequest("POST", "/page/api/query", strings.NewReader(askRevenue))
		req.Header.Set("Authorization", "Bearer "+readKey)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	done := make(chan int, MaxQueries+MaxWaiting)
	for range MaxQueries + MaxWaiting {
		go func() { done <- ask().Code }()
	}
	for range MaxQueries {
		<-inside
	}
	refused := func() bool { return ask().Code == http.StatusTooManyRequests }
	// Until all slots are taken our own question would wait for one: it is asked
	// when the channel says that they are.
	p := waitingOf(h)
	await(t, func() bool { return len(p) == cap(p) })
	if !refused() {
		t.Error("one more was taken")
	}
	if n := len(inside); n != 0 {
		t.Errorf("%d more than %d ran at one time", n, MaxQueries)
	}
	close(goOn)
	for range MaxQueries + MaxWaiting {
		if code := <-done; code != 200 {
			t.Errorf("a question that waited was answered %d", code)
		}
	}
}

// waitingOf looks inside: the slots of questions.
func waitingOf(h http.Handler) chan struct{} { return h.(*secured).page.waiting }

func await(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come about within 20 s")
		}
	}
}

func TestAssets(t *testing.T) {
	r := newRig(t, nil)
	res, _ := r.call("GET", "/", "")
	tag := res.Header.Get("ETag")
	if tag == "" || res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%v", res.Header)
	}
	r.wants("GET", "/", "", 304, "", "If-None-Match", tag)
	r.wants("POST", "/", "", 405, "")
	r.wants("GET", "/config.go", "", 404, "")
	r.wants("GET", "/assets/..%2f..%2fconfig.go", "", 404, "")
	res, _ = r.call("GET", "/page/api/dashboards/punchcard-overview", "", "Accept-Encoding", "identity")
	r.wants("GET", "/page/api/dashboards/punchcard-overview", "", 304, "", "If-None-Match", res.Header.Get("ETag"))
	if !Built() {
		t.Skip("the page is not built: npm ci && npm run build in dashboards/page/web")
	}
	_, index := r.call("GET", "/", "")
	_, script, _ := strings.Cut(index, `src="./`)
	script, _, _ = strings.Cut(script, `"`)
	res, packed := r.call("GET", "/"+script, "", "Accept-Encoding", "gzip")
	if !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || res.Header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("%s: %v", script, res.Header)
	}
	if z, err := gzip.NewReader(strings.NewReader(packed)); err != nil {
		t.Error(err)
	} else if _, err := io.Copy(io.Discard, z); err != nil {
		t.Error(err)
	}
}

func TestListStoryProgram(t *testing.T) {
	r := newRig(t, nil)
	r.wants("GET", "/page/api/dashboards", "", 200, `"time_zone":"Europe/London"`)
	r.wants("GET", "/page/api/dashboards/nobody", "", 404, "unknown_dashboard")
	r.wants("GET", "/page/api/customers/12347", "", 200, `"expires_on":"2012-01-26"`)
	r.wants("GET", "/page/api/customers/nobody", "", 404, "unknown_customer")
	r.wants("GET", "/page/api/customers/"+strings.Repeat("x", event.MaxIDBytes+1), "", 400, "invalid_id")
	r.wants("GET", "/page/api/program", "", 200, "Gift shop points")
	r = newRig(t, func(c *Config) {
		c.Story = func(context.Context, string) (*Story, error) { return nil, errors.New("the desk is away") }
		c.Program = func(context.Context) (*Program, error) { return nil, nil }
		c.Subscribe = nil
	})
	r.wants("GET", "/page/api/customers/1", "", 503, "the desk is away")
	r.wants("GET", "/page/api/program", "", 404, "no_active_program")
	r.wants("GET", "/page/api/feed", "", 404, "no_feed")
	r.wants("GET", "/page/api/dashboards", "", 200, `"has_feed":false`)
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := Handler(Config{}); err == nil || !strings.Contains(err.Error(), "Query") || !strings.Contains(err.Error(), "Allowed") {
		t.Errorf("%v", err)
	}
	c := cannedConfig(t)
	c.Dashboards = append(c.Dashboards, c.Dashboards[0], Dashboard{UID: "bad", JSON: []byte("{")})
	if _, err := Handler(c); err == nil || !strings.Contains(err.Error(), "twice") || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("%v", err)
	}
}

// events reads the feed: event names and data, until stop says so.
func (r *rig) events(stop func(name, data string) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", r.url+"/page/api/feed", nil)
	req.Header.Set("Authorization", "Bearer "+readKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if ct := res.Header.Get("Content-Type"); res.StatusCode != 200 || ct != "text/event-stream" {
		r.t.Fatalf("%d %s", res.StatusCode, ct)
	}
	name := ""
	for scan := bufio.NewScanner(res.Body); scan.Scan(); {
		if v, ok := strings.CutPrefix(scan.Text(), "event: "); ok {
			name = v
		}
		if v, ok := strings.CutPrefix(scan.Text(), "data: "); ok && stop(name, v) {
			return
		}
	}
	if err := ctx.Err(); err != nil {
		r.t.Error(err)
	}
}

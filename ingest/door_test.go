package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

const page1 = `{"userId":"u1","messageId":"m1"}`

// TestBatch: each message stands alone.
func TestBatch(t *testing.T) {
	r := newRig(t, nil)
	got := r.post("/v1/batch", `{"sentAt":"2026-03-10T13:00:00Z","context":{"is_simulated":true,"library":{"name":"lib","version":"1"}},"batch":[
		{"type":"track","userId":"u1","messageId":"m0","event":"Order Completed","timestamp":"2026-03-10T12:30:00Z","properties":{"order_id":"o1","currency":"GBP","total":5}},
		{"type":"track","userId":"u1","messageId":"m1","event":"Order Completed","properties":{"order_id":"o2","currency":"GBP"}},
		{"type":"sing","userId":"u1","messageId":"m2"},
		{"userId":"u1","messageId":"m3"},
		17, null, "x", [],
		{"type":"identify","userId":"u2","messageId":"m8","traits":{"email":"a@b.example"}},
		{"type":"page","anonymousId":"a1","sentAt":"2026-03-10T12:00:10Z","timestamp":"2026-03-10T12:00:00Z"}
	]}`).taken(t)
	if got.Accepted != 3 || got.Rejected != 7 || len(got.Errors) != 7 || got.MessageID != "" {
		t.Fatalf("%+v", got)
	}
	var said []string
	for _, e := range got.Errors {
		said = append(said, fmt.Sprintf("%d %s %s %s", e.Index, e.MessageID, e.Code, e.Field))
	}
	want := []string{"1 m1 missing_field properties.products", "2 m2 unknown_type type", "3 m3 unknown_type type",
		"4  invalid_json ", "5  invalid_json ", "6  invalid_json ", "7  invalid_json "}
	if !slices.Equal(said, want) {
		t.Errorf("errors\n%s", strings.Join(said, "\n"))
	}
	es := r.log.events(t)
	if es[0].EventTime.String() != "2026-03-10T11:30:00.000Z" || es[2].EventTime.String() != "2026-03-10T11:59:50.000Z" {
		t.Errorf("times %v %v", es[0].EventTime, es[2].EventTime)
	}
	for _, e := range es {
		if !e.IsSimulated || e.Context.Library != "lib/1" {
			t.Errorf("context of the batch is lost: %+v", e)
		}
	}
	rj := r.log.rejects(t)[0]
	if !strings.Contains(rj.Original, `"order_id":"o2"`) || rj.OriginalBytes != int64(len(rj.Original)) || rj.Source != "shop" || rj.MessageID != "m1" {
		t.Errorf("reject %+v", rj)
	}
	r.balanced()
}

func TestBatchAnswerIsBounded(t *testing.T) {
	r := newRig(t, nil)
	got := r.post("/v1/b", `{"batch":[`+strings.Repeat(`{"type":"x"},`, 99)+`{"type":"x"}]}`).taken(t)
	if got.Rejected != 100 || len(got.Errors) != MaxErrors {
		t.Errorf("%d rejected, %d errors", got.Rejected, len(got.Errors))
	}
	if got := r.post("/v1/import", `{"batch":[]}`).taken(t); got.Accepted+got.Rejected != 0 {
		t.Errorf("%+v", got)
	}
	r.balanced()
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// TestRefused: every way to be refused whole.
func TestRefused(t *testing.T) {
	bomb := zipped(bytes.Repeat([]byte("a"), 8<<20))
	for _, c := range []struct {
		name, method, path, key, body string
		headers                       []string
		status                        int
		code                          string
	}{
		{name: "no key", path: "/v1/page", body: page1, status: 401, code: "no_key"},
		{name: "wrong key", path: "/v1/page", key: "guessed-secret", body: page1, status: 401, code: "unknown_key"},
		{name: "wrong key in the body", path: "/v1/page", body: `{"writeKey":"guessed-secret"}`, status: 401, code: "unknown_key"},
		{name: "not a key scheme", path: "/v1/page", body: page1, headers: []string{"Authorization", "Bearer x"}, status: 401, code: "unknown_key"},
		{name: "no JSON, no key", path: "/v1/page", body: `{`, status: 401, code: "no_key"},
		{name: "read key writes", path: "/v1/page", key: readKey, body: page1, status: 403, code: "key_not_allowed"},
		{name: "no JSON", path: "/v1/page", key: serverKey, body: `{"userId":`, status: 400, code: "invalid_json"},
		{name: "empty", path: "/v1/page", key: serverKey, body: ``, status: 400, code: "invalid_json"},
		{name: "null", path: "/v1/page", key: serverKey, body: `null`, status: 400, code: "invalid_json"},
		{name: "a list", path: "/v1/page", key: serverKey, body: `[{}]`, status: 400, code: "invalid_json"},
		{name: "two objects", path: "/v1/page", key: serverKey, body: page1 + page1, status: 400, code: "invalid_json"},
		{name: "a depth bomb", path: "/v1/page", key: serverKey, body: `{"a":` + strings.Repeat("[", 20_000), status: 400, code: "invalid_json"},
		{name: "no batch", path: "/v1/batch", key: serverKey, body: `{}`, status: 400, code: "missing_field"},
		{name: "batch of another form", path: "/v1/batch", key: serverKey, body: `{"batch":{}}`, status: 400, code: "invalid_field"},
		{name: "too many", path: "/v1/batch", key: serverKey, body: `{"batch":[` + strings.Repeat("1,", DefaultBatch) + `1]}`, status: 413, code: "too_large"},
		{name: "too large", path: "/v1/page", key: serverKey, body: `{"a":"` + strings.Repeat("x", DefaultBodyBytes) + `"}`, status: 413, code: "too_large"},
		{name: "a gzip bomb", path: "/v1/batch", key: serverKey, body: string(bomb), headers: []string{"Content-Encoding", "gzip"}, status: 413, code: "too_large"},
		{name: "not gzip", path: "/v1/batch", key: serverKey, body: page1, headers: []string{"Content-Encoding", "gzip"}, status: 400, code: "invalid_json"},
		{name: "gzip cut short", path: "/v1/batch", key: serverKey, body: string(zipped([]byte(page1))[:20]), headers: []string{"Content-Encoding", "gzip"}, status: 400, code: "invalid_json"},
		{name: "brotli", path: "/v1/batch", key: serverKey, body: page1, headers: []string{"Content-Encoding", "br"}, status: 415, code: "unsupported_encoding"},
		{name: "another method", method: "PUT", path: "/v1/page", key: serverKey, status: 405, code: "method_not_allowed"},
		{name: "no such path", path: "/v1/nothing", key: serverKey, status: 404, code: "not_found"},
		{name: "read without a key", method: "GET", path: "/v1/customers/u1", status: 401, code: "no_key"},
		{name: "server key reads", method: "GET", path: "/v1/customers/u1", key: serverKey, status: 403, code: "key_not_allowed"},
		{name: "public key reads entries", method: "GET", path: "/v1/customers/u1/entries", key: publicKey, status: 403, code: "key_not_allowed"},
		{name: "no desk", method: "GET", path: "/v1/customers/u1", key: readKey, status: 503, code: "no_desk"},
		{name: "no warehouse", method: "GET", path: "/v1/customers/u1/entries", key: readKey, status: 503, code: "no_warehouse"},
		{name: "entries before what", method: "GET", path: "/v1/customers/u1/entries?before=x", key: readKey, status: 400, code: "invalid_field"},
		{name: "entries without end", method: "GET", path: "/v1/customers/u1/entries?limit=501", key: readKey, status: 400, code: "invalid_field"},
		{name: "a long id", method: "GET", path: "/v1/customers/" + strings.Repeat("x", 201), key: readKey, status: 400, code: "invalid_field"},
		{name: "redeem without a desk", path: "/v1/redemptions", key: serverKey, body: `{}`, status: 503, code: "no_desk"},
		{name: "public key redeems", path: "/v1/redemptions", key: publicKey, body: `{}`, status: 403, code: "key_not_allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil)
			if c.method == "" {
				c.method = "POST"
			}
			got := r.call(c.method, c.path, c.key, []byte(c.body), c.headers...)
			f := got.wants(t, c.status, c.code)
			if f.Error.Message == "" || strings.Contains(string(got.body), "goroutine") {
				t.Errorf("%s", got.body)
			}
			if c.status == 401 && got.header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if c.status == 503 && got.header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
			r.balanced()
			// What a known key sent and could not be split is kept, as one reject.
			kept := c.key == serverKey && (c.status == 400 || c.status == 413 || c.status == 415)
			if n := len(r.log.rejects(t)); (n == 1) != kept {
				t.Errorf("%d rejects", n)
			}
			if len(r.log.events(t)) != 0 || r.door.Counts().Refused[c.code] != 1 {
				t.Errorf("counts %+v", r.door.Counts())
			}
		})
	}
}

// TestDeepMessage: one that nests too deep does not hold up its batch.
func TestDeepMessage(t *testing.T) {
	r := newRig(t, nil)
	deep := `{"type":"page","userId":"u1","properties":` + strings.Repeat(`{"a":`, MaxDepth) + `1` + strings.Repeat("}", MaxDepth) + `}`
	flat := `{"type":"page","userId":"u1","properties":{"a":"` + strings.Repeat("{[", 100) + `\"{"}}`
	got := r.post("/v1/batch", `{"batch":[`+deep+`,`+flat+`]}`).taken(t)
	if got.Accepted != 1 || got.Rejected != 1 || got.Errors[0].Code != event.RejectTooLarge {
		t.Errorf("%+v", got)
	}
	r.balanced()
}

// TestOriginals: the original is kept, cut, and base64 when it is not text; the
// key that came with it is not.
func TestOriginals(t *testing.T) {
	r := newRig(t, nil)
	r.call("POST", "/v1/track", "", []byte(`{"writeKey":"`+serverKey+`","userId":"u1","pad":"`+strings.Repeat("é", 5000)+`"}`))
	bad := append([]byte(`{"userId":"u1","event":"`), 0xff, 0xfe)
	bad = append(bad, bytes.Repeat([]byte("z"), 9000)...)
	bad = append(bad, `"}`...)
	if got := r.call("POST", "/v1/track", serverKey, bad).taken(t); got.Rejected != 1 || got.Errors[0].Code != event.RejectInvalidJSON {
		t.Errorf("%+v", got)
	}
	rjs := r.log.rejects(t)
	if rj := rjs[0]; rj.OriginalBytes < 10_000 || len(rj.Original) < event.MaxRejectBytes-2 || !strings.HasPrefix(rj.Original, `{"writeKey":"(key)"`) {
		t.Errorf("%d bytes, kept %d: %.60s", rj.OriginalBytes, len(rj.Original), rj.Original)
	}
	raw, err := base64.StdEncoding.DecodeString(rjs[1].Original)
	if err != nil || !rjs[1].OriginalBase64 || !bytes.Equal(raw, bad[:len(raw)]) || rjs[1].OriginalBytes != int64(len(bad)) {
		t.Errorf("%v %+v", err, rjs[1])
	}
	r.balanced()
}

// TestChunked: a body of unknown length is bounded as it is read.
func TestChunked(t *testing.T) {
	r := newRig(t, nil)
	req := httptest.NewRequest("POST", "/v1/page", io.LimitReader(neverEnding{}, 1<<30))
	req.ContentLength = -1
	req.SetBasicAuth(serverKey, "")
	w := httptest.NewRecorder()
	r.serv.ServeHTTP(w, req)
	answered{w.Code, w.Header(), w.Body.Bytes()}.wants(t, 413, "too_large")
	if rj := r.log.rejects(t); len(rj) != 1 || rj[0].Code != event.RejectTooLarge {
		t.Errorf("%+v", rj)
	}
	r.balanced()
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestFieldLimits: what is too long or too many is named.
func TestFieldLimits(t *testing.T) {
	long := strings.Repeat("x", event.MaxPropertyBytes)
	many := strings.Builder{}
	for i := range MaxProfileTraits + 1 {
		fmt.Fprintf(&many, `"t%d":1,`, i)
	}
	bigOrder := `{"userId":"u1","event":"Order Completed","properties":{"order_id":"o","currency":"GBP","products":[` +
		strings.TrimSuffix(strings.Repeat(`{"sku":"s","price":1,"name":"`+strings.Repeat("n", 280)+`"},`, 1800), ",") + `]}}`
	for _, c := range []struct{ path, body, want string }{
		{"/v1/track", `{"userId":"u1","event":"X","properties":{"coupon":"` + long + `"}}`, "invalid_field properties.coupon"},
		{"/v1/identify", `{"userId":"u1","traits":{"language":"` + long + `"}}`, "invalid_field traits.language"},
		{"/v1/identify", `{"userId":"u1","traits":{` + many.String() + `"z":1}}`, "invalid_field traits"},
		{"/v1/identify", `{"userId":"u1","traits":[]}`, "invalid_field traits"},
		{"/v1/track", `{"userId":"u1","event":"X","context":7}`, "invalid_field context"},
		{"/v1/group", `{"userId":"u1","groupId":"` + long + `"}`, "invalid_field groupId"},
		{"/v1/track", `{"userId":"u1","event":"Order Completed","properties":{"order_id":"o","currency":"GBP","total":1,"coupon":"` + long + `"}}`, "invalid_field properties.coupon"},
		{"/v1/track", bigOrder, "too_large "},
	} {
		r := newRig(t, func(c *Config) { c.BodyBytes = MaxBodyBytes })
		got := r.post(c.path, c.body).taken(t)
		if got.Rejected != 1 || got.Errors[0].Code+" "+got.Errors[0].Field != c.want {
			t.Errorf("%.100s: %+v, want %s", c.body, got, c.want)
		}
		r.balanced()
	}
	// A context field decides nothing: too long, it is left out.
	r := newRig(t, nil)
	got := r.post("/v1/page", `{"userId":"u1","context":{"channel":"`+long+`","library":{"name":"`+long+`"}}}`).taken(t)
	if got.Accepted != 1 || *r.log.events(t)[0].Context != (event.Context{Source: "shop"}) {
		t.Errorf("%+v", got)
	}
}

// TestIsDeclared: what the programs ask for may enter, but not what is personal.
func TestIsDeclared(t *testing.T) {
	r := newRig(t, func(c *Config) { c.IsDeclared = func(name string) bool { return name != "colour" } })
	r.post("/v1/identify", `{"userId":"u1","traits":{"pets":2,"colour":"red","eMail":"a@b.example"}}`)
	if e := r.log.events(t)[0]; len(e.Traits) != 1 || string(e.Traits["pets"]) != "2" {
		t.Errorf("%s", e.Traits)
	}
	if p := r.log.of(event.TopicProfiles); len(p) != 1 || !strings.Contains(string(p[0].Value), "a@b.example") {
		t.Errorf("%s", p)
	}
}

func TestGzip(t *testing.T) {
	r := newRig(t, nil)
	if got := r.call("POST", "/v1/page", serverKey, zipped([]byte(page1)), "Content-Encoding", "gzip").taken(t); got.Accepted != 1 {
		t.Errorf("%+v", got)
	}
}

// TestKeysByKind: what each kind of key may send.
func TestKeysByKind(t *testing.T) {
	for _, c := range []struct {
		path, body     string
		server, public bool
	}{
		{"/v1/page", `{"userId":"u1"}`, true, true},
		{"/v1/screen", `{"userId":"u1"}`, true, true},
		{"/v1/identify", `{"userId":"u1"}`, true, true},
		{"/v1/group", `{"userId":"u1","groupId":"g"}`, true, true},
		{"/v1/alias", `{"userId":"u1","previousId":"p"}`, true, false},
		{"/v1/track", `{"userId":"u1","event":"Product Viewed"}`, true, true},
		{"/v1/track", `{"userId":"u1","event":"Product Reviewed"}`, true, false}, // a program gives points for it
		{"/v1/track", `{"userId":"u1","event":"Signed Up"}`, true, false},
		{"/v1/track", `{"userId":"u1","event":"Order Completed","properties":{"order_id":"o","currency":"GBP","total":1}}`, true, false},
		{"/v1/track", `{"userId":"u1","event":"Order Refunded","properties":{"order_id":"o","currency":"GBP"}}`, true, false},
		{"/v1/track", `{"userId":"u1","event":"Order Cancelled","properties":{"order_id":"o","currency":"GBP"}}`, true, false},
		{"/v1/track", `{"userId":"u1","event":"Survey Answered","properties":{"kind":"nps","score":1}}`, true, false},
		{"/v1/page", `{"userId":"u1","context":{"is_simulated":true}}`, true, false},
	} {
		r := newRig(t, nil)
		for key, want := range map[string]bool{serverKey: c.server, publicKey: c.public} {
			got := r.call("POST", c.path, key, []byte(c.body)).taken(t)
			if (got.Accepted == 1) != want || !want && got.Errors[0].Code != event.RejectKeyNotAllowed {
				t.Errorf("%s %s with %s: %+v", c.path, c.body, key, got)
			}
		}
		// As browsers send it: the key in the body, as plain text.
		body := strings.Replace(c.body, "{", `{"writeKey":"`+publicKey+`",`, 1)
		got := r.call("POST", c.path, "", []byte(body), "Content-Type", "text/plain").taken(t)
		if (got.Accepted == 1) != c.public {
			t.Errorf("%s %s: %+v", c.path, body, got)
		}
		r.balanced()
	}
}

// TestHarmlessNames: without knowledge of the programs the door stays shut.
func TestHarmlessNames(t *testing.T) {
	for _, c := range []struct {
		names      []string
		serverOnly func(string) bool
		want       string
	}{
		{nil, nil, ""},
		{[]string{"A", event.NameSignedUp}, nil, "A"},
		{nil, func(n string) bool { return n == "A" }, "B"},
		{[]string{"A"}, func(n string) bool { return n == "A" }, "A B"},
	} {
		n := NewNormaliser(Config{PublicNames: c.names, ServerOnly: c.serverOnly})
		var may []string
		for _, name := range []string{"A", "B", event.NameSignedUp, event.NameOrderCompleted} {
			if n.harmless(name) {
				may = append(may, name)
			}
		}
		if got := strings.Join(may, " "); got != c.want {
			t.Errorf("%v: %q, want %q", c.names, got, c.want)
		}
	}
}

// TestMadeIDs: a message without id gets one, and is told it.
func TestMadeIDs(t *testing.T) {
	r := newRig(t, nil)
	if got := r.post("/v1/page", `{"userId":"u1"}`).taken(t); got.MessageID != "made-1" || r.log.events(t)[0].MessageID != "made-1" {
		t.Errorf("%+v", got)
	}
	if got := r.post("/v1/page", page1).taken(t); got.MessageID != "m1" {
		t.Errorf("%+v", got)
	}
}

// TestRoutesAreDescribed: openapi.yaml has the door's routes and no others.
func TestRoutesAreDescribed(t *testing.T) {
	r := newRig(t, nil)
	var have, described []string
	for _, rt := range r.door.routes() {
		have = append(have, rt.method+" "+rt.path)
		if rt.browser {
			have = append(have, "OPTIONS "+rt.path)
		}
	}
	for path, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(have)
	slices.Sort(described)
	if !slices.Equal(have, described) {
		t.Errorf("routes    %v\ndescribed %v", have, described)
	}
	if got := r.call("GET", "/v1/openapi.yaml", "", nil); got.status != 200 || !bytes.Equal(got.body, OpenAPI) {
		t.Errorf("%d", got.status)
	}
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			if strings.HasPrefix(path, "/v1/redemptions") || method == http.MethodGet {
				if op.Summary == "" {
					t.Errorf("%s %s says nothing", method, path)
				}
			}
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	_, err := New(Config{Keys: []Key{{KeyServer, "a b", "long-enough-1"}, {"root", "x", "long-enough-2"}, {KeyRead, "s", "short"}},
		BodyBytes: 1, Batch: -1, Concurrent: -1, Wait: time.Hour, Declared: []string{"E-Mail", "first_name", ""}})
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{"no Log", "BodyBytes", "Batch", "Concurrent", "Wait", `"E-Mail"`, `"first_name"`, `""`, `"a b"`, `"root"`, "key s"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "long-enough") || strings.Contains(err.Error(), "short") {
		t.Errorf("a secret is told: %v", err)
	}
}

func TestParseKeys(t *testing.T) {
	keys, err := ParseKeys(strings.NewReader("# the shop\nserver shop server-secret-1\n\n  public\tsite public-secret-1\nread desk reader-secret-1\n"))
	if err != nil || len(keys) != 3 || keys[1] != (Key{KeyPublic, "site", publicKey}) {
		t.Errorf("%v %v", keys, err)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", keys, keys[0], keys[0], &keys[0]); strings.Contains(s, "secret") {
		t.Errorf("a secret is printed: %s", s)
	}
	if b, _ := json.Marshal(keys); strings.Contains(string(b), "secret-1") {
		t.Errorf("a secret is encoded: %s", b)
	}
	for in, want := range map[string]string{
		"server shop":                                  "line 1",
		"\nroot shop secret-long-1":                    "line 2",
		"server shop tiny":                             "line 1",
		"server shop secret:long-1":                    "other characters",
		"server a secret-long-1\nread b secret-long-1": "same secret",
		"server a secret-long-1\nread a secret-long-2": "occurs twice",
	} {
		if _, err := ParseKeys(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "long-1") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestServerTimeouts(t *testing.T) {
	r := newRig(t, nil)
	s := r.door.Server("127.0.0.1:0", r.serv)
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 || s.WriteTimeout < r.door.config.Wait+r.door.config.Publish {
		t.Errorf("%+v", s)
	}
}

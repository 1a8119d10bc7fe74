package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/punchcard/punchcard/event"
)

const (
	serverKey = "server-secret-1"
	publicKey = "public-secret-1"
	readKey   = "reader-secret-1"
)

// now is the clock of every test.
var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// fakeLog keeps records; onPublish may refuse them.
type fakeLog struct {
	mu        sync.Mutex
	records   []Outgoing
	onPublish func([]Outgoing) error
}

func (l *fakeLog) Publish(_ context.Context, records []Outgoing) error {
	if l.onPublish != nil {
		if err := l.onPublish(records); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, records...)
	return nil
}

// of returns the values of a topic's records.
func (l *fakeLog) of(topic string) []Outgoing {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Outgoing
	for _, r := range l.records {
		if r.Topic == topic {
			out = append(out, r)
		}
	}
	return out
}

func (l *fakeLog) events(t testing.TB) []event.Event {
	t.Helper()
	var out []event.Event
	for _, r := range l.of(event.TopicEvents) {
		var e event.Event
		if err := event.Decode(r.Value, &e); err != nil {
			t.Fatal(err)
		}
		if bad := e.Validate(); bad != nil {
			t.Errorf("an invalid event entered the log: %v: %s", bad, r.Value)
		}
		if r.Key != e.AccountID || r.Class != event.ClassOuter {
			t.Errorf("record key %q class %q of account %q", r.Key, r.Class, e.AccountID)
		}
		out = append(out, e)
	}
	return out
}

func (l *fakeLog) rejects(t testing.TB) []event.Reject {
	t.Helper()
	var out []event.Reject
	for _, r := range l.of(event.TopicRejects) {
		var rj event.Reject
		if err := json.Unmarshal(r.Value, &rj); err != nil {
			t.Fatal(err)
		}
		if rj.V != 1 || rj.Code == "" || rj.Message == "" || rj.ReceivedTime == 0 || len(rj.Original) > event.MaxRejectBytes {
			t.Errorf("a reject that says too little or too much: %s", r.Value)
		}
		out = append(out, rj)
	}
	return out
}

type gateFunc func() (string, time.Duration, bool)

func (g gateFunc) Check() (string, time.Duration, bool) { return g() }

type entriesFunc func(ctx context.Context, id string, before int64, limit int) ([]json.RawMessage, error)

func (f entriesFunc) Entries(ctx context.Context, id string, before int64, limit int) ([]json.RawMessage, error) {
	return f(ctx, id, before, limit)
}

// rig is a door over fakes, whose every exchange is held against openapi.yaml.
type rig struct {
	t    testing.TB
	log  *fakeLog
	door *Door
	serv http.Handler
	spec routers.Router
	mu   sync.Mutex
	told []error // what the door reported
	any  bool    // any body is sent: openapi.yaml says what should be
}

func newRig(t testing.TB, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, log: &fakeLog{}}
	n := 0
	var mu sync.Mutex
	c := Config{
		Keys: []Key{{KeyServer, "shop", serverKey}, {KeyPublic, "site", publicKey}, {KeyRead, "desk", readKey}},
		Log:  r.log,
		Now:  func() time.Time { return now },
		Wall: func() time.Time { return now.Add(time.Hour) },
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("made-%d", n)
		},
		Report: func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.told = append(r.told, err)
		},
		ServerOnly: func(name string) bool { return name == event.NameReviewed },
		Wait:       2 * time.Second,
	}
	if change != nil {
		change(&c)
	}
	door, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.door, r.serv, r.spec = door, door.Handler(), router(t)
	return r
}

var spec struct {
	once   sync.Once
	doc    *openapi3.T
	router routers.Router
	err    error
}

func document(t testing.TB) *openapi3.T {
	t.Helper()
	spec.once.Do(func() {
		loader := openapi3.NewLoader()
		if spec.doc, spec.err = loader.LoadFromData(OpenAPI); spec.err == nil {
			spec.err = spec.doc.Validate(loader.Context)
		}
		if spec.err == nil {
			spec.router, spec.err = legacy.NewRouter(spec.doc)
		}
	})
	if spec.err != nil {
		t.Fatal(spec.err)
	}
	return spec.doc
}

func router(t testing.TB) routers.Router {
	t.Helper()
	document(t)
	return spec.router
}

// answered is one answer of the door.
type answered struct {
	status int
	header http.Header
	body   []byte
}

func (a answered) into(t testing.TB, v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(a.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("answer %d %s: %v", a.status, a.body, err)
	}
}

func (a answered) taken(t testing.TB) taken {
	t.Helper()
	if a.status != 200 {
		t.Fatalf("answer %d %s, want 200", a.status, a.body)
	}
	var v taken
	a.into(t, &v)
	return v
}

type failure struct {
	Success bool    `json:"success"`
	Error   problem `json:"error"`
}

// wants checks status and code of a call that was refused whole.
func (a answered) wants(t testing.TB, status int, code string) failure {
	t.Helper()
	var f failure
	a.into(t, &f)
	if a.status != status || f.Error.Code != code || f.Success {
		t.Errorf("answer %d %s, want %d %s", a.status, a.body, status, code)
	}
	return f
}

// call sends body as it is. The answer, and the request too when it was taken,
// must fit openapi.yaml.
func (r *rig) call(method, path, key string, body []byte, headers ...string) answered {
	r.t.Helper()
	req := httptest.NewRequest(method, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.SetBasicAuth(key, "")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.serv.ServeHTTP(w, req)
	got := answered{w.Code, w.Header(), w.Body.Bytes()}
	r.conforms(req, body, got)
	return got
}

func (r *rig) conforms(req *http.Request, body []byte, got answered) {
	r.t.Helper()
	found, params, err := r.spec.FindRoute(req)
	if err != nil {
		if got.status != 404 && got.status != 405 {
			r.t.Errorf("%s %s answered %d, and openapi.yaml has no such route: %v", req.Method, req.URL, got.status, err)
		}
		return
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: found,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if got.status == 200 && !r.any && req.Header.Get("Content-Encoding") == "" && !bytes.Contains(got.body, []byte(`"rejected":1`)) {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			r.t.Errorf("the door took what openapi.yaml forbids: %v", err)
		}
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: got.status, Header: got.header, Body: io.NopCloser(bytes.NewReader(got.body)),
		Options: in.Options,
	})
	if err != nil {
		r.t.Errorf("%s %s answered %d %s, against openapi.yaml: %v", req.Method, req.URL, got.status, got.body, err)
	}
}

func (r *rig) post(path, body string) answered {
	r.t.Helper()
	return r.call("POST", path, serverKey, []byte(body))
}

// balanced holds the sums: nothing that came in is dropped.
func (r *rig) balanced() {
	r.t.Helper()
	c := r.door.Counts()
	if c.In != c.Accepted+c.Rejected+c.TurnedAway {
		r.t.Errorf("in %d ≠ accepted %d + rejected %d + turned away %d", c.In, c.Accepted, c.Rejected, c.TurnedAway)
	}
	if n := int64(len(r.log.events(r.t))); n != c.Accepted {
		r.t.Errorf("%d records on events, %d counted as accepted", n, c.Accepted)
	}
	rejects := r.log.rejects(r.t)
	if int64(len(rejects)) != c.Rejected {
		r.t.Errorf("%d records on rejects, %d counted as rejected", len(rejects), c.Rejected)
	}
	by := map[string]int64{}
	for _, rj := range rejects {
		by[rj.Code]++
	}
	for code, n := range c.RejectedBy {
		if by[code] != n {
			r.t.Errorf("%d rejects %s, counted %d", by[code], code, n)
		}
	}
	for _, rec := range r.log.records {
		for _, secret := range []string{serverKey, publicKey, readKey} {
			if strings.Contains(string(rec.Value), secret) {
				r.t.Errorf("a key was written: %s", rec.Value)
			}
		}
	}
}

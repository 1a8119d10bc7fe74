package ingest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/punchcard/punchcard/event"
)

// OpenAPI describes every route of the door; served at /v1/openapi.yaml.
//
//go:embed openapi.yaml
var OpenAPI []byte

// Door is the HTTP door. Safe for concurrent use.
type Door struct {
	config     Config
	keys       *keyring
	normaliser *Normaliser
	counter    *counter
	bodies     chan struct{} // slots of calls that bring events
	waiting    chan struct{} // slots of redemptions and readings
}

// New checks the configuration, all problems at once, and returns the door.
func New(c Config) (*Door, error) {
	c.setDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Door{
		config:     c,
		keys:       newKeyring(c.Keys),
		normaliser: NewNormaliser(c),
		counter:    newCounter(),
		bodies:     make(chan struct{}, c.Concurrent),
		waiting:    make(chan struct{}, c.Waiting),
	}, nil
}

// route is one line of the door's API.
type route struct {
	method, path string
	serve        http.HandlerFunc
	browser      bool // answers browsers of other origins
}

// routes lists the whole API. The one-letter paths are those of Segment's
// browser and mobile libraries.
func (d *Door) routes() []route {
	rs := []route{
		{"GET", "/v1/customers/{id}", d.limited(d.waiting, d.customer), false},
		{"GET", "/v1/customers/{id}/entries", d.limited(d.waiting, d.entries), false},
		{"POST", "/v1/redemptions", d.limited(d.waiting, d.redeem), false},
		{"GET", "/v1/openapi.yaml", d.openAPI, false},
	}
	for _, call := range [...]struct {
		name, letter string
		kind         event.Type
	}{
		{"track", "t", event.TypeTrack}, {"identify", "i", event.TypeIdentify}, {"page", "p", event.TypePage},
		{"screen", "s", event.TypeScreen}, {"group", "g", event.TypeGroup}, {"alias", "a", event.TypeAlias},
	} {
		serve := d.limited(d.bodies, d.single(call.kind))
		rs = append(rs, route{"POST", "/v1/" + call.name, serve, true}, route{"POST", "/v1/" + call.letter, serve, true})
	}
	for _, name := range [...]string{"batch", "b", "import"} {
		rs = append(rs, route{"POST", "/v1/" + name, d.limited(d.bodies, d.batch), true})
	}
	return rs
}

// Handler serves the API; every path of it begins with /v1/.
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range d.routes() {
		serve := r.serve
		if r.browser {
			serve = d.crossOrigin(serve)
			mux.HandleFunc("OPTIONS "+r.path, d.preflight)
		}
		mux.HandleFunc(r.method+" "+r.path, serve)
		allow := r.method
		mux.HandleFunc(r.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allow)
			d.fail(w, problem{status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "this path takes " + allow})
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		d.fail(w, problem{status: http.StatusNotFound, Code: "not_found", Message: "no such path", Hint: "see /v1/openapi.yaml"})
	})
	return d.recovered(mux)
}

// Server returns a server for the handler with time-outs that outlast the
// longest wait of the door and not a slow sender. The caller listens and stops.
func (d *Door) Server(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30*time.Second + d.config.Wait + d.config.Publish,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return context.Background() },
	}
}

// recovered turns a bug of ours into an answer without a stack trace.
func (d *Door) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			d.counter.add(func(c *Counts) { c.Panics++ })
			d.config.Report(fmt.Errorf("ingest: %s %s: panic: %v\n%s", r.Method, r.URL.Path, v, debug.Stack()))
			d.fail(w, problem{status: http.StatusInternalServerError, Code: "internal",
				Message: "a bug of ours; it is logged", Hint: "send it again: message ids make that harmless"})
		}()
		h.ServeHTTP(w, r)
	})
}

// limited refuses calls beyond the slots at once: the sender waits better than
// we do.
func (d *Door) limited(slots chan struct{}, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			h(w, r)
		default:
			d.fail(w, problem{status: http.StatusTooManyRequests, Code: "too_many_calls", retry: time.Second,
				Message: "too many calls at one time", Hint: "send batches, or fewer calls at a time"})
		}
	}
}

func (d *Door) crossOrigin(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", d.config.AllowOrigin)
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
		h(w, r)
	}
}

func (d *Door) preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", d.config.AllowOrigin)
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(OpenAPI)
}

// gate returns the problem of a closed gate, nil when events may enter.
func (d *Door) gate() *problem {
	if d.config.Gate == nil {
		return nil
	}
	reason, after, ok := d.config.Gate.Check()
	if ok {
		return nil
	}
	p := &problem{status: http.StatusServiceUnavailable, Code: reason, retry: max(after, time.Second), Hint: "send it again later, with the same message ids"}
	switch reason {
	case ClosedHistory:
		p.Message = "history is being imported; new events wait until it is in"
	case ClosedDisk:
		p.Message = "free disk is below the reserve"
	case ClosedBroker:
		p.status, p.Message = http.StatusTooManyRequests, "the broker does not keep up"
	default:
		p.Code, p.Message = "unavailable", "closed: "+reason
	}
	return p
}

// publish hands records to the log. It goes on when the caller hangs up, so that
// what is counted is what was written.
func (d *Door) publish(r *http.Request, records []Outgoing) *problem {
	if len(records) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), d.config.Publish)
	defer cancel()
	err := d.config.Log.Publish(ctx, records)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrBusy):
		return &problem{status: http.StatusTooManyRequests, Code: ClosedBroker, retry: time.Second,
			Message: "the broker does not keep up", Hint: "send it again, with the same message ids"}
	}
	d.config.Report(fmt.Errorf("ingest: %s: the broker did not confirm %d records: %w", r.URL.Path, len(records), err))
	return &problem{status: http.StatusServiceUnavailable, Code: "broker_unavailable", retry: 5 * time.Second,
		Message: "the broker did not confirm it; some of it may have arrived", Hint: "send it again, with the same message ids"}
}

func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

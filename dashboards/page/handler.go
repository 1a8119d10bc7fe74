package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/punchcard/punchcard/event"
)

// page serves everything. Safe for concurrent use.
type page struct {
	Config
	boards  map[string]*board
	assets  *assets
	feed    *hub
	waiting chan struct{} // slots of questions, running or not
	running chan struct{} // slots of running ones
}

// maxStoryTime bounds how long a story or the program may take.
const maxStoryTime = 15 * time.Second

// Handler serves the page at / and what it asks at /page/api/. The error lists
// everything that is wrong with the configuration.
func Handler(c Config) (http.Handler, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p := &page{
		Config: c, boards: map[string]*board{}, assets: newAssets(), feed: newHub(c.Subscribe),
		waiting: make(chan struct{}, MaxQueries+MaxWaiting), running: make(chan struct{}, MaxQueries),
	}
	for _, d := range c.Dashboards {
		b, err := readBoard(d)
		if err != nil {
			return nil, err
		}
		p.boards[d.UID] = b
	}
	mux := http.NewServeMux()
	for path, serve := range map[string]http.HandlerFunc{
		"GET /page/api/dashboards":       p.list,
		"GET /page/api/dashboards/{uid}": p.dashboard,
		"POST /page/api/query":           p.query,
		"GET /page/api/feed":             p.serveFeed,
		"GET /page/api/customers/{id}":   p.customer,
		"GET /page/api/program":          p.program,
	} {
		mux.Handle(path, p.readers(serve))
	}
	mux.HandleFunc("/page/api/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "not_found", "no such path or method", "")
	})
	mux.Handle("/", p.assets)
	return &secured{page: p, next: mux}, nil
}

// policy lets the page run its own files and talk to its own origin, nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// secured sets the headers that every answer has.
type secured struct {
	page *page
	next http.Handler
}

// ServeHTTP implements http.Handler.
func (s *secured) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	s.next.ServeHTTP(w, r)
}

// readers lets in those who may read. The answer asks for no password, so that
// the browser shows no window of its own: the page asks for the key.
func (p *page) readers(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			fail(w, http.StatusForbidden, "other_site", "another site may not ask", "")
			return
		}
		if !p.Allowed(r) {
			fail(w, http.StatusUnauthorized, "key_needed", "a read key is needed", "send it as Bearer, or open the page with #key=…")
			return
		}
		h(w, r)
	})
}

type listed struct {
	UID         string `json:"uid"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// site is the answer to GET /page/api/dashboards.
type site struct {
	Now        event.Time `json:"now"`
	TimeZone   string     `json:"time_zone"`
	Dashboards []listed   `json:"dashboards"`
	HasFeed    bool       `json:"has_feed"`
	HasStory   bool       `json:"has_story"`
	HasProgram bool       `json:"has_program"`
}

func (p *page) list(w http.ResponseWriter, r *http.Request) {
	s := site{Now: p.Now(), TimeZone: p.zone().String(), Dashboards: []listed{}, HasFeed: p.Subscribe != nil, HasStory: p.Story != nil, HasProgram: p.Program != nil}
	for _, d := range p.Dashboards {
		s.Dashboards = append(s.Dashboards, listed{d.UID, d.Title, d.Description})
	}
	answer(w, r, s)
}

func (p *page) dashboard(w http.ResponseWriter, r *http.Request) {
	b, ok := p.boards[r.PathValue("uid")]
	if !ok {
		fail(w, http.StatusNotFound, "unknown_dashboard", "there is no such dashboard", "")
		return
	}
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", b.etag)
	if r.Header.Get("If-None-Match") == b.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	pack(w, r, b.JSON)
}

func (p *page) customer(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	switch {
	case p.Story == nil:
		fail(w, http.StatusNotFound, "no_stories", "this process tells no stories", "")
		return
	case id == "" || len(id) > event.MaxIDBytes:
		fail(w, http.StatusBadRequest, "invalid_id", fmt.Sprintf("an id has 1 to %d bytes", event.MaxIDBytes), "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxStoryTime)
	defer cancel()
	story, err := p.Story(ctx, id)
	switch {
	case errors.Is(err, ErrUnknownCustomer):
		fail(w, http.StatusNotFound, "unknown_customer", "nothing is known of this customer", "ids are case sensitive; those without an id in the shop are anon:… or guest:…")
	case err != nil:
		p.Report(fmt.Errorf("page: the story of a customer: %w", err))
		fail(w, http.StatusServiceUnavailable, "not_reached", "the story could not be read: "+clip(err.Error()), "try again")
	default:
		answer(w, r, story)
	}
}

func (p *page) program(w http.ResponseWriter, r *http.Request) {
	if p.Program == nil {
		fail(w, http.StatusNotFound, "no_program_view", "this process shows no program", "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxStoryTime)
	defer cancel()
	prog, err := p.Program(ctx)
	switch {
	case err != nil:
		p.Report(fmt.Errorf("page: the program: %w", err))
		fail(w, http.StatusServiceUnavailable, "not_reached", "the program could not be read: "+clip(err.Error()), "try again")
	case prog == nil:
		fail(w, http.StatusNotFound, "no_active_program", "no program is active", "punchcard program activate DIR")
	default:
		answer(w, r, prog)
	}
}

package desk

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/punchcard/punchcard/processors"
)

const (
	// keyHeader carries the shared key.
	keyHeader = "Punchcard-Internal-Key"
	// minKeyBytes is how long the shared key must be.
	minKeyBytes = 16
	// maxAnswerWait is how long the port holds one question open.
	maxAnswerWait = 60 * time.Second

	pathAnswer   = "/internal/answer"
	pathCustomer = "/internal/customer"
	pathMessage  = "/internal/message"
)

// port is the internal HTTP server.
type port struct {
	addr   string
	server *http.Server
}

// listen opens the port.
func (d *Desk) listen() (*port, error) {
	if len(d.cfg.Key) < minKeyBytes {
		return nil, fmt.Errorf("desk: the internal port %s needs a shared key of at least %d bytes, the same in every process", d.cfg.Listen, minKeyBytes)
	}
	l, err := net.Listen("tcp", d.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("desk: opening the internal port: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathAnswer, d.serveAnswer)
	mux.HandleFunc("GET "+pathCustomer, d.serveCustomer)
	mux.HandleFunc("GET "+pathMessage, d.serveMessage)
	p := &port{addr: l.Addr().String(), server: &http.Server{Handler: d.guarded(mux), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}}
	go func() {
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.cfg.Logger.Error("internal port ended", "addr", p.addr, "error", err)
		}
	}()
	return p, nil
}

func (p *port) close() { _ = p.server.Close() }

// guarded lets in those who know the key.
func (d *Desk) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(keyHeader)), []byte(d.cfg.Key)) != 1 {
			http.Error(w, "wrong or no "+keyHeader, http.StatusUnauthorized)
			return
		}
		if d.local(d.partition(r.FormValue("account"))) == nil {
			http.Error(w, "another process owns this account", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveAnswer registers a ticket, says so by its headers, and sends the entry
// when it is there.
func (d *Desk) serveAnswer(w http.ResponseWriter, r *http.Request) {
	t, err := d.expectHere(r.FormValue("account"), r.FormValue("message"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer t.Cancel()
	w.WriteHeader(http.StatusOK)
	if err := http.NewResponseController(w).Flush(); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxAnswerWait)
	defer cancel()
	if a, err := t.wait(ctx); err == nil {
		_, _ = w.Write(a.raw)
	}
}

func (d *Desk) serveCustomer(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("account")
	reading, err := d.customerHere(r.Context(), d.partition(id), id)
	writeJSON(w, reading, err)
}

// messageReply says whether a message has its entry.
type messageReply struct {
	Known bool `json:"known"`
}

func (d *Desk) serveMessage(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("account")
	known, err := d.knownHere(r.Context(), d.partition(id), id, r.FormValue("message"))
	writeJSON(w, messageReply{known}, err)
}

func writeJSON(w http.ResponseWriter, v any, err error) {
	switch {
	case errors.Is(err, ErrUnknown):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, processors.ErrNotOwner):
		http.Error(w, err.Error(), http.StatusMisdirectedRequest)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
}

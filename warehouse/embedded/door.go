package embedded

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// WriterUser is the name that goes with the writer key.
const WriterUser = "punchcard"

// streamable formats may be joined from pieces, which libchdb formats each for
// itself (Arrow's by arrowPieces); of the others, the answer is made whole and bounded (maxAnswerBytes).
var streamable = set("native", "tabseparated", "tsv", "tabseparatedraw", "tsvraw", "csv", "jsoneachrow", "jsonlines", "ndjson",
	"jsonstringseachrow", "jsoncompacteachrow", "jsoncompactstringseachrow", "rowbinary", "null", "lineasstring", "raw", "rawblob", formatArrowStream)

// ServeHTTP is ClickHouse's HTTP interface.
func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ping", "/replicas_status":
		_, _ = io.WriteString(w, "Ok.\n")
		return
	case "/", "/query":
	default:
		http.Error(w, "There is no handle "+r.URL.Path+"; queries go to /, and /ping tells whether the server is alive", http.StatusNotFound)
		return
	}
	out := newAnswer(w, r.Header.Get("Accept-Encoding"))
	if err := e.serve(r, out); err != nil {
		out.fail(asException(err))
		return
	}
	out.finish()
}

func (e *engine) serve(r *http.Request, out *answer) error {
	req, err := parseRequest(r.Method, r.URL, r.Header)
	if err != nil {
		return err
	}
	if req.queryID == "" {
		req.queryID = randomHex()
	}
	out.begin(req)
	reader, err := e.isReader(req)
	if err != nil {
		return err
	}
	body, err := openBody(r, &req)
	if err != nil {
		return err
	}
	if req.query == "" {
		text, err := readAtMost(body, maxQueryBytes, "The query")
		if err != nil {
			return err
		}
		req.query, body = string(text), nil
	}
	if strings.TrimSpace(req.query) == "" {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			_, err := out.Write([]byte("Ok.\n"))
			return err
		}
		return refuse(codeSyntaxError, "SYNTAX_ERROR", "Empty query")
	}
	if isHello(req, req.query) {
		out.setFormat("Native")
		_, err := out.Write(hello(e.version))
		return err
	}
	return e.run(r.Context(), req, reader, body, out)
}

// isReader tells writers by their key; whoever shows a wrong one is refused
// rather than quietly made a reader.
func (e *engine) isReader(req request) (bool, error) {
	if req.user == WriterUser {
		if subtle.ConstantTimeCompare([]byte(req.key), []byte(e.key)) != 1 {
			return true, refuse(codeAuthFailed, "AUTHENTICATION_FAILED", "%s: Authentication failed: password is incorrect", WriterUser)
		}
		return false, nil
	}
	switch req.user {
	case "", "default", "reader":
	default:
		return true, refuse(codeAuthFailed, "AUTHENTICATION_FAILED", "%q: Authentication failed: there is no such user; readers are default, reader or no name", req.user)
	}
	if subtle.ConstantTimeCompare([]byte(req.key), []byte(e.readerKey)) != 1 {
		if e.readerKey == "" {
			return true, refuse(codeAuthFailed, "AUTHENTICATION_FAILED", "readers have no password; the writer is %s", WriterUser)
		}
		return true, refuse(codeAuthFailed, "AUTHENTICATION_FAILED", "this port is open beyond this machine, so readers need the reader key as their password")
	}
	return true, nil
}

// run executes one statement on a connection of its own.
func (e *engine) run(ctx context.Context, req request, reader bool, body io.Reader, out *answer) error {
	release, err := e.acquire(ctx, reader)
	if err != nil {
		return err
	}
	defer release()
	tag := randomHex()
	s, err := e.open(req, reader, tag)
	if err != nil {
		return err
	}
	defer s.close()
	plan, err := e.plan(s, &req, reader, body)
	if err != nil {
		return err
	}
	defer e.killOnCancel(ctx, tag, reader)()
	return plan.execute(s, req, out)
}

// killOnCancel ends the statement when its client goes away, and a reader's
// that does not heed its time limit.
func (e *engine) killOnCancel(ctx context.Context, tag string, reader bool) (stop func()) {
	done := make(chan struct{})
	limit := make(<-chan time.Time)
	if reader {
		limit = time.After(readerSeconds*time.Second + killAfter)
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		select {
		case <-done:
			return
		case <-ctx.Done():
		case <-limit:
		}
		killer, err := openSession("--path=" + e.dir)
		if err != nil {
			return
		}
		defer killer.close()
		_, _ = killer.query("KILL QUERY WHERE Settings['log_comment'] = {tag:String} ASYNC", "Null", map[string]string{"tag": tag})
	}()
	return func() {
		close(done)
		<-finished
	}
}

func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func readAtMost(r io.Reader, limit int64, what string) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if int64(len(data)) > limit {
		return nil, refuse(codeTooLarge, "TOO_MANY_BYTES", "%s has more than %d bytes", what, limit)
	}
	return data, nil
}

func bodyError(err error) error {
	var ex *exception
	if errors.As(err, &ex) {
		return err
	}
	return refuse(codeBadArguments, "BAD_ARGUMENTS", "The request's body cannot be read: %s", err)
}

package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

const (
	arrowTimeout = 10 * time.Minute
	// maxErrorBytes is how much of an error's text is read.
	maxErrorBytes = 4096
)

// ErrNoArrow says that ClickHouse was named by its native port, which does not
// speak Arrow.
var ErrNoArrow = errors.New("warehouse: Arrow needs ClickHouse's HTTP port: use http://host:8123 or https://host:8443 (--clickhouse)")

// Arrow runs one SELECT and hands fn its answer as Arrow records, as they come: it
// holds one at a time, and fn must not keep it. parameters fill {name:Type}.
// Errors: ErrNoArrow, what ClickHouse said, what fn returned.
func (w *Warehouse) Arrow(ctx context.Context, statement string, parameters map[string]string, fn func(arrow.Record) error) error {
	return w.ArrowStream(ctx, statement, parameters, func(*arrow.Schema) error { return nil }, fn)
}

// ArrowStream is Arrow for those who need the columns of an answer without rows
// too: it calls begin once, before any record.
func (w *Warehouse) ArrowStream(ctx context.Context, statement string, parameters map[string]string, begin func(*arrow.Schema) error, fn func(arrow.Record) error) error {
	ctx, cancel := context.WithTimeout(ctx, arrowTimeout)
	defer cancel()
	request, err := w.arrowRequest(ctx, statement, parameters)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return w.failed("asking for Arrow", withoutQuery(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
		return w.failed("query", errors.New(strings.TrimSpace(string(text))))
	}
	return w.readArrow(newArrowBody(response.Body), begin, fn)
}

func (w *Warehouse) readArrow(body *arrowBody, begin func(*arrow.Schema) error, fn func(arrow.Record) error) error {
	reader, err := ipc.NewReader(body)
	if err != nil {
		return w.failed("reading Arrow", err)
	}
	defer reader.Release()
	if err := begin(reader.Schema()); err != nil {
		return err
	}
	for reader.Next() {
		if err := fn(reader.Record()); err != nil {
			return err
		}
	}
	// A query that fails half-way breaks the stream off, or writes its error into it.
	if body.failure != nil {
		return w.failed("query", body.failure)
	}
	if err := reader.Err(); err != nil && !errors.Is(err, io.EOF) {
		return w.failed("reading Arrow", err)
	}
	if !body.ended {
		return w.failed("reading Arrow", errArrowCut)
	}
	return nil
}

func (w *Warehouse) arrowRequest(ctx context.Context, statement string, parameters map[string]string) (*http.Request, error) {
	u, err := url.Parse(w.cfg.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrNoArrow
	}
	options, err := w.cfg.options()
	if err != nil {
		return nil, err
	}
	values := url.Values{"database": {w.cfg.Database}, "default_format": {"ArrowStream"}}
	for name, value := range parameters {
		values.Set("param_"+name, value)
	}
	for name, value := range w.limits {
		values.Set(name, fmt.Sprint(value))
	}
	target := url.URL{Scheme: u.Scheme, Host: options.Addr[0], Path: "/" + strings.TrimPrefix(u.Path, "/"), RawQuery: values.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(statement))
	if err != nil {
		return nil, err
	}
	// Arrow is compressed in itself: Go would ask for gzip on top.
	request.Header.Set("Accept-Encoding", "identity")
	if options.Auth.Username != "" {
		request.Header.Set("X-ClickHouse-User", options.Auth.Username)
		request.Header.Set("X-ClickHouse-Key", options.Auth.Password)
	}
	return request, nil
}

// withoutQuery drops the URL from an HTTP client's error: it can hold a
// customer's id.
func withoutQuery(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

package grafana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	gapi "github.com/grafana/grafana-api-golang-client"
)

// Limits of the calls.
const (
	callTimeout = 30 * time.Second
	// maxAnswerBytes bounds one answer of Grafana.
	maxAnswerBytes = 32 << 20
	maxErrorBytes  = 300
	// maxAnnotations bounds the annotations that are compared.
	maxAnnotations = 10_000
)

// Config says which Grafana, and as whom.
type Config struct {
	// URL is http(s)://host:3000, with a path if Grafana has one.
	URL string
	// Token is a service account's token with the role Admin (Editor does for all
	// but the data source).
	Token string
	// HTTP makes the calls; nil: a client of its own.
	HTTP *http.Client
}

// client makes the calls; its transport carries the context, which the library
// does not know.
type client struct {
	api   *gapi.Client
	http  *http.Client
	base  *url.URL
	token string
}

func newClient(ctx context.Context, c Config) (*client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("grafana: the address must look like http://127.0.0.1:3000 (--grafana)")
	}
	if u.User != nil {
		return nil, errors.New("grafana: no user or password in the address: use a service account's token (--token)")
	}
	if c.Token == "" {
		return nil, errors.New("grafana: a token is needed: Administration → Service accounts in Grafana makes one (--token, --token-file or PUNCHCARD_GRAFANA_TOKEN)")
	}
	inner := http.DefaultTransport
	if c.HTTP != nil && c.HTTP.Transport != nil {
		inner = c.HTTP.Transport
	}
	h := &http.Client{Transport: bounded{ctx, inner}, Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("it sends us elsewhere: use the address that it answers at")
	}}
	api, err := gapi.New(c.URL, gapi.Config{APIKey: c.Token, Client: h, HTTPHeaders: map[string]string{
		"X-Disable-Provenance": "true", // rules stay editable in Grafana
	}})
	if err != nil {
		return nil, fmt.Errorf("grafana: %w", err)
	}
	return &client{api: api, http: h, base: u, token: c.Token}, nil
}

// bounded carries the context and bounds what is read.
type bounded struct {
	ctx   context.Context
	inner http.RoundTripper
}

// RoundTrip makes the call.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(b.ctx, cancel)
	res, err := b.inner.RoundTrip(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	res.Body = &limited{Reader: io.LimitReader(res.Body, maxAnswerBytes), Closer: res.Body, done: func() { stop(); cancel() }}
	return res, nil
}

type limited struct {
	io.Reader
	io.Closer
	done func()
}

// Close ends the call.
func (l *limited) Close() error {
	defer l.done()
	return l.Closer.Close()
}

// hasPlugin asks whether the data source's plugin is installed.
func (c *client) hasPlugin(id string) (bool, error) {
	u := c.base.JoinPath("api", "plugins", id, "settings")
	req, err := http.NewRequest(http.MethodGet, u.String(), nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotFound:
		return false, nil
	case res.StatusCode >= 400:
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
		return false, fmt.Errorf("status: %d, body: %s", res.StatusCode, body)
	}
	var found struct {
		ID string `json:"id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil {
		return false, fmt.Errorf("that is no answer of a Grafana: %w", err)
	}
	return true, nil
}

// failed says what was tried; the token is never part of it.
func (c *client) failed(what string, err error) error {
	said := err.Error()
	if len(said) > maxErrorBytes {
		said = said[:maxErrorBytes] + "…"
	}
	said = strings.ReplaceAll(said, c.token, "(token)")
	hint := ""
	switch {
	case strings.Contains(said, "status: 401"):
		hint = ": is the token right, and not expired?"
	case strings.Contains(said, "status: 403"):
		hint = ": the token's service account needs the role Admin"
	}
	return fmt.Errorf("grafana: %s at %s%s: %s", what, c.base.Host, hint, said)
}

// missing reports whether the Grafana said that there is no such thing.
func missing(err error) bool {
	var e gapi.ErrNotFound
	return errors.As(err, &e)
}

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/punchcard/punchcard/event"
)

const (
	// postTimeout bounds one call to the door.
	postTimeout = 30 * time.Second
	// maxRetryAfter bounds how long the door may ask us to wait.
	maxRetryAfter = 10 * time.Second
	// batchSize is how many tracks go in one batch.
	batchSize = 50
)

// Live posts what simulated shoppers do, as time passes.
type Live struct {
	Shop *Shop
	Seed uint64
	// Door is the address of the HTTP door, http://host:port; Key a server key.
	Door, Key string
	// Now is the demo's clock.
	Now func() event.Time
	// Posted is told what was posted; may be nil.
	Posted func(n int)
}

// Run posts from the hour of the given time on, until ctx ends. What was posted
// before is posted again with the same ids and changes nothing.
func (l *Live) Run(ctx context.Context, from event.Time) error {
	client := &http.Client{Timeout: postTimeout}
	hour := HourOf(from)
	var pending []Post
	generated := hour - 1
	for {
		now := l.Now()
		for generated < HourOf(now) {
			generated++
			pending = append(pending, l.Shop.Hour(l.Seed, generated)...)
		}
		n := 0
		for n < len(pending) && pending[n].Time <= now {
			n++
		}
		if err := l.post(ctx, client, pending[:n]); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		pending = pending[n:]
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond): // how often a shopper looks at the clock
		}
	}
}

// post sends tracks in batches and redemptions one by one, in order.
func (l *Live) post(ctx context.Context, client *http.Client, posts []Post) error {
	var batch []map[string]any
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := l.call(ctx, client, "/v1/batch", map[string]any{"batch": batch})
		batch = nil
		return err
	}
	for _, p := range posts {
		if p.Path == "/v1/track" {
			if batch = append(batch, p.Body); len(batch) < batchSize {
				continue
			}
		}
		if err := flush(); err != nil {
			return err
		}
		if p.Path != "/v1/track" {
			if err := l.call(ctx, client, p.Path, p.Body); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if l.Posted != nil && len(posts) > 0 {
		l.Posted(len(posts))
	}
	return nil
}

// call posts one body until the door takes it: 429 and 503 are waited out.
func (l *Live) call(ctx context.Context, client *http.Client, path string, body map[string]any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.Door+path, bytes.NewReader(text))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth(l.Key, "")
		resp, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("simulated shoppers: %w", err)
		}
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
			if err := wait(ctx, resp.Header.Get("Retry-After")); err != nil {
				return err
			}
			continue
		case resp.StatusCode < 300 || resp.StatusCode == http.StatusConflict || resp.StatusCode == http.StatusUnprocessableEntity:
			return nil // a refused redemption is an answer
		}
		return fmt.Errorf("simulated shoppers: %s answered %s: %s", path, resp.Status, answer)
	}
}

func wait(ctx context.Context, retryAfter string) error {
	d := time.Second
	if n, err := strconv.Atoi(retryAfter); err == nil && n > 0 {
		d = min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

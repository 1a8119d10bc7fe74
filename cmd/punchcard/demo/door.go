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
)

const (
	// postTimeout bounds one call to the door.
	postTimeout = 30 * time.Second
	// maxRetryAfter bounds how long the door may ask us to wait.
	maxRetryAfter = 10 * time.Second
	// batchSize is how many calls go in one batch.
	batchSize = 50
)

// Paths of the door.
const (
	pathTrack    = "/v1/track"
	pathIdentify = "/v1/identify"
	pathRedeem   = "/v1/redemptions"
)

// caller posts to the HTTP door.
type caller struct {
	address, key string // http://host:port; a server key
	client       *http.Client
}

func newCaller(address, key string) *caller {
	return &caller{address: address, key: key, client: &http.Client{Timeout: postTimeout}}
}

// post sends Segment's calls in batches and redemptions one by one, in order.
func (c *caller) post(ctx context.Context, posts []Post) error {
	var batch []map[string]any
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := c.call(ctx, "/v1/batch", map[string]any{"batch": batch})
		batch = nil
		return err
	}
	for _, p := range posts {
		if p.Path != pathRedeem {
			if batch = append(batch, p.Body); len(batch) < batchSize {
				continue
			}
		}
		if err := flush(); err != nil {
			return err
		}
		if p.Path == pathRedeem {
			if err := c.call(ctx, p.Path, p.Body); err != nil {
				return err
			}
		}
	}
	return flush()
}

// call posts one body until the door takes it: 429 and 503 are waited out.
func (c *caller) call(ctx context.Context, path string, body map[string]any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address+path, bytes.NewReader(text))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth(c.key, "")
		resp, err := c.client.Do(req)
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

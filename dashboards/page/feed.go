package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// feedQueue is how many lines wait for a client; beyond, the oldest give way.
	feedQueue = 100
	// feedRecent is how many past lines a newcomer gets.
	feedRecent = 50
	// feedPace is how often a client is written to: a person reads no faster.
	feedPace = 250 * time.Millisecond
	// feedBeat tells both sides that the connection lives.
	feedBeat = 15 * time.Second
	// feedWrite bounds one write to a client.
	feedWrite = 10 * time.Second
)

// hub hands the lines of one subscription to all clients. It subscribes when the
// first comes and stops when the last goes.
type hub struct {
	subscribe func(context.Context) <-chan Item

	mu      sync.Mutex
	clients map[*client]bool
	recent  [][]byte
	stop    context.CancelFunc
}

// client is one reader of the feed.
type client struct {
	mu      sync.Mutex
	queue   [][]byte
	dropped int64
	ended   chan struct{}
}

func newHub(subscribe func(context.Context) <-chan Item) *hub {
	return &hub{subscribe: subscribe, clients: map[*client]bool{}}
}

// join returns nil when there are too many clients.
func (h *hub) join() *client {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) == MaxFeedClients {
		return nil
	}
	c := &client{ended: make(chan struct{}), queue: append([][]byte(nil), h.recent...)}
	h.clients[c] = true
	if h.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		h.stop = cancel
		go h.run(ctx, h.subscribe(ctx))
	}
	return c
}

func (h *hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
	if len(h.clients) == 0 && h.stop != nil {
		h.stop()
		h.stop, h.recent = nil, nil
	}
}

// run ends when the channel is closed or the last client is gone.
func (h *hub) run(ctx context.Context, lines <-chan Item) {
	for {
		select {
		case <-ctx.Done():
			return
		case item, ok := <-lines:
			if !ok {
				h.end(ctx)
				return
			}
			line, err := json.Marshal(item)
			if err == nil && !h.spread(ctx, line) {
				return
			}
		}
	}
}

// spread reports false when this run is over.
func (h *hub) spread(ctx context.Context, line []byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	h.recent = append(h.recent, line)
	if len(h.recent) > feedRecent {
		h.recent = append([][]byte(nil), h.recent[1:]...)
	}
	for c := range h.clients {
		c.push(line)
	}
	return true
}

func (h *hub) end(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	for c := range h.clients {
		close(c.ended)
	}
	h.clients, h.recent = map[*client]bool{}, nil
	h.stop()
	h.stop = nil
}

func (c *client) push(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == feedQueue {
		c.queue = append(c.queue[:0:0], c.queue[1:]...)
		c.dropped++
	}
	c.queue = append(c.queue, line)
}

func (c *client) take() (lines [][]byte, dropped int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines, dropped = c.queue, c.dropped
	c.queue, c.dropped = nil, 0
	return lines, dropped
}

// serveFeed writes server-sent events: item (a line), dropped (how many were left
// out since the last one).
func (p *page) serveFeed(w http.ResponseWriter, r *http.Request) {
	if p.Subscribe == nil {
		fail(w, http.StatusNotFound, "no_feed", "this process has no feed", "")
		return
	}
	c := p.feed.join()
	if c == nil {
		w.Header().Set("Retry-After", "5")
		fail(w, http.StatusTooManyRequests, "too_many_readers", fmt.Sprintf("%d read the feed already", MaxFeedClients), "close another one, or try again later")
		return
	}
	defer p.feed.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	out := &sender{w: w, control: http.NewResponseController(w)}
	out.write(": welcome\n\n")
	pace, beat := time.NewTicker(feedPace), time.NewTicker(feedBeat)
	defer pace.Stop()
	defer beat.Stop()
	for out.err == nil {
		select {
		case <-r.Context().Done():
			return
		case <-c.ended:
			return
		case <-beat.C:
			out.write(": alive\n\n")
		case <-pace.C:
			out.lines(c.take())
		}
	}
}

// sender writes to one client, each time with a deadline of its own: the server's
// would end the feed.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func (s *sender) lines(lines [][]byte, dropped int64) {
	text := ""
	for _, line := range lines {
		text += "event: item\ndata: " + string(line) + "\n\n"
	}
	if dropped > 0 {
		text += fmt.Sprintf("event: dropped\ndata: %d\n\n", dropped)
	}
	if text != "" {
		s.write(text)
	}
}

func (s *sender) write(text string) {
	if err := s.control.SetWriteDeadline(time.Now().Add(feedWrite)); err != nil {
		s.err = err
		return
	}
	if _, s.err = s.w.Write([]byte(text)); s.err == nil {
		s.err = s.control.Flush()
	}
}

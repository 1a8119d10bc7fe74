package page

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// TestFeed: lines arrive in order, and the end of the channel ends the feed.
func TestFeed(t *testing.T) {
	lines := make(chan Item)
	r := newRig(t, func(c *Config) { c.Subscribe = func(context.Context) <-chan Item { return lines } })
	go func() {
		for i := range 3 {
			lines <- Item{ID: fmt.Sprintf("e0-%d", i), Title: "Ordered\nfor £1"}
		}
	}()
	var ids []string
	r.events(func(name, data string) bool {
		id, _, _ := strings.Cut(strings.TrimPrefix(data, `{"id":"`), `"`)
		ids = append(ids, name+" "+id)
		if len(ids) == 3 {
			close(lines)
		}
		return false // until the server ends it
	})
	if got := strings.Join(ids, ","); got != "item e0-0,item e0-1,item e0-2" {
		t.Error(got)
	}
}

// TestFeedStops: the subscription lives as long as somebody reads.
func TestFeedStops(t *testing.T) {
	var running, began atomic.Int32
	r := newRig(t, func(c *Config) {
		c.Subscribe = func(ctx context.Context) <-chan Item {
			began.Add(1)
			running.Add(1)
			out := make(chan Item, 1)
			out <- Item{ID: "e0-1"}
			context.AfterFunc(ctx, func() { running.Add(-1) })
			return out
		}
	})
	for range 2 {
		r.events(func(string, string) bool { return true })
		await(t, func() bool { return running.Load() == 0 })
	}
	if began.Load() != 2 {
		t.Errorf("subscribed %d times", began.Load())
	}
}

// TestSlowReader: the oldest lines give way, are counted, and nobody waits.
func TestSlowReader(t *testing.T) {
	h := newHub(func(context.Context) <-chan Item { return nil })
	c := h.join()
	defer h.leave(c)
	const extra = 7
	for i := range feedQueue + extra {
		if !h.spread(t.Context(), []byte(strconv.Itoa(i))) {
			t.Fatal("the hub ended")
		}
	}
	lines, dropped := c.take()
	if len(lines) != feedQueue || dropped != extra || string(lines[0]) != strconv.Itoa(extra) || string(lines[feedQueue-1]) != strconv.Itoa(feedQueue+extra-1) {
		t.Errorf("%d lines from %s to %s, %d dropped", len(lines), lines[0], lines[len(lines)-1], dropped)
	}
	if lines, dropped = c.take(); len(lines) != 0 || dropped != 0 {
		t.Errorf("%d lines, %d dropped after all were taken", len(lines), dropped)
	}
	if late := h.join(); len(late.queue) != feedRecent {
		t.Errorf("a newcomer gets %d lines", len(late.queue))
	} else {
		h.leave(late)
	}
}

func TestFeedClientsAreBounded(t *testing.T) {
	h := newHub(func(context.Context) <-chan Item { return nil })
	var all []*client
	for range MaxFeedClients {
		all = append(all, h.join())
	}
	if h.join() != nil {
		t.Error("one more joined")
	}
	h.leave(all[0])
	last := h.join()
	if last == nil {
		t.Fatal("nobody joins after one has left")
	}
	for _, c := range append(all[1:], last) {
		h.leave(c)
	}
	if h.stop != nil {
		t.Error("the subscription goes on without readers")
	}
}

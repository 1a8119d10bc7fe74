package subscriber

import (
	"sync"

	"github.com/segmentio/kafka-go"
)

// committer commits offsets of one generation of the group. Those who come while
// a commit is under way share the next one: they all wait for the broker, and it
// is asked once.
type committer struct {
	gen   *kafka.Generation
	turn  sync.Mutex // held by who commits
	mu    sync.Mutex // guards round and its offsets until its turn
	round *round
}

// round is what the next commit says. err and done belong to turn.
type round struct {
	offsets map[string]map[int]int64
	done    bool
	err     error
}

// commit returns when the group knows that all before the offset is handled.
func (c *committer) commit(topic string, partition int, offset int64) error {
	c.mu.Lock()
	if c.round == nil {
		c.round = &round{offsets: map[string]map[int]int64{}}
	}
	r := c.round
	if r.offsets[topic] == nil {
		r.offsets[topic] = map[int]int64{}
	}
	r.offsets[topic][partition] = offset
	c.mu.Unlock()

	c.turn.Lock()
	defer c.turn.Unlock()
	if r.done {
		return r.err
	}
	c.mu.Lock()
	c.round = nil // nobody joins r any more
	c.mu.Unlock()
	r.done, r.err = true, c.gen.CommitOffsets(r.offsets)
	return r.err
}

package subscriber

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// Subscriber reads messages for a campaign tool.
type Subscriber struct {
	config                     Config
	handled, repeated, expired atomic.Int64
	running                    atomic.Bool
}

// Counts is what became of the records since New.
type Counts struct {
	Handled  int64 // the handler returned nil
	Repeated int64 // dropped: within the horizon of the first
	Expired  int64 // too late; Config.Expired returned nil
}

// New checks the configuration, all problems at once. It connects to nothing.
func New(c Config) (*Subscriber, error) {
	c.setDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Subscriber{config: c}, nil
}

// Counts may be called at any time.
func (s *Subscriber) Counts() Counts {
	return Counts{s.handled.Load(), s.repeated.Load(), s.expired.Load()}
}

// Run joins the group and hands out messages until ctx ends: then it waits for
// the handlers under way, commits what they did, leaves the group and returns
// nil. It returns an error at once when no broker answers or a topic is missing;
// later on it waits for brokers to come back. It also returns an error when the
// handler has failed for the last time, and for a record that holds no message.
// One Run at a time.
func (s *Subscriber) Run(ctx context.Context, handle Handler) error {
	if !s.running.CompareAndSwap(false, true) {
		return errors.New("subscriber: Run is running already: make another Subscriber to have two members")
	}
	defer s.running.Store(false)
	if err := s.find(ctx); err != nil {
		return err
	}
	c := &s.config
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.Prefix + c.Group, Brokers: c.Brokers, Dialer: c.Dialer, Topics: c.topics(),
		HeartbeatInterval: heartbeat, SessionTimeout: c.Session, RebalanceTimeout: c.Session, JoinGroupBackoff: joinBackoff,
		StartOffset: kafka.FirstOffset, ErrorLogger: s.reporter(),
	})
	if err != nil {
		return fmt.Errorf("subscriber: group %s: %w", c.Prefix+c.Group, err)
	}
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	memory := map[place]*seen{}
	for {
		gen, err := group.Next(run)
		if run.Err() != nil {
			break
		}
		if err != nil {
			c.Report(fmt.Errorf("subscriber: joining group %s: %w", c.Prefix+c.Group, err))
			continue
		}
		memory = s.serve(run, stop, gen, memory, handle)
	}
	_ = group.Close() // returns nil always; waits for every partition to stop
	var failed *failure
	if errors.As(context.Cause(run), &failed) {
		return failed.error
	}
	return nil
}

// failure is the cause that ends Run with an error.
type failure struct{ error }

// place is one partition.
type place struct {
	topic     string
	partition int
}

// serve starts the partitions of a generation, with what was remembered of them;
// what is remembered of others is dropped. The partitions of the last generation
// have stopped: kafka-go waits for them.
func (s *Subscriber) serve(ctx context.Context, stop context.CancelCauseFunc, gen *kafka.Generation, memory map[place]*seen, handle Handler) map[place]*seen {
	kept := map[place]*seen{}
	commits := &committer{gen: gen}
	for topic, assigned := range gen.Assignments {
		for _, a := range assigned {
			at := place{topic, a.ID}
			w := &worker{s: s, run: ctx, stop: stop, place: at, committed: a.Offset, commits: commits, seen: memory[at], handle: handle}
			if w.seen == nil {
				w.seen = newSeen(s.config.Horizon)
			}
			kept[at] = w.seen
			gen.Start(w.work)
		}
	}
	// Run's end ends the generation also when no partition was assigned.
	return kept
}

// find tells a wrong address or prefix at once, not as a group without work.
func (s *Subscriber) find(ctx context.Context) error {
	var errs []error
	for _, broker := range s.config.Brokers {
		conn, err := s.config.Dialer.DialContext(ctx, "tcp", broker)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(findWithin))
		for _, topic := range s.config.topics() {
			found, err := conn.ReadPartitions(topic)
			if err == nil && len(found) == 0 {
				err = kafka.UnknownTopicOrPartition
			}
			if err != nil {
				return fmt.Errorf("subscriber: topic %s: %w; is the prefix %q right, and has Punchcard been started there?", topic, err, s.config.Prefix)
			}
		}
		return nil
	}
	return fmt.Errorf("subscriber: no broker of %v answers: %w", s.config.Brokers, errors.Join(errs...))
}

// reporter hands kafka-go's complaints to Report.
func (s *Subscriber) reporter() kafka.Logger {
	return kafka.LoggerFunc(func(format string, args ...any) { s.config.Report(fmt.Errorf("subscriber: "+format, args...)) })
}

package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Isolation says which records a read sees.
type Isolation int8

const (
	// ReadCommitted sees what no transaction can take back: it ends at the
	// last stable offset. The default.
	ReadCommitted Isolation = iota
	// ReadUncommitted sees all: it ends at the high watermark.
	ReadUncommitted
)

func (i Isolation) level() kgo.IsolationLevel {
	if i == ReadUncommitted {
		return kgo.ReadUncommitted()
	}
	return kgo.ReadCommitted()
}

// TopicSpec is a topic that must exist. Name is without prefix.
type TopicSpec struct {
	Name       string
	Partitions int32
	// Config holds topic settings such as cleanup.policy and retention.ms.
	// The embedded broker replaces what it cannot do safely.
	Config map[string]string
}

// Range is a partition's readable offsets: Start is the first, End the one
// after the last.
type Range struct{ Start, End int64 }

// createdWithin bounds the wait for a new topic's leaders.
const createdWithin = 20 * time.Second

// EnsureTopics creates the topics that are missing and checks that those that
// exist have the stated number of partitions, which cannot change later.
// All mismatches are in the error.
func (c *Cluster) EnsureTopics(ctx context.Context, specs []TopicSpec) error {
	have, err := c.topicDetails(ctx, names(c, specs)...)
	if err != nil {
		return err
	}
	var problems []error
	for _, s := range specs {
		topic := c.Topic(s.Name)
		d, ok := have[topic]
		switch {
		case s.Partitions < 1:
			problems = append(problems, fmt.Errorf("stream: topic %s: %d partitions asked for; at least 1 is needed", topic, s.Partitions))
		case ok && d.Err == nil:
			if n := int32(len(d.Partitions)); n != s.Partitions {
				problems = append(problems, mismatch(c, topic, n, s.Partitions))
			}
		case ok && !errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			problems = append(problems, fmt.Errorf("stream: topic %s at %s: %w", topic, c.where(), d.Err))
		default:
			if err := c.create(ctx, topic, s); err != nil {
				problems = append(problems, err)
			}
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	return c.awaitLeaders(ctx, specs)
}

func mismatch(c *Cluster, topic string, has, want int32) error {
	return fmt.Errorf("stream: topic %s at %s has %d partitions, the settings say %d: partitions are fixed at creation; "+
		"set --partitions %d, or replay into a new topic prefix", topic, c.where(), has, want, has)
}

func names(c *Cluster, specs []TopicSpec) []string {
	var out []string
	for _, s := range specs {
		out = append(out, c.Topic(s.Name))
	}
	return out
}

func (c *Cluster) topicDetails(ctx context.Context, topics ...string) (kadm.TopicDetails, error) {
	have, err := c.adm.ListTopics(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("stream: listing topics at %s: %w", c.where(), err)
	}
	return have, nil
}

// create makes one topic. That another process makes it, too, is fine: the
// broker may not show it yet, so awaitLeaders compares the partitions.
func (c *Cluster) create(ctx context.Context, topic string, s TopicSpec) error {
	configs := make(map[string]*string, len(s.Config))
	for k, v := range s.Config {
		configs[k] = kadm.StringPtr(v)
	}
	// -1: the broker's own default replication factor.
	_, err := c.adm.CreateTopic(ctx, s.Partitions, -1, configs, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("stream: creating topic %s with %d partitions at %s: %w", topic, s.Partitions, c.where(), err)
	}
	return nil
}

// awaitLeaders waits until every partition of the topics has a leader: a new
// topic is answered with "leader not available" for a moment.
func (c *Cluster) awaitLeaders(ctx context.Context, specs []TopicSpec) error {
	ctx, cancel := context.WithTimeout(ctx, createdWithin)
	defer cancel()
	for {
		have, err := c.topicDetails(ctx, names(c, specs)...)
		if err != nil {
			return err
		}
		missing := ""
		for _, s := range specs {
			d := have[c.Topic(s.Name)]
			switch n := int32(len(d.Partitions)); {
			case d.Err != nil || n == 0:
				missing = c.Topic(s.Name)
			case n != s.Partitions:
				return mismatch(c, c.Topic(s.Name), n, s.Partitions)
			}
			for _, p := range d.Partitions {
				if p.Leader < 0 || p.Err != nil {
					missing = c.Topic(s.Name)
				}
			}
		}
		if missing == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stream: topic %s at %s has partitions without leader: %w", missing, c.where(), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ErrNoTopic says that a topic does not exist.
var ErrNoTopic = errors.New("stream: the topic does not exist")

// Partitions is the number of partitions of a topic (name without prefix);
// [ErrNoTopic] when there is none.
func (c *Cluster) Partitions(ctx context.Context, topic string) (int32, error) {
	return c.partitions(ctx, c.Topic(topic))
}

func (c *Cluster) partitions(ctx context.Context, topic string) (int32, error) {
	have, err := c.topicDetails(ctx, topic)
	if err != nil {
		return 0, err
	}
	d, ok := have[topic]
	if !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
		return 0, fmt.Errorf("%w: %s at %s", ErrNoTopic, topic, c.where())
	}
	if d.Err != nil {
		return 0, fmt.Errorf("stream: topic %s at %s: %w", topic, c.where(), d.Err)
	}
	return int32(len(d.Partitions)), nil
}

// Ends is the range of readable offsets of each partition of a topic (name
// without prefix): up to the last stable offset for ReadCommitted, up to the
// high watermark for ReadUncommitted.
func (c *Cluster) Ends(ctx context.Context, topic string, iso Isolation) (map[int32]Range, error) {
	t := c.Topic(topic)
	starts, err := c.adm.ListStartOffsets(ctx, t)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("stream: first offsets of %s at %s: %w", t, c.where(), err)
	}
	list := c.adm.ListCommittedOffsets
	if iso == ReadUncommitted {
		list = c.adm.ListEndOffsets
	}
	ends, err := list(ctx, t)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("stream: last offsets of %s at %s: %w", t, c.where(), err)
	}
	out := make(map[int32]Range)
	ends.Each(func(o kadm.ListedOffset) {
		s, _ := starts.Lookup(t, o.Partition)
		out[o.Partition] = Range{Start: s.Offset, End: o.Offset}
	})
	return out, nil
}

// OffsetAt is the first offset of a partition whose record has that timestamp or
// a later one; the end when there is none.
func (c *Cluster) OffsetAt(ctx context.Context, topic string, partition int32, at time.Time) (int64, error) {
	t := c.Topic(topic)
	listed, err := c.adm.ListOffsetsAfterMilli(ctx, at.UnixMilli(), t)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("stream: offsets of %s at %s from %s on: %w", t, c.where(), at.UTC().Format(time.RFC3339), err)
	}
	o, ok := listed.Lookup(t, partition)
	if !ok {
		return 0, fmt.Errorf("stream: topic %s at %s has no partition %d", t, c.where(), partition)
	}
	return o.Offset, nil
}

package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// scanBytes is how much one fetch of a Scan asks for.
	scanBytes = 4 << 20
	// scanRetryWait is the pause after a broker said "not now".
	scanRetryWait = 50 * time.Millisecond
	// tailWindow is how many offsets before the end Tail looks at first;
	// tailGrowth times more at each further try.
	tailWindow = 64
	tailGrowth = 16
)

// Scan reads a partition from offset from up to, not including, offset to and
// calls fn for each data record in order; fn's error ends the scan and is
// returned. It returns the next offset, which is at least to when err is nil.
//
// Unlike a [Reader] it knows when it is done, also where the last offsets hold
// only transaction markers or aborted records. With ReadCommitted it waits, as
// long as ctx lets it, for transactions that are open below to.
func (c *Cluster) Scan(ctx context.Context, topic string, partition int32, from, to int64, iso Isolation, fn func(*Record) error) (int64, error) {
	if from >= to {
		return from, nil
	}
	cl, err := kgo.NewClient(c.options("scan")...)
	if err != nil {
		return from, fmt.Errorf("stream: scan settings: %w", err)
	}
	defer cl.Close()
	s := &scan{c: c, cl: cl, topic: c.Topic(topic), part: partition, next: from, iso: iso, unzip: kgo.DefaultDecompressor()}
	for s.next < to {
		recs, err := s.fetch(ctx)
		if err != nil {
			return s.next, err
		}
		for _, r := range recs {
			if r.Offset >= to {
				return to, nil
			}
			if r.Attrs.IsControl() {
				continue
			}
			if err := fn(r); err != nil {
				return r.Offset, err
			}
		}
	}
	return s.next, nil
}

// Tail is the last n data records of a partition that are not aborted, oldest
// first; fewer when there are not so many. It looks up to the end as it is
// now, transactions open or not, so open the partition's [Writer] first: with
// one still open it waits until ctx ends.
func (c *Cluster) Tail(ctx context.Context, topic string, partition int32, n int) ([]*Record, error) {
	ends, err := c.Ends(ctx, topic, ReadUncommitted)
	if err != nil {
		return nil, err
	}
	r, ok := ends[partition]
	if !ok {
		return nil, fmt.Errorf("stream: topic %s at %s has no partition %d", c.Topic(topic), c.where(), partition)
	}
	for window := int64(max(n, tailWindow)); ; window *= tailGrowth {
		from := max(r.Start, r.End-window)
		var out []*Record
		_, err := c.Scan(ctx, topic, partition, from, r.End, ReadCommitted, func(rec *Record) error {
			if out = append(out, rec); len(out) > n {
				out = out[1:]
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(out) == n || from == r.Start {
			return out, nil
		}
	}
}

// scan is one client's way through one partition. It issues the fetches
// itself: a consumer does not say how far it got when all it got was aborted.
type scan struct {
	c      *Cluster
	cl     *kgo.Client
	topic  string
	part   int32
	next   int64
	iso    Isolation
	unzip  kgo.Decompressor
	id     kadm.TopicID
	leader int32
	known  bool
}

// fetch asks once, from s.next, and moves it.
func (s *scan) fetch(ctx context.Context) ([]*Record, error) {
	if !s.known {
		if err := s.locate(ctx); err != nil {
			return nil, err
		}
	}
	resp, err := s.cl.Broker(int(s.leader)).RetriableRequest(ctx, s.request())
	if err != nil {
		return nil, fmt.Errorf("stream: reading %s/%d from offset %d at %s: %w", s.topic, s.part, s.next, s.c.where(), err)
	}
	rp, err := onlyPartition(resp.(*kmsg.FetchResponse))
	if err != nil {
		if retriable := new(kerr.Error); errors.As(err, &retriable) && retriable.Retriable {
			s.known = false
			return nil, pause(ctx, scanRetryWait)
		}
		return nil, readError(s.c, s.topic, s.part, s.next, err)
	}
	fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             s.next,
		IsolationLevel:     s.iso.level(),
		Topic:              s.topic,
		Partition:          s.part,
	}, rp, s.unzip, nil)
	if fp.Err != nil {
		return nil, readError(s.c, s.topic, s.part, s.next, fp.Err)
	}
	s.next = next
	return fp.Records, ctx.Err()
}

// locate finds the partition's leader and the topic's id.
func (s *scan) locate(ctx context.Context) error {
	all, err := kadm.NewClient(s.cl).ListTopics(ctx, s.topic)
	if err != nil {
		return fmt.Errorf("stream: locating %s at %s: %w", s.topic, s.c.where(), err)
	}
	d := all[s.topic]
	p, ok := d.Partitions[s.part]
	switch {
	case d.Err != nil:
		return fmt.Errorf("stream: topic %s at %s: %w", s.topic, s.c.where(), d.Err)
	case !ok:
		return fmt.Errorf("stream: topic %s at %s has no partition %d", s.topic, s.c.where(), s.part)
	case p.Err != nil || p.Leader < 0:
		s.leader = -1
		return pause(ctx, scanRetryWait)
	}
	s.id, s.leader, s.known = d.ID, p.Leader, true
	return nil
}

func (s *scan) request() *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = s.part, s.next, scanBytes
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = s.topic, s.id
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MinBytes = scanBytes, 1
	req.MaxWaitMillis = int32(fetchWait / time.Millisecond)
	if s.iso == ReadCommitted {
		req.IsolationLevel = 1
	}
	req.Topics = append(req.Topics, t)
	return req
}

func onlyPartition(resp *kmsg.FetchResponse) (*kmsg.FetchResponseTopicPartition, error) {
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, fmt.Errorf("the broker answered %d topics to a fetch of one partition", len(resp.Topics))
	}
	p := &resp.Topics[0].Partitions[0]
	return p, kerr.ErrorForCode(p.ErrorCode)
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

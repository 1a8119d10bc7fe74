package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// DefaultSessionTimeout is how long a silent member keeps its partitions
	// when GroupOptions.SessionTimeout is 0. Brokers refuse less than 6 s.
	DefaultSessionTimeout = 10 * time.Second
	// rebalanceTimeout is how long a member may take to give partitions back.
	rebalanceTimeout = 60 * time.Second
	// heartbeatsPerSession is how many heartbeats fit into a session timeout.
	heartbeatsPerSession = 10
	// leaveTimeout bounds Leave's request.
	leaveTimeout = 5 * time.Second
)

// GroupOptions describe a member of a group.
type GroupOptions struct {
	// ID is the group's name, without prefix.
	ID string
	// InstanceID makes the membership static: a process that comes back with
	// the same one within the session timeout gets its partitions back.
	InstanceID string
	// Topic, without prefix, is what is divided among the members.
	Topic string
	// SessionTimeout is how long a silent member keeps its partitions;
	// [DefaultSessionTimeout] when 0.
	SessionTimeout time.Duration
	// Assigned is called with partitions that are new to this member.
	Assigned func(ctx context.Context, partitions []int32)
	// Revoked is called with partitions that must be given up, and by Close
	// with all of them. Nobody else gets them before it returns, unless the
	// group has already given this member up: the Writer's fence covers that.
	Revoked func(ctx context.Context, partitions []int32)
	// Failed, if not nil, is called when the group cannot be joined, for
	// example because another process uses the same InstanceID. The client
	// keeps trying.
	Failed func(error)
	// Data is shown to other members, for example an internal address.
	Data []byte
}

// Group is a membership: it says who owns which partitions, and fetches
// nothing. Callbacks run one at a time, maybe before Cluster.Group returns.
type Group struct {
	c      *Cluster
	cl     *kgo.Client
	id     string
	o      GroupOptions
	topic  string
	once   sync.Once
	cancel context.CancelFunc
	done   chan struct{}
}

// Member is one member as the group's coordinator knows it.
type Member struct {
	ID, InstanceID string
	Data           []byte
	Partitions     []int32
}

// Group joins a group. It returns at once; Assigned tells when there is work.
func (c *Cluster) Group(_ context.Context, o GroupOptions) (*Group, error) {
	if o.ID == "" || o.Topic == "" || o.Assigned == nil || o.Revoked == nil {
		return nil, errors.New("stream: a group needs ID, Topic, Assigned and Revoked")
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = DefaultSessionTimeout
	}
	g := &Group{c: c, id: c.cfg.Prefix + o.ID, o: o, topic: c.Topic(o.Topic), done: make(chan struct{})}
	revoked := func(ctx context.Context, _ *kgo.Client, m map[string][]int32) {
		if ps := m[g.topic]; len(ps) > 0 {
			o.Revoked(ctx, ps)
		}
	}
	opts := []kgo.Opt{
		kgo.ConsumerGroup(g.id),
		kgo.Balancers(dataBalancer{kgo.CooperativeStickyBalancer(), o.Data}),
		kgo.SessionTimeout(o.SessionTimeout),
		kgo.HeartbeatInterval(o.SessionTimeout / heartbeatsPerSession),
		kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()),
		kgo.OnPartitionsAssigned(func(ctx context.Context, _ *kgo.Client, m map[string][]int32) {
			if ps := m[g.topic]; len(ps) > 0 {
				o.Assigned(ctx, ps)
			}
		}),
		kgo.OnPartitionsRevoked(revoked),
		kgo.OnPartitionsLost(revoked),
	}
	if o.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(o.InstanceID))
	}
	cl, err := kgo.NewClient(c.options("group", opts...)...)
	if err != nil {
		return nil, fmt.Errorf("stream: group settings for %s: %w", g.id, err)
	}
	g.cl = cl
	// Paused before the client knows the topic, so no record is ever fetched.
	cl.PauseFetchTopics(g.topic)
	cl.AddConsumeTopics(g.topic)
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	go g.watch(ctx)
	return g, nil
}

// watch hears what the client can only say through polling: that it cannot
// join.
func (g *Group) watch(ctx context.Context) {
	defer close(g.done)
	for ctx.Err() == nil {
		fetches := g.cl.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return
		}
		for _, e := range fetches.Errors() {
			if g.o.Failed != nil && ctx.Err() == nil {
				g.o.Failed(fmt.Errorf("stream: group %s at %s: %w", g.id, g.c.where(), e.Err))
			}
		}
	}
}

// CommitPositions stores next offsets as the group's, for those who look at
// its lag. Nothing of ours reads them back.
func (g *Group) CommitPositions(ctx context.Context, next map[int32]int64) error {
	m := make(map[int32]kgo.EpochOffset, len(next))
	for p, o := range next {
		m[p] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	var failed error
	g.cl.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{g.topic: m},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			failed = commitError(resp, err)
		})
	if failed != nil {
		return fmt.Errorf("stream: storing positions of group %s at %s: %w", g.id, g.c.where(), failed)
	}
	return nil
}

// Members lists the group's members with what they own and show. Data is
// empty while the group is rebalancing.
func (g *Group) Members(ctx context.Context) ([]Member, error) {
	return g.c.Members(ctx, g.o.ID, g.o.Topic)
}

// Members is [Group.Members] for who is not a member: group and topic are
// without prefix.
func (c *Cluster) Members(ctx context.Context, group, topic string) ([]Member, error) {
	id, topic := c.cfg.Prefix+group, c.Topic(topic)
	all, err := c.adm.DescribeGroups(ctx, id)
	if err == nil {
		err = all.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("stream: members of group %s at %s: %w", id, c.where(), err)
	}
	var out []Member
	for _, d := range all[id].Members {
		m := Member{ID: d.MemberID}
		if d.InstanceID != nil {
			m.InstanceID = *d.InstanceID
		}
		if join, ok := d.Join.AsConsumer(); ok {
			m.Data = join.UserData
		}
		if got, ok := d.Assigned.AsConsumer(); ok {
			for _, t := range got.Topics {
				if t.Topic == topic {
					m.Partitions = append(m.Partitions, t.Partitions...)
				}
			}
		}
		slices.Sort(m.Partitions)
		out = append(out, m)
	}
	return out, nil
}

// Close calls Revoked with what this member owns and ends the connection. A
// member with an InstanceID keeps its seat until the session timeout, so that
// a restart moves nothing; [Group.Leave] gives it up.
func (g *Group) Close() {
	g.once.Do(func() {
		g.cancel()
		g.cl.Close()
		<-g.done
	})
}

// Leave is Close for good: the other members get the partitions at once.
func (g *Group) Leave(ctx context.Context) error {
	g.Close()
	if g.o.InstanceID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	resp, err := g.c.adm.LeaveGroup(ctx, kadm.LeaveGroup(g.id).InstanceIDs(g.o.InstanceID))
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return fmt.Errorf("stream: leaving group %s at %s: %w", g.id, g.c.where(), err)
	}
	return nil
}

// commitError is the first error in the broker's answer to a commit.
func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil || resp == nil {
		return err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, err)
			}
		}
	}
	return nil
}

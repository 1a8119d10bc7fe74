package processors

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/table"
)

// Runtime runs a Function over the partitions that this process owns.
type Runtime struct {
	cfg   Config
	cache *pebble.Cache
	group *stream.Group

	mu     sync.Mutex
	owned  map[int32]*partition
	status []PartitionStatus
	failed chan error // the first halt
	closed bool
}

// New checks the settings. Run starts the work.
func New(cfg Config) (*Runtime, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &Runtime{cfg: cfg, owned: map[int32]*partition{}, failed: make(chan error, 1)}, nil
}

// Run works until ctx ends (nil) or a partition halts (its error). When it
// returns, what was decided is committed and the tables are on disk.
func (r *Runtime) Run(ctx context.Context) error {
	n, err := r.partitions(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.status = make([]PartitionStatus, n)
	for i := range r.status {
		r.status[i].Partition = int32(i)
	}
	r.mu.Unlock()
	r.cache = pebble.NewCache(cacheBytes)
	defer r.cache.Unref()
	if err := r.join(ctx, n); err != nil {
		return err
	}
	defer r.leave()
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	r.keepHouse(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-r.failed:
			return fmt.Errorf("processor %s: %w", r.cfg.Name, err)
		case <-tick.C:
			r.keepHouse(ctx)
		}
	}
}

func (r *Runtime) partitions(ctx context.Context) (int32, error) {
	in, err := r.cfg.Cluster.Partitions(ctx, r.cfg.Input)
	if err != nil {
		return 0, err
	}
	out, err := r.cfg.Cluster.Partitions(ctx, r.cfg.Output)
	if err != nil {
		return 0, err
	}
	if in != out {
		return 0, fmt.Errorf("processors: topic %s has %d partitions, %s has %d: they need as many", r.cfg.Input, in, r.cfg.Output, out)
	}
	return in, nil
}

// join takes all partitions, or those that the group gives.
func (r *Runtime) join(ctx context.Context, n int32) error {
	if r.cfg.GroupID == "" {
		all := make([]int32, n)
		for i := range all {
			all[i] = int32(i)
		}
		r.assign(all)
		return nil
	}
	g, err := r.cfg.Cluster.Group(ctx, stream.GroupOptions{
		ID: r.cfg.GroupID, InstanceID: r.cfg.InstanceID, Topic: r.cfg.Input, Data: r.cfg.MemberData,
		Assigned: func(_ context.Context, ps []int32) { r.assign(ps) },
		Revoked:  func(_ context.Context, ps []int32) { r.revoke(ps) },
		Failed: func(err error) {
			r.cfg.Logger.Warn("cannot take part in the group", "processor", r.cfg.Name, "error", err)
		},
	})
	r.mu.Lock()
	r.group = g
	r.mu.Unlock()
	return err
}

// leave gives all partitions up, commits done. A static member's seat stays until
// the session times out: a process that comes back finds its partitions again.
func (r *Runtime) leave() {
	if r.group != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		r.storePositions(ctx)
		cancel()
		r.group.Close()
	}
	r.mu.Lock()
	r.closed = true
	var ps []int32
	for p := range r.owned {
		ps = append(ps, p)
	}
	r.mu.Unlock()
	r.revoke(ps)
}

func (r *Runtime) assign(ps []int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ps {
		if r.owned[id] != nil || r.closed {
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		p := &partition{
			r: r, id: id, cancel: cancel, done: make(chan struct{}),
			dir: filepath.Join(r.cfg.Dir, strconv.Itoa(int(id))),
		}
		r.owned[id] = p
		go func() {
			if err := p.run(ctx); err != nil {
				select {
				case r.failed <- err:
				default: // one halt is enough to stop all
				}
			}
		}()
	}
}

// revoke stops partitions and returns when they are given up: last commit done,
// table closed.
func (r *Runtime) revoke(ps []int32) {
	var stopping []*partition
	r.mu.Lock()
	for _, id := range ps {
		if p := r.owned[id]; p != nil {
			p.cancel()
			stopping = append(stopping, p)
		}
	}
	r.mu.Unlock()
	for _, p := range stopping {
		<-p.done
		r.mu.Lock()
		delete(r.owned, p.id)
		r.mu.Unlock()
	}
}

// keepHouse asks how long the input is and stores positions for onlookers.
func (r *Runtime) keepHouse(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if ends, err := r.cfg.Cluster.Ends(ctx, r.cfg.Input, stream.ReadUncommitted); err == nil {
		r.mu.Lock()
		for i := range r.status {
			s := &r.status[i]
			s.End = max(ends[int32(i)].End, s.Position)
			s.Lag = s.End - s.Position
		}
		r.mu.Unlock()
	} else if ctx.Err() == nil {
		r.cfg.Logger.Warn("cannot ask for the input's end", "processor", r.cfg.Name, "error", err)
	}
	r.storePositions(ctx)
}

func (r *Runtime) storePositions(ctx context.Context) {
	if r.group == nil {
		return
	}
	next := map[int32]int64{}
	r.mu.Lock()
	for i := range r.status {
		if s := &r.status[i]; s.Owned {
			next[int32(i)] = s.Position
		}
	}
	r.mu.Unlock()
	if len(next) == 0 {
		return
	}
	if err := r.group.CommitPositions(ctx, next); err != nil && ctx.Err() == nil {
		r.cfg.Logger.Debug("positions not stored; they only show lag", "processor", r.cfg.Name, "error", err)
	}
}

func (r *Runtime) note(id int32, change func(*PartitionStatus)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.status[id])
}

// Status is how each partition of the input stands; those of other processes are
// not Owned.
func (r *Runtime) Status() []PartitionStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]PartitionStatus(nil), r.status...)
}

// CaughtUp is nil when all owned partitions are open and have decided all input
// that there was; otherwise it says what is missing.
func (r *Runtime) CaughtUp(ctx context.Context) error {
	ends, err := r.cfg.Cluster.Ends(ctx, r.cfg.Input, stream.ReadUncommitted)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.owned) == 0 {
		return errors.New("no partition is owned by this process yet")
	}
	for id := range r.owned {
		s := r.status[id]
		if !s.Owned {
			return fmt.Errorf("partition %d is being opened (%s)", id, orElse(s.LastError, "reading the ledger"))
		}
		if behind := ends[id].End - s.Position; behind > 0 {
			return fmt.Errorf("partition %d is %d records behind", id, behind)
		}
	}
	return nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Members are the processes of the group, with what they own and show.
func (r *Runtime) Members(ctx context.Context) ([]stream.Member, error) {
	r.mu.Lock()
	g := r.group
	r.mu.Unlock()
	if g == nil {
		return nil, nil
	}
	return g.Members(ctx)
}

func (r *Runtime) owner(id int32) (*partition, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.owned[id]
	if p == nil {
		return nil, fmt.Errorf("%w (partition %d)", ErrNotOwner, id)
	}
	return p, nil
}

// Owns reports whether the partition is open in this process.
func (r *Runtime) Owns(id int32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return id >= 0 && int(id) < len(r.status) && r.status[id].Owned
}

// Read calls fn with a partition's committed state; commits wait meanwhile, so fn
// is short. ErrNotOwner when the partition is elsewhere, or not open.
func (r *Runtime) Read(_ context.Context, id int32, fn func(v *table.View) error) error {
	p, err := r.owner(id)
	if err != nil {
		return err
	}
	return p.read(func(t *table.Table) error { return t.Read(fn) })
}

// ReadAll is Read for long scans: of a snapshot, beside the work. The partition is
// not given up before fn returns.
func (r *Runtime) ReadAll(ctx context.Context, id int32, fn func(v *table.View) error) error {
	p, err := r.owner(id)
	if err != nil {
		return err
	}
	return p.read(func(t *table.Table) error {
		v := t.Snapshot()
		return errors.Join(fn(v), v.Err(), v.Close())
	})
}

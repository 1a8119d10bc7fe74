package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// leaderGroup begins the names of the groups that decide which process runs what
// must run once: each role has its own.
const leaderGroup = "leader-"

// leadingPartition is the one whose member leads.
const leadingPartition = 0

// once runs a role in one process only: on Apache Kafka in the one that the role's
// group gives the leading partition of events; embedded there is only this one. The
// role must be one that can run again after its context ended.
func (a *app) once(name string, run func(context.Context) error) func(context.Context) error {
	if a.broker != nil {
		return run
	}
	return func(ctx context.Context) error {
		l := &leader{app: a, name: name, run: run, failed: make(chan error, 1)}
		g, err := a.cluster.Group(ctx, stream.GroupOptions{
			ID: a.groupID(leaderGroup + name), InstanceID: a.settings.Instance, Topic: event.TopicEvents,
			Assigned: func(_ context.Context, ps []int32) { l.assigned(ctx, ps) },
			Revoked:  func(_ context.Context, ps []int32) { l.revoked(ps) },
			Failed:   func(err error) { a.log.Warn("leader group", "role", name, "err", err) },
		})
		if err != nil {
			return err
		}
		// Unlike a partition's state, a lead costs nothing to move: the next one has
		// it at once.
		defer func() {
			if err := g.Leave(context.WithoutCancel(ctx)); err != nil {
				a.log.Warn("leader group", "role", name, "err", err)
			}
		}()
		select {
		case <-ctx.Done():
			return nil
		case err := <-l.failed:
			return err
		}
	}
}

// leader runs a role while its group says so. The group calls it, one call at a
// time.
type leader struct {
	app    *app
	name   string
	run    func(context.Context) error
	failed chan error // the first failure

	resign context.CancelFunc // nil: not leading
	ended  chan struct{}
}

func (l *leader) assigned(ctx context.Context, ps []int32) {
	if !slices.Contains(ps, leadingPartition) || l.resign != nil {
		return
	}
	ctx, l.resign = context.WithCancel(ctx)
	ended := make(chan struct{})
	l.ended = ended
	l.app.leading.Store(l.name, true)
	go func() {
		defer close(ended)
		err := l.run(ctx)
		if err == nil && ctx.Err() == nil {
			err = fmt.Errorf("role %s ended by itself", l.name)
		}
		if err != nil {
			select {
			case l.failed <- err:
			default: // one failure is enough to stop all
			}
		}
	}()
}

// revoked returns when the role has ended here: only then another process leads.
func (l *leader) revoked(ps []int32) {
	if !slices.Contains(ps, leadingPartition) || l.resign == nil {
		return
	}
	l.resign()
	<-l.ended
	l.resign = nil
	l.app.leading.Store(l.name, false)
}

// leads reports whether this process runs a role that one process of all runs.
func (a *app) leads(role string) bool {
	if a.broker != nil {
		return a.has(role)
	}
	leading, _ := a.leading.Load(role)
	return leading == true
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/customer"
	"github.com/punchcard/punchcard/processors/desk"
	"github.com/punchcard/punchcard/processors/sink"
)

// embeddedCollect is how long the embedded broker's commits collect: each one is
// synced to disk.
const embeddedCollect = 10 * time.Millisecond

// processorGroup divides the partitions of events among processes.
const processorGroup = "customer"

// openProcessor wires the customer processor and the desk that answers from it.
func (a *app) openProcessor(ctx context.Context) error {
	key, err := readInternalKey(a.settings)
	if err != nil {
		return err
	}
	a.desk, err = desk.New(desk.Config{Cluster: a.cluster, Partitions: a.settings.partitions(), Group: a.groupID(processorGroup), Listen: a.settings.Internal, Key: key, Logger: a.log})
	if err != nil {
		return err
	}
	a.onClose(a.desk.Close)
	if !a.has(roleProcessor) {
		return nil
	}
	cfg := processors.Config{
		Cluster: a.cluster, Name: a.settings.prefix() + "customer", Input: event.TopicEvents, Output: event.TopicLedger,
		Dir:       a.settings.path("state"),
		New:       func(p int32) processors.Function { return customer.New(p) },
		Committed: a.desk.Committed, Expire: customer.Expire(),
		GroupID: a.groupID(processorGroup), InstanceID: a.settings.Instance, MemberData: []byte(a.desk.Addr()),
		Logger: a.log,
	}
	if a.broker != nil {
		cfg.Takeover, cfg.Collect = customer.Takeover, embeddedCollect
	}
	if a.customers, err = processors.New(cfg); err != nil {
		return err
	}
	a.desk.Serve(a.customers)
	return nil
}

// groupID is the group's name on Apache Kafka; the embedded broker has one process
// and needs none.
func (a *app) groupID(name string) string {
	if a.broker != nil {
		return ""
	}
	return a.settings.prefix() + "punchcard-" + name
}

func (a *app) openSink(context.Context) error {
	a.sink = sink.New(sink.Config{Cluster: a.cluster, Warehouse: a.warehouse, Rejects: true, Logger: a.log})
	return nil
}

// openDoor makes the HTTP door.
func (a *app) openDoor(context.Context) (err error) {
	if !a.has(roleDoor) {
		return nil
	}
	if a.keys, err = readKeys(a.settings); err != nil {
		return err
	}
	if a.doorLog, err = newDoorLog(a.cluster); err != nil {
		return err
	}
	a.onClose(a.doorLog.pub.Close)
	a.door, err = ingest.New(ingest.Config{
		Keys: a.keys, Log: a.doorLog, Desk: doorDesk{a.desk}, Entries: a.warehouse,
		Gate:       &gate{log: a.doorLog, watcher: a.watcher, broker: a.broker},
		Now:        func() time.Time { return a.now().Std() },
		ServerOnly: a.serverOnly,
		Report:     func(err error) { a.log.Error("door: " + err.Error()) },
	})
	return err
}

// doorDesk is the desk as the door asks it.
type doorDesk struct{ *desk.Desk }

// Expect implements ingest.Desk.
func (d doorDesk) Expect(accountID, messageID string) (ingest.Ticket, error) {
	return d.Desk.Expect(accountID, messageID)
}

// Customer implements ingest.Desk.
func (d doorDesk) Customer(ctx context.Context, accountID string) (ingest.CustomerReading, error) {
	r, err := d.Desk.Customer(ctx, accountID)
	if errors.Is(err, desk.ErrUnknown) {
		return ingest.CustomerReading{}, fmt.Errorf("%w: %w", ingest.ErrUnknownCustomer, err)
	}
	return ingest.CustomerReading{Standing: r.Standing, Partition: r.Partition, Sequence: r.Sequence, Clock: r.Clock}, err
}

// After implements ingest.Desk.
func (d doorDesk) After(ctx context.Context, accountID, messageID string) error {
	return d.Desk.After(ctx, accountID, messageID)
}

// leaderGroup decides which process runs what must run once.
const leaderGroup = "leader"

// once runs a role in one process only: on Apache Kafka in the one that the
// leader group gives partition 0 of events; embedded there is only this one.
func (a *app) once(name string, run func(context.Context) error) func(context.Context) error {
	if a.broker != nil {
		return run
	}
	return func(ctx context.Context) error {
		terms := make(chan context.Context, 1)
		ended := make(chan struct{}, 1)
		var resign context.CancelFunc
		g, err := a.cluster.Group(ctx, stream.GroupOptions{
			ID: "punchcard-" + leaderGroup + "-" + name, InstanceID: a.settings.Instance, Topic: event.TopicEvents,
			Assigned: func(_ context.Context, ps []int32) {
				if leads(ps) {
					var term context.Context
					term, resign = context.WithCancel(ctx)
					terms <- term
				}
			},
			Revoked: func(_ context.Context, ps []int32) {
				if leads(ps) && resign != nil {
					resign()
					<-ended
					resign = nil
				}
			},
			Failed: func(err error) { a.log.Warn("leader group", "role", name, "err", err) },
		})
		if err != nil {
			return err
		}
		defer g.Close()
		for {
			select {
			case <-ctx.Done():
				return nil
			case term := <-terms:
				a.leading.Store(name, true)
				err := run(term)
				a.leading.Store(name, false)
				ended <- struct{}{}
				if err != nil {
					return err
				}
			}
		}
	}
}

// leads reports whether this process runs a role that one process of all runs.
func (a *app) leads(role string) bool {
	if a.broker != nil {
		return a.has(role)
	}
	leading, _ := a.leading.Load(role)
	return leading == true
}

func leads(partitions []int32) bool {
	for _, p := range partitions {
		if p == 0 {
			return true
		}
	}
	return false
}

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
	"github.com/punchcard/punchcard/processors/campaign"
	"github.com/punchcard/punchcard/processors/customer"
	"github.com/punchcard/punchcard/processors/desk"
	"github.com/punchcard/punchcard/processors/sink"
)

// embeddedCollect is how long the embedded broker's commits collect: each one is
// synced to disk, one after the other for all partitions. On a loaded machine at
// 1,000 events a second (BenchmarkEntryLatency) p50 and p99 were 706 and 1,731 ms
// with 10 ms, 41 and 155 ms with 30 ms.
const embeddedCollect = 30 * time.Millisecond

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
		Cluster: a.cluster, Name: "customer", Input: event.TopicEvents, Output: event.TopicLedger,
		Isolation: stream.ReadUncommitted, // nobody writes events in transactions
		Dir:       a.settings.path("state"),
		New:       func(p int32) processors.Function { return customer.New(p) },
		Committed: a.desk.Committed, Expire: customer.Expire(), Fresh: customer.Fresh,
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

// campaignCollect is how long the campaign processor collects before a commit.
const campaignCollect = 20 * time.Millisecond

// campaignGroup divides the partitions of the ledger among processes.
const campaignGroup = "campaign"

// openCampaigns wires the campaign processor: the ledger in, campaign-log out.
func (a *app) openCampaigns(context.Context) (err error) {
	if !a.has(roleCampaigns) {
		return nil
	}
	n := a.settings.partitions()
	cfg := processors.Config{
		// A message waits for the ledger's commit as it is: collecting longer here
		// spares the broker half of its transactions.
		Collect: campaignCollect,
		Cluster: a.cluster, Name: "campaign", Input: event.TopicLedger, Output: event.TopicCampaignLog,
		Isolation: stream.ReadCommitted, Sparse: true,
		Dir:     a.settings.path("campaign-state"),
		New:     func(p int32) processors.Function { return campaign.New(p, n) },
		GroupID: a.groupID(campaignGroup), InstanceID: a.settings.Instance,
		Logger: a.log,
	}
	if a.broker != nil {
		cfg.Takeover, cfg.Collect = campaign.Takeover, 2*embeddedCollect
	}
	a.campaigns, err = processors.New(cfg)
	return err
}

// declared reports whether the rules in force ask for a trait or property of that
// name: only those may enter the log.
func (a *app) declared(name string) bool {
	rules := a.rules.Load()
	return rules != nil && rules.AsksFor(name)
}

// groupID is the group's name on Apache Kafka, before the tenant's prefix; the
// embedded broker has one process and needs none.
func (a *app) groupID(name string) string {
	if a.broker != nil {
		return ""
	}
	return "punchcard-" + name
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
		ServerOnly: a.serverOnly, IsDeclared: a.declared,
		Report: newReporter(a.log, "door").report,
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

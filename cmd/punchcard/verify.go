package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/audit"
	"github.com/punchcard/punchcard/processors/control"
	"github.com/punchcard/punchcard/warehouse"
)

const (
	// verifyReads bounds how many customers are read at the door.
	verifyReads = 2000
	// verifyWait bounds how long the processors may take to decide what was in
	// events, and ClickHouse to reach the sequences.
	verifyWait = 2 * time.Minute
	verifyPoll = 100 * time.Millisecond
	// maxFindings bounds what is printed.
	maxFindings = 40
)

// verifyCommand checks the whole road at one stated sequence per partition.
type verifyCommand struct{}

// Run prints what was checked, and every finding; findings exit with 1.
func (verifyCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needLog|needRoles|needWarehouse|needDoor, func(conn *connection) error {
		v := &verification{conn: conn}
		if err := v.run(ctx); err != nil {
			return err
		}
		v.print()
		if len(v.findings) > 0 {
			return errFindings
		}
		return nil
	})
}

// verification is one run.
type verification struct {
	conn      *connection
	upTo      map[int32]int64 // the stated sequences
	auditors  []*audit.Auditor
	readings  []reading
	campaigns *verifyCampaigns
	segments  string // what was compared
	findings  []string
}

func (v *verification) run(ctx context.Context) error {
	ctl := v.conn.control
	if err := ctl.CaughtUp(ctx); err != nil {
		return err
	}
	if err := v.awaitDecided(ctx); err != nil {
		return err
	}
	before := ctl.Snapshot()
	// ClickHouse names the customers to read: it must know them.
	if err := v.awaitWarehouse(ctx, sequences(before)); err != nil {
		return err
	}
	if err := v.readCustomers(ctx); err != nil {
		return err
	}
	// What the door said is of sequences up to now.
	if err := ctl.CaughtUp(ctx); err != nil {
		return err
	}
	v.upTo = sequences(ctl.Snapshot())
	for i := range v.readings {
		if r := &v.readings[i]; r.Sequence > v.upTo[r.Partition] {
			v.upTo[r.Partition] = r.Sequence
		}
	}
	if err := v.auditLedger(ctx, before); err != nil {
		return err
	}
	if err := v.compareEvents(ctx); err != nil {
		return err
	}
	v.compareReadings()
	if err := v.checkCampaigns(ctx); err != nil {
		return err
	}
	if err := v.compareWarehouse(ctx); err != nil {
		return err
	}
	return v.checkSegments(ctx)
}

func sequences(parts []control.Partition) map[int32]int64 {
	upTo := map[int32]int64{}
	for p, q := range parts {
		upTo[int32(p)] = q.Sequence
	}
	return upTo
}

// awaitDecided: what is in events when verify begins gets its entries. A
// partition that nobody works at is a finding.
func (v *verification) awaitDecided(ctx context.Context) error {
	ends, err := v.conn.cluster.Ends(ctx, event.TopicEvents, stream.ReadUncommitted)
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, verifyWait)
	defer cancel()
	err = v.conn.control.Wait(wait, func(parts []control.Partition) bool {
		for p, r := range ends {
			if parts[p].SourceOffset < r.End-1 {
				return false
			}
		}
		return true
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	for p, q := range v.conn.control.Snapshot() {
		if r := ends[int32(p)]; q.SourceOffset < r.End-1 {
			v.findings = append(v.findings, fmt.Sprintf("events/%d: %d events have no entry after %s", p, r.End-1-q.SourceOffset, verifyWait))
		}
	}
	return nil
}

// readCustomers asks the door how customers stand, before the sequences are
// stated.
func (v *verification) readCustomers(ctx context.Context) error {
	_, _, rows, err := v.conn.warehouse.Query(ctx, fmt.Sprintf("SELECT customer_id FROM customers ORDER BY cityHash64(customer_id) LIMIT %d", verifyReads))
	if err != nil {
		return err
	}
	for _, row := range rows {
		var r reading
		if _, err := v.conn.get(ctx, "/v1/customers/"+url.PathEscape(fmt.Sprint(row[0])), &r); err != nil {
			v.findings = append(v.findings, fmt.Sprintf("the stream: customer %v is in ClickHouse, and the door says: %v", row[0], err))
			continue
		}
		v.readings = append(v.readings, r)
	}
	return nil
}

// auditLedger reads each partition of the ledger from its first entry to the
// stated sequence.
func (v *verification) auditLedger(ctx context.Context, before []control.Partition) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for _, p := range slices.Sorted(maps.Keys(v.upTo)) {
		a := audit.New(p, before[p].Sequence)
		v.auditors = append(v.auditors, a)
		g.Go(func() error { return auditPartition(ctx, v.conn.cluster, a, v.upTo[p]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, a := range v.auditors {
		v.findings = append(v.findings, a.Findings...)
		if a.More > 0 {
			v.findings = append(v.findings, fmt.Sprintf("ledger/%d: %d more findings", a.Partition, a.More))
		}
	}
	return nil
}

// errReached ends a scan at the stated sequence.
var errReached = errors.New("reached")

func auditPartition(ctx context.Context, c *stream.Cluster, a *audit.Auditor, upTo int64) error {
	ends, err := c.Ends(ctx, event.TopicLedger, stream.ReadUncommitted)
	if err != nil {
		return err
	}
	r := ends[a.Partition]
	if upTo > 0 {
		_, err = c.Scan(ctx, event.TopicLedger, a.Partition, r.Start, r.End, stream.ReadCommitted, func(rec *stream.Record) error {
			a.Take(rec)
			if a.Entries >= upTo {
				return errReached
			}
			return nil
		})
		if err != nil && !errors.Is(err, errReached) {
			return err
		}
	}
	a.Finish()
	return nil
}

// compareEvents: each event has its entries. The audit has seen that sources are
// dense, awaitDecided that the last one has some; here the ends are compared.
func (v *verification) compareEvents(ctx context.Context) error {
	ends, err := v.conn.cluster.Ends(ctx, event.TopicEvents, stream.ReadUncommitted)
	if err != nil {
		return err
	}
	for _, a := range v.auditors {
		r := ends[a.Partition]
		if r.Start != 0 {
			v.findings = append(v.findings, fmt.Sprintf("events/%d begins at offset %d, not 0: events were deleted", a.Partition, r.Start))
		}
		if a.Source() >= r.End {
			v.findings = append(v.findings, fmt.Sprintf("ledger/%d decided event %d, and events/%d ends at %d: events are lost", a.Partition, a.Source(), a.Partition, r.End))
		}
	}
	return nil
}

// compareReadings: the processor's own state is what the ledger says.
func (v *verification) compareReadings() {
	for i := range v.readings {
		r := &v.readings[i]
		said, ok := v.auditors[r.Partition].At(r.Standing.CustomerID, r.Sequence)
		if !ok || !reflect.DeepEqual(said, r.Standing) {
			v.findings = append(v.findings, fmt.Sprintf("the stream: customer %s at entry %d: the processor says %+v, the ledger %+v", r.Standing.CustomerID, r.Sequence, r.Standing, said))
		}
	}
}

// compareWarehouse: ClickHouse has each entry, byte for byte, and each fact once.
func (v *verification) compareWarehouse(ctx context.Context) error {
	if err := v.awaitWarehouse(ctx, v.upTo); err != nil {
		return err
	}
	found, err := v.conn.warehouse.Verify(ctx, v.upTo)
	if err != nil {
		return err
	}
	for _, f := range found {
		v.findings = append(v.findings, "ClickHouse: "+f.String())
	}
	digests, err := v.conn.warehouse.Digests(ctx, v.upTo)
	if err != nil {
		return err
	}
	for _, a := range v.auditors {
		if digests[a.Partition] != a.Digest {
			v.findings = append(v.findings, fmt.Sprintf("ClickHouse: entries of partition %d up to %d are not those of the ledger", a.Partition, v.upTo[a.Partition]))
		}
	}
	return nil
}

// awaitWarehouse waits until the sink has reached these sequences.
func (v *verification) awaitWarehouse(ctx context.Context, upTo map[int32]int64) error {
	return v.awaitPositions(ctx, v.conn.warehouse.LedgerPositions, upTo)
}

func (v *verification) awaitPositions(ctx context.Context, ask func(context.Context) (map[int32]warehouse.Position, error), upTo map[int32]int64) error {
	wait, cancel := context.WithTimeout(ctx, verifyWait)
	defer cancel()
	err := awaitPositions(wait, ask, upTo)
	if err != nil && wait.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("ClickHouse has not reached the log within %s: %w", verifyWait, err)
	}
	return err
}

// awaitPositions waits until ClickHouse has the entries up to these sequences,
// whoever inserts them.
func awaitPositions(ctx context.Context, ask func(context.Context) (map[int32]warehouse.Position, error), upTo map[int32]int64) error {
	for {
		at, err := ask(ctx)
		if err != nil {
			return err
		}
		if !behind(at, upTo) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(verifyPoll):
		}
	}
}

func behind(at map[int32]warehouse.Position, upTo map[int32]int64) bool {
	for p, n := range upTo {
		if at[p].Sequence < n {
			return true
		}
	}
	return false
}

func (v *verification) print() {
	entries, accounts := int64(0), 0
	for _, a := range v.auditors {
		fmt.Printf("partition %d: up to entry %d, clock %s, event %d\n", a.Partition, a.Entries, a.Clock, a.Source())
		entries += a.Entries
		accounts += a.Accounts()
	}
	fmt.Printf("%d entries, %d accounts, %d customers read from the processors\n", entries, accounts, len(v.readings))
	v.campaigns.print()
	if v.segments != "" {
		fmt.Println(v.segments)
	}
	if len(v.findings) == 0 {
		fmt.Println("nothing lost, nothing doubled, nothing different")
		return
	}
	for _, f := range v.findings[:min(len(v.findings), maxFindings)] {
		fmt.Println("FOUND", f)
	}
	fmt.Printf("%d findings\n", len(v.findings))
}

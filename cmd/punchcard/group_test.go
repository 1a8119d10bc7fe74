package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	engine "github.com/punchcard/punchcard/warehouse/embedded"
)

// takeoverWithin is how long the other process may take to own all partitions:
// the group's session time-out, and a rebalance of it.
const takeoverWithin = stream.DefaultSessionTimeout + 10*time.Second

// TestTwoProcessesOneKilled runs two programs of one group under load through both
// doors and kills each in turn with -9, the second time the one with ClickHouse. The
// other takes partitions and roles over, and afterwards nothing is lost and nothing
// doubled.
func TestTwoProcessesOneKilled(t *testing.T) {
	if kafka() == "" {
		t.Log("needs Apache Kafka (PUNCHCARD_TEST_KAFKA): the embedded broker lives in one process")
		return
	}
	seed := seedOf(t)
	a := newPlace(t, "--instance", "a", "--internal", freePort(t))
	a.mustRun("program", "activate", writeBundle(t, loadProgram))
	first := a.spawn("serve")
	a.awaitReady(first, time.Minute)
	b := besidePlace(t, a)
	second := b.spawn("serve")
	b.awaitReady(second, time.Minute)
	c := a.cluster()
	awaitOwners(t, c, time.Minute, shared)
	l := startLoad(t, seed, loadClients, 60, a, b)
	awaitConfirmed(t, l, 500)

	second.kill()
	takenOver(t, l, c, func(a, _ int) bool { return a == groupPartitions })
	verified(t, a)
	second = b.spawn("serve")
	b.awaitReady(second, time.Minute)
	awaitOwners(t, c, time.Minute, shared)
	awaitConfirmed(t, l, 200)

	first.kill() // and ClickHouse with it, until it is back
	takenOver(t, l, c, func(_, b int) bool { return b == groupPartitions })
	first = a.spawn("serve")
	a.awaitReady(first, time.Minute)
	awaitOwners(t, c, time.Minute, shared)
	awaitConfirmed(t, l, 200)
	l.stop()
	l.check(a.entries(time.Minute))
	bothDoorsAnswer(t, l, a, b)
	verified(t, a)
	l.checkWarehouse(a)
	a.campaignsWereAtWork(t)
	verified(t, b)
	if d := second.interrupt(); d > 5*time.Second {
		t.Errorf("Ctrl-C took %s, at most 5 s", d)
	}
	first.interrupt()
}

// groupPartitions is what newPlace asks for on Apache Kafka.
const groupPartitions = 8

// shared says that both work.
func shared(a, b int) bool { return a > 0 && b > 0 && a+b == groupPartitions }

// takenOver waits, after a kill, until the survivor owns all partitions, confirms
// and drives the clock.
func takenOver(t *testing.T, l *load, c *stream.Cluster, ok func(a, b int) bool) {
	t.Helper()
	killed := time.Now()
	awaitOwners(t, c, takeoverWithin, ok)
	owned := time.Since(killed)
	awaitConfirmed(t, l, 200)
	confirmed := time.Since(killed)
	awaitClock(t, c, event.At(time.Now()))
	t.Logf("after the kill: all partitions %.1f s, 200 confirmations %.1f s, the clock %.1f s", owned.Seconds(), confirmed.Seconds(), time.Since(killed).Seconds())
}

// besidePlace is another data folder of the same tenant and ClickHouse.
func besidePlace(t *testing.T, a *place) *place {
	t.Helper()
	key, err := engine.ReadWriterKey(filepath.Join(a.data, "engine"))
	if err != nil {
		t.Fatal(err)
	}
	clickhouse := url.URL{Scheme: "http", Host: a.click, User: url.UserPassword(engine.WriterUser, key)}
	b := newPlace(t, "--instance", "b", "--internal", freePort(t), "--clickhouse", clickhouse.String())
	b.tenant = a.tenant
	secret, err := os.ReadFile(filepath.Join(a.data, internalKey))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(b.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.data, internalKey), secret, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// awaitOwners waits until a and b own as many partitions as ok says, of events and
// of the campaigns' input each.
func awaitOwners(t *testing.T, c *stream.Cluster, within time.Duration, ok func(a, b int) bool) {
	t.Helper()
	for _, g := range [][2]string{{processorGroup, event.TopicEvents}, {campaignGroup, event.TopicLedger}} {
		until(t, "the partitions of "+g[1]+" have the expected owners", within, func() bool {
			members, err := c.Members(context.Background(), "punchcard-"+g[0], g[1])
			if err != nil {
				return false
			}
			owned := map[string]int{}
			for _, m := range members {
				owned[m.InstanceID] += len(m.Partitions)
			}
			return ok(owned["a"], owned["b"])
		})
	}
}

// awaitConfirmed waits for that many more confirmations.
func awaitConfirmed(t *testing.T, l *load, more int64) {
	t.Helper()
	want := l.acked.Load() + more
	until(t, "the load goes on", time.Minute, func() bool { return l.acked.Load() >= want })
}

// awaitClock waits until every partition has been told a time after t0, and its
// campaigns have taken it: some process runs the control role.
func awaitClock(t *testing.T, c *stream.Cluster, t0 event.Time) {
	t.Helper()
	until(t, "the clock goes on", time.Minute, func() bool {
		for p := range int32(groupPartitions) {
			for _, topic := range []string{event.TopicLedger, event.TopicCampaignLog} {
				tail, err := c.Tail(context.Background(), topic, p, 1)
				if err != nil || len(tail) == 0 {
					return false
				}
				// The first fields of both are the same.
				var e event.Entry
				if err := event.DecodeEntry(tail[0].Value, &e); err != nil || e.EntryTime <= t0 {
					return false
				}
			}
		}
		return true
	})
}

// bothDoorsAnswer asks both doors for every customer: half of them belong to the
// other process.
func bothDoorsAnswer(t *testing.T, l *load, places ...*place) {
	t.Helper()
	for id, model := range l.accounts {
		for _, p := range places {
			status, answer, err := p.call(context.Background(), "read", "/v1/customers/"+id, nil)
			if err != nil || status != http.StatusOK {
				t.Errorf("customer %s at %s: %d %v %v", id, p.http, status, answer, err)
				continue
			}
			if got := balance(t, answer); got != model.balance() {
				t.Errorf("customer %s at %s: balance %d, the model %d", id, p.http, got, model.balance())
			}
		}
	}
}

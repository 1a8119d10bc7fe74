package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/warehouse"
)

func TestFactsArrive(t *testing.T) {
	w := newWorld(t)
	w.publish(500)
	s := New(w.config())
	stop := w.run(s)
	w.arrive(s)
	w.publish(300)
	w.arrive(s)
	must(t, stop())
	w.publish(200)
	s = New(w.config())
	w.run(s)
	w.arrive(s)
	lag, err := s.Lag(t.Context(), event.TopicCampaignLog)
	if err != nil || lag[0] != 0 || lag[1] != 0 || len(lag) != testPartitions {
		t.Errorf("lag %v, %v", lag, err)
	}
	w.compareStandings()
}

// compareStandings compares customers with the ledger's own balances, and one
// account's entries with the JSON that was published.
func (w *world) compareStandings() {
	have := make(map[string]int64)
	for _, r := range w.ask("SELECT customer_id, balance FROM customers") {
		have[r[0].(string)] = r[1].(int64)
	}
	if len(have) != len(w.ledger.balance) {
		w.t.Errorf("%d customers, want %d", len(have), len(w.ledger.balance))
	}
	for id, n := range w.ledger.balance {
		if have[id] != n {
			w.t.Errorf("customer %s: %d points, want %d", id, have[id], n)
		}
	}
	list, err := w.warehouse.Entries(w.t.Context(), "c1-3", 0, 3)
	must(w.t, err)
	var e, older event.Entry
	must(w.t, event.DecodeEntry(list[0], &e))
	if len(list) != 3 || e.AccountID != "c1-3" || string(e.Append(nil)) != string(list[0]) {
		w.t.Errorf("%d entries, newest %s", len(list), list[0])
	}
	list, err = w.warehouse.Entries(w.t.Context(), "c1-3", e.Sequence, 1)
	must(w.t, err)
	must(w.t, event.DecodeEntry(list[0], &older))
	if older.Sequence >= e.Sequence {
		w.t.Errorf("entry %d is not before %d", older.Sequence, e.Sequence)
	}
}

// flaky fails each insert twice: before it is done, and after.
type flaky struct {
	*warehouse.Warehouse
	mu    sync.Mutex
	tries map[string]int // by table
}

var errFlaky = errors.New("the line broke")

func (f *flaky) Insert(ctx context.Context, table, token string, columns []warehouse.Column) error {
	f.mu.Lock()
	n := f.tries[table]
	f.tries[table]++
	f.mu.Unlock()
	if n%3 == 0 {
		return errFlaky
	}
	err := f.Warehouse.Insert(ctx, table, token, columns)
	if n%3 == 1 && err == nil {
		return errFlaky
	}
	return err
}

func TestFailuresOfEveryTable(t *testing.T) {
	w := newWorld(t)
	f := &flaky{Warehouse: w.warehouse, tries: make(map[string]int)}
	c := w.config()
	c.Warehouse = f
	s := New(c)
	w.publish(200)
	stop := w.run(s)
	w.arrive(s)
	must(t, stop())
	if err := s.Status().Errors[event.TopicLedger]; err != nil {
		t.Errorf("the status still says %v", err)
	}
	for _, table := range slices.Concat(tableNames, campaignTables) {
		// A first insert is failed before it is done, done and failed, and found done.
		if f.tries[table] < 2 {
			t.Errorf("%s: %d tries", table, f.tries[table])
		}
	}
}

// dying stops its sink instead of an insert of one table.
type dying struct {
	*warehouse.Warehouse
	table string
	stop  func()
}

func (d *dying) Insert(ctx context.Context, table, token string, columns []warehouse.Column) error {
	if table == d.table {
		d.stop()
		return errFlaky
	}
	return d.Warehouse.Insert(ctx, table, token, columns)
}

// A sink that dies between two tables of a round leaves some of them ahead.
func TestDyingBetweenTables(t *testing.T) {
	w := newWorld(t)
	for _, l := range []*carried{&ledgerLog, &campaignLog} {
		for _, table := range l.tables {
			w.publish(60)
			c := w.config()
			ctx, cancel := context.WithCancel(t.Context())
			c.Warehouse = &dying{Warehouse: w.warehouse, table: table, stop: cancel}
			must(t, New(c).Run(ctx))
		}
		first, last := l.tables[0], l.tables[len(l.tables)-1]
		if n := w.ask("SELECT (SELECT max(sequence) FROM " + first + ") > (SELECT max(sequence) FROM " + last + ")")[0][0]; fmt.Sprint(n) != "1" {
			t.Errorf("%s is not ahead of %s: the test tests nothing", first, last)
		}
	}
	s := New(w.config())
	w.run(s)
	w.arrive(s)
	w.compareStandings()
}

func TestSmallRounds(t *testing.T) {
	w := newWorld(t)
	w.publish(3 * pollRecords)
	c := w.config()
	c.MaxEntries, c.CollectFor = 1, time.Hour
	s := New(c)
	w.run(s)
	w.arrive(s)
	if n := w.ask("SELECT uniqExact(_part) FROM entries")[0][0].(uint64); n < 2 {
		t.Errorf("%d inserts: the limit was not kept", n)
	}
}

// The engine does the insert, but its answer never comes.
func TestReplyLost(t *testing.T) {
	w := newWorld(t)
	target, err := url.Parse(w.engine.URL())
	must(t, err)
	var lost atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if strings.HasPrefix(r.Request.URL.Query().Get("query"), "INSERT") && lost.Add(1)%4 == 0 {
			panic(http.ErrAbortHandler) // closes the connection without an answer
		}
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: proxy}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	c := w.config()
	c.Warehouse = w.open("http://" + listener.Addr().String())
	s := New(c)
	w.run(s)
	for range 5 {
		w.publish(100)
		w.arrive(s)
	}
	if lost.Load() < 20 {
		t.Errorf("only %d inserts went through the proxy", lost.Load())
	}
}

func TestEngineKilled(t *testing.T) {
	w := newWorld(t)
	s := New(w.config())
	w.run(s)
	for range 3 {
		w.publish(200)
		must(t, syscall.Kill(w.engine.Pid(), syscall.SIGKILL))
		w.publish(200)
		w.arrive(s)
	}
	if w.engine.Restarts() < 3 {
		t.Errorf("the engine was started again %d times, want 3", w.engine.Restarts())
	}
}

func TestHalts(t *testing.T) {
	w := newWorld(t)
	w.publish(50)
	s := New(w.config())
	stop := w.run(s)
	w.arrive(s)
	must(t, stop())

	other := newLedger(2)
	topic := w.cluster.Topic(event.TopicLedger)
	send := func(e *event.Entry) {
		must(t, w.publisher.Publish(t.Context(), &stream.Record{Topic: topic, Partition: e.Partition, Value: e.Append(nil)}))
	}
	hole := other.next()
	hole.Sequence = w.ledger.sequence[hole.Partition] + 2
	send(hole)
	if err := New(w.config()).Run(t.Context()); !errors.Is(err, ErrHole) {
		t.Errorf("hole: %v", err)
	}
	must(t, w.publisher.Publish(t.Context(), &stream.Record{Topic: topic, Partition: (hole.Partition + 1) % testPartitions, Value: []byte("{")}))
	c := w.config()
	c.Partitions = []int32{(hole.Partition + 1) % testPartitions}
	if err := New(c).Run(t.Context()); !errors.Is(err, ErrEntry) {
		t.Errorf("not an entry: %v", err)
	}
	w.ask("INSERT INTO entries (partition, sequence, ledger_offset) VALUES (0, 1000, 1)")
	if err := New(w.config()).Run(t.Context()); !errors.Is(err, ErrOther) {
		t.Errorf("other ledger: %v", err)
	}
	w.ask("INSERT INTO entries (partition, sequence, ledger_offset) VALUES (0, 1001, 100000)")
	s = New(w.config())
	if err := s.Run(t.Context()); !errors.Is(err, ErrAhead) {
		t.Errorf("ahead: %v", err)
	}
	// Both logs have stopped, whichever halted.
	for _, wait := range []func(context.Context, map[int32]int64) error{s.WaitFor, s.WaitForCampaigns} {
		if err := wait(t.Context(), map[int32]int64{1: 1 << 40}); !errors.Is(err, ErrAhead) {
			t.Errorf("waiting for a sink that halted: %v", err)
		}
	}
}

// The campaigns' log halts the sink as the ledger does.
func TestHaltsOfCampaigns(t *testing.T) {
	w := newWorld(t)
	w.publish(50)
	s := New(w.config())
	stop := w.run(s)
	w.arrive(s)
	must(t, stop())

	hole := newCampaigns(2).next()
	hole.Sequence = w.campaigns.sequence[hole.Partition] + 2
	must(t, w.publisher.Publish(t.Context(), w.campaignRecord(hole)))
	if err := New(w.config()).Run(t.Context()); !errors.Is(err, ErrHole) || !strings.Contains(err.Error(), event.TopicCampaignLog) {
		t.Errorf("hole: %v", err)
	}
	w.ask("INSERT INTO campaign_entries (partition, sequence, log_offset) VALUES (0, 1000, 1)")
	if err := New(w.config()).Run(t.Context()); !errors.Is(err, ErrOther) {
		t.Errorf("other log: %v", err)
	}
	w.ask("INSERT INTO campaign_entries (partition, sequence, log_offset) VALUES (0, 1001, 100000)")
	if err := New(w.config()).Run(t.Context()); !errors.Is(err, ErrAhead) {
		t.Errorf("ahead: %v", err)
	}
}

// Rows whose token is known, but that are gone, are inserted all the same.
func TestTokenOfRowsThatAreGone(t *testing.T) {
	w := newWorld(t)
	w.publish(50)
	_, tables, err := New(w.config()).positions(t.Context(), &ledgerLog)
	must(t, err)
	in := newWriter(w.config(), tables)
	b := block{table: "surveys", spans: map[int32]span{0: {1, 1}}, columns: []column{{Name: "partition", Values: []int32{0}}, {Name: "sequence", Values: []int64{1}}}}
	must(t, in.insert(t.Context(), &b))
	w.ask("ALTER TABLE surveys DELETE WHERE 1 SETTINGS mutations_sync = 1")
	must(t, newWriter(w.config(), tables).insert(t.Context(), &b))
	if n := w.ask("SELECT count() FROM surveys")[0][0]; fmt.Sprint(n) != "1" {
		t.Errorf("%v rows, want 1", n)
	}
}

func TestRejectsArriveOnce(t *testing.T) {
	w := newWorld(t)
	c := w.config()
	c.Rejects = true
	sent := 0
	for range 3 {
		for range 20 {
			r := event.Reject{V: 1, Code: event.RejectInvalidField, Field: "quantity", Message: "is negative", Source: "till", ReceivedTime: event.At(time.Now()), Original: `{"a":"…"}`, OriginalBytes: 11}
			value, err := json.Marshal(r)
			must(t, err)
			must(t, w.publisher.Publish(t.Context(), &stream.Record{Topic: w.cluster.Topic(event.TopicRejects), Value: value}))
			sent++
		}
		must(t, w.publisher.Publish(t.Context(), &stream.Record{Topic: w.cluster.Topic(event.TopicRejects), Value: []byte("no reject")}))
		sent++
		s := New(c)
		stop := w.run(s)
		for status, changed := s.status.read(); status.Rejects[0] < int64(sent-1); status, changed = s.status.read() {
			select {
			case <-changed:
			case <-t.Context().Done():
				t.Fatal("rejects did not arrive")
			}
		}
		must(t, stop())
	}
	want := fmt.Sprintf("[[invalid_field %d quantity] [invalid_json 3 ]]", sent-3)
	if have := w.ask("SELECT code, count(), any(field) FROM rejects GROUP BY code ORDER BY code"); fmt.Sprint(have) != want {
		t.Errorf("%v, want %s", have, want)
	}
}

package campaign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/customer"
	"github.com/punchcard/punchcard/processors/table"
	"github.com/punchcard/punchcard/program"
)

const (
	partition  = 1
	partitions = 2
)

func bundleFiles(more map[string]string) map[string]string {
	files := map[string]string{
		program.ProgramFile: program.Starter()[program.ProgramFile],
		"segments/vip.yaml": "who: {fact: {name: vip, is: true}}\n",
		"campaigns/hello.yaml": `purpose: service
channel: email
when: {enters: vip}
again: always
quiet_hours: {from: "21:00", until: "08:00"}
message: {subject: "Hello", text: "{{balance}} {{points_name}}"}
`,
		"campaigns/thanks.yaml": `purpose: service
channel: push
when: {event: Order Completed}
again: always
delay: 2 hours
wait_for: {event: Product Reviewed, within: 1 day, if_comes: stop, if_not: send}
message: {text: "How was it?"}
`,
	}
	for name, text := range more {
		files[name] = text
	}
	return files
}

// stage is a processor of one partition without a broker.
type stage struct {
	t     testing.TB
	dir   string
	make  func() processors.Function
	fn    processors.Function
	table *table.Table
	tx    *table.Tx
	out   *processors.Output
	clock event.Time
	log   []*stream.Record
}

func newStage(t testing.TB, fn func() processors.Function) *stage {
	s := &stage{t: t, dir: t.TempDir(), make: fn}
	s.open()
	t.Cleanup(func() { _ = s.table.Close() })
	return s
}

func (s *stage) open() {
	s.t.Helper()
	tab, err := table.Open(s.dir, table.Options{Fresh: Fresh})
	if err != nil {
		s.t.Fatal(err)
	}
	s.table, s.tx, s.fn = tab, tab.Begin(), s.make()
	s.out = processors.NewOutput(partition, s.tx, tab.Position())
}

// take decides one record and returns its entries.
func (s *stage) take(rec *stream.Record) []*stream.Record {
	s.t.Helper()
	before := len(s.out.Records())
	s.out.Begin(rec.Offset)
	if err := s.fn.Apply(rec, s.tx, s.out); err != nil {
		s.t.Fatal(err)
	}
	if err := s.out.Err(); err != nil {
		s.t.Fatal(err)
	}
	if len(s.out.Records()) == before && len(s.tx.Take()) > 0 {
		s.t.Fatalf("offset %d wrote state and made no entry", rec.Offset)
	}
	return s.out.Records()[before:]
}

// commit makes what was decided part of the table.
func (s *stage) commit() {
	s.t.Helper()
	recs := s.out.Records()
	if len(recs) == 0 {
		return
	}
	for _, r := range recs {
		r.Offset = int64(len(s.log))
		s.log = append(s.log, r)
	}
	last := recs[len(recs)-1]
	_, seq, source, _ := event.EntryPosition(last.Value)
	if err := s.tx.Commit(table.Position{Sequence: seq, Source: source, Clock: s.clock}); err != nil {
		s.t.Fatal(err)
	}
	s.out = processors.NewOutput(partition, s.tx, s.table.Position())
}

func (s *stage) restart() {
	s.t.Helper()
	s.commit()
	if err := s.table.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

// world is the customer processor and, behind it, the campaigns'.
type world struct {
	t                    testing.TB
	customers, campaigns *stage
	offset               int64
	clock                event.Time
}

func newWorld(t testing.TB) *world {
	return &world{
		t:         t,
		customers: newStage(t, func() processors.Function { return customer.New(partition) }),
		campaigns: newStage(t, func() processors.Function { return New(partition, partitions) }),
	}
}

// feed gives one event to both, each entry committed, and returns the campaigns'
// entries.
func (w *world) feed(ev *event.Event) (out []event.CampaignEntry) {
	w.t.Helper()
	value, err := ev.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	w.customers.take(&stream.Record{Key: []byte(ev.AccountID), Value: value, Offset: w.offset})
	w.offset++
	from := len(w.customers.log)
	w.customers.commit()
	for _, entry := range w.customers.log[from:] {
		for i, rec := range w.campaigns.take(entry) {
			var e event.CampaignEntry
			if err := event.DecodeCampaignEntry(rec.Value, &e); err != nil {
				w.t.Fatal(err)
			}
			_, sequence, _, _ := event.EntryPosition(entry.Value)
			if e.V != event.Version || e.Partition != partition || e.SourceOffset != entry.Offset || e.SourceIndex != int32(i) || e.LedgerSequence != sequence ||
				e.Semantics != program.Semantics || string(rec.Key) != e.CustomerID {
				w.t.Fatalf("key %q, entry %s", rec.Key, rec.Value)
			}
			out = append(out, e)
		}
		w.campaigns.commit()
	}
	return out
}

func (w *world) tick(t event.Time) (out []event.CampaignEntry) {
	w.t.Helper()
	w.clock = t
	for slice := int64(0); ; slice++ {
		got := w.feed(&event.Event{Type: event.TypeTick, MessageID: fmt.Sprintf("tick:%d:%d", t, slice), EventTime: t, Tick: &event.Tick{Slice: slice}})
		out = append(out, got...)
		more := false
		for i := range got {
			more = more || got[i].Tick != nil && got[i].Tick.MoreDue
		}
		var ledger event.Entry
		if err := event.DecodeEntry(w.customers.log[len(w.customers.log)-1].Value, &ledger); err != nil {
			w.t.Fatal(err)
		}
		if !more && !ledger.Tick.MoreDue {
			return out
		}
	}
}

func (w *world) activate(files map[string]string) []event.CampaignEntry {
	w.t.Helper()
	id := program.BundleID(files)
	return w.feed(&event.Event{
		Type: event.TypeBundle, MessageID: "bundle:" + id, EventTime: max(w.clock, 1),
		Bundle: &event.Bundle{ID: id, EffectiveFrom: w.clock, Semantics: program.Semantics, Files: files},
	})
}

func (w *world) event(who, name string) *event.Event {
	w.offset++ // ids differ; so do offsets, which may have holes
	return &event.Event{Type: event.TypeTrack, Name: name, MessageID: fmt.Sprintf("m%d", w.offset), AccountID: who, EventTime: w.clock, BodyHash: "0"}
}

func (w *world) order(who string) []event.CampaignEntry {
	w.t.Helper()
	ev := w.event(who, event.NameOrderCompleted)
	ev.Order = &event.Order{OrderID: ev.MessageID, Currency: "GBP", Lines: []event.OrderLine{{ProductID: "mug", Quantity: 1, AmountMinor: 1000}}}
	return w.feed(ev)
}

func (w *world) fact(who, name, value string) []event.CampaignEntry {
	w.t.Helper()
	ev := w.event(who, "")
	ev.Type, ev.Traits = event.TypeIdentify, map[string]json.RawMessage{name: json.RawMessage(value)}
	return w.feed(ev)
}

// story is a few days of a few customers; between is called between its events.
func (w *world) story(between func()) (all []event.CampaignEntry) {
	w.t.Helper()
	start := event.At(time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC))
	note := func(out []event.CampaignEntry) { all = append(all, out...); between() }
	note(w.activate(bundleFiles(nil)))
	note(w.tick(start))
	for _, who := range []string{"ann", "bob", "cem"} {
		note(w.order(who))
		note(w.fact(who, "vip", "true"))
	}
	note(w.tick(start.Add(90 * time.Minute)))
	note(w.fact("dot", "vip", "true"))
	note(w.feed(w.event("bob", event.NameReviewed)))
	note(w.tick(start.Add(13 * time.Hour)))
	note(w.activate(bundleFiles(map[string]string{"campaigns/later.yaml": `purpose: service
channel: sms
when: {enters: vip}
existing: true
message: {text: "Later"}
`})))
	note(w.tick(start.Add(13*time.Hour + time.Minute)))
	for day := range 3 {
		note(w.tick(start.Add(time.Duration(20+24*day) * time.Hour)))
	}
	return all
}

func outcomes(entries []event.CampaignEntry) map[string]int {
	n := map[string]int{}
	for i := range entries {
		if d := entries[i].Decision; d != nil {
			n[d.CampaignID+" "+string(d.Outcome)+" "+d.Reason]++
		}
	}
	return n
}

func sameLog(t *testing.T, a, b []*stream.Record) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d entries and %d", len(a), len(b))
	}
	for i := range a {
		if !bytes.Equal(a[i].Key, b[i].Key) || !bytes.Equal(a[i].Value, b[i].Value) || !bytes.Equal(a[i].Headers[0].Value, b[i].Headers[0].Value) {
			t.Fatalf("entry %d:\n%s\n%s", i+1, a[i].Value, b[i].Value)
		}
	}
}

func mustTime(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

package customer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/table"
	"github.com/punchcard/punchcard/program"
)

// rules is a program whose parts all of these tests can see: one point per pound,
// for members from the first order on; points live 10 days.
const rules = `program: Test
currency: GBP
time_zone: Europe/London
effective_from: always
enrolment:
  - {id: first-order, on: order, number: 1}
points: {name: points, expire_after: 10 days}
earn:
  - {id: base, on: order, points: 1, per: 1.00, round: down}
  - {id: review, on: event, event: Product Reviewed, points: 25}
redemption: {minimum: 1}
tiers:
  window: 365 days
  review: 90 days
  levels:
    - {id: bronze, name: Bronze, spend: 0}
    - {id: gold, name: Gold, spend: 1000.00}
scores:
  window: 365 days
  method: population
  every: 7 days
  minimum_customers: 5
  fixed:
    recency_days: [14, 33, 72, 180]
    orders: [1, 2, 3, 6]
    spend: [250.00, 490.00, 940.00, 2060.00]
`

// world is one partition fed by hand, without a broker.
type world struct {
	t      testing.TB
	dir    string
	table  *table.Table
	tx     *table.Tx
	fn     *Function
	out    *processors.Output
	offset int64
	ledger []*stream.Record
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.open()
	t.Cleanup(func() { _ = w.table.Close() })
	return w
}

func (w *world) open() {
	w.t.Helper()
	tab, err := table.Open(w.dir, table.Options{Expire: Expire()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.table, w.tx, w.fn = tab, tab.Begin(), New(3)
	w.out = processors.NewOutput(3, w.tx, tab.Position())
}

// commit makes what was decided part of the table.
func (w *world) commit() {
	w.t.Helper()
	recs := w.out.Records()
	if len(recs) == 0 {
		return
	}
	w.ledger = append(w.ledger, recs...)
	last := recs[len(recs)-1]
	_, seq, source, _ := event.EntryPosition(last.Value)
	if err := w.tx.Commit(table.Position{Sequence: seq, Source: source, Clock: w.fn.p.clock}); err != nil {
		w.t.Fatal(err)
	}
	w.out = processors.NewOutput(3, w.tx, w.table.Position())
}

// restart commits and goes on with a table read from disk and a new Function.
func (w *world) restart() {
	w.t.Helper()
	w.commit()
	if err := w.table.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// raw feeds one record and returns its entries.
func (w *world) raw(key, value []byte) ([]event.Entry, error) {
	w.t.Helper()
	before := len(w.out.Records())
	w.out.Begin(w.offset)
	rec := &stream.Record{Key: key, Value: value, Offset: w.offset}
	w.offset++
	if err := w.fn.Apply(rec, w.tx, w.out); err != nil {
		return nil, err
	}
	if err := w.out.Err(); err != nil {
		w.t.Fatal(err)
	}
	var out []event.Entry
	for i, r := range w.out.Records()[before:] {
		var e event.Entry
		if err := event.DecodeEntry(r.Value, &e); err != nil {
			w.t.Fatal(err)
		}
		if e.SourceOffset != rec.Offset || e.SourceIndex != int32(i) || e.Partition != 3 || e.Semantics != program.Semantics {
			w.t.Fatalf("entry %d of offset %d: %+v", i, rec.Offset, e)
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		w.t.Fatalf("offset %d has no entry", rec.Offset)
	}
	return out, nil
}

func (w *world) feed(ev *event.Event) []event.Entry {
	w.t.Helper()
	value, err := ev.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.raw([]byte(ev.AccountID), value)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// one feeds an event that makes one entry.
func (w *world) one(ev *event.Event) event.Entry {
	w.t.Helper()
	out := w.feed(ev)
	if len(out) != 1 {
		w.t.Fatalf("%d entries, want 1: %s", len(out), kinds(out))
	}
	return out[0]
}

func kinds(entries []event.Entry) string {
	var s []string
	for _, e := range entries {
		s = append(s, fmt.Sprintf("%s/%s %s", e.Kind, e.Outcome, e.AccountID))
	}
	return strings.Join(s, ", ")
}

// tick feeds a tick and returns its own entry and those before it.
func (w *world) tick(t event.Time, slice int64) (event.Entry, []event.Entry) {
	w.t.Helper()
	out := w.feed(tickAt(t, slice))
	last := out[len(out)-1]
	if last.Kind != event.KindTick || last.Answer {
		w.t.Fatalf("the tick's own entry is not the last one: %s", kinds(out))
	}
	return last, out[:len(out)-1]
}

// settle ticks until nothing is due and returns the entries before the ticks'.
func (w *world) settle(t event.Time, slice int64) (all []event.Entry) {
	w.t.Helper()
	for ; ; slice++ {
		tick, before := w.tick(t, slice)
		all = append(all, before...)
		if !tick.Tick.MoreDue {
			return all
		}
	}
}

func tickAt(t event.Time, slice int64) *event.Event {
	return &event.Event{Type: event.TypeTick, MessageID: fmt.Sprintf("tick:%d:%d", t, slice), EventTime: t, Tick: &event.Tick{Slice: slice}}
}

func bundleOf(yaml string, from event.Time) *event.Event {
	files := map[string]string{program.ProgramFile: yaml}
	id := program.BundleID(files)
	return &event.Event{Type: event.TypeBundle, MessageID: "bundle:" + id, EventTime: max(from, 1),
		Bundle: &event.Bundle{ID: id, EffectiveFrom: from, Semantics: 1, Files: files}}
}

func TestRulesParse(t *testing.T) {
	if _, problems := program.Parse(map[string]string{program.ProgramFile: rules}); len(problems) > 0 {
		t.Fatal(problems)
	}
}

func order(account, id string, at event.Time, pence int64) *event.Event {
	return &event.Event{
		Type: event.TypeTrack, Name: event.NameOrderCompleted, MessageID: "m-" + id, AccountID: account, EventTime: at, BodyHash: "h" + id,
		Order: &event.Order{OrderID: id, Currency: "GBP", Lines: []event.OrderLine{{ProductID: "P", Quantity: 1, AmountMinor: pence}}},
	}
}

func date(y int, m time.Month, d, hour, minute int) event.Time {
	return event.At(time.Date(y, m, d, hour, minute, 0, 0, time.UTC))
}

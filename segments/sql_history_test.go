package segments_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/customer"
	"github.com/punchcard/punchcard/processors/table"
	"github.com/punchcard/punchcard/program"
)

// history is one partition: random customers, and the real customer processor
// that decides what they do.
type history struct {
	t         testing.TB
	random    *rand.Rand
	partition int32
	tx        *table.Tx
	fn        *customer.Function
	out       *processors.Output
	offset    int64
	clock     event.Time
	messages  int
	decoded   int
	orders    map[string][]*event.Event // of each account

	standing map[string][]string // what the stream says now
	sequence int64
}

func newHistory(t testing.TB, partition int32, seed uint64, start event.Time) *history {
	t.Helper()
	tab, err := table.Open(t.TempDir(), table.Options{Expire: customer.Expire()})
	must(t, err)
	t.Cleanup(func() { tab.Close() })
	h := &history{
		t: t, random: rand.New(rand.NewPCG(seed, uint64(partition))), partition: partition, tx: tab.Begin(), fn: customer.New(partition),
		clock: start, orders: map[string][]*event.Event{}, standing: map[string][]string{},
	}
	h.out = processors.NewOutput(partition, h.tx, tab.Position())
	return h
}

// feed decides one record and takes note of what the stream says.
func (h *history) feed(ev *event.Event) {
	h.t.Helper()
	value, err := ev.Encode()
	must(h.t, err)
	h.out.Begin(h.offset)
	must(h.t, h.fn.Apply(&stream.Record{Key: []byte(ev.AccountID), Value: value, Offset: h.offset}, h.tx, h.out))
	must(h.t, h.out.Err())
	h.offset++
}

// read decodes the entries since the last call.
func (h *history) read() (moreDue bool) {
	h.t.Helper()
	records := h.out.Records()
	for _, r := range records[h.decoded:] {
		var e event.Entry
		must(h.t, event.DecodeEntry(r.Value, &e))
		h.sequence = e.Sequence
		if e.Standing != nil && event.Identified(e.Standing.CustomerID) {
			h.standing[e.Standing.CustomerID] = e.Standing.Segments
		}
		if e.Tick != nil {
			moreDue = e.Tick.MoreDue
		}
		if e.Control != nil && e.Outcome != event.OutcomeApplied {
			h.t.Fatalf("the control record was %s: %s", e.Outcome, e.Reason)
		}
	}
	h.decoded = len(records)
	return moreDue
}

func (h *history) activate(files map[string]string) {
	h.t.Helper()
	id := program.BundleID(files)
	h.feed(&event.Event{Type: event.TypeBundle, MessageID: "bundle:" + id, EventTime: h.clock, Bundle: &event.Bundle{ID: id, Semantics: 1, Files: files}})
	h.read()
}

// tick moves the clock and lets all that is due happen.
func (h *history) tick(to event.Time) {
	h.t.Helper()
	h.clock = to
	for slice := int64(0); ; slice++ {
		h.feed(&event.Event{Type: event.TypeTick, MessageID: fmt.Sprintf("tick:%d:%d", to, slice), EventTime: to, Tick: &event.Tick{Slice: slice}})
		if !h.read() {
			return
		}
	}
}

// said is a copy of what the stream says.
func (h *history) said() map[string][]string { return maps.Clone(h.standing) }

const customersEach = 30

func (h *history) account() string {
	switch n := h.random.IntN(customersEach + 2); n {
	case 0:
		return event.PrefixAnonymous + "x"
	case 1:
		return event.PrefixGuest + fmt.Sprint(h.messages)
	default:
		return fmt.Sprintf("c%d-%d", h.partition, n)
	}
}

// act makes one random event.
func (h *history) act() {
	h.messages++
	ev := &event.Event{Type: event.TypeTrack, MessageID: fmt.Sprintf("m%d", h.messages), AccountID: h.account(), EventTime: h.clock, BodyHash: "a"}
	switch h.random.IntN(8) {
	case 0: // late
		ev.EventTime = h.clock.Add(-time.Duration(h.random.IntN(20*24)) * time.Hour)
	case 1: // a sender's clock that runs fast
		ev.EventTime = h.clock.Add(time.Duration(h.random.IntN(10)) * time.Minute)
	}
	switch n := h.random.IntN(20); {
	case n < 7:
		h.order(ev)
	case n < 10:
		h.refund(ev)
	case n < 11:
		ev.Type, ev.Redeem = event.TypeRedeem, &event.Redeem{RedemptionID: ev.MessageID, Points: 1 + h.random.Int64N(60)}
	case n < 12:
		ev.Name = event.NameSignedUp
	case n < 15:
		h.activity(ev)
	case n < 16:
		ev.Name, ev.Survey = event.NameSurveyAnswered, &event.Survey{Kind: pick(h, "nps", "nps", "csat"), Score: 1 + h.random.Int64N(5)}
		if ev.Survey.Kind == "nps" {
			ev.Survey.Score = h.random.Int64N(11)
		}
	case n < 17:
		ev.Name, ev.Properties = pick(h, "Unsubscribed", "Email Unsubscribed", "Cart Viewed"), map[string]json.RawMessage{"channel": []byte(pick(h, `"email"`, `"sms"`, `7`))}
	default:
		h.traits(ev)
	}
	h.feed(ev)
	if h.random.IntN(25) == 0 { // once more, or with another body
		ev.BodyHash = pick(h, "a", "b")
		h.feed(ev)
	}
	h.read()
}

func pick[T any](h *history, of ...T) T { return of[h.random.IntN(len(of))] }

func (h *history) line() event.OrderLine {
	n := h.random.IntN(6)
	return event.OrderLine{
		ProductID: fmt.Sprintf("p%d", n), Category: []string{"decor", "lamps", ""}[n%3], Brand: []string{"acme", "other"}[n%2],
		Quantity: 1 + h.random.Int64N(4), AmountMinor: h.random.Int64N(4500),
	}
}

func (h *history) order(ev *event.Event) {
	ev.Name = event.NameOrderCompleted
	o := &event.Order{OrderID: "o" + ev.MessageID, Currency: "GBP", ShippingMinor: h.random.Int64N(2) * 300}
	for range 1 + h.random.IntN(3) {
		o.Lines = append(o.Lines, h.line())
	}
	if h.random.IntN(3) == 0 {
		o.DiscountMinor = h.random.Int64N(1 + o.NetMinor()/3)
	}
	if h.random.IntN(30) == 0 {
		o.Currency = "EUR"
	}
	ev.Order, ev.Context = o, &event.Context{Channel: pick(h, "web", "app", "store", ""), Country: pick(h, "DE", "FR", "GB")}
	h.orders[ev.AccountID] = append(h.orders[ev.AccountID], ev)
}

// refund gives back of one of the account's orders, in any of the ways.
func (h *history) refund(ev *event.Event) {
	ev.Name = event.NameOrderRefunded
	r := &event.Refund{RefundID: "r" + ev.MessageID, Currency: "GBP"}
	ev.Refund = r
	known := h.orders[ev.AccountID]
	if len(known) == 0 {
		r.OrderID, r.Whole = "unknown", true
		return
	}
	o := known[h.random.IntN(len(known))].Order
	r.OrderID = o.OrderID
	line := o.Lines[h.random.IntN(len(o.Lines))]
	switch h.random.IntN(5) {
	case 0:
		r.Whole = true
	case 1:
		r.AmountMinor = 1 + h.random.Int64N(o.NetMinor()+400)
	case 2: // at the price that was paid
		r.Lines = []event.OrderLine{line}
	case 3: // a part, at another price, and something that was never there
		r.Lines = []event.OrderLine{{ProductID: line.ProductID, Quantity: 1, AmountMinor: h.random.Int64N(3000)}, h.line()}
	default: // of no order that is named
		r.OrderID, r.Lines = "", []event.OrderLine{{ProductID: line.ProductID, Quantity: line.Quantity + h.random.Int64N(2), AmountMinor: line.AmountMinor}}
	}
}

func (h *history) activity(ev *event.Event) {
	set := func(name string, values ...string) {
		if h.random.IntN(5) > 0 {
			ev.Properties[name] = json.RawMessage(values[h.random.IntN(len(values))])
		}
	}
	ev.Properties = map[string]json.RawMessage{}
	ev.Name = pick(h, event.NameReviewed, event.NameReviewed, "Video Watched", "Video Watched", hostile)
	text, _ := json.Marshal(hostile)
	switch ev.Name {
	case event.NameReviewed:
		set("rating", "1", "4", "5", "5.0", "4.9", `"5"`, "null", "[5]", `"five"`, "true")
		set("text", `"nice"`, `"bad"`, `""`, `"n\u0069ce"`, "null")
		set("verified", "true", "false", `"true"`, `"yes"`)
	case "Video Watched":
		set("minutes", "3", "12.75", "25", `"8"`, "-4", "-0.5", "1e2", `"x"`, "1234567890123", "null")
	default:
		set(hostile, string(text), `"x"`)
	}
}

func (h *history) traits(ev *event.Event) {
	ev.Type, ev.Traits = event.TypeIdentify, map[string]json.RawMessage{}
	text, _ := json.Marshal(hostile)
	for name, values := range map[string][]string{
		"country": {`"DE"`, `"FR"`, `"GB"`, "null", `["DE"]`}, "age": {"17", "18", "59.9", "60", `"30"`, `"old"`, "null"},
		"consent":     {"true", "false", `{"email":true}`, `{"email":{"marketing":false}}`, `{"email":false,"sms":true}`},
		"birth_month": {"1", "2", "2", "6", "12", "13", `"3"`}, "birth_day": {"1", "15", "29", "31", "0"}, "language": {`"de"`, "null", `""`},
		hostile: {string(text), `"no"`},
	} {
		if h.random.IntN(3) == 0 {
			ev.Traits[name] = json.RawMessage(values[h.random.IntN(len(values))])
		}
	}
}

// otherFiles is the next version: some segments are gone, some are new, some ask
// for something else, and silver comes sooner.
func otherFiles() map[string]string {
	out := files()
	out[program.ProgramFile] = strings.Replace(rules, "spend: 120.00", "spend: 90.00", 1)
	for i, name := range slices.Sorted(maps.Keys(everyLeaf)) {
		path := program.SegmentsDir + name + ".yaml"
		switch {
		case i%9 == 0 && !slices.Contains([]string{"gone", "mixed", "lonely", "reviews"}, name):
			delete(out, path)
		case i%3 == 0:
			out[program.SegmentsDir+"new-"+name+".yaml"] = strings.NewReplacer("7 days", "9 days", "at_least: 2", "at_least: 1", "rating: {at_least: 4}", "rating: 5").Replace(out[path])
		}
	}
	return out
}

package segments

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// world is one partition in memory: the clock, the state, and what a runtime does
// around Step (timers that are due first, the program's before the segments'). It
// checks after every step what must always hold.
type world struct {
	t        reporter
	st       *program.MemState
	lib      *program.Library
	keeper   *Keeper
	set      *Set
	m        program.Moment
	sequence int64
	standing map[string][]string // segments of the last standing
}

// reporter is a test, of package testing or of rapid.
type reporter interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newWorld(t reporter, b *program.Book, s *Set) *world {
	w := &world{t: t, st: &program.MemState{}, lib: program.NewLibrary(), set: s, standing: map[string][]string{}}
	w.lib.Add(b, 0)
	w.keeper = NewKeeper(w.lib)
	return w
}

func (w *world) step(in Input, e *event.Entry) {
	w.t.Helper()
	before := ReadSegments(w.st, e.AccountID)
	w.keeper.Step(w.st, w.set, in, e)
	after := ReadSegments(w.st, e.AccountID)
	if e.Standing != nil {
		w.standing[e.AccountID] = e.Standing.Segments
	}
	if !slices.Equal(after, w.standing[e.AccountID]) {
		w.t.Fatalf("segments are %v, and the last standing said %v", after, w.standing[e.AccountID])
	}
	if got := applied(before, e.Segments); !slices.Equal(got, after) {
		w.t.Fatalf("from %v to %v, and the entry says %+v", before, after, e.Segments)
	}
	if len(e.Segments) > 0 && !w.keeper.Changed() {
		w.t.Fatal("memberships changed, and Changed says no")
	}
	due := w.keeper.NextDue(w.st, e.AccountID)
	if w.st.Due(keyOf(kindHot, e.AccountID)) != due || due != 0 && due <= in.Clock {
		w.t.Fatalf("due %s at %s", due, in.Clock)
	}
}

// applied makes the changes of an entry.
func applied(ids []string, changes []event.SegmentChange) []string {
	in := map[string]bool{}
	for _, id := range ids {
		in[id] = true
	}
	for _, c := range changes {
		in[c.SegmentID] = c.Change == event.SegmentEntered
	}
	var out []string
	for id, is := range in {
		if is && (len(id) < len(triggerPrefix) || id[:len(triggerPrefix)] != triggerPrefix) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// to moves the clock and fires the account's timers.
func (w *world) to(t event.Time, accountID string) (out []event.Entry) {
	w.t.Helper()
	w.m.Clock = max(w.m.Clock, t)
	for n := 0; ; n++ {
		if n > 20_000 {
			w.t.Fatal("timers do not move on")
		}
		due, own := w.lib.NextDue(w.st, accountID), w.keeper.NextDue(w.st, accountID)
		mine := due == 0 || own != 0 && own < due
		if mine {
			due = own
		}
		if due == 0 || due > w.m.Clock {
			return out
		}
		w.sequence++
		e := event.Entry{AccountID: accountID, Sequence: w.sequence, EventTime: due}
		if !mine {
			w.lib.Fire(w.st, w.m, accountID, &e)
		}
		w.step(Input{Clock: due, Cause: event.SegmentByTime}, &e)
		out = append(out, e)
	}
}

func (w *world) apply(ev event.Event) event.Entry {
	w.t.Helper()
	w.sequence++
	if ev.MessageID == "" {
		ev.MessageID = fmt.Sprintf("m%d", w.sequence)
	}
	if ev.Type == "" {
		ev.Type = event.TypeTrack
	}
	w.to(w.m.Clock, ev.AccountID)
	e := event.Entry{Sequence: w.sequence, EventTime: ev.EventTime}
	w.lib.Apply(w.st, w.m, &ev, &e)
	w.step(Input{Event: &ev, Clock: w.m.Clock, Cause: event.SegmentByEvent}, &e)
	return e
}

// sweep visits the account as after an activation.
func (w *world) sweep(s *Set, accountID string) event.Entry {
	w.t.Helper()
	w.set = s
	w.sequence++
	e := event.Entry{AccountID: accountID, Sequence: w.sequence, EventTime: w.m.Clock}
	w.lib.Rescore(w.st, w.m, accountID, &e)
	w.step(Input{Clock: w.m.Clock, Cause: event.SegmentByActivation}, &e)
	return e
}

func props(pairs ...any) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)], _ = json.Marshal(pairs[i+1])
	}
	return out
}

func orderOf(account, id string, at event.Time, minor int64) event.Event {
	return event.Event{Name: event.NameOrderCompleted, AccountID: account, EventTime: at,
		Order: &event.Order{OrderID: id, Currency: "GBP", Lines: []event.OrderLine{{ProductID: "A", Quantity: 1, AmountMinor: minor}}}}
}

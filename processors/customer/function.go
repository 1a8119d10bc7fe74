package customer

import (
	"bytes"
	"fmt"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/table"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
)

const (
	// maxOwnTimers bounds the timers that fire before one event of an account; the
	// many lots of one expiry day need several entries.
	maxOwnTimers = 10_000
)

// Function is the customer processor of one partition.
type Function struct {
	id     int32
	loaded bool
	p      partition
	cuts   *event.CutPoints
	lib    *program.Library
	keeper *segments.Keeper
	sets   map[string]*segments.Set // by bundle
	// bundles are those taken, in order of arrival.
	bundles []shelf

	// Of the record being decided.
	tx    *table.Tx
	out   *processors.Output
	ev    event.Event
	entry event.Entry // one at a time
	index int32
	key   []byte // of its message id
	buf   []byte
}

type shelf struct {
	id              string
	from, effective event.Time
}

var _ processors.Function = (*Function)(nil)

// New makes the function of a partition; it reads its state at the first record.
func New(partition int32) *Function {
	lib := program.NewLibrary()
	return &Function{id: partition, lib: lib, keeper: segments.NewKeeper(lib), sets: map[string]*segments.Set{}}
}

// Apply implements processors.Function.
func (f *Function) Apply(in *stream.Record, tx *table.Tx, out *processors.Output) error {
	f.tx, f.out, f.index = tx, out, 0
	if !f.loaded {
		if err := f.load(tx); err != nil {
			return err
		}
	}
	f.ev = event.Event{}
	if err := event.Decode(in.Value, &f.ev); err != nil {
		f.ev = event.Event{}
		return f.refuse(event.TypeUnknown)
	}
	control := len(in.Key) == 0 && f.ev.AccountID == ""
	switch t := f.ev.Type; {
	case t == event.TypeTick && control:
		return f.tick()
	case t == event.TypeBundle && control:
		return f.bundle()
	case t == event.TypeCutPoints && control:
		return f.cutPoints()
	case (t == event.TypeHistoryBegin || t == event.TypeHistoryEnd) && control:
		return f.history()
	case t == event.TypeCommand:
		return f.command(in)
	case isOuter(t) && string(in.Key) == f.ev.AccountID && f.ev.Validate() == nil:
		return f.outer(in)
	}
	return f.refuse(f.ev.Type)
}

func isOuter(t event.Type) bool {
	switch t {
	case event.TypeTrack, event.TypeIdentify, event.TypePage, event.TypeScreen, event.TypeGroup, event.TypeAlias, event.TypeRedeem:
		return true
	}
	return false
}

// outer decides a customer's event.
func (f *Function) outer(in *stream.Record) error {
	ev := &f.ev
	f.key = appendMessageKey(f.key[:0], ev.AccountID, ev.MessageID)
	key := f.key
	if m, known := findMessage(f.tx, key, f.p.clock); known {
		outcome := event.OutcomeDuplicate
		if !bytes.Equal(m.bodyHash, []byte(ev.BodyHash)) {
			outcome = event.OutcomeConflict
		}
		if ev.Redeem == nil || outcome == event.OutcomeConflict {
			e := f.frame(event.KindEvent)
			e.AccountID, e.Outcome, e.IsSimulated, e.Answer = ev.AccountID, outcome, ev.IsSimulated, true
			return f.close(in.Key, e)
		}
		// A redemption is asked again: the program repeats its answer.
		return f.decide(in)
	}
	if err := f.ownTimers(); err != nil {
		return err
	}
	m := message{clock: f.p.clock, sequence: f.out.Sequence()}
	f.buf = m.append(f.buf[:0], ev.BodyHash)
	f.tx.Put(key, f.buf, 0)
	return f.decide(in)
}

func (f *Function) decide(in *stream.Record) error {
	e := f.frame(event.KindEvent)
	f.lib.Apply(f.tx, f.moment(), &f.ev, e)
	now := f.p.clock
	if now == 0 {
		now = f.ev.EventTime
	}
	f.segment(&f.ev, now, event.SegmentByEvent, e)
	e.Answer = true
	return f.close(in.Key, e)
}

// ownTimers fires what is due for the event's account by the clock.
func (f *Function) ownTimers() error {
	for range maxOwnTimers {
		due := sooner(f.lib.NextDue(f.tx, f.ev.AccountID), f.keeper.NextDue(f.tx, f.ev.AccountID))
		if due == 0 || due > f.p.clock {
			return nil
		}
		if err := f.fire(f.ev.AccountID, due); err != nil {
			return err
		}
	}
	return fmt.Errorf("customer: more than %d timers of %q fired before one event", maxOwnTimers, f.ev.AccountID)
}

func sooner(a, b event.Time) event.Time {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// segment works out what the entry means for the account's segments, as of an
// instant, by the version in force then.
func (f *Function) segment(ev *event.Event, at event.Time, cause string, e *event.Entry) {
	var set *segments.Set
	if b := f.lib.At(at); b != nil {
		set = f.sets[b.ID]
	}
	f.keeper.Step(f.tx, set, segments.Input{Event: ev, Clock: at, Cause: cause}, e)
}

// timerSegments is the cause's name when only segments were due.
const timerSegments = "segments"

// fire does what is due for an account, as an entry of its own: first what the
// program has due then, and with it, or alone, its segments.
func (f *Function) fire(accountID string, due event.Time) error {
	e := f.frame(event.KindTimer)
	e.AccountID, e.EventTime = accountID, due
	if f.lib.NextDue(f.tx, accountID) == due {
		f.lib.Fire(f.tx, f.moment(), accountID, e)
	} else if b := f.lib.At(due); b != nil && f.keeper.NextDue(f.tx, accountID) == due {
		e.BundleID, e.Outcome, e.Cause.Name = b.ID, event.OutcomeApplied, timerSegments
		if a, ok := f.lib.Account(f.tx, accountID); ok {
			e.IsSimulated = a.Simulated()
		}
	}
	if e.Outcome == "" {
		return fmt.Errorf("customer: the timer of %q due %s did nothing", accountID, due)
	}
	f.segment(nil, due, event.SegmentByTime, e)
	return f.close([]byte(accountID), e)
}

func (f *Function) moment() program.Moment {
	return program.Moment{Clock: f.p.clock, IsHistory: f.p.inside, CutPoints: f.cuts}
}

// command is kept: the relay comes with the first feature that sends one.
func (f *Function) command(in *stream.Record) error {
	e := f.frame(event.KindEvent)
	e.AccountID, e.Outcome, e.Reason = f.ev.AccountID, event.OutcomeKept, event.ReasonNoRule
	return f.close(in.Key, e)
}

// refuse answers a record that is no event of ours: the log goes on.
func (f *Function) refuse(t event.Type) error {
	e := f.frame(event.KindEvent)
	if t == "" {
		t = event.TypeUnknown
	}
	e.Cause.Type, e.Outcome, e.Reason = t, event.OutcomeRejected, event.ReasonInvalid
	if e.EventTime <= 0 {
		e.EventTime = f.p.clock
	}
	return f.close(nil, e)
}

// frame begins an entry: all that does not depend on what is decided.
func (f *Function) frame(kind event.Kind) *event.Entry {
	f.entry = event.Entry{
		// Encoded before the next one begins: their memory can be used again.
		Decisions: f.entry.Decisions[:0], Postings: f.entry.Postings[:0],
		Partition:    f.id,
		Sequence:     f.out.Sequence(),
		SourceOffset: f.out.Source(),
		SourceIndex:  f.index,
		Semantics:    program.Semantics,
		Kind:         kind,
		Cause:        event.Cause{Type: f.ev.Type, Name: f.ev.Name, ID: f.ev.MessageID},
		EventTime:    f.ev.EventTime,
		EntryTime:    f.p.clock,
		IsHistory:    f.p.inside,
	}
	return &f.entry
}

// close appends the entry with all that was written for it.
func (f *Function) close(key []byte, e *event.Entry) error {
	f.index++
	f.out.SetClock(f.p.clock)
	f.out.Append(key, e.Append(f.out.Buffer()))
	return f.tx.Err()
}

// Takeover is the entry by which a new writer takes the partition: it changes
// nothing and moves no position.
func Takeover(tx *table.Tx, out *processors.Output) error {
	f := New(out.Partition())
	f.tx, f.out = tx, out
	if err := f.load(tx); err != nil {
		return err
	}
	e := f.frame(event.KindTakeover)
	e.Cause, e.EventTime, e.Outcome = event.Cause{Type: event.TypeTakeover}, f.p.clock, event.OutcomeApplied
	return f.close(nil, e)
}

package history

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/punchcard/punchcard/event"
)

const (
	// DefaultTickEvery is how far apart the ticks of an import are.
	DefaultTickEvery = time.Hour
	// DefaultBatch is how many records are published at once.
	DefaultBatch = 8192
	// maxSlices bounds the ticks of one time: 256 timers a partition each.
	maxSlices = 100_000
)

// Record is one record for the topic events.
type Record struct {
	// Partition it goes to, or -1: by Key.
	Partition int32
	// Key is the account id; empty for control records.
	Key   string
	Event *event.Event
	// Class is the value of the header class.
	Class string
}

// Cursor says how far an import has come. It is stored by the Target.
type Cursor struct {
	Digest string `json:"digest"`
	Source string `json:"source"`
	// ShiftDays is fixed at the first run of a source.
	ShiftDays int64 `json:"shift_days"`
	// Published counts events that are in the log and settled.
	Published int64 `json:"published"`
	// Clock is the last tick that is in the log and settled.
	Clock event.Time `json:"clock"`
	Done  bool       `json:"done"`
}

// Target is what an import needs of the outside.
type Target interface {
	// Partitions returns how many partitions the topic events has.
	Partitions() int32
	// Publish writes records, those of one partition in the order given, and
	// returns when all are acknowledged. After an error any of them may be in the
	// log; the import is then run again.
	Publish(ctx context.Context, recs []Record) error
	// Reject writes to the topic rejects and returns when all are acknowledged.
	// ReceivedTime is not set.
	Reject(ctx context.Context, rejects []event.Reject) error
	// Settle waits until the ledger of every partition has decided everything up to
	// the last published tick (clock, slice), and the cut points that this tick
	// called for are in the log. due says that a partition has more timers due: it
	// needs another slice of the same tick.
	Settle(ctx context.Context, clock event.Time, slice int64) (due bool, err error)
	// Progress returns the stored cursor of the source; ok is false if there is none.
	Progress(ctx context.Context, source string) (c Cursor, ok bool, err error)
	// SaveProgress stores the cursor durably before it returns.
	SaveProgress(ctx context.Context, c Cursor) error
}

// Options of Run; zero values are the defaults.
type Options struct {
	// TickEvery is how far apart ticks are: a divisor of 24 h, so that no UTC
	// midnight is skipped.
	TickEvery time.Duration
	// Batch is how many records are published at once.
	Batch int
	// SettleAt says whether to wait at the tick now, the one before being prev. It
	// must be true where the program takes cut points. Default: Mondays, 00:00 UTC.
	// Each wait costs a round trip through the processors, and after a kill the
	// import goes on from the last one.
	SettleAt func(prev, now event.Time) bool
	// NotAfter bounds the last tick, so that history does not set the clock ahead
	// of today's; 0: no bound.
	NotAfter event.Time
	// Progress is told how many of all events are published.
	Progress func(done, total int64)
}

// Result is what a run did.
type Result struct {
	// AlreadyImported: the same file was imported whole before; nothing was done.
	AlreadyImported bool
	// Resumed: an earlier run was cut off, and this one went on.
	Resumed bool
	// ShiftDays in force: of the first run of the source.
	ShiftDays int64
	// Events and Ticks are how many records this run published (a tick is one
	// record for each partition); Settles is how often it waited.
	Events, Ticks, Settles int64
	// Clock is the last tick.
	Clock event.Time
}

// ErrUnfinished says that another import of the same source was cut off.
var ErrUnfinished = errors.New("another import of this source is unfinished")

// Run publishes the plan: history_begin to every partition; then ticks and
// events in the order of time (an event at a tick's time comes after it);
// history_end after the last tick, when all has drained. It stores the cursor
// before the first record and after each settled tick. Run again after an error
// or a kill, it repeats what came after the last settled tick: ticks that are
// older than the clock and events with known ids, both without effect; also
// history_begin and history_end may come twice, with the same message id.
//
// The plan is moved to the shift of the first run of its source, whatever shift
// it has.
//
// Timers: a tick fires at most event.MaxTimersPerTick in each partition; what is
// left fires at the next tick, and at a settled tick all that is due fires in
// further slices.
func Run(ctx context.Context, plan *Plan, t Target, o Options) (Result, error) {
	if err := o.defaults(); err != nil {
		return Result{}, err
	}
	r := &run{plan: plan, t: t, o: o}
	done, err := r.start(ctx)
	if err != nil || done {
		return r.result, wrap(err)
	}
	if err := r.spans(ctx); err != nil {
		return r.result, wrap(err)
	}
	return r.result, wrap(r.end(ctx))
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("history: %w", err)
}

func (o *Options) defaults() error {
	if o.TickEvery == 0 {
		o.TickEvery = DefaultTickEvery
	}
	if o.TickEvery < time.Minute || (24*time.Hour)%o.TickEvery != 0 || o.TickEvery%time.Millisecond != 0 {
		return fmt.Errorf("history: ticks every %s: say a divisor of 24h of at least a minute, such as 1h", o.TickEvery)
	}
	if o.Batch == 0 {
		o.Batch = DefaultBatch
	}
	if o.Batch < 1 || o.Batch > 1<<20 {
		return fmt.Errorf("history: batches of %d records: say 1 to %d", o.Batch, 1<<20)
	}
	if o.SettleAt == nil {
		o.SettleAt = mondays
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	return nil
}

// mondays is true for the first tick of a UTC Monday.
func mondays(prev, now event.Time) bool {
	return event.DayOf(prev, time.UTC) != event.DayOf(now, time.UTC) && now.Std().Weekday() == time.Monday
}

// run is one run of an import.
type run struct {
	plan   *Plan
	t      Target
	o      Options
	cursor Cursor
	batch  []Record
	next   int64 // index of the next event
	result Result
}

// start finds out where to go on, and opens the bracket if it may not be open.
func (r *run) start(ctx context.Context) (done bool, err error) {
	c, ok, err := r.t.Progress(ctx, r.plan.Source)
	if err != nil {
		return false, fmt.Errorf("read the import's progress: %w", err)
	}
	if ok {
		r.plan.Shift(c.ShiftDays - r.plan.ShiftDays)
	}
	r.result.ShiftDays = r.plan.ShiftDays
	switch {
	case ok && c.Digest == r.plan.Digest && c.Done:
		r.result.AlreadyImported, r.result.Clock = true, c.Clock
		return true, nil
	case ok && c.Digest == r.plan.Digest:
		if c.Published > int64(len(r.plan.Events)) || c.Published < 0 {
			return false, fmt.Errorf("the stored progress says %d events, the plan has %d", c.Published, len(r.plan.Events))
		}
		r.cursor, r.next, r.result.Resumed = c, c.Published, true
	case ok && !c.Done:
		return false, fmt.Errorf("%w: %s (%s): run it again with the same file and mapping first", ErrUnfinished, c.Source, c.Digest)
	default:
		r.cursor = Cursor{Digest: r.plan.Digest, Source: r.plan.Source, ShiftDays: r.plan.ShiftDays}
		if err := r.t.Reject(ctx, r.plan.Rejected); err != nil {
			return false, fmt.Errorf("write rejects: %w", err)
		}
		if err := r.t.SaveProgress(ctx, r.cursor); err != nil {
			return false, fmt.Errorf("store the import's progress: %w", err)
		}
	}
	if len(r.plan.Events) == 0 { // nothing but rejects: no history to bracket
		r.cursor.Done = true
		return true, r.save(ctx)
	}
	if r.cursor.Clock.IsZero() {
		r.control(event.TypeHistoryBegin, r.firstTick())
		return false, r.flush(ctx)
	}
	return false, nil
}

// firstTick is the tick at or before the first event.
func (r *run) firstTick() event.Time { return r.aligned(r.plan.First) }

// lastTick is the first tick after the last event, or NotAfter if that is
// earlier.
func (r *run) lastTick() event.Time {
	end := r.aligned(r.plan.Last) + r.every()
	if r.o.NotAfter > 0 && r.o.NotAfter < end {
		end = max(r.o.NotAfter, r.plan.Last)
	}
	return end
}

func (r *run) every() event.Time { return event.Time(r.o.TickEvery.Milliseconds()) }

func (r *run) aligned(t event.Time) event.Time { return t - t%r.every() }

// spans publishes all ticks and events after the cursor.
func (r *run) spans(ctx context.Context) error {
	first, last := r.firstTick(), r.lastTick()
	prev, now := first, first
	if !r.cursor.Clock.IsZero() {
		prev, now = r.cursor.Clock, min(r.aligned(r.cursor.Clock)+r.every(), last)
	}
	if r.cursor.Clock >= last {
		return nil // killed between the last settled tick and the end
	}
	for ; ; prev, now = now, min(r.aligned(now)+r.every(), last) {
		if err := r.eventsBefore(ctx, now); err != nil {
			return err
		}
		if now == last {
			// What is left happened at NotAfter itself.
			if err := r.eventsBefore(ctx, now+1); err != nil {
				return err
			}
		}
		if err := r.tick(ctx, now, 0); err != nil {
			return err
		}
		if now == last || (now != first && r.o.SettleAt(prev, now)) {
			if err := r.settle(ctx, now); err != nil {
				return err
			}
		}
		if now == last {
			return nil
		}
	}
}

func (r *run) eventsBefore(ctx context.Context, t event.Time) error {
	for ; r.next < int64(len(r.plan.Events)); r.next++ {
		e := &r.plan.Events[r.next]
		if e.EventTime >= t {
			return nil
		}
		r.result.Events++
		if err := r.add(ctx, Record{Partition: -1, Key: e.AccountID, Event: e, Class: event.ClassOuter}); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) tick(ctx context.Context, at event.Time, slice int64) error {
	r.result.Ticks++
	r.result.Clock = at
	id := "tick:" + at.String() + ":" + strconv.FormatInt(slice, 10)
	for p := range r.t.Partitions() {
		e := &event.Event{V: event.Version, Type: event.TypeTick, MessageID: id, EventTime: at, Tick: &event.Tick{Slice: slice}}
		if err := r.add(ctx, Record{Partition: p, Event: e, Class: event.ClassOuter}); err != nil {
			return err
		}
	}
	return nil
}

// settle waits at a tick, with further slices while timers are due, and stores
// the cursor.
func (r *run) settle(ctx context.Context, at event.Time) error {
	for slice := int64(0); ; slice++ {
		if err := r.flush(ctx); err != nil {
			return err
		}
		r.result.Settles++
		due, err := r.t.Settle(ctx, at, slice)
		if err != nil {
			return fmt.Errorf("wait for the processors at %s: %w", at, err)
		}
		if !due {
			break
		}
		if slice == maxSlices {
			return fmt.Errorf("timers are still due at %s after %d slices", at, slice)
		}
		if err := r.tick(ctx, at, slice+1); err != nil {
			return err
		}
	}
	r.cursor.Published, r.cursor.Clock = r.next, at
	return r.save(ctx)
}

func (r *run) save(ctx context.Context) error {
	if err := r.t.SaveProgress(ctx, r.cursor); err != nil {
		return fmt.Errorf("store the import's progress: %w", err)
	}
	return nil
}

// end closes the bracket.
func (r *run) end(ctx context.Context) error {
	r.control(event.TypeHistoryEnd, r.lastTick())
	if err := r.flush(ctx); err != nil {
		return err
	}
	r.result.Clock = r.lastTick()
	r.cursor.Done = true
	return r.save(ctx)
}

// control adds a bracket to every partition.
func (r *run) control(kind event.Type, at event.Time) {
	for p := range r.t.Partitions() {
		r.batch = append(r.batch, Record{Partition: p, Class: event.ClassOuter, Event: &event.Event{
			V: event.Version, Type: kind, EventTime: at,
			MessageID: string(kind) + ":" + r.plan.Source + ":" + r.plan.Digest,
			History:   &event.History{Source: r.plan.Source, ShiftDays: r.plan.ShiftDays},
		}})
	}
}

func (r *run) add(ctx context.Context, rec Record) error {
	r.batch = append(r.batch, rec)
	if len(r.batch) < r.o.Batch {
		return nil
	}
	return r.flush(ctx)
}

func (r *run) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(r.batch) == 0 {
		return nil
	}
	if err := r.t.Publish(ctx, r.batch); err != nil {
		return fmt.Errorf("publish %d records: %w", len(r.batch), err)
	}
	clear(r.batch) // let go of ticks
	r.batch = r.batch[:0]
	r.o.Progress(r.next, int64(len(r.plan.Events)))
	return nil
}

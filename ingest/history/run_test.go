package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

var errKilled = errors.New("killed")

// fakeTarget keeps what is published, by partition, and fails at random places,
// before or after it has done all or part of what it was asked.
type fakeTarget struct {
	t        *testing.T
	rng      *rand.Rand
	killOdds float64
	log      [][]Record
	cursors  map[string]Cursor
	due      int // slices that the next settle asks for
	settled  map[event.Time]bool
	rejects  int
	calls    int
}

func newFakeTarget(t *testing.T, partitions int, rng *rand.Rand, killOdds float64) *fakeTarget {
	return &fakeTarget{
		t: t, rng: rng, killOdds: killOdds, log: make([][]Record, partitions),
		cursors: map[string]Cursor{}, settled: map[event.Time]bool{},
	}
}

func (f *fakeTarget) killed() bool { return f.rng.Float64() < f.killOdds }

func (f *fakeTarget) Partitions() int32 { return int32(len(f.log)) }

func (f *fakeTarget) Publish(_ context.Context, recs []Record) error {
	f.calls++
	byPartition := make([][]Record, len(f.log))
	for _, r := range recs {
		p := r.Partition
		if p == -1 {
			h := fnv.New32a()
			h.Write([]byte(r.Key))
			p = int32(h.Sum32() % uint32(len(f.log)))
		}
		byPartition[p] = append(byPartition[p], r)
	}
	partly := f.killed()
	for p, list := range byPartition {
		if partly {
			list = list[:f.rng.IntN(len(list)+1)]
		}
		f.log[p] = append(f.log[p], list...)
	}
	if partly || f.killed() {
		return errKilled
	}
	return nil
}

func (f *fakeTarget) Reject(_ context.Context, rejects []event.Reject) error {
	f.rejects += len(rejects)
	return nil
}

func (f *fakeTarget) Settle(_ context.Context, clock event.Time, slice int64) (bool, error) {
	if f.killed() {
		return false, errKilled
	}
	for p, list := range f.log {
		last := list[len(list)-1].Event
		if last.Tick == nil || last.EventTime != clock || last.Tick.Slice != slice {
			f.t.Fatalf("settle at %s/%d, but partition %d ends with %s %s", clock, slice, p, last.Type, last.MessageID)
		}
	}
	if slice == 0 {
		f.due = f.rng.IntN(3)
	}
	if f.due > 0 {
		f.due--
		return true, nil
	}
	f.settled[clock] = true
	return false, nil
}

func (f *fakeTarget) Progress(_ context.Context, source string) (Cursor, bool, error) {
	c, ok := f.cursors[source]
	return c, ok, nil
}

func (f *fakeTarget) SaveProgress(_ context.Context, c Cursor) error {
	if f.killed() {
		return errKilled
	}
	f.cursors[c.Source] = c
	if f.killed() {
		return errKilled
	}
	return nil
}

// randomPlan has n orders over some weeks, several at one time, some at tick
// times and at midnight.
func randomPlan(t *testing.T, rng *rand.Rand, n int) *Plan {
	t.Helper()
	var b strings.Builder
	for i := range n {
		minutes := rng.IntN(40*24*12) * 5
		at := time.Date(2011, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
		fmt.Fprintf(&b, "i%d,p,1,2.50,%s,c%d\n", i, at.Format(time.DateTime), rng.IntN(n/3+1))
	}
	b.WriteString("bad,p,one,2.50,2011-03-01 00:00:00,c1\n")
	return readText(t, plainMapping, b.String())
}

const plainMapping = `
source: test
format: csv
csv: {header: false}
columns: {invoice: 1, product: 2, quantity: 3, price: 4, time: 5, customer: 6}
currency: EUR
group: {by: invoice}
`

func readText(t testing.TB, mapping, text string) *Plan {
	t.Helper()
	m, problems := ParseMapping("m.yaml", mapping)
	if m == nil {
		t.Fatal(problems)
	}
	p, err := ReadInput(context.Background(), "t.csv", bytes.NewReader([]byte(text)), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRunSurvivesKills: whatever is killed and when, what is in the log after
// the last run, without repeats, is the plan, in order, well bracketed.
func TestRunSurvivesKills(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			o := Options{TickEvery: time.Duration([]int{1, 2, 6, 24}[rng.IntN(4)]) * time.Hour, Batch: 1 + rng.IntN(300)}
			// A week is at most 700 ticks here: it must have a chance to get through.
			f := newFakeTarget(t, 1+rng.IntN(4), rng, rng.Float64()*min(0.15, float64(o.Batch)/700))
			planSeed, n := rng.Uint64(), 2+rng.IntN(200)
			shift, runs := int64(7*rng.IntN(50)), 0
			var plan *Plan
			for {
				runs++
				// A later run is made on a later day: its own shift would be another.
				plan = randomPlan(t, rand.New(rand.NewPCG(planSeed, 1)), n)
				plan.Shift(shift + int64(7*(runs-1)))
				result, err := Run(context.Background(), plan, f, o)
				if err == nil {
					equal(t, "resumed or already imported", result.Resumed || result.AlreadyImported, runs > 1 && f.cursors["test"].ShiftDays == result.ShiftDays)
					break
				}
				if !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				if _, stored := f.cursors["test"]; !stored {
					runs-- // nothing was fixed yet
				}
				if runs > 10_000 {
					t.Fatal("makes no progress")
				}
			}
			equal(t, "shift", plan.ShiftDays, shift)
			checkLog(t, f, plan, o.TickEvery)
			calls := f.calls
			again, err := Run(context.Background(), plan, f, o)
			if err != nil || !again.AlreadyImported || f.calls != calls {
				t.Errorf("second run: %+v, %v, %d more batches", again, err, f.calls-calls)
			}
			t.Logf("%d runs, %d records", runs, len(f.log[0]))
		})
	}
}

// checkLog reads each partition as a processor does: ticks older than the clock
// and known message ids have no effect.
func checkLog(t *testing.T, f *fakeTarget, plan *Plan, every time.Duration) {
	t.Helper()
	want := map[string]*event.Event{}
	for i := range plan.Events {
		want[plan.Events[i].MessageID] = &plan.Events[i]
	}
	found := 0
	for p, list := range f.log {
		seen := map[string]bool{}
		var clock, newest event.Time
		for i, r := range list {
			e := r.Event
			switch {
			case e.Type == event.TypeHistoryBegin:
				if clock != 0 && !seen[e.MessageID] || e.History.ShiftDays != plan.ShiftDays {
					t.Fatalf("partition %d: begin at record %d, clock %s, shift %d", p, i, clock, e.History.ShiftDays)
				}
				seen[e.MessageID] = true
			case e.Type == event.TypeHistoryEnd:
				if len(list) != i+1 && list[i+1].Event.Type != event.TypeHistoryEnd {
					t.Fatalf("partition %d: %s after the end", p, list[i+1].Event.MessageID)
				}
				equal(t, "end settled", f.settled[e.EventTime] && e.EventTime == clock, true)
			case e.Type == event.TypeTick:
				if clock != 0 && e.EventTime > clock+event.Time(every.Milliseconds()) {
					t.Fatalf("partition %d: the clock jumps from %s to %s", p, clock, e.EventTime)
				}
				if e.EventTime > clock && clock != 0 && mondays(clock, e.EventTime) && !f.settled[e.EventTime] {
					t.Fatalf("partition %d: goes on after %s unsettled", p, e.EventTime)
				}
				clock = max(clock, e.EventTime)
			case seen[e.MessageID]:
			default:
				seen[e.MessageID] = true
				found++
				w := want[e.MessageID]
				if w == nil || w.EventTime != e.EventTime || r.Key != w.AccountID {
					t.Fatalf("partition %d: unplanned %s at %s", p, e.MessageID, e.EventTime)
				}
				if e.EventTime < clock || e.EventTime < newest || e.EventTime >= clock+event.Time(every.Milliseconds()) {
					t.Fatalf("partition %d: %s at %s, clock %s, newest %s", p, e.MessageID, e.EventTime, clock, newest)
				}
				newest = e.EventTime
			}
		}
		equal(t, "first record", list[0].Event.Type, event.TypeHistoryBegin)
		equal(t, "last record", list[len(list)-1].Event.Type, event.TypeHistoryEnd)
	}
	equal(t, "events in the log", found, len(plan.Events))
	equal(t, "rejects", f.rejects >= 1, true)
}

func TestRunRefusesAnotherUnfinished(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	f := newFakeTarget(t, 2, rng, 0)
	f.cursors["test"] = Cursor{Digest: "other", Source: "test", ShiftDays: 7}
	plan := randomPlan(t, rng, 10)
	if _, err := Run(context.Background(), plan, f, Options{}); !errors.Is(err, ErrUnfinished) {
		t.Fatalf("%v", err)
	}
	equal(t, "batches", f.calls, 0)
	// Once that is done, a mended file of the source keeps the first shift.
	f.cursors["test"] = Cursor{Digest: "other", Source: "test", ShiftDays: 7, Done: true}
	result, err := Run(context.Background(), plan, f, Options{})
	if err != nil || result.ShiftDays != 7 || result.Resumed {
		t.Fatalf("%+v, %v", result, err)
	}
}

func TestRunOptions(t *testing.T) {
	plan := randomPlan(t, rand.New(rand.NewPCG(1, 1)), 5)
	for _, o := range []Options{{TickEvery: 7 * time.Hour}, {TickEvery: time.Second}, {TickEvery: 48 * time.Hour}, {Batch: -1}} {
		if _, err := Run(context.Background(), plan, nil, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// TestRunNotAfter: the last tick is not ahead of today's clock.
func TestRunNotAfter(t *testing.T) {
	plan := readText(t, plainMapping, "i1,p,1,2.50,2011-03-01 08:20:00,c1\n")
	for _, c := range []struct{ notAfter, want string }{
		{"", "2011-03-01T09:00:00.000Z"},
		{"2011-03-01T08:30:00Z", "2011-03-01T08:30:00.000Z"},
		{"2011-03-01T08:00:00Z", "2011-03-01T08:20:00.000Z"},
	} {
		var o Options
		if err := o.NotAfter.UnmarshalText([]byte(c.notAfter)); err != nil {
			t.Fatal(err)
		}
		f := newFakeTarget(t, 2, rand.New(rand.NewPCG(1, 1)), 0)
		f.due = 0
		result, err := Run(context.Background(), plan, f, o)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "clock", result.Clock.String(), c.want)
		equal(t, "events", result.Events, 1)
	}
}

// TestRunWithoutEvents: a file of bad rows alone leaves rejects and no bracket.
func TestRunWithoutEvents(t *testing.T) {
	plan := readText(t, plainMapping, "i1,p,one,2.50,2011-03-01 08:20:00,c1\n")
	f := newFakeTarget(t, 2, rand.New(rand.NewPCG(1, 1)), 0)
	result, err := Run(context.Background(), plan, f, Options{})
	if err != nil || f.calls != 0 || f.rejects != 1 || result.AlreadyImported {
		t.Fatalf("%+v, %v, %d batches, %d rejects", result, err, f.calls, f.rejects)
	}
	if result, err = Run(context.Background(), plan, f, Options{}); err != nil || !result.AlreadyImported {
		t.Fatalf("%+v, %v", result, err)
	}
}

func TestShiftToEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const week = 7 * dayMillis
	for range 10_000 {
		last := event.Time(rng.Int64N(2_000_000_000_000))
		today := event.Time(rng.Int64N(2_000_000_000_000))
		if rng.IntN(4) == 0 {
			today = last + week*event.Time(rng.IntN(30))
		}
		days := ShiftToEnd(last, today)
		gap := today - (last + event.Time(days)*dayMillis)
		if days%7 != 0 || gap < 8*week || gap >= 9*week {
			t.Fatalf("last %s, today %s: %d days, gap %s", last, today, days, time.Duration(gap)*time.Millisecond)
		}
	}
}

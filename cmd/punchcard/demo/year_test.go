package demo

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/ingest/history"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
)

// today is when the tests' demo runs: history is moved to end eight weeks before.
var today = event.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))

// realPlan reads Online Retail as the demo does.
func realPlan(t testing.TB) *history.Plan {
	t.Helper()
	text, _ := history.BuiltinMapping("online-retail")
	m, problems := history.ParseMapping("online-retail", text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	plan, err := history.ReadFS(context.Background(), history.Data, history.OnlineRetail, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan.Shift(history.ShiftToEnd(plan.Last, today))
	return plan
}

// book is the demo's program.
func book(t testing.TB) *program.Book {
	t.Helper()
	text, err := os.ReadFile("bundle/program.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b, problems := program.Parse(map[string]string{"program.yaml": string(text)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return b
}

// year is the demo's history with its layer, lived through in one partition.
type year struct {
	plan, real *history.Plan
	layer      int
	book       *program.Book
	lib        *program.Library
	st         *program.MemState
	accounts   []string // identified, as first seen
	moment     program.Moment
	set        *segments.Set
	keeper     *segments.Keeper
	sequence   int64
	// redeemed counts redemptions, accepted those that were granted.
	redeemed, accepted int
}

var once struct {
	sync.Once
	year *year
}

// lived returns the year; it is lived once for all tests.
func lived(t testing.TB) *year {
	t.Helper()
	once.Do(func() {
		y := &year{plan: realPlan(t), book: book(t), lib: program.NewLibrary(), st: &program.MemState{}}
		real := *y.plan
		y.real = &real
		y.layer = AddLayer(y.plan, 1)
		y.lib.Add(y.book, 0)
		y.set, _ = parsed(t)
		y.keeper = segments.NewKeeper(y.lib)
		y.live(t)
		once.year = y
	})
	if once.year == nil {
		t.Fatal("the year could not be lived; see the first test that failed")
	}
	return once.year
}

const day = event.Time(24 * 3600 * 1000)

// live goes through the year day by day: what time does, cut points, events.
func (y *year) live(t testing.TB) {
	y.moment.IsHistory = true
	known := map[string]bool{}
	next := 0
	end := y.plan.Last + 3600*1000
	for clock := y.plan.First - y.plan.First%day; ; clock = min(clock+day, end) {
		for ; next < len(y.plan.Events) && y.plan.Events[next].EventTime < clock; next++ {
			ev := &y.plan.Events[next]
			if event.Identified(ev.AccountID) && !known[ev.AccountID] {
				known[ev.AccountID] = true
				y.accounts = append(y.accounts, ev.AccountID)
			}
			e := y.next(ev.AccountID)
			y.lib.Apply(y.st, y.moment, ev, e)
			y.see(segments.Input{Event: ev, Clock: max(y.moment.Clock, ev.EventTime), Cause: event.SegmentByEvent}, e)
		}
		y.moment.Clock = clock
		for _, id := range y.accounts {
			y.fire(id)
		}
		y.cut(clock)
		if clock == end {
			return
		}
	}
}

func (y *year) cut(clock event.Time) {
	on := y.book.CountsDay(clock)
	if y.moment.CutPoints != nil && y.moment.CutPoints.Day == on {
		return
	}
	y.moment.CutPoints = program.CutPointsOf([]*event.Counts{program.ReadCounts(y.st, on)}, on, y.book.RFM.MinimumCustomers)
	for _, id := range y.accounts {
		e := y.next(id)
		y.lib.Rescore(y.st, y.moment, id, e)
		y.see(segments.Input{Clock: clock, Cause: event.SegmentByCutPoints}, e)
	}
}

// fire does what time does to an account up to the clock; at one instant the
// program goes first.
func (y *year) fire(id string) {
	for {
		due, flip := y.lib.NextDue(y.st, id), y.keeper.NextDue(y.st, id)
		if due == 0 || flip != 0 && flip < due {
			due = flip
		}
		if due == 0 || due > y.moment.Clock {
			return
		}
		e := y.next(id)
		if due == y.lib.NextDue(y.st, id) {
			y.lib.Fire(y.st, y.moment, id, e)
		}
		y.see(segments.Input{Clock: due, Cause: event.SegmentByTime}, e)
	}
}

func (y *year) next(id string) *event.Entry {
	y.sequence++
	return &event.Entry{AccountID: id, Sequence: y.sequence}
}

// see brings segments up to date with an entry.
func (y *year) see(in segments.Input, e *event.Entry) {
	y.keeper.Step(y.st, y.set, in, e)
	if e.Redemption == nil {
		return
	}
	y.redeemed++
	if e.Redemption.Accepted {
		y.accepted++
	}
}

package customer

import (
	"fmt"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
)

const (
	// maxSweepVisits and maxSweepChanges bound what one tick's slice of a sweep
	// looks at and changes.
	maxSweepVisits  = 4096
	maxSweepChanges = 256
	// sweepPage is how many accounts are read ahead within a slice.
	sweepPage = 512
)

// tick moves the clock, or is another slice of the time it shows.
func (f *Function) tick() error {
	ev := &f.ev
	if ev.Tick == nil || ev.EventTime <= 0 {
		return f.refuse(event.TypeTick)
	}
	if ev.EventTime < f.p.clock || ev.EventTime == f.p.clock && ev.Tick.Slice <= f.p.slice {
		e := f.frame(event.KindTick)
		e.Outcome, e.Reason = event.OutcomeRejected, event.ReasonOutdated
		return f.close(nil, e)
	}
	before := f.p.clock
	f.p.clock, f.p.slice = ev.EventTime, ev.Tick.Slice
	if before < f.p.clock {
		f.dayBegins(before)
		f.activate(before)
	}
	fired, more, counts, err := f.fireDue()
	if err != nil {
		return err
	}
	if !more && f.p.sweep.pending() {
		if err := f.goOn(); err != nil {
			return err
		}
	}
	f.savePartition(f.tx)
	e := f.frame(event.KindTick)
	e.Outcome, e.Counts = event.OutcomeApplied, counts
	e.Tick = &event.TickFact{Slice: f.p.slice, Fired: fired, MoreDue: more || f.p.sweep.pending()}
	return f.close(nil, e)
}

// fireDue fires what is due by the clock, up to the limit. On the way, when all
// that is due by the first instant of a day to be counted has fired, it counts.
func (f *Function) fireDue() (fired int64, more bool, counts *event.Counts, err error) {
	for {
		bound := f.p.clock
		if f.p.countDay != 0 {
			bound = f.countBound()
		}
		key, due, ok := f.tx.Due(bound)
		switch {
		case !ok && f.p.countDay != 0:
			counts = f.count()
			continue
		case !ok:
			return fired, false, counts, f.tx.Err()
		case fired == event.MaxTimersPerTick:
			return fired, true, counts, nil
		}
		accountID, ok := accountOf(key)
		if !ok {
			return fired, false, nil, fmt.Errorf("customer: key %q is due and not an account", key)
		}
		if err := f.fire(accountID, due); err != nil {
			return fired, false, nil, err
		}
		fired++
	}
}

// accountOf returns whose key is due: an account's core, or its segments.
func accountOf(key []byte) (string, bool) {
	if id, ok := program.AccountOfCore(key); ok {
		return id, true
	}
	return segments.AccountOfKey(key)
}

// dayBegins notes that a day to be counted has begun since before.
func (f *Function) dayBegins(before event.Time) {
	b := f.lib.At(f.p.clock)
	if before == 0 || b == nil || b.RFM.Method != program.ScorePopulation {
		return
	}
	day := b.CountsDay(f.p.clock)
	if start := day.Start(b.Zone); before < start && start <= f.p.clock {
		f.p.countDay = day
	}
}

func zoneOf(b *program.Book) *time.Location {
	if b == nil || b.Zone == nil {
		return time.UTC
	}
	return b.Zone
}

// countBound is the instant as of which the day that waits is counted.
func (f *Function) countBound() event.Time {
	return min(f.p.clock, f.p.countDay.Start(zoneOf(f.lib.At(f.p.clock))))
}

// count takes the counts of the day that waits.
func (f *Function) count() *event.Counts {
	counts := program.ReadCounts(f.tx, f.p.countDay)
	if b := f.lib.At(f.p.clock); b != nil {
		counts.MinimumCustomers = b.RFM.MinimumCustomers
	}
	f.p.countDay = 0
	return counts
}

// activate starts a sweep when a version of the rules came into force by time.
func (f *Function) activate(before event.Time) {
	for _, b := range f.bundles {
		if before < b.from && b.from <= f.p.clock {
			f.startSweep(event.Cause{Type: event.TypeBundle, ID: b.id})
		}
	}
}

// startSweep begins a visit to all accounts; one under way begins anew, for the
// rules and cut points are those of now in any case.
func (f *Function) startSweep(cause event.Cause) { f.p.sweep = sweep{cause: cause} }

// goOn visits the next accounts of a sweep.
func (f *Function) goOn() error {
	s := &f.p.sweep
	visits, changes := 0, 0
	for visits < maxSweepVisits && changes < maxSweepChanges {
		page := f.accounts(s.next)
		for _, id := range page {
			if visits++; changes == maxSweepChanges || visits > maxSweepVisits {
				s.next = id
				return nil
			}
			changed, err := f.visit(id)
			if err != nil {
				return err
			}
			if changed {
				changes++
			}
			s.next = id + "\x00"
		}
		if len(page) < sweepPage {
			*s = sweep{}
			return nil
		}
	}
	return nil
}

// accounts lists some accounts from one on: every identified one of which
// anything is known.
func (f *Function) accounts(from string) []string {
	low, high := segments.KeyRange()
	low = append(append([]byte(nil), low...), from...)
	page := make([]string, 0, sweepPage)
	f.tx.Scan(low, high, func(key, _ []byte) bool {
		if id, ok := segments.AccountOfKey(key); ok {
			page = append(page, id)
		}
		return len(page) < sweepPage
	})
	return page
}

// visit looks at one account by the rules, segments and cut points of now.
func (f *Function) visit(accountID string) (bool, error) {
	e := f.frame(event.KindSweep)
	e.AccountID, e.EventTime, e.Cause = accountID, f.p.clock, f.p.sweep.cause
	changed := f.lib.Rescore(f.tx, f.moment(), accountID, e)
	if !changed {
		if a, ok := f.lib.Account(f.tx, accountID); ok {
			e.IsSimulated = a.Simulated()
		}
		if b := f.lib.At(f.p.clock); b != nil {
			e.BundleID = b.ID
		}
		e.Outcome = event.OutcomeApplied
	}
	cause := event.SegmentByActivation
	if f.p.sweep.cause.Type == event.TypeCutPoints {
		cause = event.SegmentByCutPoints
	}
	f.segment(nil, f.p.clock, cause, e)
	if !changed && !f.keeper.Changed() {
		return false, f.tx.Err()
	}
	return true, f.close([]byte(accountID), e)
}

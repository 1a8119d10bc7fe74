package customer

import (
	"fmt"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/bundle"
)

// bundle takes a version of the rules.
func (f *Function) bundle() error {
	b := f.ev.Bundle
	if b == nil || b.ID == "" {
		return f.refuse(event.TypeBundle)
	}
	if b.Semantics > program.Semantics {
		return fmt.Errorf("customer: bundle %s needs semantics %d, this binary knows up to %d: run a newer one", b.ID, b.Semantics, program.Semantics)
	}
	e := f.frame(event.KindControl)
	e.Cause.ID, e.BundleID = b.ID, b.ID
	e.Control = &event.ControlFact{BundleID: b.ID, EffectiveFrom: b.EffectiveFrom}
	for _, known := range f.bundles {
		if known.id == b.ID {
			e.Outcome = event.OutcomeDuplicate
			e.Control.EffectiveFrom = known.effective
			return f.close(nil, e)
		}
	}
	rules, problems := bundle.Parse(b.Files)
	if len(problems) > 0 || rules.ID != b.ID || len(f.bundles) == maxBundles {
		e.Outcome, e.Reason, e.BundleID, e.Control = event.OutcomeRejected, event.ReasonInvalid, "", nil
		return f.close(nil, e)
	}
	s := shelved{bundle: *b}
	if len(f.bundles) > 0 {
		s.from = max(b.EffectiveFrom, f.p.clock)
		e.Control.Late = b.EffectiveFrom < f.p.clock
	}
	raw, err := s.append(nil)
	if err != nil {
		return err
	}
	f.tx.Put(bundleKey(len(f.bundles)), raw, 0)
	f.put(&s, rules)
	e.Control.Files = b.Files
	if s.from <= f.p.clock {
		f.startSweep(event.Cause{Type: event.TypeBundle, ID: b.ID})
		f.savePartition(f.tx)
	}
	e.Outcome = event.OutcomeApplied
	return f.close(nil, e)
}

// cutPoints puts the quintiles of a day in force: the first of a day wins.
func (f *Function) cutPoints() error {
	c := f.ev.CutPoints
	if c == nil || c.Day == 0 {
		return f.refuse(event.TypeCutPoints)
	}
	e := f.frame(event.KindControl)
	e.Cause.ID = c.Day.String()
	e.Control = &event.ControlFact{CutPoints: c}
	switch {
	case f.cuts != nil && c.Day == f.cuts.Day:
		e.Outcome = event.OutcomeDuplicate
		return f.close(nil, e)
	case f.cuts != nil && c.Day < f.cuts.Day:
		e.Outcome, e.Reason = event.OutcomeRejected, event.ReasonOutdated
		return f.close(nil, e)
	}
	f.cuts = c
	f.tx.Put(keyCutPoints, appendCuts(f.buf[:0], c), 0)
	f.startSweep(event.Cause{Type: event.TypeCutPoints, ID: c.Day.String()})
	f.savePartition(f.tx)
	e.Outcome = event.OutcomeApplied
	return f.close(nil, e)
}

// history opens or closes the bracket of an import.
func (f *Function) history() error {
	if f.ev.History == nil {
		return f.refuse(f.ev.Type)
	}
	begin := f.ev.Type == event.TypeHistoryBegin
	e := f.frame(event.KindControl)
	e.Cause.ID = f.ev.History.Source
	e.IsHistory = true // the bracket's own ends belong to it
	e.Control = &event.ControlFact{HistorySource: f.ev.History.Source}
	e.Outcome = event.OutcomeApplied
	if begin == f.p.inside {
		e.Outcome = event.OutcomeDuplicate
		e.IsHistory = f.p.inside
		return f.close(nil, e)
	}
	f.p.inside, f.p.history = begin, ""
	if begin {
		f.p.history = f.ev.History.Source
	}
	f.savePartition(f.tx)
	return f.close(nil, e)
}

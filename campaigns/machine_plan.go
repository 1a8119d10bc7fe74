package campaigns

import (
	"slices"

	"github.com/punchcard/punchcard/event"
)

// inForce is the bundle in force; nil: none yet.
func (m *Machine) inForce() *shelved {
	if len(m.shelf) == 0 || m.p.inForce == 0 || m.shelf[0].n != m.p.inForce-1 {
		return nil
	}
	return &m.shelf[0]
}

// put takes a bundle to the shelf, by when it comes into force; of two of one
// instant the later one stays behind the other, and so replaces it.
func (m *Machine) put(s shelved) (err error) {
	if s.plan, err = m.parse(s.files); err != nil {
		return halted("bundle "+s.id+" was accepted and does not parse", err)
	}
	at := len(m.shelf)
	for at > 0 && m.shelf[at-1].from > s.from {
		at--
	}
	m.shelf = slices.Insert(m.shelf, at, s)
	return nil
}

// control takes a bundle. History brackets and cut points are marks on entries.
func (m *Machine) control() error {
	in := m.in
	if in.Cause.Type != event.TypeBundle || in.Outcome != event.OutcomeApplied || in.Control == nil || len(in.Control.Files) == 0 {
		return nil
	}
	s := shelved{n: m.p.bundles, id: in.Control.BundleID, files: in.Control.Files}
	if m.p.bundles > 0 {
		s.from = max(in.Control.EffectiveFrom, m.clock)
	}
	m.buf = s.append(m.buf[:0])
	m.st.Put(bundleKey(s.n), m.buf, 0)
	if err := m.put(s); err != nil {
		return err
	}
	m.p.bundles++
	m.savePartition()
	if s.from <= m.clock {
		return m.turn()
	}
	m.send(&event.CampaignEntry{Kind: event.CampaignControl, EventTime: in.EventTime})
	return nil
}

// turn puts bundles in force whose time has come, each as an entry of its own: what
// the entry being taken means is then judged by them.
func (m *Machine) turn() error {
	for {
		next := 0
		if m.inForce() != nil {
			next = 1
		}
		if next >= len(m.shelf) || m.shelf[next].from > m.clock {
			return nil
		}
		old := m.plan()
		if !m.in.IsHistory {
			m.startSchedules(old, m.shelf[next].from-1)
		}
		if next == 1 {
			m.st.Delete(bundleKey(m.shelf[0].n))
			m.shelf = slices.Delete(m.shelf, 0, 1)
		}
		m.p.inForce = m.shelf[0].n + 1
		m.activate(old)
		m.savePartition()
		m.saveJobs()
		m.send(&event.CampaignEntry{Kind: event.CampaignControl, EventTime: max(m.shelf[0].from, m.in.EventTime)})
	}
}

// activate begins what a new plan brings: runs of campaigns that are gone end,
// campaigns that came with existing: true run for who is in their segment.
func (m *Machine) activate(old *Plan) {
	plan := m.plan()
	m.p.fresh = nil
	for i := range plan.Campaigns {
		c := &plan.Campaigns[i]
		if !c.Existing || c.Trigger.Segment == "" || c.Trigger.Kind == Scheduled || c.Trigger.Kind == SegmentLeft || old.has(c.ID) || m.in.IsHistory {
			continue
		}
		m.p.fresh = append(m.p.fresh, c.ID)
		m.jobs = append(m.jobs, job{kind: jobExisting, campaign: c.ID, time: m.clock, name: m.BundleID()})
	}
	if old == nil {
		return
	}
	for i := range old.Campaigns {
		if !plan.has(old.Campaigns[i].ID) {
			m.jobs = slices.DeleteFunc(m.jobs, func(j job) bool { return j.kind == jobWithdraw })
			m.jobs = append(m.jobs, job{kind: jobWithdraw, time: m.clock})
			return
		}
	}
}

func (p *Plan) has(id string) bool {
	if p == nil {
		return false
	}
	_, ok := p.Find(id)
	return ok
}

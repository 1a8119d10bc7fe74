package campaigns

import (
	"slices"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

const (
	// maxVisits bounds what one tick's slice of a sweep looks at, visitPage how much
	// of it is read ahead.
	maxVisits = 4096
	visitPage = 512
	// maxMoments bounds the moments of one schedule that a jump of the clock starts:
	// the newest ones.
	maxMoments = 31
)

// tick moves the clock: runs that are due are decided, schedules whose moment has
// come begin, sweeps go on. Inside history nothing of it happens.
func (m *Machine) tick() error {
	in := m.in
	if in.Tick == nil || in.Outcome != event.OutcomeApplied {
		return nil
	}
	m.who = customerDesk{}
	fired, more := 0, false
	if !in.IsHistory {
		m.startSchedules(m.plan(), m.clock)
		fired, more = m.fireDue()
		if !more {
			fired = m.goOn(fired)
		}
		more = more || len(m.jobs) > 0
	}
	m.p.clock, m.p.scheduled = m.clock, m.clock
	m.saveJobs()
	m.savePartition()
	m.send(&event.CampaignEntry{
		Kind: event.CampaignTick, EventTime: in.EventTime,
		Tick: &event.TickFact{Slice: in.Tick.Slice, Fired: int64(fired), MoreDue: more},
	})
	return nil
}

// fireDue decides the runs that are due by the clock, up to the limit.
func (m *Machine) fireDue() (fired int, more bool) {
	for ; ; fired++ {
		key, _, ok := m.st.Due(m.clock)
		if !ok || fired == MaxDecisionsPerTick {
			return fired, ok
		}
		m.fireKey(slices.Clone(key))
	}
}

// fireKey decides the run of a key that is due.
func (m *Machine) fireKey(key []byte) {
	customerID, _, ok := cutRunKey(key)
	raw, found := m.st.Get(key)
	if !ok || !found {
		panic("campaigns: key " + string(key) + " is due and no run")
	}
	r := &run{}
	packed.Must(r.decode(key, raw), key)
	m.open(customerID)
	m.fire(r)
}

// ownRuns decides the runs of the customer at the desk that are due: before
// anything else happens to it.
func (m *Machine) ownRuns() {
	for _, r := range m.waitingRuns() {
		if r.due <= m.clock {
			m.fire(r)
		}
	}
}

// waitingRuns reads the runs of the customer at the desk, as they are due.
func (m *Machine) waitingRuns() (runs []*run) {
	from, to := runsOf(m.who.id)
	m.st.Scan(from, to, func(key, value []byte) bool {
		r := &run{}
		packed.Must(r.decode(key, value), key)
		runs = append(runs, r)
		return true
	})
	slices.SortStableFunc(runs, func(a, b *run) int { return int(min(max(a.due-b.due, -1), 1)) })
	return runs
}

// startSchedules begins sweeps for a plan's moments that have not begun, up to an
// instant.
func (m *Machine) startSchedules(plan *Plan, until event.Time) {
	before := m.p.scheduled
	if plan == nil || before == 0 || before >= until {
		return
	}
	m.p.scheduled = until
	for i := range plan.Campaigns {
		c := &plan.Campaigns[i]
		if c.Trigger.Kind != Scheduled {
			continue
		}
		moments := c.Trigger.Schedule.between(before, until, plan.zone())
		if n := len(moments) - maxMoments; n > 0 {
			moments = moments[n:]
		}
		for _, t := range moments {
			m.jobs = append(m.jobs, job{kind: jobSchedule, campaign: c.ID, time: t, name: t.Std().In(plan.zone()).Format("2006-01-02 15:04")})
		}
	}
}

// goOn visits the next customers of sweeps, one sweep after the other.
func (m *Machine) goOn(fired int) int {
	for visits := 0; len(m.jobs) > 0 && visits < maxVisits && fired < MaxDecisionsPerTick; {
		j := &m.jobs[0]
		page, seen, next := m.page(j, MaxDecisionsPerTick-fired)
		visits += seen
		for _, key := range page {
			if j.kind == jobWithdraw {
				m.fireKey([]byte(key))
			} else {
				m.visit(j, key)
			}
			fired++
		}
		if next == "" {
			m.jobs = slices.Delete(m.jobs, 0, 1)
			continue
		}
		j.next = next
	}
	return fired
}

// page reads on in a sweep: the customers (withdraw: the keys of runs) that it
// decides, at most so many, how many it has seen, and where it goes on, "": it is at
// the end.
func (m *Machine) page(j *job, most int) (found []string, seen int, next string) {
	if j.kind == jobWithdraw {
		return m.gonePage(j, most)
	}
	c := m.find(j.campaign)
	if c == nil {
		return nil, 0, ""
	}
	m.st.Scan(keyOf(kindCustomer, j.next), []byte{kindCustomer + 1}, func(key, value []byte) bool {
		id := string(key[1:])
		if seen == visitPage || len(found) == most {
			next = id
			return false
		}
		seen++
		var who customer
		packed.Must(who.decode(id, value), key)
		if who.in(c.Trigger.Segment) {
			found = append(found, id)
		}
		return true
	})
	return found, seen, next
}

// gonePage finds runs of campaigns that the plan does not have.
func (m *Machine) gonePage(j *job, most int) (found []string, seen int, next string) {
	from := []byte(j.next)
	if len(from) == 0 {
		from = []byte{kindRun}
	}
	plan := m.plan()
	m.st.Scan(from, []byte{kindRun + 1}, func(key, value []byte) bool {
		if seen == visitPage || len(found) == most {
			next = string(key)
			return false
		}
		seen++
		var r run
		packed.Must(r.decode(key, value), key)
		if !plan.has(r.campaign) {
			found = append(found, string(key))
		}
		return true
	})
	return found, seen, next
}

// visit starts the run of a sweep for one customer.
func (m *Machine) visit(j *job, customerID string) {
	m.open(customerID)
	t := wasThere(m.find(j.campaign).Trigger.Segment, j.name, j.time)
	if j.kind == jobSchedule {
		t = trigger{
			kind: Scheduled, detail: j.name, time: j.time, cause: event.Cause{Type: event.TypeTick, Name: string(Scheduled), ID: j.name},
			discriminator: string(Scheduled) + ":" + j.name,
		}
	}
	t.simulated = m.who.c.standing.IsSimulated
	m.start(m.find(j.campaign), &t)
}

// wasThere is the trigger of who was in a segment before a bundle came that has a
// campaign for it with existing: true.
func wasThere(segment, bundleID string, at event.Time) trigger {
	return trigger{
		kind: ExistingMembers, detail: segment, time: at, cause: event.Cause{Type: event.TypeBundle, ID: bundleID},
		discriminator: string(ExistingMembers) + ":" + bundleID, bundle: bundleID,
	}
}

// between returns the moments of a schedule later than from, up to until.
func (s *Schedule) between(from, until event.Time, zone *time.Location) (moments []event.Time) {
	first, last := event.DayOf(from, zone), event.DayOf(until, zone)
	if s.Date != 0 {
		first, last = max(first-1, event.Day(s.Date)), min(last, event.Day(s.Date))
	}
	// No more days than maxMoments of the rarest kind, once a month.
	for d := max(first, last-maxMoments*31); d <= last; d++ {
		if !s.on(d) {
			continue
		}
		if t, ok := moment(d, s.Minute, zone); ok && from < t && t <= until {
			moments = append(moments, t)
		}
	}
	return moments
}

// on reports whether the schedule runs on a day.
func (s *Schedule) on(d event.Day) bool {
	_, _, monthDay := d.Date()
	weekday := time.Weekday((int(d) + 4) % 7) // 1970-01-01 was a Thursday
	return (s.Date == 0 || d == event.Day(s.Date)) &&
		(len(s.Weekdays) == 0 || slices.Contains(s.Weekdays, weekday)) &&
		(s.MonthDay == 0 || s.MonthDay == monthDay)
}

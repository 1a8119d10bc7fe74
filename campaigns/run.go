package campaigns

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/segments"
)

// attempt is one run that is being looked at, with all that its stages ask for.
type attempt struct {
	m       *Machine
	plan    *Plan
	c       *Campaign
	who     *customer
	id      string // of the customer
	run     *run
	track   track
	counter counter
	variant int // index of the arm, once assigned to one
	now     event.Time
	at      event.Time // of what lets us look at the run: its trigger, its timer, an event
	read    struct {
		track   track
		counter counter
	}
}

// RunID names the run of a trigger for ever. It is the first 32 hex digits of
// SHA-256 of "run", campaign, customer, partition, ledger sequence and
// discriminator, joined by zero bytes, numbers in decimal. Runs of a sweep have
// sequence 0 and a discriminator: "schedule:" and the moment in the program's zone
// (2026-03-31 10:00), or "existing:" and the bundle's id; others have an empty one.
func RunID(campaignID, customerID string, partition int32, sequence int64, discriminator string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		"run", campaignID, customerID, strconv.FormatInt(int64(partition), 10), strconv.FormatInt(sequence, 10), discriminator,
	}, "\x00")))
	return hex.EncodeToString(sum[:runIDBytes])
}

// start begins the run of a trigger for the customer at the desk.
func (m *Machine) start(c *Campaign, t *trigger) {
	r := &run{
		id:       RunID(c.ID, m.who.id, m.partition, t.sequence, t.discriminator),
		campaign: c.ID, trigger: t.kind, detail: t.detail, time: t.time, cause: t.cause, earned: t.earned, simulated: t.simulated,
		priority: byte(min(max(c.Priority, 0), maxPriority)), ready: t.time,
	}
	a := m.attempt(r, c, t.time)
	if t.bundle == "" && slices.Contains(m.p.fresh, c.ID) {
		t.bundle = m.BundleID()
	}
	if t.kind == ExistingMembers && a.track.existing == t.bundle {
		return
	}
	if t.bundle != "" {
		a.track.existing = t.bundle
	}
	switch {
	case c.Paused:
		a.hold(event.HeldPaused)
	case a.goesAlready():
		a.hold(event.HeldReEntry)
	case c.Delay > 0 || c.WaitFor != nil:
		r.phase = phaseDelay
		a.delay(t.time.Add(c.Delay))
	default:
		a.judge()
	}
}

// attempt reads what belongs to a run; c is nil when the campaign is withdrawn.
func (m *Machine) attempt(r *run, c *Campaign, at event.Time) *attempt {
	a := &attempt{m: m, plan: m.plan(), c: c, who: &m.who.c, id: m.who.id, run: r, now: m.clock, at: at}
	if c != nil {
		r.version, r.channel, r.purpose = c.Version, c.Channel, string(c.Purpose)
	}
	key := keyOfTwo(kindTrack, a.id, r.campaign)
	if raw, ok := m.st.Get(key); ok {
		packed.Must(a.track.decode(raw), key)
	}
	key = keyOf(kindCounter, r.campaign)
	if raw, ok := m.st.Get(key); ok {
		packed.Must(a.counter.decode(raw), key)
	}
	a.counter.at(a.now)
	a.read.track, a.read.counter = a.track, a.counter
	return a
}

// fire goes on with a run of the customer at the desk that has waited until now.
func (m *Machine) fire(r *run) {
	a := m.attempt(r, m.find(r.campaign), r.due)
	switch {
	case a.c == nil:
		a.hold(event.HeldWithdrawn)
	case a.c.Paused:
		a.hold(event.HeldPaused)
	case r.phase == phaseDelay:
		a.delay(r.due)
	case r.phase == phaseEvent:
		a.missing()
	default:
		a.judge()
	}
}

// delay waits until the campaign's delay is over, then for its event.
func (a *attempt) delay(over event.Time) {
	if over > a.now {
		a.postpone(event.PostponedDelay, over)
		return
	}
	a.run.ready = max(a.run.ready, over)
	w := a.c.WaitFor
	if w == nil || a.run.came {
		a.judge()
		return
	}
	a.run.phase = phaseEvent
	if end := over.Add(w.Within); end > a.now {
		a.postpone(event.PostponedWaiting, end)
	} else {
		a.run.due = end
		a.missing()
	}
}

// missing ends the wait for an event that has not come.
func (a *attempt) missing() {
	a.run.ready = max(a.run.ready, a.run.due)
	if w := a.c.WaitFor; w != nil && !w.SendIfMissing {
		a.hold(event.HeldEventMissing)
		return
	}
	a.judge()
}

// eventCame looks for runs of the customer at the desk that wait for the event of
// the entry. It counts from the trigger on; one that happened before and came late
// is none.
func (m *Machine) eventCame() {
	for _, r := range m.waitingRuns() {
		c := m.find(r.campaign)
		if c == nil || c.WaitFor == nil || r.phase == phaseReady || r.came {
			continue
		}
		w := c.WaitFor
		if w.Event != m.in.Cause.Name || m.in.EventTime < r.time || !segments.MatchEntry(w.Where, m.in) {
			continue
		}
		a := m.attempt(r, c, m.in.EventTime)
		switch {
		case c.Paused:
			a.hold(event.HeldPaused)
		case !w.SendIfComes:
			a.hold(event.HeldEventCame)
		case r.phase == phaseDelay:
			r.came = true
			m.st.Put(r.key, r.append(nil), r.due)
			m.who.changed = true // so that an entry carries it
		default:
			r.ready = max(r.ready, min(m.in.EventTime, a.now))
			a.judge()
		}
	}
}

// judge passes the run through the stages; the first that stops it decides.
func (a *attempt) judge() {
	if a.run.queued {
		a.run.queued = false
		a.counter.queued--
	}
	a.run.phase = phaseReady
	for _, s := range stages {
		v := s(a)
		switch v.outcome {
		case event.CampaignHeld:
			a.hold(v.reason)
			return
		case event.CampaignPostponed:
			a.postpone(v.reason, v.until)
			return
		}
	}
	msg, ok := a.render()
	if !ok {
		a.hold(event.HeldNotRendered)
		return
	}
	a.record(msg)
}

func (a *attempt) hold(reason string) {
	a.leave()
	a.emit(event.CampaignHeld, reason, 0, nil)
}

// record sends the message: it counts for caps and limits from now on.
func (a *attempt) record(msg *event.Message) {
	a.leave()
	a.counter.inHour++
	a.counter.sent++
	key := keyOf(kindSends, a.id)
	a.m.st.Put(key, a.sends().add(send{time: a.now, channel: a.c.Channel, purpose: a.c.Purpose}).append(nil), 0)
	a.emit(event.CampaignSent, "", 0, msg)
}

func (a *attempt) sends() sends {
	key := keyOf(kindSends, a.id)
	raw, ok := a.m.st.Get(key)
	if !ok {
		return nil
	}
	s, err := decodeSends(raw)
	packed.Must(err, key)
	return s
}

// postpone lets the run wait.
func (a *attempt) postpone(reason string, until event.Time) {
	r := a.run
	if r.key == nil {
		a.who.waiting++
		a.m.who.changed = true
		a.track.waiting++
		r.key = runKey(a.id, r)
	}
	r.due = until
	a.m.st.Put(r.key, r.append(nil), until)
	a.emit(event.CampaignPostponed, reason, until, nil)
}

// leave ends the run's wait.
func (a *attempt) leave() {
	r := a.run
	if r.queued {
		r.queued = false
		a.counter.queued--
	}
	if r.key == nil {
		return
	}
	a.m.st.Delete(r.key)
	r.key = nil
	a.who.waiting--
	a.m.who.changed = true
	a.track.waiting--
}

// emit writes what has changed and makes the entry of a decision.
func (a *attempt) emit(outcome event.CampaignOutcome, reason string, until event.Time, msg *event.Message) {
	r := a.run
	a.save()
	a.m.send(&event.CampaignEntry{
		Kind: event.CampaignDecided, CustomerID: a.id, EventTime: a.at, IsSimulated: r.simulated,
		Decision: &event.CampaignDecision{
			CampaignID: r.campaign, Version: r.version, RunID: r.id, Trigger: string(r.trigger), Detail: r.detail, TriggerTime: r.time, Cause: r.cause,
			Outcome: outcome, Reason: reason, Until: until, Arm: r.arm, Channel: r.channel, Purpose: r.purpose,
		},
		Message: msg,
	})
}

// save writes track and counter when they changed.
func (a *attempt) save() {
	if a.track != a.read.track {
		a.m.st.Put(keyOfTwo(kindTrack, a.id, a.run.campaign), a.track.append(nil), 0)
	}
	if a.counter != a.read.counter {
		a.m.st.Put(keyOf(kindCounter, a.run.campaign), a.counter.append(nil), 0)
	}
}

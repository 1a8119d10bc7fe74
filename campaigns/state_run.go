package campaigns

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/punchcard/punchcard/event"
)

// phase says what a run waits for.
type phase byte

const (
	phaseDelay phase = iota + 1 // the campaign's delay
	phaseEvent                  // the event of wait_for, or its end
	phaseReady                  // the end of quiet hours, or another hour: then all stages are judged again
)

// run is one trigger of one campaign for one customer, as it waits.
type run struct {
	id string // 32 hex digits
	// What triggered it.
	campaign, version string
	trigger           TriggerKind
	detail            string
	time              event.Time
	cause             event.Cause
	earned            int64
	simulated         bool
	// Of the campaign, in case it is withdrawn.
	channel, purpose string
	priority         byte

	phase phase
	due   event.Time
	// ready is when the waits that the campaign asked for were over: its age counts
	// from there.
	ready event.Time
	// came: the event of wait_for came before the delay was over. assigned: holdout
	// or arm are decided. queued: it waits for another hour.
	came, assigned, queued bool
	arm                    string

	key []byte // in the state; nil: it has never waited
}

func (r *run) append(b []byte) []byte {
	w := encoder{b: append(b, stateFormat)}
	w.string(r.campaign)
	w.string(r.version)
	w.string(string(r.trigger))
	w.string(r.detail)
	w.time(r.time)
	w.cause(r.cause)
	w.int(r.earned)
	w.string(r.channel)
	w.string(r.purpose)
	w.byte(byte(r.phase))
	w.time(r.due)
	w.time(r.ready)
	w.flags(r.came, r.assigned, r.queued, r.simulated)
	w.string(r.arm)
	return w.b
}

func (r *run) decode(key, b []byte) error {
	d := decoder{b: b}
	d.open()
	r.campaign, r.version = d.string(), d.string()
	r.trigger, r.detail, r.time, r.cause = TriggerKind(d.string()), d.string(), d.time(), d.cause()
	r.earned = d.int()
	r.channel, r.purpose = d.string(), d.string()
	r.phase, r.due, r.ready = phase(d.byte()), d.time(), d.time()
	flags := d.byte()
	r.came, r.assigned, r.queued, r.simulated = flags&1 != 0, flags&2 != 0, flags&4 != 0, flags&8 != 0
	r.arm = d.string()
	_, id, ok := cutRunKey(key)
	if !ok {
		return fmt.Errorf("%w: key of a run", errState)
	}
	r.id, r.priority, r.key = hex.EncodeToString(id[1:]), maxPriority-id[0], bytes.Clone(key)
	return d.end("run")
}

const (
	runIDBytes  = 16
	maxPriority = 100
)

// runKey orders a customer's runs of one moment by descending priority.
func runKey(customerID string, r *run) []byte {
	raw, err := hex.DecodeString(r.id)
	mustDecode(err, []byte(r.id))
	return append(append(keyOf(kindRun, customerID), 0, maxPriority-r.priority), raw...)
}

// cutRunKey splits a run's key: the customer, then priority and id.
func cutRunKey(key []byte) (customerID string, rest []byte, ok bool) {
	n := len(key) - 2 - runIDBytes
	if n < 1 || key[0] != kindRun || key[n] != 0 {
		return "", nil, false
	}
	return string(key[1:n]), key[n+1:], true
}

// runsOf is the range of a customer's runs.
func runsOf(customerID string) (from, to []byte) {
	return append(keyOf(kindRun, customerID), 0), append(keyOf(kindRun, customerID), 1)
}

// track is a customer's way through one campaign.
type track struct {
	// assigned is the clock at the last assignment, to a holdout or an arm; has
	// says that there was one.
	assigned event.Time
	has      bool
	waiting  int64 // runs of it
	// existing is the bundle that brought the campaign with existing: true, once it
	// has triggered for the customer: it does so for who was there before only once.
	existing string
}

func (t *track) append(b []byte) []byte {
	w := encoder{b: append(b, stateFormat)}
	w.flags(t.has)
	w.time(t.assigned)
	w.int(t.waiting)
	w.string(t.existing)
	return w.b
}

func (t *track) decode(b []byte) error {
	r := decoder{b: b}
	r.open()
	t.has = r.byte() == 1
	t.assigned, t.waiting, t.existing = r.time(), r.int(), r.string()
	return r.end("track")
}

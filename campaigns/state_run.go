package campaigns

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
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
	w := packed.Encoder{B: append(b, stateFormat)}
	w.String(r.campaign)
	w.String(r.version)
	w.String(string(r.trigger))
	w.String(r.detail)
	w.Time(r.time)
	w.Cause(r.cause)
	w.Int(r.earned)
	w.String(r.channel)
	w.String(r.purpose)
	w.Byte(byte(r.phase))
	w.Time(r.due)
	w.Time(r.ready)
	w.Flags(r.came, r.assigned, r.queued, r.simulated)
	w.String(r.arm)
	return w.B
}

func (r *run) decode(key, b []byte) error {
	d := packed.Decoder{B: b}
	d.Format(stateFormat)
	r.campaign, r.version = d.Text(), d.Text()
	r.trigger, r.detail, r.time, r.cause = TriggerKind(d.Text()), d.Text(), d.Time(), d.Cause()
	r.earned = d.Int()
	r.channel, r.purpose = d.Text(), d.Text()
	r.phase, r.due, r.ready = phase(d.Byte()), d.Time(), d.Time()
	flags := d.Byte()
	r.came, r.assigned, r.queued, r.simulated = flags&1 != 0, flags&2 != 0, flags&4 != 0, flags&8 != 0
	r.arm = d.Text()
	_, id, ok := cutRunKey(key)
	if !ok {
		return fmt.Errorf("%w: key of a run", packed.ErrState)
	}
	r.id, r.priority, r.key = hex.EncodeToString(id[1:]), maxPriority-id[0], bytes.Clone(key)
	return d.End("run")
}

const (
	runIDBytes  = 16
	maxPriority = 100
)

// runKey orders a customer's runs of one moment by descending priority.
func runKey(customerID string, r *run) []byte {
	raw, err := hex.DecodeString(r.id)
	packed.Must(err, []byte(r.id))
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
	w := packed.Encoder{B: append(b, stateFormat)}
	w.Flags(t.has)
	w.Time(t.assigned)
	w.Int(t.waiting)
	w.String(t.existing)
	return w.B
}

func (t *track) decode(b []byte) error {
	r := packed.Decoder{B: b}
	r.Format(stateFormat)
	t.has = r.Byte() == 1
	t.assigned, t.waiting, t.existing = r.Time(), r.Int(), r.Text()
	return r.End("track")
}

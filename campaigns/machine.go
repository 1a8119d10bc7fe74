package campaigns

import (
	"fmt"
	"slices"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/program"
)

const (
	// MaxDecisionsPerTick bounds the runs that one tick's slice decides: those that
	// are due, and those of sweeps.
	MaxDecisionsPerTick = 256
	// MaxWaiting bounds the runs of one customer that wait; one more is held as
	// re_entry.
	MaxWaiting = 200
	// maxZones bounds the time zones that are kept by name.
	maxZones = 1024
)

// Parser reads the campaigns of a bundle's files.
type Parser func(files map[string]string) (*Plan, error)

// Machine decides one partition's campaigns. It is used by one goroutine.
type Machine struct {
	partition, partitions int32
	parse                 Parser
	zones                 map[string]*time.Location

	// What the state holds, too.
	loaded bool
	p      partition
	shelf  []shelved // the plan in force first, then those to come, ascending
	jobs   []job

	// Of the entry being taken.
	st      State
	in      *event.Entry
	emit    func(*event.CampaignEntry)
	clock   event.Time
	emitted int
	who     customerDesk
	buf     []byte
}

// customerDesk is the one customer that is looked at.
type customerDesk struct {
	id      string
	c       customer
	changed bool // since it was read or written
}

// NewMachine makes the machine of a partition; it reads its state at the first
// entry.
func NewMachine(partition, partitions int32, parse Parser) *Machine {
	return &Machine{partition: partition, partitions: partitions, parse: parse, zones: map[string]*time.Location{}}
}

// Take decides what one ledger entry means and emits campaign entries, filled but
// for v, partition, sequence, source offset and index, semantics and ledger
// sequence. What is written to st before an emit belongs to that entry; nothing is
// written after the last one, and nothing at all when there is none. An entry that
// is emitted is not used again. An error halts: state that cannot be read, a bundle
// that the log has accepted and that does not parse.
func (m *Machine) Take(st State, in *event.Entry, emit func(*event.CampaignEntry)) error {
	m.st, m.in, m.emit, m.emitted = st, in, emit, 0
	if err := m.Load(st); err != nil {
		return err
	}
	m.clock = max(m.p.clock, in.EntryTime)
	if err := m.turn(); err != nil {
		return err
	}
	switch {
	case in.Kind == event.KindControl:
		return m.control()
	case in.Kind == event.KindTick:
		return m.tick()
	case event.Identified(in.AccountID):
		m.customer()
	}
	return nil
}

// Load reads the state, unless it is read already.
func (m *Machine) Load(st State) error {
	if m.loaded {
		return nil
	}
	if raw, ok := st.Get(keyPartition); ok {
		if err := m.p.decode(raw); err != nil {
			return err
		}
	}
	if raw, ok := st.Get(keyJobs); ok {
		var err error
		if m.jobs, err = decodeJobs(raw); err != nil {
			return err
		}
	}
	var err error
	st.Scan(bundlesFrom, bundlesTo, func(key, value []byte) bool {
		var s shelved
		if err = s.decode(key, value); err == nil {
			err = m.put(s)
		}
		return err == nil
	})
	m.loaded = err == nil
	return err
}

// Clock is the clock of the newest tick that was taken.
func (m *Machine) Clock() event.Time { return max(m.clock, m.p.clock) }

// BundleID is the bundle in force, "": none.
func (m *Machine) BundleID() string {
	if s := m.inForce(); s != nil {
		return s.id
	}
	return ""
}

// plan is the plan in force, nil: none.
func (m *Machine) plan() *Plan {
	if s := m.inForce(); s != nil {
		return s.plan
	}
	return nil
}

// customer takes an entry of an identified customer.
func (m *Machine) customer() {
	m.open(m.in.AccountID)
	if m.who.c.waiting > 0 && !m.in.IsHistory {
		m.ownRuns()
	}
	before := m.who.c.standing
	m.learn()
	if m.plan() != nil && !m.in.IsHistory {
		if m.who.c.waiting > 0 && m.counts() {
			m.eventCame()
		}
		m.triggers(&before)
	}
	if m.who.changed {
		m.send(&event.CampaignEntry{Kind: event.CampaignStanding, CustomerID: m.who.id, EventTime: m.in.EventTime, IsSimulated: m.in.IsSimulated})
	}
}

// open takes a customer to the desk.
func (m *Machine) open(id string) {
	m.who = customerDesk{id: id, c: customer{standing: event.Standing{CustomerID: id}}}
	key := keyOf(kindCustomer, id)
	if raw, ok := m.st.Get(key); ok {
		packed.Must(m.who.c.decode(id, raw), key)
	}
}

// learn takes what the entry says; what we keep no part of changes nothing.
func (m *Machine) learn() {
	if m.in.Standing == nil && len(m.in.Facts) == 0 {
		return
	}
	before := m.who.c.append(nil)
	m.who.c.consents = slices.Clone(m.who.c.consents)
	m.who.c.learn(m.in)
	m.buf = m.who.c.append(m.buf[:0])
	m.who.changed = m.who.changed || string(before) != string(m.buf)
}

// send emits an entry, with the customer as it stands by now.
func (m *Machine) send(e *event.CampaignEntry) {
	if m.who.changed {
		m.buf = m.who.c.append(m.buf[:0])
		m.st.Put(keyOf(kindCustomer, m.who.id), m.buf, 0)
		m.who.changed = false
	}
	e.BundleID, e.EntryTime, e.IsHistory = m.BundleID(), m.clock, m.in.IsHistory
	m.emitted++
	m.emit(e)
}

func (m *Machine) savePartition() {
	m.buf = m.p.append(m.buf[:0])
	m.st.Put(keyPartition, m.buf, 0)
}

func (m *Machine) saveJobs() {
	if len(m.jobs) == 0 {
		m.st.Delete(keyJobs)
		return
	}
	m.buf = appendJobs(m.buf[:0], m.jobs)
	m.st.Put(keyJobs, m.buf, 0)
}

// zone is the customer's time zone; the program's when it is unknown.
func (m *Machine) zone(name string) *time.Location {
	if name != "" && name != "Local" {
		z, known := m.zones[name]
		if !known {
			z, _ = time.LoadLocation(name) // nil: no such zone
			if len(m.zones) < maxZones {
				m.zones[name] = z
			}
		}
		if z != nil {
			return z
		}
	}
	return m.plan().zone()
}

func (p *Plan) zone() *time.Location {
	if p == nil {
		return time.UTC
	}
	return zoneOf(p.Book)
}

func zoneOf(b *program.Book) *time.Location {
	if b == nil || b.Zone == nil {
		return time.UTC
	}
	return b.Zone
}

// find returns a campaign of the plan in force.
func (m *Machine) find(id string) *Campaign {
	p := m.plan()
	if p == nil {
		return nil
	}
	c, ok := p.Find(id)
	if !ok {
		return nil
	}
	return c
}

// halted wraps what stops the partition.
func halted(what string, err error) error { return fmt.Errorf("campaigns: %s: %w", what, err) }

package campaigns

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/rulefile"
	"github.com/punchcard/punchcard/segments"
)

// store is a Machine's state in memory. It keeps what was written since the last
// entry, as an entry's header does.
type store struct {
	program.MemState
	writes []event.StateWrite
}

func (s *store) Put(key, value []byte, due event.Time) {
	s.MemState.Put(key, value, due)
	s.writes = append(s.writes, event.StateWrite{Key: bytes.Clone(key), Value: append([]byte{}, value...), Due: due})
}

func (s *store) Delete(key []byte) {
	s.MemState.Delete(key)
	s.writes = append(s.writes, event.StateWrite{Key: bytes.Clone(key)})
}

func (s *store) Due(clock event.Time) (first []byte, at event.Time, ok bool) {
	s.Scan([]byte{kindRun}, []byte{kindRun + 1}, func(key, _ []byte) bool {
		if due := s.MemState.Due(key); due != 0 && due <= clock && (!ok || due < at) {
			first, at, ok = bytes.Clone(key), due, true
		}
		return true
	})
	return first, at, ok
}

// failer is a testing.TB or a rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is one partition in memory: a program, its segments, and the campaigns that
// read what both decide. It does around them what processors do.
type world struct {
	t                     failer
	partition, partitions int32

	lib     *program.Library
	keeper  *segments.Keeper
	sets    map[string]*segments.Set
	rules   *program.MemState
	bundles []event.ControlFact
	clock   event.Time
	inside  bool   // of history
	sweep   string // bundle whose activation is to visit all accounts, "": none
	step    int64  // entries of the ledger

	machine *Machine
	st      *store
	replica *program.MemState // what the writes of all entries give
	ledger  [][]byte
	log     [][]byte // campaign entries with their writes, as bytes
	took    []int    // of each ledger entry, how many entries of the log
	entries []event.CampaignEntry
}

func newWorld(t failer, partition, partitions int32) *world {
	lib := program.NewLibrary()
	w := &world{
		t: t, partition: partition, partitions: partitions, lib: lib, keeper: segments.NewKeeper(lib), sets: map[string]*segments.Set{},
		rules: &program.MemState{}, st: &store{}, replica: &program.MemState{},
	}
	w.machine = w.newMachine()
	return w
}

func (w *world) newMachine() *Machine {
	return NewMachine(w.partition, w.partitions, func(files map[string]string) (*Plan, error) {
		plan, _, _, err := parseBundle(files)
		return plan, err
	})
}

// parseBundle reads all files of a bundle, as package program/bundle does.
func parseBundle(files map[string]string) (*Plan, *program.Book, *segments.Set, error) {
	book, problems := program.Parse(files)
	if len(problems) > 0 {
		return nil, nil, nil, fmt.Errorf("%s", problems[0])
	}
	c := &rulefile.Complaints{}
	conditions := Conditions(files, book, c)
	if !c.None() {
		return nil, nil, nil, fmt.Errorf("%s", c.Sorted()[0])
	}
	set, problems := segments.Parse(files, book, conditions)
	if len(problems) > 0 {
		return nil, nil, nil, fmt.Errorf("%s", problems[0])
	}
	plan, problems := Parse(files, book, set)
	if len(problems) > 0 {
		return nil, nil, nil, fmt.Errorf("%s", problems[0])
	}
	return plan, book, set, nil
}

// take gives one ledger entry to the campaigns, as bytes, and checks what must hold
// of every one.
func (w *world) take(e *event.Entry) {
	w.t.Helper()
	w.step++
	e.Partition, e.Sequence, e.EntryTime, e.IsHistory = w.partition, w.step, w.clock, w.inside
	value := e.Append(nil)
	w.ledger = append(w.ledger, value)
	before := len(w.log)
	var in event.Entry
	if err := event.DecodeEntry(value, &in); err != nil {
		w.t.Fatal(err)
	}
	err := w.machine.Take(w.st, &in, func(c *event.CampaignEntry) {
		w.log = append(w.log, w.record(c))
		for _, s := range w.st.writes {
			if s.Value == nil {
				w.replica.Delete(s.Key)
			} else {
				w.replica.Put(s.Key, s.Value, s.Due)
			}
		}
		w.st.writes = w.st.writes[:0]
		w.entries = append(w.entries, *c)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(w.st.writes) > 0 {
		w.t.Fatalf("entry %s wrote %q behind the last campaign entry", value, w.st.writes[0].Key)
	}
	w.took = append(w.took, len(w.log)-before)
}

// record is what a campaign entry leaves in the log.
func (w *world) record(c *event.CampaignEntry) []byte {
	c.Partition, c.Sequence = w.partition, int64(len(w.log)+1)
	return event.AppendState(append(c.Append(nil), '\n'), w.st.writes)
}

// again takes the whole ledger with a new machine, one that forgets all that is not
// in the state after every few entries, and compares log and state.
func (w *world) again() {
	w.t.Helper()
	if !w.replica.Equal(&w.st.MemState) {
		w.t.Fatal("the entries' writes do not give the state")
	}
	other := newWorld(w.t, w.partition, w.partitions)
	for i, value := range w.ledger {
		if i%97 == 0 {
			other.machine = other.newMachine()
		}
		var in event.Entry
		if err := event.DecodeEntry(value, &in); err != nil {
			w.t.Fatal(err)
		}
		err := other.machine.Take(other.st, &in, func(c *event.CampaignEntry) {
			other.log = append(other.log, other.record(c))
			other.st.writes = other.st.writes[:0]
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if len(w.log) != len(other.log) {
		w.t.Fatalf("%d campaign entries, then %d", len(w.log), len(other.log))
	}
	for i := range w.log {
		if !bytes.Equal(w.log[i], other.log[i]) {
			w.t.Fatalf("entry %d was\n%s\nand after a restart\n%s", i+1, w.log[i], other.log[i])
		}
	}
	if !w.st.Equal(&other.st.MemState) {
		w.t.Fatal("another state after a restart")
	}
}

// activate puts a bundle in force from an instant, as the customer processor does.
func (w *world) activate(files map[string]string, from event.Time) error {
	_, book, set, err := parseBundle(files)
	if err != nil {
		return err
	}
	if len(w.bundles) == 0 {
		from = 0
	} else {
		from = max(from, w.clock)
	}
	w.lib.Add(book, from)
	w.sets[book.ID] = set
	control := event.ControlFact{BundleID: book.ID, EffectiveFrom: from, Files: files}
	w.bundles = append(w.bundles, control)
	if from <= w.clock {
		w.sweep = book.ID
	}
	w.take(&event.Entry{
		Kind: event.KindControl, Outcome: event.OutcomeApplied, BundleID: book.ID, Cause: event.Cause{Type: event.TypeBundle, ID: book.ID},
		EventTime: max(from, 1), Control: &control,
	})
	return nil
}

func (w *world) history(begin bool) {
	t := event.TypeHistoryEnd
	w.inside = true
	if begin {
		t = event.TypeHistoryBegin
	}
	w.take(&event.Entry{Kind: event.KindControl, Outcome: event.OutcomeApplied, Cause: event.Cause{Type: t, ID: "test"}, EventTime: w.clock, Control: &event.ControlFact{HistorySource: "test"}})
	w.inside = begin
}

func (w *world) moment() program.Moment { return program.Moment{Clock: w.clock, IsHistory: w.inside} }

// setAt is the set of segments in force at an instant.
func (w *world) setAt(t event.Time) *segments.Set {
	if b := w.lib.At(t); b != nil {
		return w.sets[b.ID]
	}
	return nil
}

// apply decides a customer's event.
func (w *world) apply(ev *event.Event) {
	w.t.Helper()
	if problem := ev.Validate(); problem != nil {
		w.t.Fatalf("event: %v", problem)
	}
	for w.fireOne(ev.AccountID) {
	}
	e := &event.Entry{AccountID: ev.AccountID, Kind: event.KindEvent, Cause: event.Cause{Type: ev.Type, Name: ev.Name, ID: ev.MessageID}, EventTime: ev.EventTime}
	w.lib.Apply(w.rules, w.moment(), ev, e)
	now := w.clock
	if now == 0 {
		now = ev.EventTime
	}
	w.keeper.Step(w.rules, w.setAt(now), segments.Input{Event: ev, Clock: now, Cause: event.SegmentByEvent}, e)
	w.take(e)
}

// fireOne fires the account's next timer that is due.
func (w *world) fireOne(accountID string) bool {
	own, theirs := w.lib.NextDue(w.rules, accountID), w.keeper.NextDue(w.rules, accountID)
	due := own
	if due == 0 || theirs != 0 && theirs < due {
		due = theirs
	}
	if due == 0 || due > w.clock {
		return false
	}
	e := &event.Entry{AccountID: accountID, Kind: event.KindTimer, Outcome: event.OutcomeApplied, Cause: event.Cause{Type: event.TypeTick, Name: "segments"}, EventTime: due}
	if own == due {
		w.lib.Fire(w.rules, w.moment(), accountID, e)
	}
	w.keeper.Step(w.rules, w.setAt(due), segments.Input{Clock: due, Cause: event.SegmentByTime}, e)
	w.take(e)
	return true
}

func (w *world) accounts() (ids []string) {
	from, to := segments.KeyRange()
	w.rules.Scan(from, to, func(key, _ []byte) bool {
		if id, ok := segments.AccountOfKey(key); ok {
			ids = append(ids, id)
		}
		return true
	})
	return ids
}

// tick moves the clock, once; slices follow while the campaigns ask for them.
func (w *world) tick(t event.Time) {
	w.t.Helper()
	for _, b := range w.bundles {
		if w.clock < b.EffectiveFrom && b.EffectiveFrom <= t {
			w.sweep = b.BundleID
		}
	}
	w.clock = t
	ids := w.accounts()
	for _, id := range ids {
		for w.fireOne(id) {
		}
	}
	if w.sweep != "" {
		for _, id := range ids {
			w.visit(id)
		}
		w.sweep = ""
	}
	for slice := int64(0); ; slice++ {
		if slice > 1000 {
			w.t.Fatal("more is due for ever")
		}
		w.take(&event.Entry{Kind: event.KindTick, Outcome: event.OutcomeApplied, Cause: event.Cause{Type: event.TypeTick}, EventTime: t, Tick: &event.TickFact{Slice: slice}})
		last := w.entries[len(w.entries)-1]
		if last.Kind != event.CampaignTick || last.Tick.Slice != slice {
			w.t.Fatalf("a tick made %+v", last)
		}
		if last.Tick.Fired > MaxDecisionsPerTick {
			w.t.Fatalf("%d decisions in one slice", last.Tick.Fired)
		}
		if !last.Tick.MoreDue {
			return
		}
	}
}

// visit looks at an account after an activation.
func (w *world) visit(id string) {
	e := &event.Entry{AccountID: id, Kind: event.KindSweep, Cause: event.Cause{Type: event.TypeBundle, ID: w.sweep}, EventTime: w.clock}
	changed := w.lib.Rescore(w.rules, w.moment(), id, e)
	e.Outcome = event.OutcomeApplied
	w.keeper.Step(w.rules, w.setAt(w.clock), segments.Input{Clock: w.clock, Cause: event.SegmentByActivation}, e)
	if changed || w.keeper.Changed() {
		w.take(e)
	}
}

// states is an entry that says by itself that a customer has entered or left a
// segment, whatever its definition says.
func (w *world) states(id, segment, change, cause string) {
	now := w.machine.who
	w.machine.st = w.st
	w.machine.open(id)
	s := w.machine.who.c.standing
	w.machine.who = now
	s.CustomerID = id
	s.Segments = slices.DeleteFunc(slices.Clone(s.Segments), func(have string) bool { return have == segment })
	if change == event.SegmentEntered {
		s.Segments = append(s.Segments, segment)
		slices.Sort(s.Segments)
	}
	kind, by := event.KindEvent, event.Cause{Type: event.TypeTrack, Name: "Stated", ID: fmt.Sprintf("s%d", w.step)}
	if cause == event.SegmentByActivation {
		kind, by = event.KindSweep, event.Cause{Type: event.TypeBundle, ID: w.machine.BundleID()}
	}
	w.take(&event.Entry{
		AccountID: id, Kind: kind, Outcome: event.OutcomeApplied, Cause: by, EventTime: w.clock, Standing: &s,
		Segments: []event.SegmentChange{{SegmentID: segment, Version: "0", Change: change, Clause: "stated", Cause: cause}},
	})
}

// waiting counts the runs that wait, from the state, and checks the counts beside
// them.
func (w *world) waiting() (n int) {
	perCustomer, perTrack, queued := map[string]int64{}, map[string]int64{}, map[string]int64{}
	w.st.Scan([]byte{kindRun}, []byte{kindRun + 1}, func(key, value []byte) bool {
		var r run
		packed.Must(r.decode(key, value), key)
		id, _, _ := cutRunKey(key)
		perCustomer[id]++
		perTrack[id+"\x00"+r.campaign]++
		if r.queued {
			queued[r.campaign]++
		}
		n++
		return true
	})
	w.st.Scan([]byte{kindCustomer}, []byte{kindCustomer + 1}, func(key, value []byte) bool {
		var c customer
		id := string(key[1:])
		packed.Must(c.decode(id, value), key)
		if c.waiting != perCustomer[id] {
			w.t.Fatalf("%s waits with %d runs, its state says %d", id, perCustomer[id], c.waiting)
		}
		delete(perCustomer, id)
		return true
	})
	w.st.Scan([]byte{kindTrack}, []byte{kindTrack + 1}, func(key, value []byte) bool {
		var tr track
		packed.Must(tr.decode(value), key)
		if name := string(key[1:]); tr.waiting != perTrack[name] {
			w.t.Fatalf("%q waits with %d runs, its state says %d", name, perTrack[name], tr.waiting)
		}
		delete(perTrack, string(key[1:]))
		return true
	})
	w.st.Scan([]byte{kindCounter}, []byte{kindCounter + 1}, func(key, value []byte) bool {
		var c counter
		packed.Must(c.decode(value), key)
		if id := string(key[1:]); c.queued != queued[id] {
			w.t.Fatalf("%d runs of %s wait for another hour, its state says %d", queued[id], id, c.queued)
		}
		return true
	})
	for id := range maps.Keys(perCustomer) {
		w.t.Fatalf("runs of %s wait, and nothing says so", id)
	}
	return n
}

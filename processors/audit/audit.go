package audit

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/program"
)

// maxFindings bounds the findings kept of one partition; the rest are counted.
const maxFindings = 20

// Standing is how a customer stood after an entry.
type Standing struct {
	Sequence int64
	event.Standing
}

// Auditor reads one partition's ledger in order.
type Auditor struct {
	Partition int32
	Entries   int64
	// Clock is the partition's clock at the last entry read.
	Clock event.Time
	// LastTick is the sequence of the newest tick.
	LastTick int64
	// Cut is the newest entry at which nothing was due or under way any more: from
	// there on membership of segments is what the facts say.
	Cut Cut
	// Digest is the sum, modulo 2^64, of the xxhash64 of each entry's value: what a
	// copy of the ledger must add up to.
	Digest uint64
	// Findings say what is wrong; More counts those beyond the first.
	Findings []string
	More     int

	settled   bool
	standings map[string][]Standing // by customer, ascending by sequence
	postings  map[string]int64      // Σ postings to the customer, by account
	state     program.MemState
	source    int64 // last source offset, -1: none
	index     int32
	keepFrom  int64 // standings after this sequence are all kept, before it the last
}

// New starts an audit of a partition. Of the standings up to sequence keepAll
// only the last is kept, of those after it every one.
func New(partition int32, keepAll int64) *Auditor {
	return &Auditor{Partition: partition, source: -1, keepFrom: keepAll, standings: map[string][]Standing{}, postings: map[string]int64{}}
}

func (a *Auditor) find(format string, args ...any) {
	if len(a.Findings) >= maxFindings {
		a.More++
		return
	}
	a.Findings = append(a.Findings, fmt.Sprintf("ledger/%d ", a.Partition)+fmt.Sprintf(format, args...))
}

// Take reads the next record of the ledger.
func (a *Auditor) Take(rec *stream.Record) {
	var e event.Entry
	if err := event.DecodeEntry(rec.Value, &e); err != nil {
		a.find("offset %d: not an entry: %v", rec.Offset, err)
		return
	}
	if e.Sequence != a.Entries+1 {
		a.find("offset %d: sequence %d after %d", rec.Offset, e.Sequence, a.Entries)
	}
	a.Digest += xxhash.Sum64(rec.Value)
	a.Entries, a.Clock = e.Sequence, max(a.Clock, e.EntryTime)
	a.takeCut(&e)
	a.takeSource(&e)
	a.takePostings(&e)
	a.takeState(rec, e.Sequence)
	if e.Standing != nil {
		a.takeStanding(&e)
	}
}

// Cut is an entry of a partition, and the clock then; Sequence 0: there was none.
type Cut struct {
	Sequence int64
	Clock    event.Time
}

// takeCut: a tick says whether timers or a sweep are left; new rules or cut points
// start a sweep.
func (a *Auditor) takeCut(e *event.Entry) {
	switch {
	case e.Tick != nil:
		a.LastTick, a.settled = e.Sequence, !e.Tick.MoreDue
	case e.Kind == event.KindControl && e.Outcome == event.OutcomeApplied && (e.Cause.Type == event.TypeBundle || e.Cause.Type == event.TypeCutPoints):
		a.settled = false
	}
	if a.settled {
		a.Cut = Cut{e.Sequence, a.Clock}
	}
}

// takeSource checks that inputs follow each other without hole or repeat. A
// takeover has no input of its own.
func (a *Auditor) takeSource(e *event.Entry) {
	switch {
	case e.Kind == event.KindTakeover:
		if e.SourceOffset != a.source {
			a.find("sequence %d: a takeover of source %d after source %d", e.Sequence, e.SourceOffset, a.source)
		}
		return
	case e.SourceOffset == a.source && e.SourceIndex == a.index+1:
	case e.SourceOffset == a.source+1 && e.SourceIndex == 0:
	default:
		a.find("sequence %d: source %d.%d after %d.%d", e.Sequence, e.SourceOffset, e.SourceIndex, a.source, a.index)
	}
	a.source, a.index = e.SourceOffset, e.SourceIndex
}

func (a *Auditor) takePostings(e *event.Entry) {
	sums := map[string]int64{}
	for i := range e.Postings {
		p := &e.Postings[i]
		sums[p.Wallet] += p.Points
		if p.Account == event.AccountCustomer {
			a.postings[e.AccountID] += p.Points
		}
	}
	for wallet, sum := range sums {
		if sum != 0 {
			a.find("sequence %d: the postings of %q sum to %d, not 0", e.Sequence, wallet, sum)
		}
	}
}

func (a *Auditor) takeState(rec *stream.Record, sequence int64) {
	for _, h := range rec.Headers {
		if h.Key != event.HeaderState {
			continue
		}
		writes, err := event.DecodeState(h.Value)
		if err != nil {
			a.find("sequence %d: %v", sequence, err)
			return
		}
		for i := range writes {
			if w := &writes[i]; w.Value == nil {
				a.state.Delete(w.Key)
			} else {
				a.state.Put(w.Key, w.Value, w.Due)
			}
		}
	}
}

func (a *Auditor) takeStanding(e *event.Entry) {
	if e.Standing.CustomerID != e.AccountID {
		a.find("sequence %d: the standing of %q in an entry of %q", e.Sequence, e.Standing.CustomerID, e.AccountID)
	}
	list := a.standings[e.AccountID]
	if len(list) > 0 && e.Sequence <= a.keepFrom {
		list = list[:0]
	}
	a.standings[e.AccountID] = append(list, Standing{e.Sequence, *e.Standing})
}

// Source is the offset of the newest event that has an entry; -1: none.
func (a *Auditor) Source() int64 { return a.source }

// Finish compares what was added up with the rebuilt state.
func (a *Auditor) Finish() {
	seen := map[string]bool{}
	program.ScanAccounts(&a.state, func(t program.AccountTotals) bool {
		seen[t.AccountID] = true
		if t.Balance != t.LotsSum || t.Balance != a.postings[t.AccountID] {
			a.find("account %q: balance %d, lots %d, postings %d", t.AccountID, t.Balance, t.LotsSum, a.postings[t.AccountID])
		}
		if list := a.standings[t.AccountID]; len(list) > 0 && list[len(list)-1].Balance != t.Balance {
			a.find("account %q: balance %d, its newest standing says %d", t.AccountID, t.Balance, list[len(list)-1].Balance)
		}
		return true
	})
	for account, sum := range a.postings {
		if sum != 0 && !seen[account] {
			a.find("account %q: postings of %d and no state", account, sum)
		}
	}
}

// At returns how the customer stood after an entry, of those standings that were
// kept; false when nothing was known of them by then.
func (a *Auditor) At(customerID string, sequence int64) (event.Standing, bool) {
	kept := a.standings[customerID]
	for i := len(kept) - 1; i >= 0; i-- {
		if kept[i].Sequence <= sequence {
			return kept[i].Standing, true
		}
	}
	return event.Standing{}, false
}

// EachAt calls fn with how each customer stood after an entry; false when the
// standings of that time were not kept.
func (a *Auditor) EachAt(sequence int64, fn func(s *event.Standing)) bool {
	if sequence < min(a.keepFrom, a.Entries) {
		return false
	}
	for id := range a.standings {
		if s, ok := a.At(id, sequence); ok {
			fn(&s)
		}
	}
	return true
}

// Accounts is how many accounts have postings or a standing.
func (a *Auditor) Accounts() int { return max(len(a.standings), len(a.postings)) }

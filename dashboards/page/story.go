package page

import (
	"cmp"
	"slices"

	"github.com/punchcard/punchcard/event"
)

// Story is all about one customer.
type Story struct {
	CustomerID string         `json:"customer_id"`
	Standing   event.Standing `json:"standing"`
	// Clock is the time of the standing: what is due by then has happened.
	Clock event.Time `json:"clock"`
	// Lots that have points or had some, the first to expire first.
	Lots []Lot `json:"lots"`
	// Balance after each change, oldest first.
	Balance []Balance `json:"balance"`
	// Timeline, newest first.
	Timeline []Item `json:"timeline"`
	// Cut says that older entries are not shown; lots may lack what was in them.
	Cut bool `json:"cut,omitempty"`
}

// Lot is what one order or rule gave, until it is used up.
type Lot struct {
	ID        string     `json:"id"`
	Time      event.Time `json:"time,omitempty"`
	Why       string     `json:"why,omitempty"`
	ExpiresOn event.Day  `json:"expires_on,omitempty"`
	Earned    int64      `json:"earned"`
	Spent     int64      `json:"spent"`
	Expired   int64      `json:"expired"`
	Reversed  int64      `json:"reversed"`
	Left      int64      `json:"left"`
}

// Balance is a balance and since when.
type Balance struct {
	Time   event.Time `json:"time"`
	Points int64      `json:"points"`
}

// NewStory puts a story together from how the customer stands, the entries and
// the campaign entries about them, in any order; an entry that is there twice
// counts once. cut says that older ones are missing.
func NewStory(standing event.Standing, clock event.Time, entries []event.Entry, decided []event.CampaignEntry, cut bool) *Story {
	s := &Story{CustomerID: standing.CustomerID, Standing: standing, Clock: clock, Cut: cut, Lots: []Lot{}, Balance: []Balance{}, Timeline: []Item{}}
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b event.Entry) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Sequence, b.Sequence))
	})
	entries = slices.CompactFunc(entries, func(a, b event.Entry) bool { return a.Partition == b.Partition && a.Sequence == b.Sequence })
	seen := map[string]bool{}
	add := func(it Item, ok bool) {
		if ok && !seen[it.ID] {
			seen[it.ID] = true
			s.Timeline = append(s.Timeline, it)
		}
	}
	for i := range entries {
		add(EntryItem(&entries[i]))
	}
	for i := range decided {
		add(CampaignItem(&decided[i]))
	}
	slices.SortStableFunc(s.Timeline, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.order, a.order), cmp.Compare(b.second, a.second))
	})
	s.tellLots(entries)
	s.tellBalance(entries)
	return s
}

func (s *Story) tellLots(entries []event.Entry) {
	at := map[string]int{}
	for i := range entries {
		e := &entries[i]
		for _, p := range e.Postings {
			if p.Account != event.AccountCustomer || p.LotID == "" {
				continue
			}
			j, known := at[p.LotID]
			if !known {
				j = len(s.Lots)
				at[p.LotID] = j
				s.Lots = append(s.Lots, Lot{ID: p.LotID, Time: e.EventTime, ExpiresOn: p.ExpiresOn, Why: earnWhy(e, p.RuleID)})
			}
			s.Lots[j].take(p)
		}
	}
	slices.SortStableFunc(s.Lots, func(a, b Lot) int {
		if (a.Left != 0) != (b.Left != 0) {
			if a.Left != 0 {
				return -1
			}
			return 1
		}
		return cmp.Compare(endOf(a), endOf(b))
	})
}

// endOf sorts lots that never expire last.
func endOf(l Lot) event.Day {
	if l.ExpiresOn == 0 {
		return 1<<31 - 1
	}
	return l.ExpiresOn
}

func (l *Lot) take(p event.Posting) {
	l.Left += p.Points
	switch p.Reason {
	case event.PostEarn:
		l.Earned += p.Points
	case event.PostSpend, event.PostSettle:
		l.Spent -= p.Points
	case event.PostExpire:
		l.Expired -= p.Points
	case event.PostReverse:
		l.Reversed -= p.Points
	}
	if l.ExpiresOn == 0 {
		l.ExpiresOn = p.ExpiresOn
	}
}

// tellBalance goes backwards from the balance that is known, so that missing old
// entries do no harm.
func (s *Story) tellBalance(entries []event.Entry) {
	balance := s.Standing.Balance
	for i := len(entries) - 1; i >= 0; i-- {
		var change int64
		for _, p := range entries[i].Postings {
			if p.Account == event.AccountCustomer {
				change += p.Points
			}
		}
		if change != 0 {
			s.Balance = append(s.Balance, Balance{entries[i].EventTime, balance})
			balance -= change
		}
	}
	slices.Reverse(s.Balance)
}

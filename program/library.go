package program

import (
	"sort"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Library holds every version of the rules that one partition knows. It is not
// safe for use by several goroutines: a partition has its own.
type Library struct {
	shelf []shelved // ascending by from
	byID  map[string]*edition

	days   event.DayCache
	expiry struct {
		book    *Book
		day, on event.Day
	}
	// Buffers of one decision at a time; nothing in them outlives a call.
	key    keyBuffer
	value  []byte
	desk   decision
	core   core
	kept   string // the account whose core is in core as it is in the state; "": none
	order  order
	known  map[string]string
	intern func([]byte) string
}

type shelved struct {
	from    event.Time
	edition *edition
}

// maxNames bounds the short names (tiers, currencies, rules) that are kept as
// one string each; more are merely copied.
const maxNames = 4096

// NewLibrary returns a library without any rules.
func NewLibrary() *Library {
	l := &Library{byID: make(map[string]*edition), known: make(map[string]string)}
	l.intern = func(b []byte) string {
		if s, ok := l.known[string(b)]; ok {
			return s
		}
		s := string(b)
		if len(l.known) < maxNames {
			l.known[s] = s
		}
		return s
	}
	return l
}

func copyName(b []byte) string { return string(b) }

// Add puts a version in force from the instant on; the first one also for all
// earlier time. Adding a version that is already in force from that instant
// changes nothing; another version at the same instant takes its place for new
// events, and stays known by its id.
func (l *Library) Add(b *Book, from event.Time) {
	if len(l.shelf) == 0 {
		from = 0
	}
	ed := l.byID[b.ID]
	if ed == nil {
		ed = newEdition(b)
		l.byID[b.ID] = ed
	}
	i := sort.Search(len(l.shelf), func(i int) bool { return l.shelf[i].from >= from })
	if i < len(l.shelf) && l.shelf[i].from == from {
		l.shelf[i].edition = ed
		return
	}
	l.shelf = append(l.shelf, shelved{})
	copy(l.shelf[i+1:], l.shelf[i:])
	l.shelf[i] = shelved{from: from, edition: ed}
}

// At returns the version in force at the instant, nil when there is none.
func (l *Library) At(t event.Time) *Book {
	if ed := l.at(t); ed != nil {
		return ed.Book
	}
	return nil
}

func (l *Library) at(t event.Time) *edition {
	for i := len(l.shelf) - 1; i >= 0; i-- {
		if l.shelf[i].from <= t || i == 0 {
			return l.shelf[i].edition
		}
	}
	return nil
}

// ByID returns a version by its bundle id, nil when it is unknown.
func (l *Library) ByID(id string) *Book {
	if ed := l.byID[id]; ed != nil {
		return ed.Book
	}
	return nil
}

// edition is a book with its look-ups.
type edition struct {
	*Book
	products, categories map[string]struct{}
	actions              map[string]struct{} // event names that action rules listen to
	signUp               bool                // an enrolment rule listens to Signed Up
}

func newEdition(b *Book) *edition {
	ed := &edition{Book: b, products: setOf(b.Exclude.Products), categories: setOf(b.Exclude.Categories), actions: map[string]struct{}{}}
	for i := range b.Rules {
		if b.Rules[i].Kind == RuleAction {
			ed.actions[b.Rules[i].Event] = struct{}{}
		}
	}
	for i := range b.Enrolment {
		ed.signUp = ed.signUp || b.Enrolment[i].SignUp
	}
	return ed
}

func setOf(list []string) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, v := range list {
		set[v] = struct{}{}
	}
	return set
}

// excludes reports whether a line never earns.
func (ed *edition) excludes(l *event.OrderLine) bool {
	if len(ed.products) > 0 {
		if _, out := ed.products[l.ProductID]; out {
			return true
		}
	}
	if len(ed.categories) > 0 && l.Category != "" {
		_, out := ed.categories[l.Category]
		return out
	}
	return false
}

const defaultWindowDays = 365

func (b *Book) tierWindow() int {
	if b.Tiers.WindowDays <= 0 {
		return defaultWindowDays
	}
	return b.Tiers.WindowDays
}

func (b *Book) rfmWindow() int {
	if b.RFM.WindowDays <= 0 {
		return defaultWindowDays
	}
	return b.RFM.WindowDays
}

// maxAge is how old an event may be, in days.
func (b *Book) maxAge() int {
	if b.MaxAgeDays <= 0 {
		return int(event.MaxAge / (24 * time.Hour))
	}
	return b.MaxAgeDays
}

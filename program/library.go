package program

import (
	"sort"

	"github.com/punchcard/punchcard/event"
)

// Library holds every version of the rules that one partition knows. It is not
// safe for use by several goroutines: a partition has its own.
type Library struct {
	shelf []shelved // ascending by from
	byID  map[string]*Book

	// Buffers of one decision at a time; nothing in them outlives a call.
	key keyBuffer
	acc account
}

type shelved struct {
	from event.Time
	book *Book
}

// NewLibrary returns a library without any rules.
func NewLibrary() *Library { return &Library{byID: make(map[string]*Book)} }

// Add puts a version in force from the instant on; the first one also for all
// earlier time. Adding a version that is already in force from that instant
// changes nothing; another version at the same instant takes its place for new
// events, and stays known by its id.
func (l *Library) Add(b *Book, from event.Time) {
	if len(l.shelf) == 0 {
		from = 0
	}
	l.byID[b.ID] = b
	i := sort.Search(len(l.shelf), func(i int) bool { return l.shelf[i].from >= from })
	if i < len(l.shelf) && l.shelf[i].from == from {
		l.shelf[i].book = b
		return
	}
	l.shelf = append(l.shelf, shelved{})
	copy(l.shelf[i+1:], l.shelf[i:])
	l.shelf[i] = shelved{from: from, book: b}
}

// At returns the version in force at the instant, nil when there is none.
func (l *Library) At(t event.Time) *Book {
	for i := len(l.shelf) - 1; i >= 0; i-- {
		if l.shelf[i].from <= t || i == 0 {
			return l.shelf[i].book
		}
	}
	return nil
}

// ByID returns a version by its bundle id, nil when it is unknown.
func (l *Library) ByID(id string) *Book { return l.byID[id] }

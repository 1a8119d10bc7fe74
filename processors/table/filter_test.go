package table

import (
	"fmt"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

func freshKey(kind byte, i int) []byte {
	return fmt.Appendf(nil, "%caccount-%d\x00id-%d", kind, i%97, i)
}

// What was ever written is never called absent: staged, committed, on disk, and
// after the table was opened again; most of what was not written is.
func TestFilterNeverMissesAKey(t *testing.T) {
	fs := vfs.NewMem()
	open := func() *Table {
		tab, err := Open("t", Options{Fresh: "am", fs: fs})
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	const keys = 3 * firstSieve // two sieves
	tab := open()
	tx := tab.Begin()
	for i := range keys {
		tx.Put(freshKey("amx"[i%3], i), []byte("v"), 0)
	}
	check := func(when string, tab *Table) {
		t.Helper()
		passed := 0
		for i := range keys {
			if k := freshKey("amx"[i%3], i); tab.filter.absent(k) {
				t.Fatalf("%s: %q is called absent", when, k)
			}
			if k := freshKey("am"[i%2], keys+i); !tab.filter.absent(k) {
				passed++
			}
		}
		if passed > keys/20 {
			t.Fatalf("%s: %d of %d absent keys pass", when, passed, keys)
		}
	}
	check("staged", tab)
	if err := tx.Commit(Position{Sequence: 1}); err != nil {
		t.Fatal(err)
	}
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
	tab = open()
	defer tab.Close()
	if k := freshKey('a', keys); tab.filter.absent(k) && !tab.filter.ready {
		t.Fatalf("%q is called absent before Pebble was read", k)
	}
	for deadline := time.Now().Add(time.Minute); !tab.filter.ready; {
		if time.Now().After(deadline) {
			t.Fatal("Pebble's keys were not read within a minute")
		}
		if err := tab.Maintain(); err != nil {
			t.Fatal(err)
		}
	}
	check("opened again", tab)
	tab.Begin().Put(freshKey('m', keys), nil, 0)
	if tab.filter.absent(freshKey('m', keys)) {
		t.Fatal("a key written since is called absent")
	}
}

func TestFilterGivesUpWhenFull(t *testing.T) {
	f := &filter{ready: true}
	f.fresh['m'] = true
	f.written = sieves{all: make([]sieve, maxSieves), left: 1}
	f.written.all[maxSieves-1] = make(sieve, 1)
	f.written.add(xxhash.Sum64String("m-last"))
	f.add([]byte("m-one-too-many"))
	if !f.written.full || f.absent([]byte("m-unknown")) {
		t.Fatal("a full filter still says what is absent")
	}
	f.add([]byte("m-later"))
	if f.absent([]byte("m-later")) {
		t.Fatal("a full filter calls a key absent")
	}
}

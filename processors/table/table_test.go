package table

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
)

// model is the obvious table: maps, and a ledger of what was committed.
type model struct {
	committed, staged map[string]modelCell
	writes            []event.StateWrite // since the last Take
	ledger            []logged
}

type modelCell struct {
	value string
	due   event.Time
}

type logged struct {
	writes []event.StateWrite
	pos    Position
}

func (m *model) keys(cells map[string]modelCell) []string { return slices.Sorted(maps.Keys(cells)) }

// first is the key due first by clock.
func (m *model) first(clock event.Time) (string, event.Time, bool) {
	key, due, ok := "", event.Time(0), false
	for _, k := range m.keys(m.staged) {
		if d := m.staged[k].due; d > 0 && d <= clock && (!ok || d < due) {
			key, due, ok = k, d, true
		}
	}
	return key, due, ok
}

type machine struct {
	dir string
	fs  vfs.FS
	t   *Table
	tx  *Tx
	m   model
}

func (s *machine) open(t *rapid.T) {
	var err error
	if s.t, err = Open(s.dir, Options{FlushEvery: time.Hour, FlushBytes: 1 << 30, Fresh: "ab", fs: s.fs}); err != nil {
		t.Fatal(err)
	}
	s.tx = s.t.Begin()
}

func key(t *rapid.T) []byte {
	return []byte(fmt.Sprintf("%c%02d", rapid.SampledFrom([]rune("abc")).Draw(t, "space"), rapid.IntRange(0, 30).Draw(t, "key")))
}

func (s *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"put": func(t *rapid.T) {
			k, v := key(t), rapid.StringN(0, 6, -1).Draw(t, "value")
			due := event.Time(rapid.SampledFrom([]int64{0, 0, 5, 50, 500, 1e9, 2e9, 9e9}).Draw(t, "due"))
			s.tx.Put(k, []byte(v), due)
			s.m.staged[string(k)] = modelCell{v, due}
		},
		"delete": func(t *rapid.T) {
			k := key(t)
			s.tx.Delete(k)
			delete(s.m.staged, string(k))
		},
		"get": func(t *rapid.T) {
			k := key(t)
			got, ok := s.tx.Get(k)
			want, exists := s.m.staged[string(k)]
			if ok != exists || string(got) != want.value {
				t.Fatalf("get %s: %q %v, want %q %v", k, got, ok, want.value, exists)
			}
		},
		"scan": func(t *rapid.T) {
			checkScan(t, s.tx, s.m.staged, key(t), key(t), rapid.IntRange(1, 40).Draw(t, "limit"))
		},
		"due": func(t *rapid.T) {
			clock := event.Time(rapid.SampledFrom([]int64{1, 5, 400, 1e9, 8e9, 1e10}).Draw(t, "clock"))
			for range rapid.IntRange(1, 5).Draw(t, "fires") {
				got, due, ok := s.tx.Due(clock)
				want, wantDue, exists := s.m.first(clock)
				if ok != exists || string(got) != want || due != wantDue {
					t.Fatalf("due by %d: %q %d %v, want %q %d %v", clock, got, due, ok, want, wantDue, exists)
				}
				if !ok {
					return
				}
				next := event.Time(rapid.SampledFrom([]int64{0, int64(due) + 1, 1e9, 9e9}).Draw(t, "next"))
				s.tx.Put(got, []byte("fired"), next)
				s.m.staged[string(got)] = modelCell{"fired", next}
			}
		},
		"entry": func(t *rapid.T) { s.take() },
		"commit": func(t *rapid.T) {
			s.take()
			pos := Position{Sequence: int64(len(s.m.ledger)) + 1, Source: int64(len(s.m.ledger)), LedgerOffset: 2 * int64(len(s.m.ledger)), Hash: 7, Clock: 9}
			s.m.ledger = append(s.m.ledger, logged{s.m.writes, pos})
			s.m.writes = nil
			if err := s.tx.Commit(pos); err != nil {
				t.Fatal(err)
			}
			s.m.committed = maps.Clone(s.m.staged)
		},
		"discard": func(t *rapid.T) {
			s.tx.Discard()
			s.m.staged, s.m.writes = maps.Clone(s.m.committed), nil
		},
		"flush": func(t *rapid.T) {
			if err := s.t.Flush(); err != nil {
				t.Fatal(err)
			}
		},
		"flush beside": func(t *rapid.T) { s.t.await(); s.t.startFlush() },
		"reopen": func(t *rapid.T) {
			if err := s.t.Close(); err != nil {
				t.Fatal(err)
			}
			s.open(t)
			if got, want := s.t.Position().Sequence, int64(len(s.m.ledger)); got != want {
				t.Fatalf("closed in order, position %d, want %d", got, want)
			}
			s.m.staged, s.m.writes = maps.Clone(s.m.committed), nil
		},
		"crash": func(t *rapid.T) {
			if err := s.t.Abandon(); err != nil {
				t.Fatal(err)
			}
			s.open(t)
			for _, l := range s.m.ledger[s.t.Position().Sequence:] {
				if err := s.t.Apply(l.writes, l.pos); err != nil {
					t.Fatal(err)
				}
			}
			s.m.staged, s.m.writes = maps.Clone(s.m.committed), nil
		},
		"": func(t *rapid.T) { s.check(t) },
	}
}

// take closes an entry: its writes go through the header's encoding.
func (s *machine) take() {
	raw := event.AppendState(nil, s.tx.Take())
	writes, err := event.DecodeState(raw)
	if err != nil {
		panic(err)
	}
	s.m.writes = append(s.m.writes, writes...)
}

// check compares what readers see: committed state, live and in a snapshot.
func (s *machine) check(t *rapid.T) {
	want := s.m.committed
	look := func(v *View) error {
		if v.Sequence() != int64(len(s.m.ledger)) {
			t.Fatalf("view of %d, want %d", v.Sequence(), len(s.m.ledger))
		}
		checkScan(t, v, want, []byte("a"), []byte("z"), 1000)
		for _, k := range s.m.keys(want) {
			if got, ok := v.Get([]byte(k)); !ok || string(got) != want[k].value {
				t.Fatalf("view has %s=%q %v, want %q", k, got, ok, want[k].value)
			}
		}
		return nil
	}
	if err := s.t.Read(look); err != nil {
		t.Fatal(err)
	}
	snap := s.t.Snapshot()
	_ = look(snap)
	if err := snap.Close(); err != nil {
		t.Fatal(err)
	}
}

type scanner interface {
	Scan(from, to []byte, fn func(key, value []byte) bool)
}

func checkScan(t *rapid.T, s scanner, cells map[string]modelCell, from, to []byte, limit int) {
	var want, got []string
	for _, k := range slices.Sorted(maps.Keys(cells)) {
		if k >= string(from) && k < string(to) && len(want) < limit {
			want = append(want, k+"="+cells[k].value)
		}
	}
	s.Scan(from, to, func(k, v []byte) bool {
		got = append(got, string(k)+"="+string(v))
		return len(got) < limit
	})
	if !slices.Equal(got, want) {
		t.Fatalf("scan %s–%s: %q, want %q", from, to, got, want)
	}
}

func TestAgainstModel(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s := &machine{dir: fmt.Sprint(n), fs: vfs.NewMem(), m: model{committed: map[string]modelCell{}, staged: map[string]modelCell{}}}
		s.open(rt)
		defer func() { _ = s.t.Close() }()
		rt.Repeat(s.actions())
	})
}

func TestTakeKeepsTheLastWriteOfAKeyInFirstOrder(t *testing.T) {
	tab, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	tx := tab.Begin()
	tx.Put([]byte("b"), []byte("1"), 0)
	tx.Put([]byte("a"), []byte("2"), 7)
	tx.Put([]byte("b"), []byte("3"), 0)
	tx.Delete([]byte("a"))
	got := tx.Take()
	if len(got) != 2 || string(got[0].Key) != "b" || string(got[0].Value) != "3" || string(got[1].Key) != "a" || got[1].Value != nil || got[1].Due != 0 {
		t.Fatalf("took %+v", got)
	}
	if rest := tx.Take(); len(rest) != 0 {
		t.Fatalf("took again %+v", rest)
	}
}

func TestExpireForgetsWithoutATrace(t *testing.T) {
	dir := t.TempDir()
	o := Options{Expire: &Expire{From: []byte("m"), To: []byte("n"), Expired: func(_, value []byte, clock event.Time) bool { return event.Time(value[0]) < clock }}}
	tab, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	tx := tab.Begin()
	for i := range 50 {
		tx.Put([]byte{'m', byte(i)}, []byte{byte(i)}, 0)
	}
	tx.Put([]byte("l"), []byte{0}, 0)
	commit := func(clock event.Time) {
		if err := tx.Commit(Position{Sequence: tab.Position().Sequence + 1, Clock: clock}); err != nil {
			t.Fatal(err)
		}
		if err := tab.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	commit(0)
	tx.Put([]byte{'m', 3}, []byte{60}, 0) // known anew
	commit(20)
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
	if tab, err = Open(dir, o); err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	var got bytes.Buffer
	tab.Begin().Scan([]byte("a"), []byte("z"), func(k, v []byte) bool { fmt.Fprintf(&got, "%q=%d ", k, v[0]); return true })
	want := bytes.NewBufferString(`"l"=0 "m\x03"=60 `)
	for i := 20; i < 50; i++ {
		fmt.Fprintf(want, "%q=%d ", []byte{'m', byte(i)}, i)
	}
	if got.String() != want.String() {
		t.Fatalf("left %s\nwant %s", got.String(), want.String())
	}
}

func TestDueIndexDropsOutdatedRows(t *testing.T) {
	dir := t.TempDir()
	tab, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(due event.Time) {
		tx := tab.Begin()
		tx.Put([]byte("c"), []byte("x"), due)
		if err := tx.Commit(Position{Sequence: tab.Position().Sequence + 1}); err != nil {
			t.Fatal(err)
		}
		if err := tab.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	write(10)
	clear(tab.clean) // the next write does not know what the index lists
	write(20)
	if got := indexRows(t, tab); got != 2 {
		t.Fatalf("%d rows, want the outdated one and the right one", got)
	}
	tx := tab.Begin()
	if k, due, ok := tx.Due(30); !ok || string(k) != "c" || due != 20 {
		t.Fatalf("due %q %d %v", k, due, ok)
	}
	write(40)
	if got := indexRows(t, tab); got != 1 {
		t.Fatalf("%d rows are left, want 1", got)
	}
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
}

func indexRows(t *testing.T, tab *Table) (n int) {
	it, err := tab.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if it.Key()[0] == spaceDue {
			n++
		}
	}
	return n
}

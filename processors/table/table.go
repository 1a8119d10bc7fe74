package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/punchcard/punchcard/event"
)

const (
	// DefaultFlushBytes and DefaultFlushEvery say when the dirty layer goes to
	// Pebble: when it is that large or that old.
	DefaultFlushBytes = 32 << 20
	DefaultFlushEvery = 3 * time.Second
	// maxClean bounds the keys kept in memory though Pebble has them.
	maxClean = 64 << 10
	// memTableBytes is Pebble's own buffer before it writes a file. It is small:
	// the dirty layer is the buffer, and a batch larger than half of this becomes a
	// file without a detour.
	memTableBytes = 1 << 20
	bloomBits     = 10
	// compactAt files are merged at once: more is less writing and more looking, and
	// little is looked for in files. At stopAt a flush waits.
	compactAt = 8
	stopAt    = 64
	// format is the version of the keys below; another one is refused.
	format = 1
)

// Key spaces inside Pebble.
const (
	spaceMeta = 'a'
	spaceData = 'k' // key → due (varint), value
	spaceDue  = 't' // due (8 bytes, big endian), key → nothing
)

// Position is a place in the ledger.
type Position struct {
	// Sequence is that of the last entry, 0: none.
	Sequence int64
	// Source is the last entry's source offset, -1: none.
	Source int64
	// LedgerOffset is where the last entry lies, Hash is of its value (xxhash64):
	// they tell a ledger that was cut or exchanged.
	LedgerOffset int64
	Hash         uint64
	// Clock is the partition's clock.
	Clock event.Time
}

// Start is the position before the first entry.
var Start = Position{Source: -1, LedgerOffset: -1}

// Options tune a table; the zero value is usable.
type Options struct {
	// Cache may be shared by the tables of a process; nil: a small one of its own.
	Cache *pebble.Cache
	// FlushBytes, FlushEvery: see the defaults.
	FlushBytes int64
	FlushEvery time.Duration
	// Expire, if set, forgets keys that nobody sees any more.
	Expire *Expire
	// Fresh are first bytes of keys that are usually asked for before they exist;
	// the table then knows most that are absent without looking. It costs 1.5 bytes
	// per such key, up to 25 MB, twice that after a start.
	Fresh string
	fs    vfs.FS // of tests
}

// Expire walks the keys From ≤ key < To round and round, some at each flush, and
// drops those for which Expired says so. It leaves no trace in the ledger, so a
// key may go only if every reader takes it for absent at that clock already.
type Expire struct {
	From, To []byte
	Expired  func(key, value []byte, clock event.Time) bool
}

// Table is the state of one partition.
type Table struct {
	o   Options
	db  *pebble.DB
	dir string

	mu     sync.RWMutex // guards dirty, frozen, pos against readers
	dirty  *layer
	frozen *layer // being written to Pebble
	pos    Position

	// Of the one working goroutine.
	clean     map[string]*cell
	filter    *filter
	near      dueHeap
	horizon   event.Time
	stale     []dueRow // rows of Pebble's index that turned out to be outdated
	flushing  chan error
	lastFlush time.Time
	written   Position // of the newest flush, maybe under way
	cursor    []byte   // where Expire goes on
	failed    error
}

// Open opens or makes the table in dir.
func Open(dir string, o Options) (*Table, error) {
	if o.FlushBytes == 0 {
		o.FlushBytes = DefaultFlushBytes
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = DefaultFlushEvery
	}
	po := &pebble.Options{
		Cache:                       o.Cache,
		FS:                          o.fs,
		DisableWAL:                  true, // the ledger is the log
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: 4,
		MaxOpenFiles:                256,
		L0CompactionThreshold:       compactAt,
		L0StopWritesThreshold:       stopAt,
		Logger:                      quiet{},
		FormatMajorVersion:          pebble.FormatNewest,
	}
	for i := range po.Levels {
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBits)
	}
	db, err := pebble.Open(dir, po)
	if err != nil {
		return nil, fmt.Errorf("table: opening %s: %w (the table can be deleted: it is made again from the ledger)", dir, err)
	}
	t := &Table{o: o, db: db, dir: dir, dirty: newLayer(0), clean: make(map[string]*cell), lastFlush: time.Now()}
	t.pos, err = readPosition(db)
	if t.written = t.pos; err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("table: %s: %w (delete it: it is made again from the ledger)", dir, err)
	}
	t.filter = newFilter(db, o.Fresh, t.pos == Start)
	return t, nil
}

// Position is where the committed state stands.
func (t *Table) Position() Position {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.pos
}

// SetClock says what the partition's clock is, after entries came from the ledger.
func (t *Table) SetClock(clock event.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pos.Clock = clock
}

// Err is the first error of Pebble; the table is then of no further use.
func (t *Table) Err() error { return t.failed }

func (t *Table) fail(err error) {
	if err != nil && t.failed == nil {
		t.failed = fmt.Errorf("table: %s: %w", t.dir, err)
	}
}

// Apply takes committed writes that came from the ledger, in order: how a table
// catches up after a crash or a move.
func (t *Table) Apply(writes []event.StateWrite, pos Position) error {
	if t.failed != nil {
		return t.failed
	}
	t.mu.Lock()
	for i := range writes {
		w := &writes[i]
		key := string(w.Key)
		c := &cell{due: w.Due}
		if w.Value != nil {
			c.value = append(make([]byte, 0, len(w.Value)), w.Value...)
		}
		c.stored = t.storedDue(key)
		t.dirty.put(key, c)
		t.filter.add(w.Key)
	}
	t.pos = pos
	t.mu.Unlock()
	t.forgetDue()
	return t.maintain()
}

// storedDue is what the memory layers know of Pebble's index of the key.
func (t *Table) storedDue(key string) event.Time {
	if c := t.dirty.cells[key]; c != nil {
		return c.stored
	}
	if t.frozen != nil {
		if c := t.frozen.cells[key]; c != nil {
			return c.due // by the time it matters, it is written
		}
	}
	if c := t.clean[key]; c != nil {
		return c.stored
	}
	return 0
}

// commit makes staged cells dirty.
func (t *Table) commit(staged *layer, pos Position) error {
	if t.failed != nil {
		return t.failed
	}
	t.mu.Lock()
	for _, i := range staged.items {
		// Without a due instant a row that the index may have is outdated, and goes
		// when it is come upon.
		if i.due != 0 {
			i.stored = t.storedDue(i.key)
		}
		t.dirty.put(i.key, i.cell)
	}
	t.pos = pos
	t.mu.Unlock()
	return t.maintain()
}

// Close writes what is dirty and closes Pebble.
func (t *Table) Close() error {
	t.filter.close()
	err := t.Flush()
	return errors.Join(err, t.db.Close())
}

// Abandon closes Pebble without writing what is dirty: what a crash leaves.
func (t *Table) Abandon() error {
	t.filter.close()
	t.await()
	return t.db.Close()
}

// get reads a committed key: memory, then Pebble. Only the working goroutine.
func (t *Table) get(key []byte) (*cell, bool) {
	if c := t.dirty.cells[string(key)]; c != nil {
		return c, !c.dead()
	}
	if t.frozen != nil {
		if c := t.frozen.cells[string(key)]; c != nil {
			return c, !c.dead()
		}
	}
	if c := t.clean[string(key)]; c != nil {
		return c, !c.dead()
	}
	c, ok, err := readCell(t.db, key)
	if err != nil {
		t.fail(err)
		return absent, false
	}
	if ok {
		if len(t.clean) >= maxClean {
			clear(t.clean)
		}
		t.clean[string(key)] = c
	}
	return c, ok
}

func readCell(db pebble.Reader, key []byte) (*cell, bool, error) {
	var buf [128]byte
	raw, closer, err := db.Get(append(append(buf[:0], spaceData), key...))
	if errors.Is(err, pebble.ErrNotFound) {
		return absent, false, nil
	}
	if err != nil {
		return absent, false, err
	}
	due, v := cutDue(raw)
	c := &cell{value: append(make([]byte, 0, len(v)), v...), due: due, stored: due}
	return c, true, closer.Close()
}

func dataKey(key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+1), spaceData), key...)
}

// cutDue splits a stored value.
func cutDue(raw []byte) (event.Time, []byte) {
	due, n := binary.Varint(raw)
	if n <= 0 {
		return 0, nil // cannot be: we wrote it, and Pebble checks its blocks
	}
	return event.Time(due), raw[n:]
}

var metaKey = []byte{spaceMeta}

func readPosition(db *pebble.DB) (Position, error) {
	raw, closer, err := db.Get(metaKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return Start, nil
	}
	if err != nil {
		return Start, err
	}
	defer closer.Close()
	if len(raw) != 41 || raw[0] != format {
		return Start, fmt.Errorf("position of an unknown format (%d bytes)", len(raw))
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(raw[1+8*i:])) }
	return Position{Sequence: at(0), Source: at(1), LedgerOffset: at(2), Hash: uint64(at(3)), Clock: event.Time(at(4))}, nil
}

func (p Position) encode() []byte {
	b := []byte{format}
	for _, v := range [...]int64{p.Sequence, p.Source, p.LedgerOffset, int64(p.Hash), int64(p.Clock)} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// quiet drops Pebble's own log; errors come back from its calls.
type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic("table: pebble: " + fmt.Sprintf(format, a...)) }

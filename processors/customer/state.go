package customer

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/bundle"
)

// Keys of the partition's own state.
var (
	keyPartition = []byte("xp")
	keyCutPoints = []byte("xq")
	bundlesFrom  = []byte("xb")
	bundlesTo    = []byte("xc")
)

// maxBundles bounds the versions of rules that one log may hold.
const maxBundles = 10_000

func bundleKey(n int) []byte { return binary.BigEndian.AppendUint32([]byte("xb"), uint32(n)) }

// stateFormat is the first byte of the values below.
const stateFormat = 1

// partition is what one partition knows beside its accounts.
type partition struct {
	clock event.Time
	slice int64
	// countDay is a day that has begun and is not counted yet, 0: none.
	countDay event.Day
	history  string // source of the bracket that is open
	inside   bool   // of a history bracket
	sweep    sweep
}

// sweep is a visit to all accounts that is not finished.
type sweep struct {
	cause event.Cause // Type "" when none is under way
	next  string      // the account to go on with
}

func (s *sweep) pending() bool { return s.cause.Type != "" }

func (p *partition) append(b []byte) []byte {
	b = append(b, stateFormat)
	b = binary.AppendVarint(b, int64(p.clock))
	b = binary.AppendVarint(b, p.slice)
	b = binary.AppendVarint(b, int64(p.countDay))
	inside := byte(0)
	if p.inside {
		inside = 1
	}
	b = append(b, inside)
	for _, s := range [...]string{p.history, string(p.sweep.cause.Type), p.sweep.cause.ID, p.sweep.next} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

func (p *partition) decode(b []byte) error {
	r := packed.Decoder{B: b}
	if r.Byte() != stateFormat {
		return fmt.Errorf("customer: partition state of an unknown format")
	}
	p.clock = event.Time(r.Int())
	p.slice = r.Int()
	p.countDay = event.Day(r.Int())
	p.inside = r.Byte() == 1
	p.history = r.Text()
	p.sweep.cause = event.Cause{Type: event.Type(r.Text()), ID: r.Text()}
	p.sweep.next = r.Text()
	if r.Bad || len(r.B) > 0 {
		return fmt.Errorf("customer: partition state is damaged (%d bytes)", len(b))
	}
	return nil
}

func appendCuts(b []byte, c *event.CutPoints) []byte {
	b = binary.AppendVarint(append(b, stateFormat), int64(c.Day))
	b = binary.AppendVarint(b, c.Customers)
	fixed := byte(0)
	if c.Fixed {
		fixed = 1
	}
	b = append(b, fixed)
	for _, four := range [...]*[4]int64{&c.RecencyDays5, &c.OrdersCount5, &c.SpendMinor5} {
		for _, v := range four {
			b = binary.AppendVarint(b, v)
		}
	}
	return b
}

func decodeCuts(b []byte) (*event.CutPoints, error) {
	r := packed.Decoder{B: b}
	if r.Byte() != stateFormat {
		return nil, fmt.Errorf("customer: cut points of an unknown format")
	}
	c := &event.CutPoints{Day: event.Day(r.Int()), Customers: r.Int(), Fixed: r.Byte() == 1}
	for _, four := range [...]*[4]int64{&c.RecencyDays5, &c.OrdersCount5, &c.SpendMinor5} {
		for i := range four {
			four[i] = r.Int()
		}
	}
	if r.Bad || len(r.B) > 0 {
		return nil, fmt.Errorf("customer: cut points are damaged (%d bytes)", len(b))
	}
	return c, nil
}

// shelved is a bundle as it was taken: its record, and since when it is in force.
type shelved struct {
	from   event.Time
	bundle event.Bundle
}

func (s *shelved) append(b []byte) ([]byte, error) {
	// encoding/json sorts the files by name: the same bytes for ever.
	raw, err := json.Marshal(&s.bundle)
	if err != nil {
		return nil, fmt.Errorf("customer: bundle %s: %w", s.bundle.ID, err)
	}
	return append(binary.AppendVarint(append(b, stateFormat), int64(s.from)), raw...), nil
}

func (s *shelved) decode(b []byte) error {
	r := packed.Decoder{B: b}
	if r.Byte() != stateFormat {
		return fmt.Errorf("customer: bundle of an unknown format")
	}
	s.from = event.Time(r.Int())
	if r.Bad {
		return fmt.Errorf("customer: bundle is damaged")
	}
	return json.Unmarshal(r.B, &s.bundle)
}

// load reads what the partition knows from its state.
func (f *Function) load(st program.State) error {
	if raw, ok := st.Get(keyPartition); ok {
		if err := f.p.decode(raw); err != nil {
			return err
		}
	}
	if raw, ok := st.Get(keyCutPoints); ok {
		var err error
		if f.cuts, err = decodeCuts(raw); err != nil {
			return err
		}
	}
	var err error
	st.Scan(bundlesFrom, bundlesTo, func(_, value []byte) bool {
		var s shelved
		if err = s.decode(value); err != nil {
			return false
		}
		err = f.shelve(&s)
		return err == nil
	})
	f.loaded = err == nil
	return err
}

// shelve parses a bundle that the log has accepted and puts it in force.
func (f *Function) shelve(s *shelved) error {
	rules, problems := bundle.Parse(s.bundle.Files)
	if len(problems) > 0 {
		return fmt.Errorf("customer: bundle %s was accepted and does not parse any more: %s", s.bundle.ID, problems[0])
	}
	f.put(s, rules)
	return nil
}

func (f *Function) put(s *shelved, rules *bundle.Bundle) {
	book := rules.Book
	f.sets[rules.ID] = rules.Segments
	book.EffectiveFrom, book.Semantics = s.bundle.EffectiveFrom, s.bundle.Semantics
	f.lib.Add(book, s.from)
	f.bundles = append(f.bundles, shelf{id: s.bundle.ID, from: s.from, effective: s.bundle.EffectiveFrom})
}

// savePartition stages the partition's state.
func (f *Function) savePartition(st program.State) {
	f.buf = f.p.append(f.buf[:0])
	st.Put(keyPartition, f.buf, 0)
}

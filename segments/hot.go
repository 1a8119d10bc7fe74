package segments

import (
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// hotFormat is the first byte of a hot value.
const hotFormat = 1

// hot is what every event of a customer needs: who it is by the leaves and
// segments of one set, when that changes by time alone, and measures of events.
// Facts, and the names of its segments, are read only when they matter.
type hot struct {
	due     event.Time // first, so that NextDue reads a few bytes
	setID   uint64     // 0: no segments; of another set, what follows is not read
	leaves  []uint64
	members []uint64
	// Birthday, 0: not known.
	month, day int8
	measures   []measure // by quantity; those of stored ones count
	fitted     *Set      // there is room for
}

// measure is the state of one stored quantity. Which fields count depends on its
// kind: panes (counts and sums in a window), total (ever), day (first or last), at
// (latest).
type measure struct {
	known bool
	total int64
	day   event.Day
	at    event.Time
	panes []pane // ascending by day, none with 0
}

// pane is what one day adds to a count or sum.
type pane struct {
	day event.Day
	n   int64
}

func (m *measure) reset() {
	if m.known || len(m.panes) > 0 {
		*m = measure{panes: m.panes[:0]}
	}
}

// add adds to the pane of a day.
func (m *measure) add(day event.Day, n int64) {
	if n == 0 {
		return
	}
	i := len(m.panes)
	for i > 0 && m.panes[i-1].day > day {
		i--
	}
	if i > 0 && m.panes[i-1].day == day {
		i--
		if m.panes[i].n += n; m.panes[i].n == 0 {
			m.panes = slices.Delete(m.panes, i, i+1)
		}
	} else {
		m.panes = slices.Insert(m.panes, i, pane{day, n})
	}
	m.known = m.known || len(m.panes) > 0
}

// forget drops the panes before a day.
func (m *measure) forget(before event.Day) {
	n := 0
	for n < len(m.panes) && m.panes[n].day < before {
		n++
	}
	m.panes = append(m.panes[:0], m.panes[n:]...)
	m.known = len(m.panes) > 0
}

// fit gives the value room for a set, empty.
func (h *hot) fit(s *Set) {
	h.due, h.setID, h.month, h.day = 0, s.ID, 0, 0
	h.leaves = zeroed(h.leaves, words64(len(s.Leaves)))
	h.members = zeroed(h.members, words64(len(s.Segments)))
	if h.fitted == s {
		for _, i := range s.plan.stored {
			h.measures[i].reset()
		}
		return
	}
	h.fitted = s
	for i := range h.measures {
		h.measures[i].reset()
	}
	for len(h.measures) < len(s.Quantities) {
		h.measures = append(h.measures, measure{})
	}
	h.measures = h.measures[:len(s.Quantities)]
}

func zeroed(v []uint64, n int) []uint64 {
	if cap(v) < n {
		return make([]uint64, n)
	}
	v = v[:n]
	clear(v)
	return v
}

func (h *hot) append(dst []byte, s *Set) []byte {
	w := packed.Encoder{B: dst}
	w.Byte(hotFormat)
	w.Int(int64(h.due))
	w.Fixed(h.setID)
	if h.setID == 0 {
		return w.B
	}
	w.Bits(h.leaves)
	w.Bits(h.members)
	w.Byte(byte(h.month))
	w.Byte(byte(h.day))
	known := 0
	for _, q := range s.plan.stored {
		if h.measures[q].known {
			known++
		}
	}
	w.Uint(uint64(known))
	last := int32(0)
	for _, q := range s.plan.stored {
		m := &h.measures[q]
		if !m.known {
			continue
		}
		w.Uint(uint64(q - last))
		last = q
		m.append(&w, &s.Quantities[q])
	}
	return w.B
}

func (m *measure) append(w *packed.Encoder, q *Quantity) {
	switch {
	case q.Kind == LatestEvent:
		w.Int(int64(m.at))
	case q.Kind == DaysSinceFirstEvent || q.Kind == DaysSinceLastEvent:
		w.Int(int64(m.day))
	case q.Window == Window{}:
		w.Int(m.total)
	default:
		w.Uint(uint64(len(m.panes)))
		last := event.Day(0)
		for _, p := range m.panes {
			w.Int(int64(p.day - last))
			w.Int(p.n)
			last = p.day
		}
	}
}

func (m *measure) decode(r *packed.Decoder, q *Quantity) {
	m.known = true
	switch {
	case q.Kind == LatestEvent:
		m.at = r.Time()
	case q.Kind == DaysSinceFirstEvent || q.Kind == DaysSinceLastEvent:
		m.day = r.Day()
	case q.Window == Window{}:
		m.total = r.Int()
	default:
		last := event.Day(0)
		for n := r.Count(); n > 0 && !r.Bad; n-- {
			last += r.Day()
			m.panes = append(m.panes, pane{last, r.Int()})
		}
	}
}

// headOfHot reads when a hot value is due and which set it is of.
func headOfHot(value []byte) (r packed.Decoder, due event.Time, setID uint64, err error) {
	r = packed.Decoder{B: value}
	if r.Byte() != hotFormat {
		r.Fail()
	}
	due, setID = r.Time(), r.Fixed()
	if r.Bad {
		err = r.End("membership")
	}
	return r, due, setID, err
}

// decode reads a value of the set; same is false when it is of another set, and
// then only due and setID are read.
func (h *hot) decode(value []byte, s *Set) (same bool, err error) {
	h.fit(s)
	r, due, setID, err := headOfHot(value)
	h.due, h.setID = due, setID
	if err != nil || setID != s.ID {
		return false, err
	}
	if setID == 0 {
		return true, r.End("membership")
	}
	r.Bits(h.leaves)
	r.Bits(h.members)
	h.month, h.day = int8(r.Byte()), int8(r.Byte())
	q := int32(0)
	for n := r.Count(); n > 0 && !r.Bad; n-- {
		delta := r.Uint()
		if delta > uint64(len(s.Quantities)) || int(q)+int(delta) >= len(s.Quantities) {
			r.Fail()
			break
		}
		q += int32(delta)
		h.measures[q].reset()
		h.measures[q].decode(&r, &s.Quantities[q])
	}
	return true, r.End("membership")
}

const membersFormat = 1

// appendMembers writes the segments that an account is in, by name, ascending.
func appendMembers(dst []byte, ids []string) []byte {
	w := packed.Encoder{B: dst}
	w.Byte(membersFormat)
	w.Uint(uint64(len(ids)))
	for _, id := range ids {
		w.String(id)
	}
	return w.B
}

func decodeMembers(value []byte) ([]string, error) {
	r := packed.Decoder{B: value}
	if r.Byte() != membersFormat {
		r.Fail()
	}
	n := r.Count()
	out := make([]string, 0, n)
	for ; n > 0 && !r.Bad; n-- {
		out = append(out, string(r.Bytes()))
	}
	return out, r.End("segments")
}

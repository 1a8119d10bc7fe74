package segments

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/program"
)

const doingFormat = 1

// doing is a counted event as it is kept: what a customer did that is no order.
type doing struct {
	time       event.Time
	properties []property // by name
}

type property struct {
	name  string
	value json.RawMessage
}

// counted reports whether an event is one of those that segments count.
func counted(ev *event.Event) bool {
	return ev.Type == event.TypeTrack && ev.Order == nil && ev.Refund == nil && ev.Redeem == nil &&
		ev.Name != "" && ev.Name != event.NameOrderCompleted && ev.Name != event.NameOrderRefunded
}

func doingOf(ev *event.Event) doing {
	all := withSurvey(ev.Properties, ev.Survey)
	d := doing{time: ev.EventTime, properties: make([]property, 0, len(all))}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d.properties = append(d.properties, property{name, all[name]})
	}
	return d
}

func (d *doing) find(name string) (json.RawMessage, bool) {
	for i := range d.properties {
		if d.properties[i].name == name {
			return d.properties[i].value, true
		}
	}
	return nil, false
}

func (d *doing) append(dst []byte) []byte {
	w := packed.Encoder{B: dst}
	w.Byte(doingFormat)
	w.Uint(uint64(len(d.properties)))
	for _, p := range d.properties {
		w.String(p.name)
		w.Bytes(p.value)
	}
	return w.B
}

func (d *doing) decode(value []byte) error {
	d.properties = d.properties[:0]
	r := packed.Decoder{B: value}
	if r.Byte() != doingFormat {
		r.Fail()
	}
	for n := r.Count(); n > 0 && !r.Bad; n-- {
		d.properties = append(d.properties, property{name: string(r.Bytes()), value: r.Bytes()})
	}
	return r.End("event")
}

// doingPrefix is what the keys of all events of a name begin with; then come time
// and sequence.
func doingPrefix(dst []byte, accountID, name string) []byte {
	dst = append(append(dst, kindEvent), accountID...)
	return append(append(append(dst, 0), name...), 0)
}

const doingSuffix = 8 + 8

func doingKey(dst []byte, accountID, name string, at event.Time, sequence int64) []byte {
	dst = doingPrefix(dst, accountID, name)
	dst = binary.BigEndian.AppendUint64(dst, uint64(at)^(1<<63))
	return binary.BigEndian.AppendUint64(dst, uint64(sequence))
}

// scanDoings visits an account's events of a name, by time, then sequence. What fn
// gets is valid during the call only.
func scanDoings(st program.State, accountID, name string, fn func(d *doing)) {
	from := doingPrefix(nil, accountID, name)
	to := slices.Clone(from)
	to[len(to)-1] = 1
	var d doing
	st.Scan(from, to, func(key, value []byte) bool {
		// Another name may begin with this one and a zero byte.
		if len(key) != len(from)+doingSuffix {
			return true
		}
		d.time = event.Time(binary.BigEndian.Uint64(key[len(from):]) ^ (1 << 63))
		packed.Must(d.decode(value), key)
		fn(&d)
		return true
	})
}

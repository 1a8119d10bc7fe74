package segments

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/program"
)

// Limits on what is known of a customer.
const (
	// MaxFacts bounds the facts of one customer, forgotten ones included. A new one
	// then takes the place of the longest forgotten one. There being none, it is
	// dropped; one about consent instead takes the place of the oldest other fact,
	// because a withdrawal must never be lost. Of one event, facts are taken in the
	// order of their names.
	MaxFacts = 64
	// maxFactDepth bounds objects within each other.
	maxFactDepth = 8
)

const (
	factsFormat = 1
	consentFact = "consent"
)

// Events that withdraw consent for a channel.
var withdrawals = map[string]bool{"Unsubscribed": true, "Email Unsubscribed": true, "Email Marked as Spam": true}

// fact is a trait; no value: it is forgotten, and remembers when.
type fact struct {
	name  string
	time  event.Time
	value json.RawMessage
}

var null = json.RawMessage("null")

func appendFacts(dst []byte, facts []fact) []byte {
	w := packed.Encoder{B: dst}
	w.Byte(factsFormat)
	w.Uint(uint64(len(facts)))
	for i := range facts {
		w.String(facts[i].name)
		w.Int(int64(facts[i].time))
		w.Bytes(facts[i].value)
	}
	return w.B
}

func decodeFacts(value []byte) ([]fact, error) {
	r := packed.Decoder{B: value}
	if r.Byte() != factsFormat {
		r.Fail()
	}
	n := r.Count()
	out := make([]fact, 0, n)
	for ; n > 0 && !r.Bad; n-- {
		f := fact{name: string(r.Bytes()), time: r.Time()}
		if v := r.Bytes(); len(v) > 0 {
			f.value = slices.Clone(v)
		}
		out = append(out, f)
	}
	return out, r.End("facts")
}

func readFacts(st program.State, accountID string) []fact {
	key := keyOf(kindFacts, accountID)
	value, ok := st.Get(key)
	if !ok {
		return nil
	}
	facts, err := decodeFacts(value)
	packed.Must(err, key)
	return facts
}

// ReadFacts returns what is known of an account, by name: what its entries' Facts
// add up to.
func ReadFacts(st program.State, accountID string) []event.FactChange {
	var out []event.FactChange
	for _, f := range readFacts(st, accountID) {
		if f.value != nil {
			out = append(out, event.FactChange{Name: f.name, Value: f.value})
		}
	}
	return out
}

// book is the facts of one customer while an event changes them.
type book struct {
	facts   []fact
	touched bool // something changed, be it only when a fact was last said
	changes []event.FactChange
}

// learn takes what an event says of the customer: traits, or a withdrawal.
func (b *book) learn(ev *event.Event) {
	said := flatten(nil, "", ev.Traits, maxFactDepth)
	// {"a.b": 1, "a": {"b": 2}} says one thing twice; the greater JSON counts.
	slices.SortFunc(said, func(x, y fact) int {
		return cmp.Or(strings.Compare(x.name, y.name), bytes.Compare(x.value, y.value))
	})
	for _, f := range said {
		f.time = ev.EventTime
		b.put(f)
	}
	if withdrawals[ev.Name] {
		b.withdraw(channelOf(ev), ev.EventTime)
	}
}

// says reports whether an event can change facts.
func says(ev *event.Event) bool {
	return ev.Type == event.TypeIdentify && len(ev.Traits) > 0 || ev.Type == event.TypeTrack && (len(ev.Traits) > 0 || withdrawals[ev.Name])
}

// withdraw takes back consent for a channel and all that is narrower.
func (b *book) withdraw(channel string, at event.Time) {
	whole := consentFact + "." + channel
	names := []string{whole}
	for i := range b.facts {
		if f := &b.facts[i]; f.value != nil && strings.HasPrefix(f.name, whole+".") {
			names = append(names, f.name)
		}
	}
	for _, name := range names {
		b.put(fact{name: name, time: at, value: json.RawMessage("false")})
	}
}

// channelOf is the channel that an event of withdrawal names, else email.
func channelOf(ev *event.Event) string {
	text, _ := textOf(ev.Properties["channel"])
	if text = strings.ToLower(strings.TrimSpace(text)); fileID.MatchString(text) {
		return text
	}
	return event.ChannelEmail
}

// put takes one fact, unless a later one is known; of the same time the one that
// comes later counts.
func (b *book) put(f fact) {
	i, known := slices.BinarySearchFunc(b.facts, f.name, func(f fact, name string) int { return strings.Compare(f.name, name) })
	if known {
		old := &b.facts[i]
		if f.time < old.time {
			return
		}
		b.touched = true
		if !bytes.Equal(old.value, f.value) {
			b.change(f.name, f.value)
		}
		*old = f
		return
	}
	if len(b.facts) >= MaxFacts {
		out := b.place(f.name)
		if out < 0 {
			return
		}
		if b.facts[out].value != nil {
			b.change(b.facts[out].name, nil)
		}
		b.facts = slices.Delete(b.facts, out, out+1)
		if out < i {
			i--
		}
	}
	b.touched = true
	if f.value != nil {
		b.change(f.name, f.value)
	}
	b.facts = slices.Insert(b.facts, i, f)
}

// place finds the fact that a new one may replace, -1: none.
func (b *book) place(name string) int {
	best := -1
	older := func(i int) bool { return best < 0 || b.facts[i].time < b.facts[best].time }
	for i := range b.facts {
		if b.facts[i].value == nil && older(i) {
			best = i
		}
	}
	if best >= 0 || !aboutConsent(name) {
		return best
	}
	for i := range b.facts {
		if !aboutConsent(b.facts[i].name) && older(i) {
			best = i
		}
	}
	return best
}

func aboutConsent(name string) bool {
	return name == consentFact || strings.HasPrefix(name, consentFact+".")
}

func (b *book) change(name string, value json.RawMessage) {
	if value == nil {
		value = null
	}
	for i := range b.changes {
		if b.changes[i].Name == name {
			b.changes[i].Value = value
			return
		}
	}
	b.changes = append(b.changes, event.FactChange{Name: name, Value: value})
}

// flatten turns objects into names with dots. What is no scalar or list, too deep,
// too long, or without a name is left out.
func flatten(out []fact, prefix string, traits map[string]json.RawMessage, depth int) []fact {
	for name, raw := range traits {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
			continue
		}
		name = prefix + name
		raw = compact(raw)
		switch {
		case len(raw) == 0 || len(name) > event.MaxNameBytes || len(raw) > event.MaxPropertyBytes:
		case raw[0] == '{':
			var inner map[string]json.RawMessage
			if depth > 1 && json.Unmarshal(raw, &inner) == nil {
				out = flatten(out, name+".", inner, depth-1)
			}
		case bytes.Equal(raw, null):
			out = append(out, fact{name: strings.Clone(name)})
		default:
			out = append(out, fact{name: strings.Clone(name), value: raw})
		}
	}
	return out
}

// compact copies a JSON value without spaces, nil: it is none.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return nil
	}
	return b.Bytes()
}

// find returns a fact's value.
func (b *book) find(name string) (json.RawMessage, bool) {
	i, known := slices.BinarySearchFunc(b.facts, name, func(f fact, name string) int { return strings.Compare(f.name, name) })
	if !known || b.facts[i].value == nil {
		return nil, false
	}
	return b.facts[i].value, true
}

// birthday returns month and day of birth, 0: not known, or no such day.
func (b *book) birthday() (month, day int8) {
	m, ok := b.number("birth_month")
	d, known := b.number("birth_day")
	if !ok || !known || m < 1 || m > 12 || d < 1 || d > int64(longest[m-1]) {
		return 0, 0
	}
	return int8(m), int8(d)
}

// longest are the days of the months in a leap year.
var longest = [12]int8{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func (b *book) number(name string) (int64, bool) {
	raw, ok := b.find(name)
	if !ok {
		return 0, false
	}
	text, ok := textOf(raw)
	if !ok {
		return 0, false
	}
	return numberOf(text)
}

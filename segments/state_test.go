package segments

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

const goldenDay = event.Day(20_000) // 2024-10-04

// goldenSet has a quantity of each form of state.
func goldenSet(t testing.TB) *Set {
	return mustParse(t, testBook(t), map[string]string{
		"segments/a.yaml": "who: {any: [{count: {of: Viewed, in: 30 days, at_least: 2}}, {sum: {of: Viewed, property: n, at_least: 2}}, {days_since_first: {of: Viewed, at_least: 2}}]}",
		"segments/b.yaml": "who: {any: [{latest: {of: Viewed, property: n, at_least: 2}}, {count: {of: order, where: {channel: web}, in: last month, at_least: 2}}]}",
		"segments/c.yaml": "who: {any: [{segment: a}, {days_since_last: {of: Viewed, at_least: 2}}, {fact: {name: x, is: 1}}, {member: true}]}",
	})
}

func goldenHot(s *Set) *hot {
	h := &hot{}
	h.fit(s)
	h.due, h.month, h.day = 1_728_000_000_000, 2, 29
	h.setID = 0x0123456789abcdef
	set(h.leaves, 1, true)
	set(h.leaves, 6, true)
	set(h.members, 0, true)
	for i := range s.Quantities {
		m := &h.measures[i]
		if !s.Quantities[i].isStored() {
			continue
		}
		m.known = true
		switch q := &s.Quantities[i]; {
		case q.Kind == LatestEvent:
			m.at = 1_727_000_000_123
		case q.Kind == DaysSinceFirstEvent || q.Kind == DaysSinceLastEvent:
			m.day = goldenDay - 3
		case q.Window == Window{}:
			m.total = -7
		default:
			m.add(goldenDay, 2)
			m.add(goldenDay-9, 1)
		}
	}
	return h
}

func goldenFacts() []fact {
	return []fact{{"consent.email", 1_727_000_000_123, json.RawMessage("true")}, {"country", 5, json.RawMessage(`"FR"`)}, {name: "gone", time: 6}}
}

// TestGoldenState pins the encodings: state that was written must be readable for
// ever.
func TestGoldenState(t *testing.T) {
	s := goldenSet(t)
	s.ID = 0x0123456789abcdef
	var b strings.Builder
	put := func(name string, bytes []byte) { fmt.Fprintf(&b, "%-14s %s\n", name, hex.EncodeToString(bytes)) }
	put("hot", goldenHot(s).append(nil, s))
	put("hot, no set", (&hot{due: 0}).append(nil, none))
	put("members", appendMembers(nil, []string{"champions", "trigger:birthday"}))
	put("facts", appendFacts(nil, goldenFacts()))
	ev := event.Event{EventTime: 1, Properties: props("n", 2, "w", "x"), Survey: &event.Survey{Kind: "nps", Score: 9, SurveyID: "s1"}}
	d := doingOf(&ev)
	put("event", d.append(nil))
	put("key event", doingKey(nil, "ann", "Product Viewed", 1_727_000_000_123, 42))
	put("key hot", keyOf(kindHot, "ann"))
	put("key members", keyOf(kindMembers, "ann"))
	put("key facts", keyOf(kindFacts, "ann"))
	golden(t, "testdata/golden/state.txt", b.String())

	var back hot
	if same, err := back.decode(goldenHot(s).append(nil, s), s); !same || err != nil {
		t.Fatal(same, err)
	}
	if hex.EncodeToString(back.append(nil, s)) != hex.EncodeToString(goldenHot(s).append(nil, s)) {
		t.Error("a hot value is not read as it was written")
	}
	if facts, err := decodeFacts(appendFacts(nil, goldenFacts())); err != nil || fmt.Sprint(facts) != fmt.Sprint(goldenFacts()) {
		t.Errorf("%v %v", facts, err)
	}
}

// TestDamageIsFound: a value cut short anywhere, or with a byte too many, is an
// error and never a panic of the decoder; a partition stops on it.
func TestDamageIsFound(t *testing.T) {
	s := goldenSet(t)
	s.ID = 0x0123456789abcdef
	d := doing{properties: []property{{"n", json.RawMessage("2")}}}
	decoders := map[string]func([]byte) error{
		string(goldenHot(s).append(nil, s)):       func(b []byte) error { var h hot; _, err := h.decode(b, s); return err },
		string(appendMembers(nil, []string{"a"})): func(b []byte) error { _, err := decodeMembers(b); return err },
		string(appendFacts(nil, goldenFacts())):   func(b []byte) error { _, err := decodeFacts(b); return err },
		string(d.append(nil)):                     func(b []byte) error { var d doing; return d.decode(b) },
	}
	for whole, decode := range decoders {
		if err := decode([]byte(whole)); err != nil {
			t.Fatal(err)
		}
		for n := range len(whole) {
			if decode([]byte(whole[:n])) == nil {
				t.Errorf("%x cut at %d is read", whole, n)
			}
		}
		if decode([]byte(whole+"\x00")) == nil {
			t.Errorf("%x with a byte too many is read", whole)
		}
	}
	st := &program.MemState{}
	st.Put(keyOf(kindHot, "ann"), []byte{99}, 0)
	defer func() {
		if recover() == nil {
			t.Error("damaged state did not stop the partition")
		}
	}()
	NewKeeper(program.NewLibrary()).NextDue(st, "ann")
}

// TestKeys: the range of hot keys, and whose they are.
func TestKeys(t *testing.T) {
	from, to := KeyRange()
	key := string(keyOf(kindHot, "ann"))
	if key < string(from) || key >= string(to) {
		t.Errorf("%q is not in %q to %q", key, from, to)
	}
	if id, ok := AccountOfKey([]byte(key)); id != "ann" || !ok {
		t.Error(id, ok)
	}
	if _, ok := AccountOfKey(keyOf(kindFacts, "ann")); ok {
		t.Error("a key of facts passes for a hot one")
	}
}

// TestNamesWithZeroBytes: an event whose name begins with another's and a zero byte
// is not taken for it.
func TestNamesWithZeroBytes(t *testing.T) {
	st := &program.MemState{}
	d := doing{}
	for i, name := range []string{"a", "a\x00b", "a\x00" + strings.Repeat("x", 15)} {
		st.Put(doingKey(nil, "ann", name, 5, int64(i)), d.append(nil), 0)
		n := 0
		scanDoings(st, "ann", name, func(*doing) { n++ })
		if n != 1 {
			t.Errorf("%q: %d events", name, n)
		}
	}
	n := 0
	scanDoings(st, "ann", "a", func(*doing) { n++ })
	if n != 1 {
		t.Errorf("%d events", n)
	}
}

func identify(n int, from event.Time, names func(i int) string) *event.Event {
	traits := map[string]json.RawMessage{}
	for i := range n {
		traits[names(i)] = json.RawMessage("1")
	}
	return &event.Event{Type: event.TypeIdentify, EventTime: from, Traits: traits}
}

// TestFactLimit: at most MaxFacts, by name; forgotten ones make room, and consent
// takes it.
func TestFactLimit(t *testing.T) {
	var b book
	b.learn(identify(80, 10, func(i int) string { return fmt.Sprintf("f%02d", i) }))
	if len(b.facts) != MaxFacts || b.facts[63].name != "f63" || len(b.changes) != MaxFacts {
		t.Fatalf("%d facts, %d changes", len(b.facts), len(b.changes))
	}
	b.changes = nil
	b.learn(&event.Event{Type: event.TypeIdentify, EventTime: 11, Traits: map[string]json.RawMessage{"f05": null, "g": json.RawMessage("2")}})
	if _, known := b.find("g"); !known || len(b.facts) != MaxFacts {
		t.Error("a forgotten fact does not make room")
	}
	b.changes = nil
	b.learn(&event.Event{Type: event.TypeTrack, Name: "Unsubscribed", EventTime: 9})
	if v, _ := b.find("consent.email"); string(v) != "false" {
		t.Error("a withdrawal is lost")
	}
	if len(b.changes) != 2 || b.changes[0].Name != "f00" || string(b.changes[0].Value) != "null" || len(b.facts) != MaxFacts {
		t.Errorf("%+v", b.changes)
	}
	if !slices.IsSortedFunc(b.facts, func(x, y fact) int { return strings.Compare(x.name, y.name) }) {
		t.Error("facts are out of order")
	}
}

// TestFlatten: objects become names with dots; what is too deep or too long is left
// out; a name said twice is the same whatever the order.
func TestFlatten(t *testing.T) {
	for range 20 {
		var b book
		b.learn(&event.Event{Type: event.TypeIdentify, EventTime: 1, Traits: map[string]json.RawMessage{
			"a": json.RawMessage(`{ "b": {"c": [1, 2]}, "d": "x" }`), "a.d": json.RawMessage(`"y"`), "bad": json.RawMessage(`{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}`),
			"": json.RawMessage("1"), "long": json.RawMessage(`"` + strings.Repeat("x", event.MaxPropertyBytes) + `"`), "none": json.RawMessage("{"), "cr\n": json.RawMessage("1"),
		}})
		var got []string
		for _, f := range b.facts {
			got = append(got, f.name+"="+string(f.value))
		}
		if s := strings.Join(got, " "); s != `a.b.c=[1,2] a.d="y"` {
			t.Fatal(s)
		}
	}
}

// TestValues: what texts can be compared with.
func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		"4": "4", "-4": "-4", "4.9": "4", "-4.9": "-4", "007": "7", "0": "0", "999999999999": "999999999999",
		"": "", "-": "", "4.": "", ".5": "", "1e3": "", "4x": "", "4.5.6": "", "1000000000000": "", "+4": "", " 4": "",
	} {
		got := ""
		if n, ok := numberOf(text); ok {
			got = fmt.Sprint(n)
		}
		if got != want {
			t.Errorf("%q is the number %q, want %q", text, got, want)
		}
	}
	for raw, want := range map[string]string{`"a\u0062"`: "ab", "true": "true", "1.50": "1.50", "[1]": "[1]", "null": "-", "": "-"} {
		got, ok := textOf(json.RawMessage(raw))
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s has the text %q, want %q", raw, got, want)
		}
	}
}

// TestMatchEntry: campaigns ask the same of an entry.
func TestMatchEntry(t *testing.T) {
	words := func(p string, w ...string) Filter { return Filter{Property: p, Form: FormWords, Words: w} }
	order := &event.Entry{Order: &event.OrderFact{Channel: "web", Lines: []event.LineFact{{OrderLine: event.OrderLine{ProductID: "A", Category: "c"}}, {OrderLine: event.OrderLine{Brand: "b"}}}}}
	survey := &event.Entry{Survey: &event.Survey{Kind: "nps", Score: 3}, Properties: props("x", true)}
	for i, c := range []struct {
		e     *event.Entry
		where []Filter
		want  bool
	}{
		{order, nil, true}, {order, []Filter{words("channel", "web"), words("category", "c"), words("brand", "b")}, true},
		{order, []Filter{words("product", "B")}, false}, {order, []Filter{words("country", "FR")}, false},
		{survey, []Filter{words("kind", "nps"), {Property: "score", Form: FormRange, Max: 6, HasMax: true}, {Property: "x", Form: FormTruth, Truth: true}}, true},
		{survey, []Filter{{Property: "score", Form: FormRange, Min: 4, HasMin: true}}, false}, {survey, []Filter{words("y", "1")}, false},
	} {
		if MatchEntry(c.where, c.e) != c.want {
			t.Errorf("case %d", i)
		}
	}
}

// TestWhoIsNobody: guests, anonymous visitors and what was refused leave nothing.
func TestWhoIsNobody(t *testing.T) {
	w := newWorld(t, testBook(t), goldenSet(t))
	for _, c := range []struct {
		id      string
		outcome event.Outcome
	}{{"anon:1", event.OutcomeKept}, {"guest:1", event.OutcomeApplied}, {"ann", event.OutcomeRejected}, {"ann", event.OutcomeDuplicate}, {"ann", event.OutcomeConflict}} {
		e := event.Entry{AccountID: c.id, Outcome: c.outcome}
		ev := event.Event{Type: event.TypeTrack, Name: "Viewed", AccountID: c.id, EventTime: 5}
		w.step(Input{Event: &ev, Clock: 5, Cause: event.SegmentByEvent}, &e)
		if e.Properties != nil || e.Segments != nil || w.keeper.Changed() || !w.st.Equal(&program.MemState{}) {
			t.Errorf("%+v left something", c)
		}
	}
}

// TestQuietVisit: a visit that changes nothing writes nothing, and says so; and an
// order that enters no segment has a standing with the segments as they are.
func TestQuietVisit(t *testing.T) {
	w := newWorld(t, testBook(t), goldenSet(t))
	w.m.Clock = goldenDay.Start(w.lib.At(0).Zone)
	w.apply(event.Event{AccountID: "ann", Name: event.NameSignedUp, EventTime: w.m.Clock})
	if e := w.apply(orderOf("ann", "o1", w.m.Clock, 500)); e.Standing == nil || !slices.Equal(e.Standing.Segments, []string{"c"}) || len(e.Segments) > 0 {
		t.Errorf("%+v %+v", e.Standing, e.Segments)
	}
	before := w.st.Clone()
	if w.sweep(w.set, "ann"); w.keeper.Changed() || !w.st.Equal(before) {
		t.Error("a sweep that changed nothing wrote")
	}
	if w.sweep(nil, "ann"); !w.keeper.Changed() || len(ReadSegments(w.st, "ann")) > 0 {
		t.Error("a bundle without segments leaves members")
	}
	before = w.st.Clone()
	if w.sweep(nil, "ann"); w.keeper.Changed() || !w.st.Equal(before) {
		t.Error("a sweep without segments wrote")
	}
}

// TestNoCore: a customer of whom only facts are known is in segments, and has a
// standing that says so.
func TestNoCore(t *testing.T) {
	s := mustParse(t, testBook(t), map[string]string{"segments/fr.yaml": "who: {all: [{fact: {name: country, is: FR}}, {balance: {at_most: 0}}, {member: false}, {not: {tier: bronze}}]}"})
	w := newWorld(t, testBook(t), s)
	w.m.Clock = goldenDay.Start(s.zone())
	e := w.apply(event.Event{AccountID: "ann", Type: event.TypeIdentify, EventTime: w.m.Clock, Traits: props("country", "FR")})
	if e.Standing == nil || e.Standing.CustomerID != "ann" || !slices.Equal(e.Standing.Segments, []string{"fr"}) {
		t.Errorf("%+v", e.Standing)
	}
	if facts := ReadFacts(w.st, "ann"); len(facts) != 1 || facts[0].Name != "country" || string(facts[0].Value) != `"FR"` || fmt.Sprint(e.Facts) != fmt.Sprint(facts) {
		t.Errorf("%v %v", facts, e.Facts)
	}
}

package campaign

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors/table"
)

func TestStory(t *testing.T) {
	w := newWorld(t)
	got := outcomes(w.story(func() {}))
	want := map[string]int{
		"hello sent ":                 4, // Ann, Bob and Cem in the evening, Dot in the morning
		"hello postponed quiet_hours": 1,
		"thanks postponed delay":      3,
		"thanks held event_came":      1, // Bob
		"thanks postponed waiting":    2,
		"thanks sent ":                2,
		"later sent ":                 4, // who was there before
	}
	if !maps.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// TestRestartGivesTheSameBytes: wherever the process stops, the log is the same.
func TestRestartGivesTheSameBytes(t *testing.T) {
	straight, broken := newWorld(t), newWorld(t)
	straight.story(func() {})
	broken.story(func() { broken.campaigns.restart() })
	sameLog(t, straight.campaigns.log, broken.campaigns.log)
}

// TestReplayGivesTheState: a table made of the log alone is the table that was
// there, and what it decides next is the same.
func TestReplayGivesTheState(t *testing.T) {
	w := newWorld(t)
	w.story(func() {})
	copied := newStage(t, w.campaigns.make)
	for _, rec := range w.campaigns.log {
		writes, err := event.DecodeState(rec.Headers[0].Value)
		if err != nil {
			t.Fatal(err)
		}
		_, seq, source, _ := event.EntryPosition(rec.Value)
		if err := copied.table.Apply(writes, table.Position{Sequence: seq, Source: source, LedgerOffset: rec.Offset}); err != nil {
			t.Fatal(err)
		}
	}
	type pair struct{ key, value string }
	all := func(s *stage) (out []pair) {
		s.table.Begin().Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
			out = append(out, pair{string(k), string(v)})
			return true
		})
		return out
	}
	a, b := all(w.campaigns), all(copied)
	if len(a) != len(b) || len(a) < 10 {
		t.Fatalf("%d keys and %d", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("%q is %x and %x", a[i].key, a[i].value, b[i].value)
		}
	}
}

// TestManyOfOneMoment: what is due at once goes in slices, and a schedule does not
// stop them.
func TestManyOfOneMoment(t *testing.T) {
	w := newWorld(t)
	w.activate(bundleFiles(nil))
	start := event.At(mustTime(t, "2026-03-02T22:00:00Z"))
	w.tick(start)
	const many = 700
	for i := range many {
		w.fact("c"+strings.Repeat("x", i%5)+string(rune('a'+i%26))+string(rune('a'+i/26)), "vip", "true")
	}
	out := w.tick(event.At(mustTime(t, "2026-03-03T09:00:00Z")))
	if n := outcomes(out)["hello sent "]; n != many {
		t.Fatalf("%d of %d went in the morning", n, many)
	}
	slices, most := 0, int64(0)
	for i := range out {
		if out[i].Tick != nil {
			slices++
			most = max(most, out[i].Tick.Fired)
		}
	}
	if slices < 3 || most != 256 {
		t.Fatalf("%d slices, %d decisions in one", slices, most)
	}
}

func TestTakeoverChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.story(func() {})
	s := w.campaigns
	before := s.table.Position()
	if err := Takeover(s.tx, s.out); err != nil {
		t.Fatal(err)
	}
	if err := s.out.Err(); err != nil {
		t.Fatal(err)
	}
	rec := s.out.Records()[0]
	var e event.CampaignEntry
	if err := event.DecodeCampaignEntry(rec.Value, &e); err != nil {
		t.Fatal(err)
	}
	writes, err := event.DecodeState(rec.Headers[0].Value)
	if err != nil || len(writes) != 0 || len(rec.Key) != 0 {
		t.Fatalf("key %q, writes %v, %v", rec.Key, writes, err)
	}
	if e.Kind != event.CampaignTakeover || e.SourceOffset != before.Source || e.Sequence != before.Sequence+1 || e.EntryTime != w.clock || e.BundleID == "" {
		t.Fatalf("entry %s", rec.Value)
	}
}

func TestWhatIsNoEntryHalts(t *testing.T) {
	s := newWorld(t).campaigns
	s.out.Begin(0)
	err := s.fn.Apply(&stream.Record{Value: []byte("{")}, s.tx, s.out)
	if err == nil || !strings.Contains(err.Error(), "no entry") {
		t.Fatalf("got %v", err)
	}
}

// TestEntriesWithoutEffectMakeNone: guests, repeats and refusals.
func TestEntriesWithoutEffectMakeNone(t *testing.T) {
	w := newWorld(t)
	w.story(func() {})
	for _, ev := range []*event.Event{
		{Type: event.TypeTrack, Name: "Product Viewed", MessageID: "g1", AccountID: "guest:1", EventTime: w.clock, BodyHash: "0"},
		{Type: event.TypeTrack, Name: "Product Viewed", MessageID: "a1", AccountID: "anon:1", EventTime: w.clock, BodyHash: "0"},
		{Type: event.TypeTrack, Name: "Product Viewed", MessageID: "v1", AccountID: "ann", EventTime: w.clock, BodyHash: "0"},
		{Type: event.TypeTick, MessageID: "old", EventTime: 1, Tick: &event.Tick{}},
	} {
		if out := w.feed(ev); len(out) != 0 {
			t.Errorf("%s of %s made %+v", ev.Name, ev.AccountID, out[0])
		}
	}
	if out := w.fact("eve", "language", `"de"`); len(out) != 1 || out[0].Kind != event.CampaignStanding || out[0].CustomerID != "eve" {
		t.Errorf("a fact made %+v", out)
	}
	if !bytes.Contains(w.campaigns.log[0].Value, []byte(`"kind":"control"`)) {
		t.Errorf("the first entry is %s", w.campaigns.log[0].Value)
	}
}

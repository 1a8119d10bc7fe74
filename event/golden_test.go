package event

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew (only with a new semantics number)")

// fullEntry has every field set, so that the golden file pins them all.
func fullEntry() *Entry {
	return &Entry{
		Partition: 3, Sequence: 41, SourceOffset: 77, SourceIndex: 1, Semantics: 1,
		BundleID: "b1", AccountID: "17850", Kind: KindEvent, Outcome: OutcomeApplied, Reason: ReasonNoRule,
		Cause:     Cause{Type: TypeTrack, Name: NameOrderCompleted, ID: "m-1"},
		EventTime: 1323435000000, EntryTime: 1323435005000, IsHistory: true, IsSimulated: true, Answer: true,
		Enrolment: &Enrolment{RuleID: "enrol"},
		Order: &OrderFact{
			OrderID: "536365", Currency: "GBP", Number: 2, DiscountMinor: 100, ShippingMinor: 5, TaxMinor: 7,
			NetMinor: 1430, BaseMinor: 1330, Channel: "web", Country: "United Kingdom",
			Lines: []LineFact{{OrderLine{"85123A", "WHITE \"HANGING\" HEART\n\x01 é \xff", "decor", "own", 6, 1530}, true}},
		},
		Refund: &RefundFact{
			RefundID: "C1", OrderID: "536365", Currency: "GBP", NetMinor: 510, MatchedMinor: 255,
			Lines:       []RefundLine{{OrderLine{ProductID: "85123A", Quantity: 2, AmountMinor: 510}, Partly, 1, 255}},
			Allocations: []Allocation{{"536365", 0, 1, 255, 2, true}},
		},
		Survey:     &Survey{"s1", "nps", 9, "536365"},
		Redemption: &Redemption{"r1", 100, "536366", true, 23},
		Decisions:  []Decision{{"base", 13, 1330, 150, []string{"sunday", "gold"}, "why"}},
		Postings: []Posting{
			{AccountCustomer, "points", 13, "536365/base", 15683, PostEarn, "base", "536365"},
			{AccountEarned, "points", -13, "", 0, PostEarn, "base", "536365"},
		},
		Tier:     &TierChange{"bronze", "silver", "reached", 67400},
		Scores:   &ScoreChange{Scores{1, 2, 3}, Scores{5, 4, 3}, 15683, "order"},
		Commands: []Command{{1, 2, 3, "acct", "join", "root", 1, 5}},
		Facts:    []FactChange{{"consent.email", json.RawMessage(`true`)}},
		Properties: map[string]json.RawMessage{
			"rating": json.RawMessage(`5`), "a \"b\"": json.RawMessage(`[ 1, "x" ]`),
		},
		Segments: []SegmentChange{{"loyal", "0123456789abcdef", SegmentEntered, "orders: at least 5", SegmentByEvent}},
		Standing: &Standing{
			CustomerID: "17850", Member: true, EnrolledTime: 1323435000000, Balance: 13, NextExpiryOn: 15683, NextExpiryPoints: 13,
			Tier: "silver", TierSince: 1323435000000, TierReviewOn: 15700, TierSpendMinor: 67400, TierLackingMinor: 12600, Scores: Scores{5, 4, 3},
			Orders: 2, NetSpendMinor: 67400, WindowOrders: 2, WindowNetSpendMinor: 67400, Currency: "GBP",
			FirstOrderTime: 1323430000000, LastOrderTime: 1323435000000, Segments: []string{"loyal", "new-customers"}, IsSimulated: true,
		},
		Tick:   &TickFact{2, 256, true},
		Counts: &Counts{15683, 100, []Count{{15680, 3}}, []Count{{1, 2}, {2, 1}}, []Count{{67328, 3}}},
		Control: &ControlFact{
			BundleID: "b1", EffectiveFrom: 1, HistorySource: "online-retail", Late: true, Files: map[string]string{"program.yaml": "a: b\n"},
			CutPoints: &CutPoints{15683, 3, true, [4]int64{1, 2, 3, 4}, [4]int64{5, 6, 7, 8}, [4]int64{9, 10, 11, 12}},
		},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s changed: entries encode to the same bytes for ever\n got %s\nwant %s", name, got, want)
	}
}

func TestEntryEncodingIsPinned(t *testing.T) {
	golden(t, "entry_full.json", fullEntry().Append(nil))
	golden(t, "entry_least.json", (&Entry{Kind: KindTakeover, Outcome: OutcomeApplied, SourceOffset: -1}).Append(nil))
	golden(t, "customer.json", fullEntry().Standing.AppendCustomer(nil, 3, 41, 1323435005000))
	golden(t, "state.bin", AppendState(nil, []StateWrite{
		{Key: []byte("c17850"), Value: []byte{1, 2, 3}, Due: 1323435000000},
		{Key: []byte("gone")},
		{Key: []byte("empty"), Value: []byte{}},
	}))
}

// fullCampaignEntry has every field set.
func fullCampaignEntry() *CampaignEntry {
	cause := Cause{Type: TypeTrack, Name: NameOrderCompleted, ID: "m-1"}
	return &CampaignEntry{
		V: 1, Partition: 3, Sequence: 5, SourceOffset: 41, SourceIndex: 1, Semantics: 1, BundleID: "b1", CustomerID: "17850",
		Kind: CampaignDecided, LedgerSequence: 40, EventTime: 1323435000000, EntryTime: 1323435005000, IsHistory: true, IsSimulated: true,
		Decision: &CampaignDecision{
			CampaignID: "welcome", Version: "0123456789abcdef", RunID: "r1", Trigger: "segment_entered", Detail: "new-customers", TriggerTime: 1323435000000,
			Cause: cause, Outcome: CampaignPostponed, Reason: PostponedQuietHours, Until: 1323450000000, Arm: "a", Channel: ChannelEmail, Purpose: "marketing",
		},
		Message: &Message{
			MessageID: "r1", CustomerID: "17850", CampaignID: "welcome", Version: "0123456789abcdef", Arm: "a", Channel: ChannelEmail, Purpose: "marketing",
			Template: "welcome", Locale: "en", Variables: map[string]string{"balance": "120", "tier": "gold"}, Subject: "Welcome", Text: "Hello {{first_name}}",
			Trigger: "segment_entered", Detail: "new-customers", Cause: cause, NotBefore: 1323435000000, ExpiresTime: 1323521400000, IsSimulated: true,
		},
		Tick: &TickFact{2, 256, true},
	}
}

func fullSegmentRecord() *SegmentRecord {
	return &SegmentRecord{
		V: 1, Partition: 3, Sequence: 41, CustomerID: "17850", EventTime: 1323435000000, EntryTime: 1323435005000, CauseID: "m-1",
		IsHistory: true, IsSimulated: true, SegmentChange: fullEntry().Segments[0],
	}
}

func TestCampaignEncodingIsPinned(t *testing.T) {
	e := fullCampaignEntry()
	golden(t, "campaign_entry.json", e.Append(nil))
	golden(t, "campaign_message.json", e.Message.AppendCampaignMessage(nil, 3, 5, 1323435005000))
	golden(t, "segment.json", fullSegmentRecord().Append(nil))
	var back CampaignEntry
	if err := DecodeCampaignEntry(e.Append(nil), &back); err != nil || !reflect.DeepEqual(&back, e) {
		t.Errorf("round trip: %v\n got %+v\nwant %+v", err, back, *e)
	}
	var m CampaignMessage
	if err := DecodeCampaignMessage(e.Message.AppendCampaignMessage(nil, 3, 5, 1323435005000), &m); err != nil || !reflect.DeepEqual(&m.Message, e.Message) || m.Sequence != 5 {
		t.Errorf("message: %v %+v", err, m)
	}
	var r SegmentRecord
	if err := DecodeSegmentRecord(fullSegmentRecord().Append(nil), &r); err != nil || r != *fullSegmentRecord() {
		t.Errorf("segment: %v %+v", err, r)
	}
	p, seq, src, ok := EntryPosition(e.Append(nil))
	if !ok || p != 3 || seq != 5 || src != 41 {
		t.Errorf("position: %d %d %d %v", p, seq, src, ok)
	}
}

// The golden entry must have no zero field, or the file would not pin it.
func TestFullEntryIsFull(t *testing.T) {
	e := fullEntry()
	e.V = 1
	c, r := fullCampaignEntry(), fullSegmentRecord()
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Pointer:
			if v.IsNil() {
				t.Errorf("%s is nil", path)
				return
			}
			walk(v.Elem(), path)
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
		case reflect.Slice:
			if v.Len() == 0 {
				t.Errorf("%s is empty", path)
				return
			}
			walk(v.Index(0), path+"[0]")
		default:
			// A refund line in an allocation is counted from 0.
			if v.IsZero() && path != ".Refund.Allocations[0].Line" && path != ".Refund.Lines[0].OrderLine.Name" &&
				path != ".Refund.Lines[0].OrderLine.Category" && path != ".Refund.Lines[0].OrderLine.Brand" {
				t.Errorf("%s is zero", path)
			}
		}
	}
	walk(reflect.ValueOf(*e), "")
	walk(reflect.ValueOf(*c), "campaign")
	walk(reflect.ValueOf(*r), "segment")
}

// Our encoder and a JSON library agree on names and values.
func TestEntryDecodesToItself(t *testing.T) {
	e := fullEntry()
	e.V = 1
	e.Properties["a \"b\""] = json.RawMessage(`[1,"x"]`)      // compact, as we write it
	e.Order.Lines[0].Name = "WHITE \"HANGING\" HEART\n\x01 é" // the golden one has a byte that is not UTF-8
	var viaOurs, viaLibrary Entry
	if err := DecodeEntry(e.Append(nil), &viaOurs); err != nil {
		t.Fatal(err)
	}
	lib, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(lib, &viaLibrary); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]Entry{"ours": viaOurs, "library": viaLibrary} {
		if !reflect.DeepEqual(&got, e) {
			t.Errorf("%s: round trip differs\n got %+v\nwant %+v", name, got, *e)
		}
	}
}

func TestEntryPosition(t *testing.T) {
	p, seq, src, ok := EntryPosition(fullEntry().Append(nil))
	if !ok || p != 3 || seq != 41 || src != 77 {
		t.Errorf("got %d %d %d %v", p, seq, src, ok)
	}
	for _, bad := range []string{"", "{}", `{"v":1,"partition":x,"sequence":1,"source_offset":2,`, `{"v":1,"partition":1`} {
		if _, _, _, ok := EntryPosition([]byte(bad)); ok {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestStateRoundTrip(t *testing.T) {
	writes := []StateWrite{{Key: []byte("a"), Value: []byte("v"), Due: -5}, {Key: []byte("b")}, {Key: []byte{}, Value: []byte{}, Due: 9}}
	got, err := DecodeState(AppendState(nil, writes))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(writes) {
		t.Fatalf("%d writes, want %d", len(got), len(writes))
	}
	for i := range writes {
		if !bytes.Equal(got[i].Key, writes[i].Key) || !bytes.Equal(got[i].Value, writes[i].Value) ||
			(got[i].Value == nil) != (writes[i].Value == nil) || got[i].Due != writes[i].Due {
			t.Errorf("write %d: got %+v, want %+v", i, got[i], writes[i])
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	f.Add(AppendState(nil, []StateWrite{{Key: []byte("k"), Value: []byte("v"), Due: 7}, {Key: []byte("k")}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		writes, err := DecodeState(b)
		if err != nil {
			return
		}
		if again, err := DecodeState(AppendState(nil, writes)); err != nil || !reflect.DeepEqual(again, writes) {
			t.Fatalf("round trip of %x: %v", b, err)
		}
	})
}

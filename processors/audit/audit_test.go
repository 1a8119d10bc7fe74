package audit

import (
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

func record(e event.Entry) *stream.Record {
	return &stream.Record{Value: e.Append(nil), Headers: []stream.Header{{Key: event.HeaderState, Value: event.AppendState(nil, nil)}}}
}

func earn(seq, source int64, index int32, points, against int64) event.Entry {
	return event.Entry{
		Sequence: seq, SourceOffset: source, SourceIndex: index, Kind: event.KindEvent, Outcome: event.OutcomeApplied, AccountID: "c",
		Postings: []event.Posting{
			{Account: event.AccountCustomer, Wallet: "points", Points: points, Reason: event.PostEarn},
			{Account: event.AccountEarned, Wallet: "points", Points: against, Reason: event.PostEarn},
		},
	}
}

// Each way in which a ledger can be wrong is found and named.
func TestWhatIsWrongIsFound(t *testing.T) {
	tick := func(seq, source int64, index int32) event.Entry {
		return event.Entry{Sequence: seq, SourceOffset: source, SourceIndex: index, Kind: event.KindTick, Outcome: event.OutcomeApplied}
	}
	takeover := func(seq, source int64) event.Entry {
		return event.Entry{Sequence: seq, SourceOffset: source, Kind: event.KindTakeover, Outcome: event.OutcomeApplied}
	}
	for _, c := range []struct {
		name    string
		entries []event.Entry
		want    string // "" = nothing found
	}{
		{"a good ledger", []event.Entry{takeover(1, -1), tick(2, 0, 0), tick(3, 0, 1), tick(4, 1, 0), takeover(5, 1), tick(6, 2, 0)}, ""},
		{"a hole in the sequence", []event.Entry{tick(1, 0, 0), tick(3, 1, 0)}, "sequence 3 after 1"},
		{"a doubled entry", []event.Entry{tick(1, 0, 0), tick(1, 0, 0)}, "sequence 1 after 1"},
		{"an event without entry", []event.Entry{tick(1, 0, 0), tick(2, 2, 0)}, "source 2.0 after 0.0"},
		{"an event decided twice", []event.Entry{tick(1, 0, 0), tick(2, 0, 0)}, "source 0.0 after 0.0"},
		{"half of an event's entries", []event.Entry{tick(1, 0, 1)}, "source 0.1 after -1.0"},
		{"a takeover that moves the position", []event.Entry{tick(1, 0, 0), takeover(2, 1)}, "takeover of source 1"},
		{"postings that do not balance", []event.Entry{earn(1, 0, 0, 5, -4)}, "sum to 1"},
		{"points without an account", []event.Entry{earn(1, 0, 0, 5, -5)}, "postings of 5 and no state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := New(0, 1<<62)
			for _, e := range c.entries {
				a.Take(record(e))
			}
			a.Finish()
			got := strings.Join(a.Findings, "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

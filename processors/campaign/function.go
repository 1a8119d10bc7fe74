package campaign

import (
	"fmt"

	"github.com/punchcard/punchcard/campaigns"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/table"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/bundle"
)

// Fresh are the kinds of keys that are usually new when they are asked for.
const Fresh = campaigns.FreshKinds

// Function is the campaign processor of one partition.
type Function struct {
	id      int32
	machine *campaigns.Machine

	// Of the record being decided.
	entry event.Entry
	out   *processors.Output
	index int32
}

var _ processors.Function = (*Function)(nil)

// New makes the function of one of so many partitions; it reads its state at the
// first record.
func New(partition, partitions int32) *Function {
	return &Function{id: partition, machine: NewMachine(partition, partitions)}
}

// NewMachine makes what decides in a Function: for those who decide the ledger
// again.
func NewMachine(partition, partitions int32) *campaigns.Machine {
	return campaigns.NewMachine(partition, partitions, parse)
}

func parse(files map[string]string) (*campaigns.Plan, error) {
	b, problems := bundle.Parse(files)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s", problems[0])
	}
	return b.Campaigns, nil
}

// Apply implements processors.Function.
func (f *Function) Apply(in *stream.Record, tx *table.Tx, out *processors.Output) error {
	f.entry, f.out, f.index = event.Entry{}, out, 0
	if err := event.DecodeEntry(in.Value, &f.entry); err != nil {
		return fmt.Errorf("campaign: the ledger holds what is no entry: %w", err)
	}
	if err := f.machine.Take(tx, &f.entry, f.append); err != nil {
		return fmt.Errorf("campaign: entry %d: %w", f.entry.Sequence, err)
	}
	return tx.Err()
}

// append numbers and writes one campaign entry.
func (f *Function) append(e *event.CampaignEntry) {
	e.Partition, e.Sequence, e.SourceOffset, e.SourceIndex = f.id, f.out.Sequence(), f.out.Source(), f.index
	e.Semantics, e.LedgerSequence = program.Semantics, f.entry.Sequence
	f.index++
	var key []byte
	if e.CustomerID != "" {
		key = []byte(e.CustomerID)
	}
	f.out.SetClock(f.machine.Clock())
	f.out.Append(key, e.Append(f.out.Buffer()))
}

// Takeover is the entry by which a new writer takes the partition: it changes
// nothing and moves no position.
func Takeover(tx *table.Tx, out *processors.Output) error {
	f := New(out.Partition(), 1) // it decides nothing, so that shares are of no matter
	f.out = out
	if err := f.machine.Load(tx); err != nil {
		return fmt.Errorf("campaign: %w", err)
	}
	clock := f.machine.Clock()
	f.append(&event.CampaignEntry{Kind: event.CampaignTakeover, BundleID: f.machine.BundleID(), EventTime: clock, EntryTime: clock})
	return tx.Err()
}

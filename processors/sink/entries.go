package sink

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// entryRows is the table entries.
type entryRows struct {
	rows
	ledgerOffset, sourceOffset                                             []int64
	sourceIndex                                                            []int32
	kind, outcome, reason, causeType, causeName, causeID, enrolment, value []string
}

func (t *entryRows) add(e *event.Entry, rec *stream.Record) {
	t.key(e, 0)
	t.ledgerOffset = append(t.ledgerOffset, rec.Offset)
	t.sourceOffset = append(t.sourceOffset, e.SourceOffset)
	t.sourceIndex = append(t.sourceIndex, e.SourceIndex)
	t.kind = append(t.kind, string(e.Kind))
	t.outcome = append(t.outcome, string(e.Outcome))
	t.reason = append(t.reason, e.Reason)
	t.causeType = append(t.causeType, string(e.Cause.Type))
	t.causeName = append(t.causeName, e.Cause.Name)
	t.causeID = append(t.causeID, e.Cause.ID)
	rule := ""
	if e.Enrolment != nil {
		rule = e.Enrolment.RuleID
	}
	t.enrolment = append(t.enrolment, rule)
	t.value = append(t.value, string(rec.Value))
}

func (t *entryRows) take() block {
	return t.block(
		column{Name: "ledger_offset", Values: t.ledgerOffset},
		column{Name: "source_offset", Values: t.sourceOffset},
		column{Name: "source_index", Values: t.sourceIndex},
		column{Name: "kind", Values: t.kind},
		column{Name: "outcome", Values: t.outcome},
		column{Name: "reason", Values: t.reason},
		column{Name: "cause_type", Values: t.causeType},
		column{Name: "cause_name", Values: t.causeName},
		column{Name: "cause_id", Values: t.causeID},
		column{Name: "enrolment_rule_id", Values: t.enrolment},
		column{Name: "value", Values: t.value},
	)
}

// standings is the table customer_standings: of several standings of a customer
// in one round only the newest.
type standings struct {
	table     string
	positions map[int32]int64
	newest    map[string]*event.Entry
}

func (t *standings) add(e *event.Entry) {
	if e.Standing != nil && event.Identified(e.Standing.CustomerID) && e.Sequence > t.positions[e.Partition] {
		t.newest[e.Standing.CustomerID] = e
	}
}

package sink

import (
	"fmt"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// tableNames are the tables that the ledger fills, in the order in which they
// are inserted: entries is last, so that what it has, all have.
var tableNames = []string{
	"orders", "order_items", "refunds", "refund_lines", "refund_allocations", "points", "decisions",
	"redemptions", "tier_changes", "score_changes", "surveys", "customer_standings", "entries",
}

// facts takes entries apart into rows. Its positions are per table and
// partition.
type facts struct {
	orders      orderRows
	items       itemRows
	refunds     refundRows
	refundLines refundLineRows
	allocations allocationRows
	points      pointRows
	decisions   decisionRows
	redemptions redemptionRows
	tiers       tierRows
	scores      scoreRows
	surveys     surveyRows
	standings   standings
	entries     entryRows
}

func newFacts(positions map[string]map[int32]int64) *facts {
	f := &facts{standings: standings{table: "customer_standings", positions: positions["customer_standings"], newest: make(map[string]*event.Entry)}}
	for name, r := range map[string]*rows{
		"orders": &f.orders.rows, "order_items": &f.items.rows, "refunds": &f.refunds.rows, "refund_lines": &f.refundLines.rows,
		"refund_allocations": &f.allocations.rows, "points": &f.points.rows, "decisions": &f.decisions.rows,
		"redemptions": &f.redemptions.rows, "tier_changes": &f.tiers.rows, "score_changes": &f.scores.rows,
		"surveys": &f.surveys.rows, "entries": &f.entries.rows,
	} {
		r.table, r.positions, r.spans = name, positions[name], make(map[int32]span)
	}
	return f
}

// add decodes one ledger record and appends its rows.
func (f *facts) add(rec *stream.Record) (*event.Entry, error) {
	e := new(event.Entry)
	if err := event.DecodeEntry(rec.Value, e); err != nil {
		return nil, fmt.Errorf("%w: partition %d of the ledger, offset %d: %w", ErrEntry, rec.Partition, rec.Offset, err)
	}
	if e.Partition != rec.Partition {
		return nil, fmt.Errorf("%w: partition %d of the ledger, offset %d: it says partition %d", ErrEntry, rec.Partition, rec.Offset, e.Partition)
	}
	f.addPurchases(e)
	f.addStanding(e)
	if f.entries.wants(e) {
		f.entries.add(e, rec)
	}
	return e, nil
}

// counted says whether the input's fact is one: duplicates, conflicts and what
// the rules refuse are in entries alone.
func counted(e *event.Entry) bool {
	return e.Outcome == event.OutcomeApplied || e.Outcome == event.OutcomeKept
}

func (f *facts) addPurchases(e *event.Entry) {
	if !counted(e) {
		return
	}
	if e.Order != nil {
		if f.orders.wants(e) {
			f.orders.add(e)
		}
		if f.items.wants(e) {
			f.items.addOrder(e)
		}
	}
	if e.Refund != nil {
		if f.refunds.wants(e) {
			f.refunds.add(e)
		}
		if f.refundLines.wants(e) {
			f.refundLines.addRefund(e)
		}
		if f.allocations.wants(e) {
			f.allocations.add(e)
		}
	}
	if e.Survey != nil && f.surveys.wants(e) {
		f.surveys.add(e)
	}
}

func (f *facts) addStanding(e *event.Entry) {
	if f.points.wants(e) {
		f.points.add(e)
	}
	if f.decisions.wants(e) {
		f.decisions.add(e)
	}
	// A refused redemption is a fact, a repeated one is not.
	if e.Redemption != nil && (counted(e) || e.Outcome == event.OutcomeRejected) && f.redemptions.wants(e) {
		f.redemptions.add(e)
	}
	if e.Tier != nil && f.tiers.wants(e) {
		f.tiers.add(e)
	}
	if e.Scores != nil && f.scores.wants(e) {
		f.scores.add(e)
	}
	f.standings.add(e)
}

// widest is the number of rows of the fullest table.
func (f *facts) widest() int {
	return max(f.items.len(), f.refundLines.len(), f.allocations.len(), f.points.len(), f.decisions.len(), f.entries.len())
}

// blocks returns the tables that have rows, in the order of tableNames.
func (f *facts) blocks() []block {
	var out []block
	for _, t := range []interface{ take() block }{
		&f.orders, &f.items, &f.refunds, &f.refundLines, &f.allocations, &f.points, &f.decisions,
		&f.redemptions, &f.tiers, &f.scores, &f.surveys, &f.standings, &f.entries,
	} {
		if b := t.take(); len(b.spans) > 0 {
			out = append(out, b)
		}
	}
	return out
}

package sink

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// tableNames are the tables that the ledger fills, in the order in which they
// are inserted: entries is last, so that what it has, all have.
var tableNames = []string{
	"orders", "order_items", "refunds", "refund_lines", "refund_allocations", "points", "decisions",
	"redemptions", "tier_changes", "score_changes", "surveys", "activities", "outcomes", "customer_facts", "segment_changes",
	"customer_standings", "entries",
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
	activities  activityRows
	outcomes    outcomeRows
	known       factRows
	segments    segmentRows
	standings   standings
	entries     entryRows
}

func newFacts(positions map[string]map[int32]int64) *facts {
	f := &facts{standings: standings{table: "customer_standings", positions: positions["customer_standings"], newest: make(map[string]*event.Entry)}}
	for name, r := range map[string]*rows{
		"orders": &f.orders.rows, "order_items": &f.items.rows, "refunds": &f.refunds.rows, "refund_lines": &f.refundLines.rows,
		"refund_allocations": &f.allocations.rows, "points": &f.points.rows, "decisions": &f.decisions.rows,
		"redemptions": &f.redemptions.rows, "tier_changes": &f.tiers.rows, "score_changes": &f.scores.rows,
		"surveys": &f.surveys.rows, "activities": &f.activities.rows, "outcomes": &f.outcomes.rows, "customer_facts": &f.known.rows,
		"segment_changes": &f.segments.rows, "entries": &f.entries.rows,
	} {
		r.name(name, positions)
	}
	return f
}

// add decodes one ledger record and appends its rows.
func (f *facts) add(rec *stream.Record) (place, error) {
	e := new(event.Entry)
	if err := event.DecodeEntry(rec.Value, e); err != nil {
		return place{}, err
	}
	f.addPurchases(e)
	f.addActivity(e)
	f.addStanding(e)
	if f.entries.wants(e) {
		f.entries.add(e, rec)
	}
	return place{e.Partition, e.Sequence, e.EntryTime}, nil
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

func (f *facts) addActivity(e *event.Entry) {
	if f.known.wants(e) {
		f.known.add(e)
	}
	if f.segments.wants(e) {
		f.segments.add(e)
	}
	if !isActivity(e) {
		return
	}
	properties := texts(e)
	if f.activities.wants(e) {
		f.activities.add(e, properties)
	}
	if outcome, channel := reported(e.Cause.Name, properties); outcome != "" && f.outcomes.wants(e) {
		f.outcomes.add(e, outcome, channel, properties)
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
	return max(f.items.len(), f.refundLines.len(), f.allocations.len(), f.points.len(), f.decisions.len(), f.known.len(), f.segments.len(), f.entries.len())
}

// blocks returns the tables that have rows, in the order of tableNames.
func (f *facts) blocks() []block {
	return filled(
		&f.orders, &f.items, &f.refunds, &f.refundLines, &f.allocations, &f.points, &f.decisions,
		&f.redemptions, &f.tiers, &f.scores, &f.surveys, &f.activities, &f.outcomes, &f.known, &f.segments,
		&f.standings, &f.entries,
	)
}

// filled takes the tables that have rows.
func filled(tables ...interface{ take() block }) []block {
	var out []block
	for _, t := range tables {
		if b := t.take(); len(b.spans) > 0 {
			out = append(out, b)
		}
	}
	return out
}

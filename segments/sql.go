package segments

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// Names of a query's parameters.
const (
	SQLAsOf      = "as_of"     // DateTime64(3, 'UTC'), see SQLTime
	SQLPartition = "partition" // Int32; only with Question.OfPartition
	SQLSequence  = "sequence"  // Int64
)

// SQLTime writes an instant as the parameter SQLAsOf wants it.
func SQLTime(t event.Time) string { return t.Std().Format("2006-01-02 15:04:05.000") }

// SQLForm says what the rows of a query are.
type SQLForm uint8

// Forms of a query.
const (
	// SQLMembers: customer_id, segment_id; a row for each membership.
	SQLMembers SQLForm = iota
	// SQLCustomers: customer_id, segments (ascending); a row for each customer of
	// the population, also those in no segment.
	SQLCustomers
	// SQLReasons: customer_id, holds and value; a row for each member of the one
	// segment asked for. holds (0 or 1) and value (text, null: none) are lists over
	// the segment's clauses, in the order of Set.Clauses.
	SQLReasons
)

// Question says what a query is to answer.
type Question struct {
	Form SQLForm
	// Segments by id; none: all that customers see.
	Segments []string
	// OfPartition asks one partition only, up to a sequence of its ledger.
	OfPartition bool
}

// SQL writes one ClickHouse query that works out who is in which segment as of
// the parameter SQLAsOf: from the facts of all entries whose entry_time is not
// later, on the day (program's zone) of that instant. It reads neither
// segment_changes nor what standings say of segments. The population is every
// identified account with a counted event.
func (s *Set) SQL(q Question) (string, error) {
	asked, err := s.pick(q)
	if err != nil {
		return "", err
	}
	w := newQuery(s, q.OfPartition)
	for _, i := range asked {
		w.need(i)
	}
	return w.write(q.Form, asked), nil
}

func (s *Set) pick(q Question) (asked []int, err error) {
	for _, id := range q.Segments {
		i, ok := s.byID[id]
		if !ok {
			return nil, fmt.Errorf("segments: there is no segment %q", id)
		}
		asked = append(asked, i)
	}
	if q.Segments == nil {
		for i := range s.Segments {
			if !s.Segments[i].hidden() {
				asked = append(asked, i)
			}
		}
	}
	slices.SortFunc(asked, func(a, b int) int { return strings.Compare(s.Segments[a].ID, s.Segments[b].ID) })
	if q.Form == SQLReasons && len(asked) != 1 {
		return nil, errors.New("segments: reasons are of one segment")
	}
	return asked, nil
}

// Clauses lists the leaves that a segment depends on, also through other
// segments, as indices into Leaves, each once.
func (s *Set) Clauses(id string) []int {
	i, ok := s.byID[id]
	if !ok {
		return nil
	}
	w := newQuery(s, false)
	w.need(i)
	return w.leaves
}

// query is one query being written.
type query struct {
	set    *Set
	zone   string // literal
	within string // condition on the rows of every table

	segments, leaves []int // needed, in order
	seenSegment      map[int]bool
	seenLeaf         map[int]bool
	quantities       map[int]string // expression by index
	order            []int          // of quantities

	columns map[source][]string // of each source, "expression AS name"
	named   map[string]bool
	// expressions of columns that are called by a letter and their place.
	expressions map[string][]string
	facts       map[string]bool // names asked for
	names       map[string]bool // of events
	items       map[string]bool // properties of lines
	left        bool            // what is left of the goods of an order
}

func newQuery(s *Set, ofPartition bool) *query {
	w := &query{
		set: s, zone: quote(s.zone().String()), within: "entry_time <= {" + SQLAsOf + ":DateTime64(3, 'UTC')}",
		seenSegment: map[int]bool{}, seenLeaf: map[int]bool{}, quantities: map[int]string{},
		columns: map[source][]string{}, named: map[string]bool{},
		expressions: map[string][]string{}, facts: map[string]bool{}, names: map[string]bool{}, items: map[string]bool{},
	}
	if ofPartition {
		w.within += " AND partition = {" + SQLPartition + ":Int32} AND sequence <= {" + SQLSequence + ":Int64}"
	}
	return w
}

// need takes in a segment with all that it asks for.
func (w *query) need(segment int) {
	if w.seenSegment[segment] {
		return
	}
	w.seenSegment[segment] = true
	w.needNode(&w.set.Segments[segment].Who)
	w.segments = append(w.segments, segment) // after those that it asks for
}

func (w *query) needNode(n *Node) {
	switch n.Op {
	case OpLeaf:
		if w.seenLeaf[n.Index] {
			return
		}
		w.seenLeaf[n.Index] = true
		w.leaves = append(w.leaves, n.Index)
		if q := w.set.Leaves[n.Index].Quantity; w.quantities[q] == "" {
			w.order = append(w.order, q)
			w.quantities[q] = w.quantity(&w.set.Quantities[q])
		}
	case OpSegment:
		w.need(n.Index)
	default:
		for i := range n.Children {
			w.needNode(&n.Children[i])
		}
	}
}

// write puts the query together:
//
//	people ◀── each source, one row an account ─▶ quantities ─▶ clauses ─▶ memberships
func (w *query) write(form SQLForm, asked []int) string {
	var b strings.Builder
	b.WriteString("WITH\n")
	w.writeToday(&b)
	w.writeSources(&b)
	w.writeQuantities(&b)
	w.writeClauses(&b)
	w.writeMemberships(&b)
	switch form {
	case SQLCustomers:
		fmt.Fprintf(&b, "SELECT customer_id, %s AS segments\nFROM memberships", w.list(asked))
	case SQLReasons:
		var holds, values []string
		for _, l := range w.leaves {
			holds = append(holds, columnName('c', l))
			values = append(values, "toString("+columnName('q', w.set.Leaves[l].Quantity)+")")
		}
		fmt.Fprintf(&b, "SELECT customer_id, %s AS holds, CAST(%s, 'Array(Nullable(String))') AS value\nFROM memberships\nWHERE %s",
			sqlArray(holds, "UInt8"), sqlArray(values, "Nullable(String)"), columnName('s', asked[0]))
	default:
		fmt.Fprintf(&b, "SELECT customer_id, arrayJoin(%s) AS segment_id\nFROM memberships", w.list(asked))
	}
	return b.String()
}

func columnName(kind byte, i int) string { return string(kind) + strconv.Itoa(i) }

func sqlArray(items []string, kind string) string {
	return "CAST([" + strings.Join(items, ", ") + "], 'Array(" + kind + ")')"
}

// list is the ids of the segments that a customer is in.
func (w *query) list(asked []int) string {
	if len(asked) == 0 {
		return "CAST([], 'Array(String)')"
	}
	items := make([]string, len(asked))
	for i, s := range asked {
		items[i] = "if(" + columnName('s', s) + ", " + quote(w.set.Segments[s].ID) + ", '')"
	}
	return "arrayFilter(id -> id != '', [" + strings.Join(items, ", ") + "])"
}

func (w *query) writeQuantities(b *strings.Builder) {
	b.WriteString("quantities AS\n(\n    SELECT\n        people.account_id AS customer_id")
	for _, q := range w.order {
		fmt.Fprintf(b, ",\n        %s AS %s", w.quantities[q], columnName('q', q))
	}
	b.WriteString("\n    FROM people")
	for _, s := range joined {
		if len(w.columns[s]) > 0 {
			fmt.Fprintf(b, "\n    LEFT JOIN %[1]s ON %[1]s.account_id = people.account_id", s)
		}
	}
	b.WriteString("\n),\n")
}

func (w *query) writeClauses(b *strings.Builder) {
	b.WriteString("clauses AS\n(\n    SELECT\n        *")
	for _, l := range w.leaves {
		leaf := &w.set.Leaves[l]
		fmt.Fprintf(b, ",\n        toUInt8(ifNull(%s, 0)) AS %s", w.leaf(leaf, columnName('q', leaf.Quantity)), columnName('c', l))
	}
	b.WriteString("\n    FROM quantities\n),\n")
}

func (w *query) writeMemberships(b *strings.Builder) {
	b.WriteString("memberships AS\n(\n    SELECT\n        *")
	for _, s := range w.segments {
		fmt.Fprintf(b, ",\n        toUInt8(%s) AS %s", sqlNode(&w.set.Segments[s].Who), columnName('s', s))
	}
	b.WriteString("\n    FROM clauses\n)\n")
}

func sqlNode(n *Node) string {
	switch n.Op {
	case OpLeaf:
		return columnName('c', n.Index)
	case OpSegment:
		return columnName('s', n.Index)
	case OpNot:
		return "NOT " + parenthesised(&n.Children[0])
	}
	word, empty := " AND ", "1"
	if n.Op == OpAny {
		word, empty = " OR ", "0"
	}
	if len(n.Children) == 0 {
		return empty
	}
	parts := make([]string, len(n.Children))
	for i := range n.Children {
		parts[i] = parenthesised(&n.Children[i])
	}
	return strings.Join(parts, word)
}

func parenthesised(n *Node) string {
	if n.Op == OpLeaf || n.Op == OpSegment {
		return sqlNode(n)
	}
	return "(" + sqlNode(n) + ")"
}

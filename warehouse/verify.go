package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	verifyTimeout = 10 * time.Minute
	// maxExamples bounds the findings of one check.
	maxExamples = 10
)

// Finding is one thing that is not as it must be.
type Finding struct {
	Check  string // what was checked
	Table  string
	Detail string // where, what is, what must be
}

func (f Finding) String() string { return f.Table + ": " + f.Check + ": " + f.Detail }

// factTables says how many rows an entry has in a table, by its own JSON.
var factTables = []struct{ table, rows string }{
	{"orders", "has_fact AND JSONHas(value, 'order')"},
	{"order_items", "if(has_fact, JSONLength(value, 'order', 'lines'), 0)"},
	{"refunds", "has_fact AND JSONHas(value, 'refund')"},
	{"refund_lines", "if(has_fact, JSONLength(value, 'refund', 'lines'), 0)"},
	{"refund_allocations", "if(has_fact, JSONLength(value, 'refund', 'allocations'), 0)"},
	{"surveys", "has_fact AND JSONHas(value, 'survey')"},
	{"redemptions", "(has_fact OR outcome = 'rejected') AND JSONHas(value, 'redemption')"},
	{"points", "JSONLength(value, 'postings')"},
	{"decisions", "JSONLength(value, 'decisions')"},
	{"tier_changes", "JSONHas(value, 'tier')"},
	{"score_changes", "JSONHas(value, 'scores')"},
	{"activities", isActivity},
	{"outcomes", isActivity + " AND match(cause_name, '^(Unsubscribed|(Email|SMS|Push|In-App|Mail) (Delivered|Opened|Link Clicked|Bounced|Marked as Spam|Unsubscribed))$')"},
	{"customer_facts", "JSONLength(value, 'facts')"},
	{"segment_changes", "if(position(value, '\"segments\":[{') = 0, 0, arrayCount(c -> NOT startsWith(JSONExtractString(c, 'segment_id'), 'trigger:'), JSONExtractArrayRaw(value, 'segments')))"},
}

// isActivity: a track event of an identified customer that is neither an order
// nor a refund.
const isActivity = "kind = 'event' AND cause_type = 'track' AND has_fact AND account_id != '' AND NOT startsWith(account_id, 'anon:') AND NOT startsWith(account_id, 'guest:')" +
	" AND cause_name NOT IN ('Order Completed', 'Order Refunded') AND NOT JSONHas(value, 'order') AND NOT JSONHas(value, 'refund')"

// Verify checks what ClickHouse has up to the stated sequence of each partition
// of the ledger, so that it can run while more comes in. Nothing found is an
// empty list; an error says that it could not check. The sink must have reached
// the sequences (sink.WaitFor).
//
// Checked: entries are dense from 1, each there once; each fact of each entry is
// there once; the postings of an entry and wallet sum to zero; a customer's
// balance is the sum of the postings, their orders are those that were not wholly
// refunded, their segments those that they entered and did not leave; the table of
// customers agrees with the newest standing in entries and has one row for each.
func (w *Warehouse) Verify(ctx context.Context, upTo map[int32]int64) ([]Finding, error) {
	v := &verifier{w: w, upTo: upTo, within: within(upTo)}
	return v.run(ctx, v.entries, v.facts, v.postings, v.balances, v.orders, v.segments, v.customers, v.oneRowEach)
}

// within is the condition that a row is of an entry up to the sequences.
func within(upTo map[int32]int64) string {
	if len(upTo) == 0 {
		return "0"
	}
	var partitions, sequences []string
	for p, n := range upTo {
		partitions = append(partitions, strconv.Itoa(int(p)))
		sequences = append(sequences, fmt.Sprintf("toInt64(%d)", n))
	}
	return fmt.Sprintf("sequence <= transform(partition, [%s], [%s], toInt64(0))", strings.Join(partitions, ", "), strings.Join(sequences, ", "))
}

type verifier struct {
	w      *Warehouse
	upTo   map[int32]int64
	within string
	found  []Finding
}

func (v *verifier) run(ctx context.Context, checks ...func(context.Context) error) ([]Finding, error) {
	for _, check := range checks {
		if err := check(ctx); err != nil {
			return v.found, err
		}
	}
	return v.found, nil
}

// list runs a statement whose rows are one text each: a finding.
func (v *verifier) list(ctx context.Context, check, table, statement string) error {
	return v.w.each(ctx, verifyTimeout, "verifying "+table, statement+fmt.Sprintf(" LIMIT %d", maxExamples), nil, func(r driver.Rows) error {
		f := Finding{Check: check, Table: table}
		err := r.Scan(&f.Detail)
		v.found = append(v.found, f)
		return err
	})
}

func (v *verifier) entries(ctx context.Context) error { return v.dense(ctx, "entries") }

// dense checks the numbers of a log's entries.
func (v *verifier) dense(ctx context.Context, table string) error {
	type state struct {
		rows, numbers uint64
		least, most   int64
	}
	have := make(map[int32]state)
	err := v.w.each(ctx, verifyTimeout, "verifying "+table, "SELECT partition, count(), uniqExact(sequence), min(sequence), max(sequence) FROM "+table+" WHERE "+v.within+" GROUP BY partition", nil, func(r driver.Rows) error {
		var p int32
		var s state
		err := r.Scan(&p, &s.rows, &s.numbers, &s.least, &s.most)
		have[p] = s
		return err
	})
	if err != nil {
		return err
	}
	partitions := make([]int32, 0, len(v.upTo))
	for p := range v.upTo {
		partitions = append(partitions, p)
	}
	slices.Sort(partitions)
	for _, p := range partitions {
		want, s := uint64(v.upTo[p]), have[p]
		if s.rows != want || s.numbers != want || want > 0 && (s.least != 1 || s.most != int64(want)) {
			v.found = append(v.found, Finding{Check: "dense from 1, each once", Table: table, Detail: fmt.Sprintf(
				"partition %d: %d rows with %d numbers from %d to %d; must be %d from 1", p, s.rows, s.numbers, s.least, s.most, want)})
		}
	}
	return nil
}

func (v *verifier) facts(ctx context.Context) error {
	for _, t := range factTables {
		if err := v.eachOnce(ctx, t.table, "entries", t.rows); err != nil {
			return err
		}
	}
	return nil
}

// eachOnce checks that a table has as many rows of each entry as the entry says.
func (v *verifier) eachOnce(ctx context.Context, table, log, rows string) error {
	has := "SELECT * FROM " + log
	if log == "entries" {
		has = "SELECT *, outcome IN ('applied', 'kept') AS has_fact FROM entries"
	}
	return v.list(ctx, "each fact once", table, `SELECT concat('partition ', toString(p), ', entry ', toString(s), ': ', toString(sum(have)), ' rows with ', toString(sum(numbers)), ' numbers up to ', toString(max(last)), '; must be ', toString(sum(want)))
		FROM (
			SELECT partition AS p, sequence AS s, count() AS have, uniqExact(index) AS numbers, toInt64(max(index)) + 1 AS last, toUInt64(0) AS want
			FROM `+table+` WHERE `+v.within+` GROUP BY p, s
			UNION ALL
			SELECT partition, sequence, 0, 0, 0, toUInt64(`+rows+`) AS rows FROM (`+has+`)
			WHERE `+v.within+` AND rows > 0
		) GROUP BY p, s HAVING sum(have) != sum(want) OR sum(numbers) != sum(want) OR max(last) != sum(want)`)
}

func (v *verifier) postings(ctx context.Context) error {
	return v.list(ctx, "postings sum to zero", "points", `SELECT concat('partition ', toString(partition), ', entry ', toString(sequence), ', wallet ', wallet, ': sum ', toString(sum(points)))
		FROM points WHERE `+v.within+` GROUP BY partition, sequence, wallet HAVING sum(points) != 0`)
}

// standing is the newest standing of each identified customer, by entries.
func (v *verifier) standing(columns string) string {
	return `SELECT JSONExtractString(value, 'standing', 'customer_id') AS id, max(sequence) AS newest, argMax(partition, sequence) AS p, argMax((` + columns + `), sequence) AS said
		FROM entries WHERE ` + v.within + ` AND JSONHas(value, 'standing') GROUP BY id HAVING NOT (id LIKE 'anon:%' OR id LIKE 'guest:%')`
}

func (v *verifier) balances(ctx context.Context) error {
	return v.list(ctx, "balance is the sum of postings", "points", `SELECT concat('customer ', id, ': balance ', toString(sum(balance)), ', postings ', toString(sum(posted)))
		FROM (
			SELECT id, said.1 AS balance, toInt64(0) AS posted FROM (`+v.standing("JSONExtractInt(value, 'standing', 'balance'), 0")+`)
			UNION ALL
			SELECT account_id, 0, sum(points) FROM points WHERE account = 'customer' AND `+v.within+` GROUP BY account_id
		) GROUP BY id HAVING sum(balance) != sum(posted)`)
}

// orders: those that were counted less those of which nothing is left.
func (v *verifier) orders(ctx context.Context) error {
	return v.list(ctx, "orders are those not wholly refunded", "orders", `SELECT concat('customer ', id, ': ', toString(sum(said)), ' orders, counted ', toString(sum(counted)))
		FROM (
			SELECT id, said.1 AS said, toInt64(0) AS counted FROM (`+v.standing("JSONExtractInt(value, 'standing', 'orders'), 0")+`)
			UNION ALL
			SELECT account_id, 0, toInt64(count()) FROM orders WHERE is_identified AND number > 0 AND `+v.within+` GROUP BY account_id
			UNION ALL
			SELECT account_id, 0, -toInt64(count()) FROM refund_allocations WHERE is_wholly AND `+v.within+` GROUP BY account_id
		) GROUP BY id HAVING sum(said) != sum(counted)`)
}

// segments: those that were entered last, and not left.
func (v *verifier) segments(ctx context.Context) error {
	return v.list(ctx, "segments are the sum of changes", "segment_changes", `SELECT concat('customer ', id, ': in ', toString(arrayFlatten(groupArray(said))), ', by changes in ', toString(arraySort(arrayFlatten(groupArray(changed)))))
		FROM (
			SELECT id, said.1 AS said, []::Array(String) AS changed FROM (`+v.standing("JSONExtract(value, 'standing', 'segments', 'Array(String)'), 0")+`) WHERE notEmpty(said)
			UNION ALL
			SELECT account_id, [], [toString(segment_id)] FROM segment_changes WHERE `+v.within+`
			GROUP BY account_id, segment_id HAVING argMax(change, (sequence, index)) = 'entered'
		) GROUP BY id HAVING arraySort(arrayFlatten(groupArray(said))) != arraySort(arrayFlatten(groupArray(changed)))`)
}

// customers compares the newest standing by entries with the row of customers.
// A row that is newer than the stated sequence is left to the next run.
func (v *verifier) customers(ctx context.Context) error {
	said := v.standing(`JSONExtractBool(value, 'standing', 'member'), JSONExtractInt(value, 'standing', 'balance'), JSONExtractString(value, 'standing', 'tier'),
		JSONExtractInt(value, 'standing', 'scores', 'r'), JSONExtractInt(value, 'standing', 'scores', 'f'), JSONExtractInt(value, 'standing', 'scores', 'm'),
		JSONExtractInt(value, 'standing', 'orders'), JSONExtractInt(value, 'standing', 'net_spend_minor'),
		JSONExtractInt(value, 'standing', 'window_orders'), JSONExtractInt(value, 'standing', 'window_net_spend_minor'), JSONExtractInt(value, 'standing', 'tier_spend_minor'), JSONExtractInt(value, 'standing', 'tier_lacking_minor'),
		JSONExtract(value, 'standing', 'segments', 'Array(String)')`)
	return v.list(ctx, "as the newest standing in entries", "customer_standings", `SELECT concat('customer ', if(e.id != '', e.id, c.customer_id), ': entry ', toString(e.newest), ' says ', toString(e.said), '; the row of entry ', toString(c.sequence), ' says ', toString(c.has))
		FROM (`+said+`) AS e
		FULL OUTER JOIN (
			SELECT customer_id, sequence, partition, (toUInt8(is_member), balance, toString(tier), r, f, m, orders, net_spend_minor, window_orders, window_net_spend_minor, tier_spend_minor, tier_lacking_minor, segments) AS has
			FROM customer_standings FINAL
		) AS c ON c.customer_id = e.id
		WHERE (e.newest != c.sequence OR e.p != c.partition OR toString(e.said) != toString(c.has)) AND `+strings.NewReplacer("sequence", "c.sequence", "partition", "c.partition").Replace(v.within)+`
`)
}

func (v *verifier) oneRowEach(ctx context.Context) error {
	return v.list(ctx, "one row for each customer", "customers", `SELECT concat('customer ', customer_id, ': ', toString(count()), ' rows') FROM customers GROUP BY customer_id HAVING count() != 1`)
}

// Digests returns, for each partition, the sum modulo 2^64 of the xxHash64 of the
// entries' values up to the stated sequences: equal to the ledger's own sum if
// every entry is there once, byte for byte.
func (w *Warehouse) Digests(ctx context.Context, upTo map[int32]int64) (map[int32]uint64, error) {
	return w.digests(ctx, "entries", upTo)
}

func (w *Warehouse) digests(ctx context.Context, table string, upTo map[int32]int64) (map[int32]uint64, error) {
	out := make(map[int32]uint64)
	err := w.each(ctx, verifyTimeout, "adding up "+table, "SELECT partition, sumWithOverflow(xxHash64(value)) FROM "+table+" WHERE "+within(upTo)+" GROUP BY partition", nil, func(r driver.Rows) error {
		var p int32
		var sum uint64
		err := r.Scan(&p, &sum)
		out[p] = sum
		return err
	})
	return out, err
}

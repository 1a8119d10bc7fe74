package segments

import (
	"fmt"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// source is a part of a query with at most one row for each account.
type source string

const (
	fromPeople source = "people" // the population, and when it became members
	fromTrade  source = "trade"  // orders and refunds
	fromPurse  source = "purse"  // balance
	fromExpiry source = "expiry" // the points that go next
	fromLadder source = "ladder" // tiers
	fromMarks  source = "marks"  // scores
	fromReview source = "review" // what only a standing says
	fromTraits source = "traits" // facts
	fromDoings source = "doings" // events
)

// joined are the sources that stand beside people.
var joined = []source{fromTrade, fromPurse, fromExpiry, fromLadder, fromMarks, fromReview, fromTraits, fromDoings}

// value adds a column to a source, once for equal expressions, and returns how
// the query calls it. Columns may be null where an account has no row.
func (w *query) value(s source, name, expression string) string {
	if key := string(s) + "." + name; !w.named[key] {
		w.named[key] = true
		w.columns[s] = append(w.columns[s], expression+" AS "+name)
	}
	return string(s) + "." + name
}

// count is value for what is 0 where an account has no row.
func (w *query) count(s source, name, expression string) string {
	return "ifNull(" + w.value(s, name, expression) + ", 0)"
}

// The query's names for the day as of which is asked: as a date, and as a number.
const (
	sqlDate  = "today_date"
	sqlToday = "today"
)

func (w *query) writeToday(b *strings.Builder) {
	fmt.Fprintf(b, "toDate32({%s:DateTime64(3, 'UTC')}, %s) AS %s,\ntoInt64(%[3]s) AS %s,\n", SQLAsOf, w.zone, sqlDate, sqlToday)
}

// day is the day of an instant in the program's zone, as a number.
func (w *query) day(instant string) string {
	return "toInt64(toDate32(" + instant + ", " + w.zone + "))"
}

// window gives the first and last day of a window; "" is open.
func (w *query) window(win Window) (from, until string) {
	if win.Days > 0 {
		return fmt.Sprintf("%s - %d", sqlToday, win.Days-1), sqlToday
	}
	// So far, or the whole one before.
	this := func(start string) (string, string) {
		return fmt.Sprintf("toInt64(toDate32(%s(%s)))", start, sqlDate), sqlToday
	}
	last := func(start, add string, n int) (string, string) {
		first := fmt.Sprintf("%s(%s)", start, sqlDate)
		return fmt.Sprintf("toInt64(toDate32(%s(%s, -%d)))", add, first, n), fmt.Sprintf("toInt64(toDate32(%s)) - 1", first)
	}
	switch win.Calendar {
	case ThisWeek:
		return this("toMonday")
	case LastWeek:
		return last("toMonday", "addWeeks", 1)
	case ThisMonth:
		return this("toStartOfMonth")
	case LastMonth:
		return last("toStartOfMonth", "addMonths", 1)
	case ThisQuarter:
		return this("toStartOfQuarter")
	case LastQuarter:
		return last("toStartOfQuarter", "addMonths", 3)
	case ThisYear:
		return this("toStartOfYear")
	}
	return "", ""
}

// inside is the condition that a day is in a window, "" for ever.
func (w *query) inside(day string, win Window) string {
	from, until := w.window(win)
	if from == "" {
		return ""
	}
	return fmt.Sprintf("%[1]s >= %[2]s AND %[1]s <= %[3]s", day, from, until)
}

func (w *query) writeSources(b *strings.Builder) {
	w.writeSource(b, fromPeople, "entries", fmt.Sprintf(
		"kind = 'event' AND outcome IN ('applied', 'kept') AND account_id != '' AND NOT startsWith(account_id, %s) AND NOT startsWith(account_id, %s)",
		quote(event.PrefixAnonymous), quote(event.PrefixGuest)))
	if len(w.columns[fromTrade]) > 0 {
		w.writeTrade(b)
	}
	if len(w.columns[fromPurse]) > 0 {
		w.writeSource(b, fromPurse, "points", "account = 'customer'")
	}
	if len(w.columns[fromExpiry]) > 0 {
		w.writeExpiry(b)
	}
	if len(w.columns[fromLadder]) > 0 {
		w.writeSource(b, fromLadder, "tier_changes", "")
	}
	if len(w.columns[fromMarks]) > 0 {
		w.writeSource(b, fromMarks, "score_changes", "")
	}
	if len(w.columns[fromReview]) > 0 {
		w.writeReview(b)
	}
	if len(w.columns[fromTraits]) > 0 {
		w.writeSource(b, fromTraits, "customer_facts", "name IN ("+w.factNames()+")")
	}
	if len(w.columns[fromDoings]) > 0 {
		w.writeDoings(b)
	}
}

// writeSource writes a part that reads one table.
func (w *query) writeSource(b *strings.Builder, s source, table, where string) {
	if where != "" {
		where = " AND " + where
	}
	fmt.Fprintf(b, "%s AS\n(\n    SELECT\n        account_id", s)
	for _, c := range w.columns[s] {
		b.WriteString(",\n        " + c)
	}
	fmt.Fprintf(b, "\n    FROM %s\n    WHERE %s%s\n    GROUP BY account_id\n),\n", table, w.within, where)
}

// writeTrade writes orders less what was given back of them, on the order's own
// day, and refunds that belong to no order, on theirs.
func (w *query) writeTrade(b *strings.Builder) {
	w.writeLeft(b)
	fmt.Fprintf(b, `placed AS
(
    SELECT
        orders.account_id AS account_id,
        orders.event_time AS time,
        %s AS day,
        orders.net_minor - ifNull(given.minor, 0) AS net,
        ifNull(given.wholly, 0) = 0 AS counts,
        toString(orders.channel) AS channel,
        toString(orders.country) AS country%s%s
    FROM (SELECT * FROM orders WHERE %s AND outcome = 'applied' AND is_identified) AS orders
    LEFT JOIN
    (
        SELECT account_id, order_id, sum(amount_minor) AS minor, max(toUInt8(is_wholly)) AS wholly
        FROM refund_allocations
        WHERE %s
        GROUP BY account_id, order_id
    ) AS given ON given.account_id = orders.account_id AND given.order_id = orders.order_id%s
),
`, w.day("orders.event_time"), w.leftColumn(), w.itemColumns(), w.within, w.within, w.leftJoin()+w.itemJoin())
	fmt.Fprintf(b, `trade AS
(
    SELECT
        account_id`)
	for _, c := range w.columns[fromTrade] {
		b.WriteString(",\n        " + c)
	}
	fmt.Fprintf(b, `
    FROM
    (
        SELECT account_id, time, day, net, counts, 1 AS is_order, channel, country%s FROM placed
        UNION ALL
        SELECT account_id, event_time, %s, matched_minor - net_minor, 0, 0, '', ''%s
        FROM refunds
        WHERE %s AND outcome = 'applied' AND is_identified AND order_id = '' AND net_minor > matched_minor
    )
    GROUP BY account_id
),
`, w.leftName("worth")+w.itemNames(", "), w.day("event_time"), w.leftName("0")+w.itemNames(", CAST([], 'Array(String)') AS "), w.within)
}

// writeReview writes what the newest standings say; customers of whom there is a
// newer one by now are looked up in the entries.
func (w *query) writeReview(b *strings.Builder) {
	fmt.Fprintf(b, `review AS
(
    SELECT
        account_id,
        %[2]s
    FROM
    (
        SELECT customer_id AS account_id, sequence, toInt64(tier_review_on) AS review_on
        FROM customer_standings FINAL
        WHERE %[1]s
        UNION ALL
        SELECT account_id, sequence, ifNull(toInt64(toDate32OrNull(JSONExtractString(value, 'standing', 'tier_review_on'))), 0)
        FROM entries
        WHERE %[1]s AND account_id IN (SELECT customer_id FROM customer_standings FINAL WHERE NOT (%[1]s)) AND position(value, '"standing":') > 0
    )
    GROUP BY account_id
),
`, w.within, strings.Join(w.columns[fromReview], ",\n        "))
}

// writeExpiry writes the open lots with the earliest last day.
func (w *query) writeExpiry(b *strings.Builder) {
	fmt.Fprintf(b, "expiry AS\n(\n    SELECT\n        account_id")
	for _, c := range w.columns[fromExpiry] {
		b.WriteString(",\n        " + c)
	}
	fmt.Fprintf(b, `
    FROM
    (
        SELECT account_id, toInt64(expires_on) AS last_day, sum(points) AS going
        FROM points
        WHERE %s AND account = 'customer' AND expires_on > toDate32('1970-01-01')
        GROUP BY account_id, expires_on
        HAVING going > 0
        ORDER BY account_id, last_day
        LIMIT 1 BY account_id
    )
    GROUP BY account_id
),
`, w.within)
}

package segments

import (
	"fmt"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// source is a part of a query with at most one row for each account.
type source string

const (
	people source = "people" // the population, and when it became members
	trade  source = "trade"  // orders and refunds
	purse  source = "purse"  // balance
	expiry source = "expiry" // the points that go next
	ladder source = "ladder" // tiers
	marks  source = "marks"  // scores
	review source = "review" // what only a standing says
	traits source = "traits" // facts
	doings source = "doings" // events
)

// joined are the sources that stand beside people.
var joined = []source{trade, purse, expiry, ladder, marks, review, traits, doings}

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
	date  = "today_date"
	today = "today"
)

func (w *query) writeToday(b *strings.Builder) {
	fmt.Fprintf(b, "toDate32({%s:DateTime64(3, 'UTC')}, %s) AS %s,\ntoInt64(%[3]s) AS %s,\n", SQLAsOf, w.zone, date, today)
}

// day is the day of an instant in the program's zone, as a number.
func (w *query) day(instant string) string {
	return "toInt64(toDate32(" + instant + ", " + w.zone + "))"
}

// window gives the first and last day of a window; "" is open.
func (w *query) window(win Window) (from, until string) {
	if win.Days > 0 {
		return fmt.Sprintf("%s - %d", today, win.Days-1), today
	}
	period := func(start, add string, back, next int) (string, string) {
		first := fmt.Sprintf("%s(%s)", start, date)
		shifted := func(n int) string { return fmt.Sprintf("toInt64(toDate32(%s(%s, %d)))", add, first, n) }
		return shifted(back), shifted(next) + " - 1"
	}
	switch win.Calendar {
	case ThisWeek:
		return period("toMonday", "addWeeks", 0, 1)
	case LastWeek:
		return period("toMonday", "addWeeks", -1, 0)
	case ThisMonth:
		return period("toStartOfMonth", "addMonths", 0, 1)
	case LastMonth:
		return period("toStartOfMonth", "addMonths", -1, 0)
	case ThisQuarter:
		return period("toStartOfQuarter", "addMonths", 0, 3)
	case LastQuarter:
		return period("toStartOfQuarter", "addMonths", -3, 0)
	case ThisYear:
		return period("toStartOfYear", "addYears", 0, 1)
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
	w.writeSource(b, people, "entries", fmt.Sprintf(
		"kind = 'event' AND outcome IN ('applied', 'kept') AND account_id != '' AND NOT startsWith(account_id, %s) AND NOT startsWith(account_id, %s)",
		quote(event.PrefixAnonymous), quote(event.PrefixGuest)), "")
	if len(w.columns[trade]) > 0 {
		w.writeTrade(b)
	}
	if len(w.columns[purse]) > 0 {
		w.writeSource(b, purse, "points", "account = 'customer'", "")
	}
	if len(w.columns[expiry]) > 0 {
		w.writeExpiry(b)
	}
	if len(w.columns[ladder]) > 0 {
		w.writeSource(b, ladder, "tier_changes", "", "")
	}
	if len(w.columns[marks]) > 0 {
		w.writeSource(b, marks, "score_changes", "", "")
	}
	if len(w.columns[review]) > 0 {
		w.writeSource(b, review, "entries", "account_id != '' AND position(value, '\"standing\":') > 0", "")
	}
	if len(w.columns[traits]) > 0 {
		w.writeSource(b, traits, "customer_facts", "name IN ("+w.factNames()+")", "")
	}
	if len(w.columns[doings]) > 0 {
		w.writeDoings(b)
	}
}

// writeSource writes a part that reads one table.
func (w *query) writeSource(b *strings.Builder, s source, table, where, with string) {
	if where != "" {
		where = " AND " + where
	}
	fmt.Fprintf(b, "%s AS\n(\n    SELECT\n        account_id", s)
	for _, c := range w.columns[s] {
		b.WriteString(",\n        " + c)
	}
	fmt.Fprintf(b, "\n    FROM %s\n    WHERE %s%s%s\n    GROUP BY account_id\n),\n", table, w.within, where, with)
}

// writeTrade writes orders less what was given back of them, on the order's own
// day, and refunds that belong to no order, on theirs.
func (w *query) writeTrade(b *strings.Builder) {
	fmt.Fprintf(b, `placed AS
(
    SELECT
        orders.account_id AS account_id,
        orders.event_time AS time,
        %s AS day,
        orders.net_minor - ifNull(given.minor, 0) AS net,
        ifNull(given.wholly, 0) = 0 AS counts,
        toString(orders.channel) AS channel,
        toString(orders.country) AS country%s
    FROM (SELECT * FROM orders WHERE %s AND outcome = 'applied' AND is_identified) AS orders
    LEFT JOIN
    (
        SELECT account_id, order_id, sum(amount_minor) AS minor, max(toUInt8(is_wholly)) AS wholly
        FROM refund_allocations
        WHERE %s
        GROUP BY account_id, order_id
    ) AS given ON given.account_id = orders.account_id AND given.order_id = orders.order_id%s
),
`, w.day("orders.event_time"), w.itemColumns(), w.within, w.within, w.itemJoin())
	fmt.Fprintf(b, `trade AS
(
    SELECT
        account_id`)
	for _, c := range w.columns[trade] {
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
`, w.itemNames(", ", ""), w.day("event_time"), w.itemNames(", CAST([], 'Array(String)') AS ", ""), w.within)
}

// writeExpiry writes the open lots with the earliest last day.
func (w *query) writeExpiry(b *strings.Builder) {
	fmt.Fprintf(b, "expiry AS\n(\n    SELECT\n        account_id")
	for _, c := range w.columns[expiry] {
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

package segments

import (
	"fmt"
	"strings"
)

// What is left of an order's goods after refunds by line is worked out as package
// program does it: each refund takes units of its product from the order's lines,
// first line first, with their part of the value; an amount is spread over what
// is left. Orders without such a refund need none of that.

// spreadOver writes program's spread of an amount over weights, an array: shares
// rounded down, what is left over one each to the largest remainders.
func spreadOver(amount, weights string) string {
	// Of (amount, weights, total): shares and remainders; then who gets one more.
	shares := "arrayMap(x -> toInt64(intDiv(toInt256(a) * x, total)), w)"
	rests := "arrayMap(x -> toInt256(a) * x % total, w)"
	one := fmt.Sprintf(`arrayMap((a, w, total) -> arrayMap((down, rests) -> arrayMap((d, i) -> d + toInt64(indexOf(arraySort(j -> (-rests[j], j), arrayEnumerate(rests)), i) <= a - arraySum(down)),
                down, arrayEnumerate(down)), [%s], [%s])[1], [toInt64(%s)], [%s], [arraySum(%s)])[1]`, shares, rests, amount, weights, weights)
	return fmt.Sprintf("if(%s <= 0 OR arraySum(%s) <= 0, arrayMap(x -> toInt64(0), %s), %s)", amount, weights, weights, one)
}

// writeLeft writes the part with the orders that refunds by line have touched.
func (w *query) writeLeft(b *strings.Builder) {
	if !w.left {
		return
	}
	fmt.Fprintf(b, `returned AS
(
    SELECT a.account_id AS account_id, a.order_id AS order_id,
        arraySort(groupArray((a.sequence, a.index, a.line >= 0, l.product_id, a.quantity, a.amount_minor))) AS refunds
    FROM (SELECT * FROM refund_allocations WHERE %[1]s) AS a
    LEFT JOIN (SELECT partition, sequence, index, product_id FROM refund_lines WHERE %[1]s) AS l
        ON l.partition = a.partition AND l.sequence = a.sequence AND l.index = a.line
    GROUP BY account_id, order_id
    HAVING max(a.line) >= 0
),
bought AS
(
    SELECT account_id, order_id,
        arraySort(groupArray((index, product_id, quantity, amount_minor))) AS lines
    FROM order_items
    WHERE %[1]s AND is_identified AND (account_id, order_id) IN (SELECT account_id, order_id FROM returned)
    GROUP BY account_id, order_id
),
remaining AS
(
    SELECT account_id, order_id, toNullable(arraySum(arrayFold(
        (state, refund) -> if(refund.3,
            %[2]s,
            (state.1, arrayMap((x, y) -> x - y, state.2, %[3]s))),
        refunds, (quantities, nets)).2)) AS minor
    FROM
    (
        SELECT returned.account_id AS account_id, returned.order_id AS order_id, returned.refunds AS refunds,
            bought.lines.2 AS products, bought.lines.3 AS quantities, bought.lines.4 AS amounts,
            arrayMap((x, y) -> x - y, amounts, %[4]s) AS nets
        FROM returned
        INNER JOIN bought ON bought.account_id = returned.account_id AND bought.order_id = returned.order_id
        INNER JOIN (SELECT account_id, order_id, discount_minor FROM orders WHERE %[1]s AND outcome = 'applied' AND is_identified) AS placed
            ON placed.account_id = returned.account_id AND placed.order_id = returned.order_id
    )
),
`, w.within, takeUnits, spreadOver("refund.6", "state.2"), spreadOver("discount_minor", "amounts"))
}

// takeUnits is the step of a refund by line: units before a line are taken first.
const takeUnits = `arrayMap(own -> arrayMap(took -> (
                arrayMap((q, n) -> q - n, state.1, took),
                arrayMap((v, q, n) -> v - multiIf(n = 0, toInt64(0), n = q, v, toInt64(intDiv(2 * toInt256(v) * n + q, 2 * toInt256(q)))), state.2, state.1, took)),
                [arrayMap((q, upTo) -> greatest(least(q, refund.5 - (upTo - q)), toInt64(0)), own, arrayCumSum(own))])[1],
                [arrayMap((q, p) -> if(p = refund.4, q, toInt64(0)), state.1, products)])[1]`

func (w *query) leftColumn() string {
	if !w.left {
		return ""
	}
	return ",\n        ifNull(remaining.minor, orders.net_minor - ifNull(given.minor, 0)) AS worth"
}

func (w *query) leftJoin() string {
	if !w.left {
		return ""
	}
	return "\n    LEFT JOIN remaining ON remaining.account_id = orders.account_id AND remaining.order_id = orders.order_id"
}

func (w *query) leftName(name string) string {
	if !w.left {
		return ""
	}
	return ", " + name
}

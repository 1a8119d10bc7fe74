package segments

import (
	"fmt"
	"slices"
	"strings"
)

// quantity writes a quantity as an expression over the joined sources: null
// where the customer has no value.
func (w *query) quantity(q *Quantity) string {
	switch q.Kind {
	case Member:
		return "isNotNull(" + w.enrolled() + ")"
	case DaysSinceEnrolled:
		return w.since(w.enrolled())
	case Tier, TierRank, DaysSinceTier, SpendToNextTier, SpendToKeepTier, DaysToReview:
		return w.tier(q)
	case Recency, Frequency, Monetary:
		name := map[Kind]string{Recency: "r", Frequency: "f", Monetary: "m"}[q.Kind]
		return "nullIf(toInt64(" + w.count(fromMarks, name, "argMax(to_"+name+", (sequence, index))") + "), 0)"
	case Balance:
		return w.count(fromPurse, "balance", "sum(points)")
	case DaysToExpiry:
		return sqlUntil(w.value(fromExpiry, "goes_on", "toNullable(any(last_day))"))
	case ExpiringPoints:
		return w.value(fromExpiry, "goes", "toNullable(any(going))")
	case Orders:
		return w.count(fromTrade, "orders", "toInt64(countIf(counts))")
	case Spend:
		return w.count(fromTrade, "spend", "sum(net)")
	case DaysSinceFirst:
		return w.since(w.firstDay())
	case DaysSinceLast:
		return w.since(w.lastDay())
	case GapPercent:
		return w.gap(q.MinOrders)
	case CountOrders, SumOrders:
		return w.orders(q)
	case DaysToBirthday:
		return w.birthday()
	case Fact:
		return w.fact(q.Fact)
	}
	return w.events(q)
}

// since counts days, 0 for days ahead of the clock.
func (w *query) since(day string) string {
	return fmt.Sprintf("if(isNull(%[1]s), NULL, greatest(%[2]s - ifNull(%[1]s, 0), 0))", day, sqlToday)
}

// sqlUntil has no value for days gone by.
func sqlUntil(day string) string {
	return fmt.Sprintf("if(ifNull(%[1]s, 0) < %[2]s, NULL, %[1]s - %[2]s)", day, sqlToday)
}

func (w *query) enrolled() string {
	return w.value(fromPeople, "enrolled_day", w.day("minOrNullIf(event_time, enrolment_rule_id != '')"))
}

func (w *query) firstDay() string {
	return w.value(fromTrade, "first_day", w.day("minOrNullIf(time, is_order)"))
}

func (w *query) lastDay() string {
	return w.value(fromTrade, "last_day", w.day("maxOrNullIf(time, counts)"))
}

// gap is the days since the last order in percent of the mean gap, rounded up.
func (w *query) gap(atLeast int64) string {
	n := w.count(fromTrade, "orders", "toInt64(countIf(counts))")
	span := "(" + w.lastDay() + " - " + w.firstDay() + ")"
	return fmt.Sprintf("if(ifNull(%[1]s >= %[2]d AND %[3]s > 0, 0), intDiv(100 * (%[4]s) * (%[1]s - 1) + %[3]s - 1, nullIf(%[3]s, 0)), NULL)",
		n, max(atLeast, 2), span, w.since(w.lastDay()))
}

// tier writes what depends on the ladder of the set's program.
func (w *query) tier(q *Quantity) string {
	levels := w.set.Book.Tiers.Levels
	ids, spends := make([]string, len(levels)), make([]int64, len(levels))
	for i := range levels {
		ids[i], spends[i] = levels[i].ID, levels[i].SpendMinor
	}
	tier := w.value(fromLadder, "tier", "toNullable(toString(argMax(to_tier, (sequence, index))))")
	if q.Kind == Tier {
		return "nullIf(" + tier + ", '')"
	}
	if q.Kind == DaysSinceTier {
		// A late event moves the tier when it comes, a timer when it was due.
		moved := "argMax(if(reason IN ('review', 'program'), event_time, greatest(event_time, entry_time)), (sequence, index))"
		return fmt.Sprintf("if(ifNull(%s, '') = '', NULL, %s)", tier, w.since(w.value(fromLadder, "since_day", "toNullable("+w.day(moved)+")")))
	}
	if len(levels) == 0 {
		return "CAST(NULL, 'Nullable(Int64)')"
	}
	rank := fmt.Sprintf("nullIf(toInt64(indexOf([%s], ifNull(%s, ''))), 0)", quoteAll(ids), tier)
	reviewDay := "nullIf(" + w.reviewDay(q.Kind) + ", 0)"
	switch q.Kind {
	case TierRank:
		return rank
	case DaysToReview:
		return sqlUntil(reviewDay)
	}
	// What is lacking to the next level, or to the one that is held.
	to, condition, counts := rank, "isNotNull("+reviewDay+")", ""
	if q.Kind == SpendToNextTier {
		to, condition, counts = rank+" + 1", fmt.Sprintf("ifNull(%s, 0) < %d", rank, len(levels)), w.tierSpend()
	} else {
		counts = w.reviewSpend()
	}
	return fmt.Sprintf("if(isNotNull(%s) AND isNotNull(%s) AND %s, greatest(0, arrayElement(%s, toInt64(ifNull(%s, 0))) - %s), NULL)",
		w.enrolled(), rank, condition, sqlNumbers(spends), to, counts)
}

// reviewDay comes from the newest standing: the ground of a tier is in no fact. 0
// or null: none.
func (w *query) reviewDay(k Kind) string {
	if k != DaysToReview && k != SpendToKeepTier {
		return ""
	}
	return w.value(fromReview, "day", "argMax(review_on, sequence)")
}

// tierSpend is the net spend of the tiers' window that ends today; days ahead of
// the clock count.
func (w *query) tierSpend() string {
	return w.count(fromTrade, "tier_spend", fmt.Sprintf("sumIf(net, day > %s - %d)", sqlToday, w.tierDays()))
}

// reviewSpend is the net spend of the tiers' window that will end on the day of the
// customer's review, as far as it is known.
func (w *query) reviewSpend() string {
	nets := w.value(fromTrade, "nets", "groupArray((day, net))")
	return fmt.Sprintf("arraySum(n -> if(n.1 > ifNull(%s, 0) - %d, n.2, 0), %s)", w.reviewDay(SpendToKeepTier), w.tierDays(), nets)
}

func (w *query) tierDays() int {
	if days := w.set.Book.Tiers.WindowDays; days > 0 {
		return days
	}
	return 365
}

// orders counts or sums orders of a window.
func (w *query) orders(q *Quantity) string {
	conditions := []string{}
	if inside := w.inside("day", q.Window); inside != "" {
		conditions = append(conditions, inside)
	}
	for i := range q.Where {
		conditions = append(conditions, w.orderFilter(&q.Where[i]))
	}
	var expression string
	switch {
	case q.Kind == CountOrders:
		expression = "toInt64(countIf(" + strings.Join(append(conditions, "counts"), " AND ") + "))"
	case len(q.Where) > 0:
		// Refunds that belong to no order have no channel.
		w.left = true
		expression = "sumIf(worth, " + strings.Join(append(conditions, "is_order"), " AND ") + ")"
	default:
		expression = "sumIf(net, " + strings.Join(append(conditions, "1"), " AND ") + ")"
	}
	return w.count(fromTrade, w.nameOf("o", expression), expression)
}

// nameOf gives equal expressions one name.
func (w *query) nameOf(prefix, expression string) string {
	names := w.expressions[prefix]
	i := slices.Index(names, expression)
	if i < 0 {
		i = len(names)
		w.expressions[prefix] = append(names, expression)
	}
	return fmt.Sprintf("%s%d", prefix, i)
}

// orderFilter is a condition on an order; of products, categories and brands any
// line will do.
func (w *query) orderFilter(f *Filter) string {
	switch f.Property {
	case "channel", "country":
		return fmt.Sprintf("%s IN (%s)", f.Property, quoteAll(f.Words))
	}
	w.items[f.Property] = true
	return fmt.Sprintf("hasAny(%s, [%s])", itemColumns[f.Property].list, quoteAll(f.Words))
}

var itemColumns = map[string]struct{ column, list string }{
	"product":  {"product_id", "products"},
	"category": {"toString(category)", "categories"},
	"brand":    {"toString(brand)", "brands"},
}

// each calls fn for the properties of lines that are asked for.
func (w *query) eachItem(fn func(column, list string)) {
	for _, property := range []string{"brand", "category", "product"} {
		if w.items[property] {
			fn(itemColumns[property].column, itemColumns[property].list)
		}
	}
}

func (w *query) itemColumns() (s string) {
	w.eachItem(func(_, list string) { s += ",\n        items." + list + " AS " + list })
	return s
}

func (w *query) itemNames(before string) (s string) {
	w.eachItem(func(_, list string) { s += before + list })
	return s
}

func (w *query) itemJoin() string {
	if len(w.items) == 0 {
		return ""
	}
	s := "\n    LEFT JOIN\n    (\n        SELECT account_id, order_id"
	w.eachItem(func(column, list string) { s += ", groupUniqArray(" + column + ") AS " + list })
	return s + "\n        FROM order_items\n        WHERE " + w.within + " AND is_identified\n        GROUP BY account_id, order_id\n    ) AS items ON items.account_id = orders.account_id AND items.order_id = orders.order_id"
}

// birthday counts the days to the next one; 29 February is 1 March in other
// years, as any day past a month's end runs on into the next.
func (w *query) birthday() string {
	part := func(name string) string { return "ifNull(" + wholeNumberOf(w.fact(name)) + ", 0)" }
	month, day := part("birth_month"), part("birth_day")
	in := func(years int) string {
		return fmt.Sprintf("(toInt64(toDate32(addMonths(addYears(toStartOfYear(%s), %d), %s - 1))) + %s - 1)", sqlDate, years, month, day)
	}
	return fmt.Sprintf("if(%[1]s BETWEEN 1 AND 12 AND %[2]s BETWEEN 1 AND arrayElement([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], %[1]s), if(%[3]s >= %[5]s, %[3]s, %[4]s) - %[5]s, NULL)",
		month, day, in(0), in(1), sqlToday)
}

// fact is the text of what is known under a name, see textOf; null: nothing.
func (w *query) fact(name string) string {
	w.facts[name] = true
	newest := fmt.Sprintf("argMaxIf(value, (sequence, index), name = %s)", quote(name))
	text := fmt.Sprintf("multiIf(%[1]s IN ('', 'null'), NULL, startsWith(%[1]s, '\"'), JSONExtractString(%[1]s), %[1]s)", newest)
	return w.value(fromTraits, w.nameOf("f", text), text)
}

func (w *query) factNames() string {
	names := make([]string, 0, len(w.facts))
	for name := range w.facts {
		names = append(names, name)
	}
	slices.Sort(names)
	return quoteAll(names)
}

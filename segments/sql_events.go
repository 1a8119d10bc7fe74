package segments

import (
	"fmt"
	"slices"
	"strings"
)

// events writes a quantity of what a customer did beside ordering.
func (w *query) events(q *Quantity) string {
	w.names[q.Event] = true
	conditions := []string{"name = " + quote(q.Event)}
	for i := range q.Where {
		c := q.Where[i].comparison()
		conditions = append(conditions, c.sql(sqlProperty(q.Where[i].Property)))
	}
	if inside := w.inside("day", q.Window); inside != "" {
		conditions = append(conditions, inside)
	}
	these := strings.Join(conditions, " AND ")
	add := func(expression string) string {
		return w.value(fromDoings, w.nameOf("e", expression), expression)
	}
	switch q.Kind {
	case CountEvents:
		return "ifNull(" + add("toInt64(countIf("+these+"))") + ", 0)"
	case SumEvents:
		return "ifNull(" + add(fmt.Sprintf("sumIf(ifNull(%s, 0), %s)", wholeNumberOf(sqlProperty(q.Property)), these)) + ", 0)"
	case DaysSinceFirstEvent:
		return w.since(add("minOrNullIf(day, " + these + ")"))
	case DaysSinceLastEvent:
		return w.since(add("maxOrNullIf(day, " + these + ")"))
	}
	// Behind a mark, for a property that is missing is not what an older event says.
	marked := fmt.Sprintf("if(mapContains(properties, %[1]s), concat('+', %[2]s), '')", quote(q.Property), sqlProperty(q.Property))
	latest := add(fmt.Sprintf("argMaxIf(%s, (event_time, sequence), %s)", marked, these))
	return fmt.Sprintf("if(ifNull(%[1]s, '') = '', NULL, substring(%[1]s, 2))", latest)
}

func sqlProperty(name string) string { return "properties[" + quote(name) + "]" }

func (w *query) writeDoings(b *strings.Builder) {
	names := make([]string, 0, len(w.names))
	for name := range w.names {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(b, "doings AS\n(\n    SELECT\n        account_id")
	for _, c := range w.columns[fromDoings] {
		b.WriteString(",\n        " + c)
	}
	fmt.Fprintf(b, `
    FROM
    (
        SELECT account_id, name, properties, event_time, sequence, %s AS day
        FROM activities
        WHERE %s AND name IN (%s)
    )
    GROUP BY account_id
),
`, w.day("event_time"), w.within, quoteAll(names))
}

// leaf writes the comparison of a quantity's column; null is false.
func (w *query) leaf(l *Leaf, column string) string {
	c := comparison{Form: l.Form, Min: l.Min, Max: l.Max, HasMin: l.HasMin, HasMax: l.HasMax, Words: l.Words, Truth: l.Truth}
	switch kind := w.set.Quantities[l.Quantity].Kind; {
	case c.Form == FormKnown:
		return "isNotNull(" + column + ")"
	case kind == Fact || kind == LatestEvent:
		return c.sql(column)
	case c.Form == FormWords:
		return column + " IN (" + quoteAll(c.Words) + ")"
	case c.Form == FormTruth && c.Truth:
		return column
	case c.Form == FormTruth:
		return "NOT " + column
	}
	return c.limits(column)
}

// sql writes a comparison of a text, as comparison.holds does it.
func (c *comparison) sql(text string) string {
	switch c.Form {
	case FormWords:
		return "ifNull(" + text + " IN (" + quoteAll(c.Words) + "), 0)"
	case FormTruth:
		return fmt.Sprintf("ifNull(%s = '%v', 0)", text, c.Truth)
	case FormRange:
		return "ifNull(" + c.limits(wholeNumberOf(text)) + ", 0)"
	}
	return "isNotNull(" + text + ")"
}

func (c *comparison) limits(value string) string {
	switch {
	case c.HasMin && c.HasMax:
		return fmt.Sprintf("(%[1]s) >= %[2]s AND (%[1]s) <= %[3]s", value, sqlNumber(c.Min), sqlNumber(c.Max))
	case c.HasMin:
		return fmt.Sprintf("(%s) >= %s", value, sqlNumber(c.Min))
	case c.HasMax:
		return fmt.Sprintf("(%s) <= %s", value, sqlNumber(c.Max))
	}
	return "isNotNull(" + value + ")"
}

// wholeNumberOf reads a text as numberOf does: decimals are cut off.
func wholeNumberOf(text string) string {
	return fmt.Sprintf(`if(ifNull(match(%[1]s, '^-?[0-9]{1,%[2]d}([.][0-9]+)?\\z'), 0), toInt64OrNull(extract(ifNull(%[1]s, ''), '^-?[0-9]+')), NULL)`, text, maxDigits)
}

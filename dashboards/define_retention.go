package dashboards

// gaps are the days between two orders of a customer, by the time of the later
// one.
const gaps = `(
	            SELECT account_id, tupleElement(pair, 2) AS at, dateDiff('second', tupleElement(pair, 1), at) / 86400 AS days
	            FROM
	            (
	                SELECT account_id, arraySort(groupArray(event_time)) AS times, arrayJoin(arrayZip(arrayPopBack(times), arrayPopFront(times))) AS pair
	                FROM orders WHERE number > 0 AND ` + soldHere + ` GROUP BY account_id HAVING count() > 1
	            )
	        )`

// buyers are customers with their first, second and last order.
const buyers = `(
	            SELECT account_id, min(event_time) AS at, arraySort(groupArray(event_time))[2] AS second, max(event_time) AS newest, count() AS orders
	            FROM orders WHERE number > 0 AND ` + soldHere + ` GROUP BY account_id
	        )`

// lapsedAfter is N of view order_gaps: nine of ten customers who came back came
// back sooner. Without any gap it is a year.
const lapsedAfter = "assumeNotNull((SELECT if(count() = 0, 365, max(lapse_days)) FROM order_gaps WHERE base = ${simulated:singlequote}))"

const cohortBase = "identified customers, orders of the chosen tiers, segments and channels in the program's currency, before refunds."

func retention() board {
	return board{
		name: "retention", title: "Retention", from: "now-365d", grain: "month",
		about:     "Do customers come back: how soon, how many of each cohort, and when are they lost.",
		variables: []string{"grain", "tier", "segment", "channel", "simulated"},
		rows: []row{
			{4, retentionStats()},
			{12, []panel{cohortHeat()}},
			{8, []panel{cohortCurve(), gapHistogram(), backByTier()}},
			{9, []panel{comeAndGo(12), cohortTable()}},
			{6, []panel{churnTable(), atStake()}},
		},
	}
}

func retentionStats() []panel {
	back := func(days, none string) string {
		return rolling(buyers, "at", "at + INTERVAL "+days+" DAY <= (SELECT time FROM as_of)",
			"countState() AS n, countStateIf(orders > 1 AND second <= at + INTERVAL "+days+" DAY) AS back", "if(countMerge(n) = 0, NULL, countMerge(back) / countMerge(n)) AS share")
	}
	const noFirst = "No first order in this range is old enough"
	soon := share("Back in 30 days", "Customers with a second order within 30 days of the first, divided by all whose 30 days are over.", cohortBase, back("30", ""), noFirst)
	later := share("Back in 90 days", "The same within 90 days.", cohortBase, back("90", ""), noFirst)
	gap := func(title, about, level string, good int) panel {
		p := count(title, about, "pairs of orders of one customer that follow each other, by the time of the later one.",
			rolling(gaps, "at", "1", "quantileExactState("+level+")(days) AS q, countState() AS n", "if(countMerge(n) = 0, NULL, quantileExactMerge("+level+")(q)) AS days"), "No second order in this range")
		p.unit, p.decimals, p.good = days, 1, good
		return p
	}
	lapsed := share("Lapsed now", "Customers without an order for N days, divided by all who ever bought. N is the 90th percentile of all gaps between days with an order (view order_gaps): nine of ten who came back came back sooner.", cohortBase, `
	SELECT countIf(newest + toIntervalDay(`+lapsedAfter+`) < (SELECT time FROM as_of)) / count() AS share
	FROM `+buyers+`
	HAVING count() > 0`, noSales)
	active := share("Active in 90 days", "Customers with an order in the 90 days up to the newest tick, divided by all who ever bought.", cohortBase, `
	SELECT countIf(newest > (SELECT time FROM as_of) - INTERVAL 90 DAY) / count() AS share
	FROM `+buyers+`
	HAVING count() > 0`, noSales)
	for _, p := range []*panel{&lapsed, &active} {
		p.still = true
		p.about = p.about[:len(p.about)-len(againstPrior)]
	}
	lapsed.steps = steps(green, 0.5, yellow, 0.7, orange)
	return []panel{soon, later, gap("Median gap", "Median of the days between two orders of a customer.", "0.5", -1), gap("Nine of ten gaps", "Nine of ten gaps between two orders of a customer are shorter.", "0.9", -1), lapsed, active}
}

// ages makes customers (cohort, the steps they ordered in) into cells of a cohort
// and an age that has fully passed.
const ages = `
	    SELECT cohort, k, count() AS size, countIf(has(steps, if(${grain:singlequote} = 'week', addWeeks(cohort, k), addMonths(cohort, k)))) AS active,
	        countIf(arrayMax(steps) >= if(${grain:singlequote} = 'week', addWeeks(cohort, k), addMonths(cohort, k))) AS active_or_later
	    FROM
	    (
	        SELECT account_id, groupUniqArray(` + step + `) AS steps, arrayMin(steps) AS cohort
	        FROM orders
	        WHERE number > 0 AND ` + soldHere + `
	        GROUP BY account_id
	    )
	    ARRAY JOIN range(53) AS k
	    WHERE cohort >= toDate($__fromTime, ` + zone + `) AND cohort <= toDate($__toTime, ` + zone + `)
	        AND if(${grain:singlequote} = 'week', addWeeks(cohort, k + 1), addMonths(cohort, k + 1)) <= (SELECT day FROM as_of)
	    GROUP BY cohort, k`

func cohortHeat() panel {
	return panel{
		kind: "heatmap", title: "Who comes back, by week or month of the first order", w: 24, unit: "percentunit", none: "No cohort is old enough", steps: steps(blue),
		about: "Share of a cohort (customers whose first order fell in that step) with an order in the step that lies so many steps later; 00 is the step of the first order. A cell whose step has not fully passed is empty, not low.",
		base:  "cohorts in the range; " + cohortBase,
		sql: `
	SELECT cohort AS time, leftPad(toString(k), 2, '0') AS age, active / size AS share
	FROM
	(` + ages + `
	)
	ORDER BY time, age`,
		columns: map[string]column{"time": {name: "First order"}, "age": {name: "Steps later"}},
	}
}

func cohortCurve() panel {
	return panel{
		kind: "barchart", title: "How many are still there", w: 8, unit: "percentunit", none: "No cohort is old enough", steps: steps(blue), max: ptr(1.0),
		about: "Share of customers with an order so many steps after the first, in that step, and in it or any later one (which falls towards the end, because what is to come is not known). Cohorts weighted by size.",
		base:  "cohorts in the range that are old enough for the age; " + cohortBase,
		sql: `
	SELECT leftPad(toString(k), 2, '0') AS age, sum(active) / sum(size) AS in_the_step, sum(active_or_later) / sum(size) AS in_it_or_later
	FROM
	(` + ages + `
	)
	WHERE k BETWEEN 1 AND 12
	GROUP BY k
	ORDER BY k`,
		columns: map[string]column{"age": {name: "Steps later"}, "in_the_step": {name: "In the step", color: blue}, "in_it_or_later": {name: "In it or later", color: gray}},
	}
}

func gapHistogram() panel {
	return panel{
		kind: "barchart", title: "Days to the next order", w: 8, unit: whole, none: "No second order in this range", steps: steps(blue),
		about: "Gaps between two orders of a customer that follow each other, by length.", base: "gaps whose later order lies in the range.",
		sql: `
	SELECT multiIf(days < 1, '0', days < 7, '1-6', days < 14, '7-13', days < 30, '14-29', days < 60, '30-59', days < 90, '60-89', days < 180, '90-179', '180+') AS days_between, count() AS gaps
	FROM ` + gaps + `
	WHERE $__timeFilter(at)
	GROUP BY days_between
	ORDER BY min(days)`,
		columns: map[string]column{"gaps": {name: "Gaps", color: blue}},
	}
}

func backByTier() panel {
	return panel{
		kind: "bargauge", title: "Active in 90 days, by tier", w: 8, unit: "percentunit", decimals: 1, none: noSales, steps: steps(orange, 0.25, blue, 0.6, green), max: ptr(1.0),
		about: "Customers with an order in the 90 days up to the newest tick, divided by all of the tier who ever bought. Tiers are earned by buying: not causal.", base: "customers of the chosen tiers and segments as they stand now.",
		sql: `
	SELECT if(c.tier = '', 'no tier', c.tier) AS held, countIf(c.last_order_time > (SELECT time FROM as_of) - INTERVAL 90 DAY) / count() AS active
	FROM customers AS c
	WHERE c.orders > 0 AND ` + facts + ` AND ` + chosen + `
	GROUP BY held
	ORDER BY active DESC`,
		columns: map[string]column{"held": {name: "Tier"}},
	}
}

func comeAndGo(w int) panel {
	return panel{
		kind: "timeseries", title: "Won, won back and lost", w: w, bars: true, stacked: true, unit: whole, none: noSales, steps: steps(blue), least: "1d",
		about: "Customers with their first order (new), with an order after a gap longer than N days (won back), and whose N days without an order ran out (lost, downwards), by step. N is the 90th percentile of all gaps." + notOver, base: cohortBase,
		sql: `
	WITH ` + lapsedAfter + ` AS n
	SELECT toDate(dateTrunc(${grain:singlequote}, at, ` + zone + `)) AS time, countIf(what = 'new') AS new_customers, countIf(what = 'back') AS won_back, -toInt64(countIf(what = 'lost')) AS lost
	FROM
	(
	    SELECT at, 'new' AS what FROM ` + buyers + `
	    UNION ALL
	    SELECT at, 'back' FROM ` + gaps + ` WHERE days > n
	    UNION ALL
	    SELECT at - toIntervalSecond(toUInt32((days - n) * 86400)), 'lost' FROM ` + gaps + ` WHERE days > n
	    UNION ALL
	    SELECT newest + toIntervalDay(n), 'lost' FROM ` + buyers + ` WHERE newest + toIntervalDay(n) <= (SELECT time FROM as_of)
	)
	WHERE $__timeFilter(at) AND time >= toDate($__fromTime, ` + zone + `)
	GROUP BY time
	ORDER BY time`,
		columns: map[string]column{"new_customers": {name: "New", color: green}, "won_back": {name: "Won back", color: blue}, "lost": {name: "Lost", color: orange}},
	}
}

func cohortTable() panel {
	age := func(title string) column {
		return column{name: title, unit: "percentunit", decimals: ptr(1.0), cell: "shade"}
	}
	return panel{
		kind: "table", title: "Cohorts: back at all within …", w: 12, unit: whole, none: "No first order in this range", steps: steps(blue),
		about: "Share of a cohort with a second order within so many days of the first; null where not all customers of the cohort have had that long.", base: "cohorts in the range; " + cohortBase,
		sql: `
	WITH toDate(dateTrunc(${grain:singlequote}, at, ` + zone + `)) AS first_order, (SELECT time FROM as_of) AS known
	SELECT first_order AS cohort, count() AS customers,
	    if(max(at) + INTERVAL 30 DAY > known, NULL, countIf(orders > 1 AND second <= at + INTERVAL 30 DAY) / customers) AS d30,
	    if(max(at) + INTERVAL 60 DAY > known, NULL, countIf(orders > 1 AND second <= at + INTERVAL 60 DAY) / customers) AS d60,
	    if(max(at) + INTERVAL 90 DAY > known, NULL, countIf(orders > 1 AND second <= at + INTERVAL 90 DAY) / customers) AS d90,
	    if(max(at) + INTERVAL 180 DAY > known, NULL, countIf(orders > 1 AND second <= at + INTERVAL 180 DAY) / customers) AS d180
	FROM ` + buyers + `
	WHERE $__timeFilter(at)
	GROUP BY cohort
	ORDER BY cohort DESC`,
		columns: map[string]column{
			"cohort": {name: "First order"}, "customers": {name: "Customers"},
			"d30": age("30 days"), "d60": age("60 days"), "d90": age("90 days"), "d180": age("180 days"),
		},
	}
}

func churnTable() panel {
	return panel{
		kind: "table", title: "Churn, three ways", w: 14, unit: whole, none: "Not enough orders to speak of churn", steps: steps(blue), sort: "rate",
		about: "Inactive: no order for N days as of the newest tick (a level). Period: of the customers of the month before the last full one, those without an order in it (a flow). Model: expected share of those who will never buy again, 1 − P(alive), once a model is fitted. They must not be mixed up.",
		base:  "differs by definition, as column Of whom says; all tiers, segments and channels.",
		sql: `
	SELECT definition, detail, base_text, customers, rate
	FROM churn
	WHERE base = ${simulated:singlequote}
	ORDER BY definition`,
		columns: map[string]column{
			"definition": {name: "Definition", width: 110}, "detail": {name: "What exactly"}, "base_text": {name: "Of whom"}, "customers": {name: "Customers"},
			"rate": {name: "Churn", unit: "percentunit", decimals: ptr(1.0)},
		},
	}
}

func atStake() panel {
	return panel{
		kind: "table", title: "At stake", w: 10, unit: whole, none: noSales, steps: steps(blue), sort: "customers",
		about: "Customers who are active (silent no longer than three of four gaps are), about to lapse (longer, but not longer than N) or lapsed, what they spent in the scoring window, and what a fitted model expects of them in 12 months.",
		base:  "identified customers with an order not wholly refunded; all tiers, segments and channels.",
		sql: `
	SELECT state, customers, toFloat64(window_net_spend) AS spend, expected_spend
	FROM at_risk_value
	WHERE base = ${simulated:singlequote}
	ORDER BY customers DESC`,
		columns: map[string]column{
			"state": {name: "State"}, "customers": {name: "Customers"}, "spend": {name: "Spend", unit: money}, "expected_spend": {name: "Next 12 months", unit: money},
		},
	}
}

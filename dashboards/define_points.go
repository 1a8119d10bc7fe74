package dashboards

const (
	pointsBase = "all customers of the chosen tiers and segments; points that fill a debt move within the customer and are not here."
	noPoints   = "No points moved in this range"
	moved      = "account = 'customer' AND " + facts + " AND " + whose
)

func pointsAndTiers() board {
	return board{
		name: "points-and-tiers", title: "Points and tiers", from: "now-180d",
		about:     "What the program gives and owes: points issued, spent, expired and outstanding, what expires when, which rules gave them, and how customers move between tiers.",
		variables: []string{"grain", "tier", "segment", "point_value", "breakage", "simulated"},
		rows: []row{
			{4, pointStats()},
			{8, []panel{pointsFlow(12), pointsOwed()}},
			{8, []panel{expiryCalendar(), earnedByRule(), redemptions()}},
			{8, []panel{breakage(), liability()}},
			{8, []panel{tiersOverTime(), tierMatrix()}},
			{9, []panel{expiringSoon(), reviewedSoon()}},
		},
	}
}

func pointStats() []panel {
	ask := func(values string) string {
		return rolling("points", "entry_time", moved,
			"sumStateIf(points, reason = 'earn') AS issued, sumStateIf(-points, reason = 'spend') AS spent, sumStateIf(-points, reason = 'expire') AS expired, sumStateIf(-points, reason = 'reverse') AS reversed", values)
	}
	spent := share("Spent of issued", "Points spent in the period divided by points issued in it, less those taken back. Not a cohort: spent points may be older.", pointsBase,
		ask("if(sumMerge(issued) - sumMerge(reversed) <= 0, NULL, sumMerge(spent) / (sumMerge(issued) - sumMerge(reversed))) AS share"), noPoints)
	spent.steps = steps(orange, 0.1, blue, 0.3, green)
	expired := count("Expired", "Points that expired unspent.", pointsBase, ask("sumMerge(expired) AS points"), noPoints)
	expired.good = -1
	stats := overviewStats()
	owed := stats[len(stats)-1]
	members := customerStats()
	return []panel{
		count("Issued", "Points earned by rules, before refunds take any back.", pointsBase, ask("sumMerge(issued) AS points"), noPoints),
		count("Spent", "Points spent in redemptions.", pointsBase, ask("sumMerge(spent) AS points"), noPoints),
		expired, spent, owed, members[len(members)-1],
	}
}

func pointsOwed() panel {
	return panel{
		kind: "timeseries", title: "Points owed", w: 12, stacked: true, unit: whole, none: "No points yet", steps: steps(blue),
		about: "Points that customers hold by their tier now: Σ of all changes up to a time.", base: "customers of the chosen tiers and segments, debts negative.",
		sql: `
	WITH dateDiff('second', $__fromTime, $__toTime) AS width
	SELECT $__fromTime + toIntervalSecond(intDiv(g.k * width, 48)) AS time, g.tier AS tier, sum(sum(s.change)) OVER (PARTITION BY g.tier ORDER BY g.k) AS points
	FROM (SELECT if(tier = '', 'no tier', tier) AS tier, arrayJoin(range(49)) AS k FROM (SELECT DISTINCT tier FROM customers WHERE balance != 0 AND ` + facts + ` AND ` + chosen + `)) AS g
	LEFT JOIN
	(
	    SELECT toUInt8(if(p.entry_time <= $__fromTime, 0, least(intDiv(dateDiff('second', $__fromTime, p.entry_time) * 48, width) + 1, 48))) AS k,
	        if(c.tier = '', 'no tier', c.tier) AS tier, sum(p.points) AS change
	    FROM (SELECT * FROM points WHERE entry_time <= $__toTime AND ` + moved + `) AS p
	    INNER JOIN customers AS c ON c.customer_id = p.account_id
	    GROUP BY k, tier
	) AS s ON s.k = g.k AND s.tier = g.tier
	GROUP BY g.k, tier
	ORDER BY time, tier`,
		columns: map[string]column{"points": {name: "${__field.labels.tier}"}},
	}
}

func expiryCalendar() panel {
	return panel{
		kind: "barchart", title: "What expires when", w: 8, unit: whole, none: "No points expire", steps: steps(orange),
		about: "Points that are left of lots, by the month of their last day, if nobody spends them before.", base: "lots with points left of customers of the chosen tiers and segments; without lots that never expire.",
		sql: `
	SELECT formatDateTime(toStartOfMonth(last_day), '%Y-%m') AS month, sum(left_points) AS points
	FROM
	(
	    SELECT account_id, lot_id, max(expires_on) AS last_day, sum(points) AS left_points
	    FROM points
	    WHERE expires_on > toDate32('1970-01-01') AND ` + moved + `
	    GROUP BY account_id, lot_id
	    HAVING left_points > 0
	)
	GROUP BY month
	ORDER BY month
	LIMIT 36`,
		columns: map[string]column{"points": {name: "Points", color: orange}},
	}
}

func earnedByRule() panel {
	return panel{
		kind: "bargauge", title: "Points by rule", w: 8, unit: whole, none: noPoints, steps: steps(blue),
		about: "Points issued in the range by the rule that gave them, before refunds take any back.", base: "all customers of the chosen tiers and segments.",
		sql: `
	SELECT if(rule_id = '', 'no rule', toString(rule_id)) AS rule, sum(points) AS issued
	FROM points
	WHERE $__timeFilter(entry_time) AND reason = 'earn' AND ` + moved + `
	GROUP BY rule
	ORDER BY issued DESC
	LIMIT 30`,
	}
}

func redemptions() panel {
	return panel{
		kind: "timeseries", title: "Redemptions", w: 8, bars: true, stacked: true, unit: whole, none: "Nobody asked to spend points in this range", steps: steps(blue), least: "1d",
		about: "Requests to spend points by the step of the request: accepted, or refused (mostly for want of points)." + notOver, base: "first arrival of each redemption id, customers of the chosen tiers and segments.",
		sql: `
	SELECT ` + entryStep + ` AS time, countIf(is_accepted) AS accepted, countIf(NOT is_accepted) AS refused
	FROM redemptions
	WHERE ` + inEntrySteps + ` AND ` + facts + ` AND ` + whose + `
	GROUP BY time
	ORDER BY time`,
		columns: map[string]column{"accepted": {name: "Accepted", color: blue}, "refused": {name: "Refused", color: red}},
	}
}

func tiersOverTime() panel {
	return panel{
		kind: "timeseries", title: "Members by tier over time", w: 14, stacked: true, unit: whole, none: "No tiers yet", steps: steps(blue),
		about: "Members that held a tier at a time: Σ moves into it less moves out of it up to then.", base: "members of the chosen tiers and segments (as they stand now).",
		sql: `
	WITH dateDiff('second', $__fromTime, $__toTime) AS width
	SELECT $__fromTime + toIntervalSecond(intDiv(g.k * width, 48)) AS time, g.tier AS tier, sum(sum(s.change)) OVER (PARTITION BY g.tier ORDER BY g.k) AS members
	FROM (SELECT toString(tier) AS tier, arrayJoin(range(49)) AS k FROM (SELECT DISTINCT to_tier AS tier FROM tier_changes WHERE to_tier != '' AND ` + facts + `)) AS g
	LEFT JOIN
	(
	    SELECT toUInt8(if(entry_time <= $__fromTime, 0, least(intDiv(dateDiff('second', $__fromTime, entry_time) * 48, width) + 1, 48))) AS k,
	        toString(m.1) AS tier, sum(m.2) AS change
	    FROM tier_changes ARRAY JOIN [(from_tier, -1), (to_tier, 1)] AS m
	    WHERE entry_time <= $__toTime AND m.1 != '' AND ` + facts + ` AND ` + whose + `
	    GROUP BY k, tier
	) AS s ON s.k = g.k AND s.tier = g.tier
	GROUP BY g.k, tier
	ORDER BY time, tier`,
		columns: map[string]column{"members": {name: "${__field.labels.tier}"}},
	}
}

func tierMatrix() panel {
	return panel{
		kind: "table", title: "Moves between tiers", w: 10, unit: whole, none: "Nobody changed tiers in this range", steps: steps(blue), sort: "moves",
		about: "Moves from one tier to another in the range, by reason: enrolled, reached (spent enough), review (spent too little), refund.", base: "members of the chosen tiers and segments (as they stand now).",
		sql: `
	SELECT if(from_tier = '', 'none', toString(from_tier)) AS from_tier, if(to_tier = '', 'none', toString(to_tier)) AS to_tier, toString(reason) AS reason, count() AS moves
	FROM tier_changes
	WHERE $__timeFilter(entry_time) AND ` + facts + ` AND ` + whose + `
	GROUP BY from_tier, to_tier, reason
	ORDER BY moves DESC
	LIMIT 60`,
		columns: map[string]column{"from_tier": {name: "From"}, "to_tier": {name: "To"}, "reason": {name: "Why"}, "moves": {name: "Moves", cell: "gauge"}},
	}
}

func expiringSoon() panel {
	return panel{
		kind: "table", title: "Points that expire within 30 days", w: 12, unit: whole, none: "No points expire within 30 days", steps: steps(blue),
		about: "Customers whose next points expire within 30 days of the newest tick, most points first.", base: "customers of the chosen tiers and segments, the 50 first.",
		sql: `
	SELECT customer_id, if(tier = '', 'none', tier) AS tier, next_expiry_points AS expiring, next_expiry_on AS on_day, balance AS points, toDate(last_order_time, ` + zone + `) AS last_order
	FROM customers
	WHERE next_expiry_on <= addDays(toDate32((SELECT day FROM as_of)), 30) AND next_expiry_points > 0 AND ` + facts + ` AND (has([${tier:singlequote}], '(all)') OR customers.tier IN (${tier:singlequote})) AND (has([${segment:singlequote}], '(all)') OR hasAny(segments, [${segment:singlequote}]))
	ORDER BY expiring DESC, customer_id
	LIMIT 50`,
		columns: map[string]column{
			"customer_id": {name: "Customer", link: "customer"}, "tier": {name: "Tier"}, "expiring": {name: "Expire", cell: "gauge"}, "on_day": {name: "Last day"}, "points": {name: "Of points"}, "last_order": {name: "Last order"},
		},
	}
}

func reviewedSoon() panel {
	return panel{
		kind: "table", title: "Who is about to drop a tier", w: 12, unit: whole, none: "Nobody lacks anything at a review within 30 days", steps: steps(blue),
		about: "Members whose tier is reviewed within 30 days of the newest tick, and what they must still buy until then to keep it, least first.", base: "members above the lowest tier who lack something, of the chosen tiers and segments, the 50 first.",
		sql: `
	SELECT s.customer_id AS customer_id, s.tier AS tier, s.review_on AS review_on, toFloat64(s.to_keep) AS to_keep
	FROM tier_standing AS s
	WHERE s.days_to_review <= 30 AND s.to_keep > 0 AND ` + facts + ` AND s.customer_id IN (SELECT customer_id FROM customers WHERE ` + chosen + `)
	ORDER BY to_keep, customer_id
	LIMIT 50`,
		columns: map[string]column{
			"customer_id": {name: "Customer", link: "customer"}, "tier": {name: "Tier"}, "review_on": {name: "Review"}, "to_keep": {name: "To buy until then", unit: money, decimals: ptr(2.0), cell: "gauge"},
		},
	}
}

func breakage() panel {
	return panel{
		kind: "barchart", title: "What became of each month's points", w: 12, stacked: true, unit: "percentunit", none: "No points were issued in this range", steps: steps(blue), max: ptr(1.0),
		about: "Points of a month of issue, net of refunds, that were spent, expired (breakage) or are still open. Breakage is final only in months where nothing is open.", base: "lots by the month of the event that issued them, the last 24 months; all tiers and segments.",
		sql: `
	SELECT formatDateTime(month, '%Y-%m') AS issued_in, sum(b.spent) / sum(b.net) AS spent, sum(b.expired) / sum(b.net) AS expired, sum(b.outstanding) / sum(b.net) AS open
	FROM points_breakage AS b
	WHERE month > addMonths((SELECT month FROM as_of), -24) AND ` + facts + `
	GROUP BY month
	HAVING sum(b.net) > 0
	ORDER BY month`,
		columns: map[string]column{"issued_in": {name: "Issued in"}, "spent": {name: "Spent", color: green}, "expired": {name: "Expired", color: gray}, "open": {name: "Open", color: blue}},
	}
}

func liability() panel {
	return panel{
		kind: "barchart", title: "What the points owed are worth", w: 12, unit: money, none: "No points are owed", steps: steps(blue),
		about: "Points left by month of issue, at face value (points × the value of a point chosen above) and at fair value by IFRS 15's proportional method (sales shared between goods and points by stand-alone price, with the breakage chosen above, recognised as points are spent).",
		base:  "lots with points left, by month of issue, at any time; all tiers and segments.",
		sql: `
	SELECT formatDateTime(month, '%Y-%m') AS issued_in, toFloat64(sum(l.face_value)) AS face_value, toFloat64(sum(l.fair_value)) AS fair_value
	FROM points_liability(point_value = ${point_value:singlequote}, breakage = ${breakage:singlequote}) AS l
	WHERE base = ${simulated:singlequote} AND l.outstanding > 0
	GROUP BY month
	ORDER BY month`,
		columns: map[string]column{"issued_in": {name: "Issued in"}, "face_value": {name: "Face value", color: orange}, "fair_value": {name: "Fair value (IFRS 15)", color: blue}},
	}
}

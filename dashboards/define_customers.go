package dashboards

import "fmt"

func customers() board {
	return board{
		name: "customers", title: "Customers", from: "now-180d",
		about:     "Who our customers are: how recently, how often and for how much they buy, which segments they are in, and one of them in full.",
		variables: []string{"grain", "tier", "segment", "channel", "simulated", "customer"},
		rows: []row{
			{4, customerStats()},
			{9, []panel{rfmGrid(), rfmNames(), segmentSizes()}},
			{8, []panel{segmentFlow(), scoreDistribution()}},
			{8, []panel{segmentOverlap(), rfmMovements()}},
			{9, []panel{bestCustomers(), lapsingCustomers()}},
			{9, []panel{lookUp(), lookUpStory()}},
		},
	}
}

func customerStats() []panel {
	states := "uniqExactState(account_id) AS u, countState() AS n, sumState(net_minor / greatest(minor_per_major, 1)) AS total, uniqExactStateIf(account_id, number = 1) AS first, uniqExactStateIf(account_id, number > 1) AS again"
	ask := func(values string) string { return rolling("orders", "event_time", soldHere, states, values) }
	perBuyer := count("Orders each", "Orders divided by customers who bought.", ordersBase, ask("if(uniqExactMerge(u) = 0, NULL, countMerge(n) / uniqExactMerge(u)) AS orders"), noSales)
	perBuyer.decimals = 2
	spend := amount("Spend each", "Sales divided by customers who bought.", ordersBase, ask("if(uniqExactMerge(u) = 0, NULL, sumMerge(total) / uniqExactMerge(u)) AS spend"), noSales)
	enrolled := count("Members", "Customers enrolled in the program: Σ enrolments up to a time. The change is that over the range.", "customers of the chosen tiers and segments.",
		level("customers", "enrolled_time", "is_member AND "+facts+" AND "+chosen, "count()", "members"), "No members yet")
	enrolled.about = enrolled.about[:len(enrolled.about)-len(againstPrior)]
	return []panel{
		count("Buyers", "Different customers with an order.", ordersBase, ask("uniqExactMerge(u) AS customers"), noSales),
		count("New customers", "Customers whose first order it was.", ordersBase, ask("uniqExactMerge(first) AS customers"), noSales),
		share("Bought again", "Customers with a second or later order in the period, divided by all who bought.", ordersBase, ask("if(uniqExactMerge(u) = 0, NULL, uniqExactMerge(again) / uniqExactMerge(u)) AS share"), noSales),
		perBuyer, spend, enrolled,
	}
}

func rfmGrid() panel {
	cells := ""
	columns := map[string]column{"recency": {name: "Recency", width: 150}}
	for f := 1; f <= 5; f++ {
		cells += fmt.Sprintf(", countIf(f = %d) AS f%d", f, f)
		columns[fmt.Sprintf("f%d", f)] = column{name: []string{"F1 seldom", "F2", "F3", "F4", "F5 often"}[f-1], cell: "shade"}
	}
	return panel{
		kind: "table", title: "Recency and frequency", w: 10, unit: whole, none: "Nobody has scores yet", steps: steps(blue), columns: columns,
		about: "Customers by recency score (down, 5 = most recent) and frequency score (across, 5 = most orders), as scored now by the program's rules.",
		base:  "customers with scores (an order that is not wholly refunded) of the chosen tiers and segments.",
		sql: `
	SELECT multiIf(r = 5, 'R5 recent', r = 1, 'R1 long ago', concat('R', toString(r))) AS recency` + cells + `
	FROM customers
	WHERE r > 0 AND ` + facts + ` AND ` + chosen + `
	GROUP BY r
	ORDER BY r DESC`,
	}
}

func rfmNames() panel {
	return panel{
		kind: "bargauge", title: "By name", w: 7, unit: whole, none: "Nobody has scores yet", steps: steps(blue),
		about: "Customers by the name of their cell of recency and frequency, best first: Champions R5 F4-5, Loyal R3-4 F4-5, Potential loyalists R4-5 F2-3, New R5 F1, Promising R4 F1, Need attention R3 F3, About to sleep R3 F1-2, Can't lose them R1-2 F5, At risk R1-2 F3-4, Hibernating R1-2 F1-2.",
		base:  "customers with scores of the chosen tiers and segments.",
		sql: `
	SELECT g.name AS name, count() AS customers
	FROM (SELECT * FROM customers WHERE r > 0 AND ` + facts + ` AND ` + chosen + `) AS c
	INNER JOIN rfm_cells AS g ON g.r = c.r AND g.f = c.f
	GROUP BY name
	ORDER BY any(g.sort_order)`,
	}
}

func rfmMovements() panel {
	return panel{
		kind: "table", title: "From which name to which", w: 12, unit: whole, none: "Nobody moved in this range", steps: steps(blue), sort: "moves",
		about: "Changes of scores that led to another name, and what moved them: an order, a refund, time, new cut points.", base: "identified customers, months of the decision that begin in the range, the 60 largest.",
		sql: `
	SELECT from_name, to_name, replaceAll(reason, '_', ' ') AS because, sum(m.moves) AS moves
	FROM rfm_movements AS m
	WHERE month >= toDate($__fromTime, ` + zone + `) AND month <= toDate($__toTime, ` + zone + `) AND ` + facts + `
	GROUP BY from_name, to_name, because
	ORDER BY moves DESC, from_name, to_name
	LIMIT 60`,
		columns: map[string]column{"from_name": {name: "From"}, "to_name": {name: "To"}, "because": {name: "Because of"}, "moves": {name: "Moves", cell: "gauge"}},
	}
}

func scoreDistribution() panel {
	return panel{
		kind: "barchart", title: "Scores", w: 9, unit: whole, none: "Nobody has scores yet", steps: steps(blue),
		about: "Customers by recency, frequency and monetary score, 1 to 5 (5 is best). Even bars mean cut points by quantiles; many equal values make them uneven.",
		base:  "customers with scores of the chosen tiers and segments.",
		sql: `
	SELECT toString(score) AS score, sum(is_r) AS recency, sum(is_f) AS frequency, sum(is_m) AS monetary
	FROM
	(
	    SELECT s.1 AS score, s.2 AS is_r, s.3 AS is_f, s.4 AS is_m
	    FROM customers ARRAY JOIN [(r, 1, 0, 0), (f, 0, 1, 0), (m, 0, 0, 1)] AS s
	    WHERE r > 0 AND ` + facts + ` AND ` + chosen + `
	)
	GROUP BY score
	ORDER BY score`,
		columns: map[string]column{"recency": {name: "Recency", color: blue}, "frequency": {name: "Frequency", color: orange}, "monetary": {name: "Monetary", color: green}},
	}
}

func segmentSizes() panel {
	return panel{
		kind: "bargauge", title: "Segments", w: 7, unit: whole, none: "No segment has a member", steps: steps(blue),
		about: "Customers in each segment now. A customer may be in several.", base: "identified customers; a segment that nobody ever entered is missing.",
		sql: `
	SELECT segment_id AS segment, sum(members) AS customers
	FROM segment_sizes
	WHERE ` + facts + `
	GROUP BY segment
	ORDER BY customers DESC`,
		columns: map[string]column{"segment": {link: "/d/punchcard-customers?var-segment=${__value.raw:percentencode}", title: "Only this segment"}},
	}
}

func segmentFlow() panel {
	return panel{
		kind: "timeseries", title: "Segments: entered less left", w: 15, bars: true, stacked: true, unit: whole, none: "Nobody entered or left a segment in this range", steps: steps(blue), least: "1d",
		about: "Customers who entered a segment less those who left it, by the step of the decision." + notOver,
		base:  "identified customers, chosen segments; a change of the rules moves many at once.",
		sql: `
	SELECT ` + entryStep + ` AS time, toString(segment_id) AS segment, toInt64(countIf(change = 'entered')) - toInt64(countIf(change = 'left')) AS change
	FROM segment_changes
	WHERE ` + inEntrySteps + ` AND ` + facts + ` AND (has([${segment:singlequote}], '(all)') OR segment_id IN (${segment:singlequote}))
	GROUP BY time, segment
	ORDER BY time, segment`,
		columns: map[string]column{"change": {name: "${__field.labels.segment}"}},
	}
}

func segmentOverlap() panel {
	return panel{
		kind: "table", title: "Segments that overlap", w: 12, unit: whole, none: "No two segments share a customer", steps: steps(blue), sort: "both",
		about: "Customers in both segments; of first = their share of the first segment, of second = of the second.",
		base:  "identified customers as they stand now, pairs with somebody in both, the 60 largest.",
		sql: `
	WITH members AS (SELECT arrayJoin(segments) AS segment, customer_id FROM customers WHERE ` + facts + ` AND ` + chosen + `),
	    sizes AS (SELECT segment, count() AS size FROM members GROUP BY segment)
	SELECT a.segment AS first_segment, b.segment AS second_segment, count() AS both, both / any(x.size) AS of_first, both / any(y.size) AS of_second
	FROM members AS a
	INNER JOIN members AS b ON b.customer_id = a.customer_id
	INNER JOIN sizes AS x ON x.segment = a.segment
	INNER JOIN sizes AS y ON y.segment = b.segment
	WHERE a.segment < b.segment
	GROUP BY first_segment, second_segment
	ORDER BY both DESC, first_segment, second_segment
	LIMIT 60`,
		columns: map[string]column{
			"first_segment": {name: "First"}, "second_segment": {name: "Second"}, "both": {name: "In both"},
			"of_first": {name: "Of first", unit: "percentunit"}, "of_second": {name: "Of second", unit: "percentunit"},
		},
	}
}

// rows of customers lead to the look-up.
func customerColumns() map[string]column {
	return map[string]column{
		"customer_id": {name: "Customer", link: "customer"}, "tier": {name: "Tier"}, "scores": {name: "R F M"}, "orders": {name: "Orders"}, "spend": {name: "Net spend", unit: money},
		"points": {name: "Points"}, "last_order": {name: "Last order"}, "days": {name: "Days since", unit: days},
	}
}

func bestCustomers() panel {
	return panel{
		kind: "table", title: "Best customers", w: 12, unit: whole, none: "No customer fits the filters", steps: steps(blue), sort: "spend", columns: only(customerColumns(), "customer_id", "tier", "scores", "orders", "spend", "points", "last_order"),
		about: "Customers with the highest spend of their whole life, net of refunds. Click one to look them up.", base: "identified customers of the chosen tiers and segments, the 50 first.",
		sql: `
	SELECT customer_id, tier, concat(toString(r), ' ', toString(f), ' ', toString(m)) AS scores, orders, toFloat64(net_spend) AS spend, balance AS points, toDate(last_order_time, ` + zone + `) AS last_order
	FROM customers
	WHERE currency = ` + currency + ` AND ` + facts + ` AND ` + chosen + `
	ORDER BY spend DESC, customer_id
	LIMIT 50`,
	}
}

func lapsingCustomers() panel {
	p := bestCustomers()
	p.title, p.columns = "Good customers we are losing", only(customerColumns(), "customer_id", "tier", "scores", "orders", "spend", "days")
	p.about = "Customers who bought often or for much (frequency or monetary score 4 or 5) and not for long (recency score 1 or 2), highest spend first. Write to them first."
	p.base = "identified customers with scores of the chosen tiers and segments, the 50 first."
	p.none = "Nobody: no good customer has a recency score of 1 or 2"
	p.sql = `
	SELECT customer_id, tier, concat(toString(r), ' ', toString(f), ' ', toString(m)) AS scores, orders, toFloat64(net_spend) AS spend,
	    dateDiff('day', last_order_time, (SELECT time FROM as_of)) AS days
	FROM customers
	WHERE r IN (1, 2) AND (f >= 4 OR m >= 4) AND currency = ` + currency + ` AND ` + facts + ` AND ` + chosen + `
	ORDER BY spend DESC, customer_id
	LIMIT 50`
	return p
}

func lookUp() panel {
	return panel{
		kind: "table", title: "Look-up: one customer", w: 8, unit: whole, none: "Type a customer's id above, or click a customer in a table", steps: steps(blue),
		about: "How the customer chosen above stands now.", base: "the one customer.",
		sql: `
	SELECT pair.1 AS fact, pair.2 AS value
	FROM
	(
	    SELECT arrayJoin([
	        ('Customer', customer_id), ('Member since', if(is_member, toString(toDate(enrolled_time, ` + zone + `)), 'not a member')),
	        ('Tier', if(tier = '', 'none', tier)), ('Points', toString(balance)),
	        ('Next points to expire', ifNull(concat(toString(next_expiry_points), ' on ', toString(next_expiry_on)), 'none')),
	        ('Scores R F M', concat(toString(r), ' ', toString(f), ' ', toString(m))),
	        ('Orders', toString(orders)), ('Net spend', concat(toString(net_spend), ' ', currency)),
	        ('First order', ifNull(toString(toDate(first_order_time, ` + zone + `)), 'none')), ('Last order', ifNull(toString(toDate(last_order_time, ` + zone + `)), 'none')),
	        ('Segments', if(empty(segments), 'none', arrayStringConcat(segments, ', '))), ('Kind', if(is_simulated, 'simulated', 'real'))
	    ]) AS pair
	    FROM customers
	    WHERE customer_id = ${customer:singlequote}
	)`,
		columns: map[string]column{"fact": {name: "What", width: 170}, "value": {name: "How it stands"}},
	}
}

func lookUpStory() panel {
	return panel{
		kind: "table", title: "Look-up: what happened", w: 16, unit: whole, none: "Type a customer's id above, or click a customer in a table", steps: steps(blue),
		about: "Points, tiers, segments and messages of the customer chosen above, newest first, each with its reason.", base: "the one customer, all times, the newest 200.",
		sql: `
	SELECT event_time AS time, what, result, why
	FROM
	(
	    SELECT event_time, sequence, 'order' AS what, concat(toString(net_minor / greatest(minor_per_major, 1)), ' ', currency) AS result, order_id AS why FROM orders WHERE account_id = ${customer:singlequote}
	    UNION ALL
	    SELECT event_time, sequence, 'points', concat(if(points > 0, '+', ''), toString(points)), concat(reason, if(rule_id = '', '', concat(': ', rule_id))) FROM points WHERE account_id = ${customer:singlequote} AND account = 'customer'
	    UNION ALL
	    SELECT event_time, sequence, 'tier', concat(if(from_tier = '', 'none', from_tier), ' → ', if(to_tier = '', 'none', to_tier)), toString(reason) FROM tier_changes WHERE account_id = ${customer:singlequote}
	    UNION ALL
	    SELECT event_time, sequence, 'segment', concat(change, ' ', segment_id), clause FROM segment_changes WHERE account_id = ${customer:singlequote}
	    UNION ALL
	    SELECT event_time, sequence, concat('message ', outcome), toString(campaign_id), toString(if(reason = '', trigger, reason)) FROM campaign_log WHERE account_id = ${customer:singlequote}
	    UNION ALL
	    SELECT event_time, sequence, concat('answer ', kind), toString(score), survey_id FROM surveys WHERE account_id = ${customer:singlequote}
	)
	ORDER BY time DESC, sequence DESC, what
	LIMIT 200`,
		columns: map[string]column{"time": {name: "When", width: 180}, "what": {name: "What", width: 130}, "result": {name: "Result"}, "why": {name: "Why"}},
	}
}

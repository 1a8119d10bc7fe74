package dashboards

import "strings"

// salesOf are orders with what the stats ask of them.
const salesOf = `(
	            SELECT o.event_time AS event_time, o.account_id AS account_id, o.is_identified AS is_identified, o.currency AS currency, o.is_simulated AS is_simulated,
	                o.channel AS channel, o.number AS number, o.net_minor / greatest(o.minor_per_major, 1) AS spend,
	                c.is_member AND c.enrolled_time <= o.event_time AS by_member
	            FROM orders AS o LEFT JOIN customers AS c ON c.customer_id = o.account_id
	        )`

// inSteps keeps facts to whole steps of the range: a bar that began before it
// would be cut. The last bar is not over yet.
const (
	inSteps      = "$__timeFilter(event_time) AND " + step + " >= toDate($__fromTime, " + zone + ")"
	inEntrySteps = "$__timeFilter(entry_time) AND " + entryStep + " >= toDate($__fromTime, " + zone + ")"
)

const (
	soldHere     = sold + " AND " + inChannel
	ordersBase   = "orders of identified customers in the program's currency, before refunds, of the chosen tiers, segments and channels."
	againstPrior = " The course is that of a window as long as the range; the change is against the period of the same length before it."
	notOver      = " The last bar is not over yet."
	noSales      = "No orders in this range"
)

// count is a stat of a whole number.
func count(title, about, base, sql, none string) panel {
	return panel{kind: "stat", title: title, about: about + againstPrior, base: base, sql: sql, unit: whole, none: none, w: 4, good: 1, steps: steps(blue)}
}

// share is a stat between 0 and 1.
func share(title, about, base, sql, none string) panel {
	p := count(title, about, base, sql, none)
	p.unit, p.decimals = "percentunit", 1
	return p
}

// amount is a stat of money.
func amount(title, about, base, sql, none string) panel {
	p := count(title, about, base, sql, none)
	p.unit = money
	return p
}

func overview() board {
	return board{
		name: "overview", title: "Overview", from: "now-180d",
		about:     "Is the program paying off: what customers buy, who comes back, what the points cost, what the campaigns bring.",
		variables: []string{"grain", "tier", "segment", "channel", "simulated"},
		rows: []row{
			{4, overviewStats()},
			{9, []panel{salesByMembership(), tierMix(8)}},
			{8, []panel{newAndReturning(12), pointsFlow(12)}},
			{9, []panel{campaignsAtAGlance(), npsCourse(8)}},
		},
	}
}

func overviewStats() []panel {
	owed := count("Points owed", "Points that customers hold: Σ issued − reversed − spent − expired up to the time of the decision, debts negative. The change is that over the range.",
		"all customers of the chosen tiers and segments.",
		level("points", "entry_time", "account = 'customer' AND "+facts+" AND "+whose, "sum(points)", "points_owed"), "No points yet")
	owed.about = owed.about[:len(owed.about)-len(againstPrior)]
	owed.good = 0
	average := amount("Average order", "Sales divided by orders.", ordersBase,
		rolling(salesOf, "event_time", soldHere, "sumState(spend) AS total, countState() AS n", "if(countMerge(n) = 0, NULL, sumMerge(total) / countMerge(n)) AS average_order"), noSales)
	average.decimals = 2
	return []panel{
		amount("Sales", "Σ spend of orders: lines less discount, without shipping and tax, before refunds.", ordersBase,
			rolling(salesOf, "event_time", soldHere, "sumState(spend) AS total", "sumMerge(total) AS sales"), noSales),
		count("Orders", "Number of orders.", ordersBase,
			rolling("orders", "event_time", soldHere, "countState() AS n", "countMerge(n) AS orders"), noSales),
		count("Buyers", "Different customers with an order.", ordersBase,
			rolling("orders", "event_time", soldHere, "uniqExactState(account_id) AS u", "uniqExactMerge(u) AS customers"), noSales),
		average,
		share("Members' share", "Sales of orders by customers who were members when they ordered, divided by all sales. It says who buys, not what the program causes.", ordersBase,
			rolling(salesOf, "event_time", soldHere, "sumState(spend) AS total, sumStateIf(spend, by_member) AS members", "if(sumMerge(total) = 0, NULL, sumMerge(members) / sumMerge(total)) AS share"), noSales),
		owed,
	}
}

func salesByMembership() panel {
	return panel{
		kind: "timeseries", title: "Sales by week or month, members and others", w: 16, bars: true, stacked: true, unit: money, none: noSales, steps: steps(blue), least: "1d",
		about: "Σ spend of orders by the step chosen as By; members are those enrolled when they ordered." + notOver, base: ordersBase,
		sql: `
	SELECT ` + step + ` AS time, sumIf(spend, by_member) AS members, sumIf(spend, NOT by_member) AS other_customers
	FROM ` + salesOf + `
	WHERE ` + inSteps + ` AND ` + soldHere + `
	GROUP BY time
	ORDER BY time`,
		columns: map[string]column{"members": {name: "Members", color: blue}, "other_customers": {name: "Other customers", color: orange}},
	}
}

func tierMix(w int) panel {
	return panel{
		kind: "bargauge", title: "Members by tier", w: w, unit: whole, none: "No members yet", steps: steps(blue),
		about: "How many members hold which tier now, most points first.", base: "members of the chosen tiers and segments, as they stand now.",
		sql: `
	SELECT if(tier = '', 'no tier', tier) AS tier, count() AS members
	FROM customers
	WHERE is_member AND ` + facts + ` AND (has([${tier:singlequote}], '(all)') OR customers.tier IN (${tier:singlequote})) AND (has([${segment:singlequote}], '(all)') OR hasAny(segments, [${segment:singlequote}]))
	GROUP BY tier
	ORDER BY sum(balance) / count() DESC`,
		columns: map[string]column{"tier": {link: "/d/punchcard-points-and-tiers?var-tier=${__value.raw:percentencode}", title: "Points and tiers"}},
	}
}

func newAndReturning(w int) panel {
	return panel{
		kind: "timeseries", title: "New and returning customers", w: w, bars: true, stacked: true, unit: whole, none: noSales, steps: steps(blue), least: "1d",
		about: "Different customers who ordered in a step: new if one of these orders was their first, returning otherwise." + notOver, base: ordersBase,
		sql: `
	SELECT time, countIf(first) AS new_customers, countIf(NOT first) AS returning_customers
	FROM
	(
	    SELECT ` + step + ` AS time, account_id, min(number) = 1 AS first
	    FROM orders
	    WHERE ` + inSteps + ` AND number > 0 AND ` + soldHere + `
	    GROUP BY time, account_id
	)
	GROUP BY time
	ORDER BY time`,
		columns: map[string]column{"new_customers": {name: "New", color: green}, "returning_customers": {name: "Returning", color: blue}},
	}
}

func pointsFlow(w int) panel {
	return panel{
		kind: "timeseries", title: "Points issued, spent and expired", w: w, bars: true, stacked: true, unit: whole, none: "No points moved in this range", steps: steps(blue), least: "1d",
		about: "Points that came (up) and went (down) by the step of the decision: issued by rules, taken back by refunds, spent, expired." + notOver,
		base:  "all customers of the chosen tiers and segments; points that fill a debt move within the customer and are not here.",
		sql: `
	SELECT ` + entryStep + ` AS time, sumIf(points, reason = 'earn') AS issued, sumIf(points, reason = 'spend') AS spent,
	    sumIf(points, reason = 'expire') AS expired, sumIf(points, reason = 'reverse') AS taken_back
	FROM points
	WHERE ` + inEntrySteps + ` AND account = 'customer' AND ` + facts + ` AND ` + whose + `
	GROUP BY time
	ORDER BY time`,
		columns: map[string]column{
			"issued": {name: "Issued", color: blue}, "spent": {name: "Spent", color: green}, "expired": {name: "Expired", color: gray}, "taken_back": {name: "Taken back by refunds", color: red},
		},
	}
}

// campaignsAtAGlance compares messages with the holdout.
func campaignsAtAGlance() panel {
	p := campaignLift()
	p.title, p.w = "What campaigns bring", 16
	p.base = strings.Replace(p.base, "the chosen campaigns", "all campaigns", 1)
	p.sql = `
	SELECT campaign_id AS campaign, arm AS variant, rate AS ordered, held_rate AS holdout_ordered, lift AS effect, verdict
	FROM campaign_lift(conversion_days = 0, message_cost = 0, margin = 1)
	WHERE base = ${simulated:singlequote}
	ORDER BY effect DESC, campaign, variant`
	p.columns = only(p.columns, "campaign", "variant", "ordered", "holdout_ordered", "effect", "verdict")
	return p
}

func npsCourse(w int) panel {
	return panel{
		kind: "timeseries", title: "NPS", w: w, unit: "none", none: "No NPS answers in this range", lines: true, least: "1d",
		steps: steps(red, 0.0, yellow, 30.0, green),
		about: "Share of answers 9–10 less share of answers 0–6, times 100, by the step of the answer, from −100 to 100. Steps with fewer than 5 answers are left out." + notOver,
		base:  "NPS answers of the chosen tiers and segments.",
		sql: `
	SELECT ` + step + ` AS time, 100 * (countIf(score >= 9) - countIf(score <= 6)) / count() AS nps
	FROM surveys
	WHERE ` + inSteps + ` AND kind = 'nps' AND ` + facts + ` AND ` + whose + `
	GROUP BY time
	HAVING count() >= 5
	ORDER BY time`,
		columns: map[string]column{"nps": {name: "NPS", color: blue}},
	}
}

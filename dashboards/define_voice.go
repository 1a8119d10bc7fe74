package dashboards

const (
	answersBase = "answers of customers of the chosen tiers and segments; a customer may answer more than once."
	noAnswers   = "No answers in this range"
	answering   = facts + " AND " + whose
	// npsOf is the score of promoters (p), detractors (d) and all (n); wald its 95 %
	// interval: adjusted Wald, three answers of each kind less one (Bonett & Price).
	npsOf = "100 * (p - d) / n"
	wald  = "195.9964 * sqrt(((p + 0.75) + (d + 0.75) - pow(p - d, 2) / (n + 3)) / (n + 3) / (n + 3))"
	mid   = "100 * (p - d) / (n + 3)"
)

func voice() board {
	return board{
		name: "voice", title: "Voice of the customer", from: "now-180d",
		about:     "What customers say: whether they recommend us (NPS), how easy we make it (CES), how content they are (CSAT), and who says so.",
		variables: []string{"grain", "tier", "segment", "simulated"},
		rows: []row{
			{4, voiceStats()},
			{9, []panel{npsBand(), npsKinds()}},
			{8, []panel{npsHeat(), effortScores(), surveyResponse()}},
			{8, []panel{npsByTier(), npsByOccasion()}},
			{9, []panel{newestDetractors()}},
		},
	}
}

func voiceStats() []panel {
	ask := func(kind, states, values string) string {
		return rolling("surveys", "event_time", "kind = '"+kind+"' AND "+answering, states, values)
	}
	nps := count("NPS", "Share of answers 9–10 less share of answers 0–6, times 100: from −100 to 100.", "NPS "+answersBase,
		ask("nps", "countState() AS n, countStateIf(score >= 9) AS p, countStateIf(score <= 6) AS d", "if(countMerge(n) = 0, NULL, 100 * (toFloat64(countMerge(p)) - toFloat64(countMerge(d))) / countMerge(n)) AS nps"), noAnswers)
	nps.unit, nps.decimals, nps.steps = "none", 1, steps(red, 0.0, yellow, 30.0, green)
	mean := func(kind, title, about string, bad, good float64) panel {
		p := count(title, about, title[:3]+" "+answersBase, ask(kind, "avgState(score) AS m, countState() AS n", "if(countMerge(n) = 0, NULL, avgMerge(m)) AS mean"), noAnswers)
		p.unit, p.decimals, p.steps = "none", 2, steps(red, bad, yellow, good, green)
		return p
	}
	easy := share("Found it easy", "CES answers of 5, 6 or 7 on the scale from 1 (very hard) to 7 (very easy), divided by all.", "CES "+answersBase,
		ask("ces", "countState() AS n, countStateIf(score >= 5) AS easy", "if(countMerge(n) = 0, NULL, countMerge(easy) / countMerge(n)) AS share"), noAnswers)
	easy.steps = steps(red, 0.5, yellow, 0.7, green)
	detractors := share("Detractors", "NPS answers 0–6 divided by all.", "NPS "+answersBase, ask("nps", "countState() AS n, countStateIf(score <= 6) AS d", "if(countMerge(n) = 0, NULL, countMerge(d) / countMerge(n)) AS share"), noAnswers)
	detractors.good = -1
	return []panel{
		nps,
		count("NPS answers", "Number of answers.", "NPS "+answersBase, ask("nps", "countState() AS n", "countMerge(n) AS answers"), noAnswers),
		detractors,
		mean("ces", "CES mean", "Mean of the answers from 1 (very hard) to 7 (very easy).", 4, 5.5), easy,
		mean("csat", "CSAT mean", "Mean of the answers from 1 (not content) to 5 (very content).", 3, 4),
	}
}

func npsBand() panel {
	return panel{
		kind: "timeseries", title: "NPS with its interval", w: 16, unit: "none", none: noAnswers, lines: true, least: "1d", steps: steps(red, 0.0, yellow, 30.0, green),
		about: "NPS by the step of the answer with its 95 % interval (adjusted Wald, Bonett & Price: 3/4 of an answer added to promoters and detractors, 3 to all). A wide band means few answers." + notOver, base: "NPS " + answersBase,
		sql: `
	SELECT time, ` + npsOf + ` AS nps, greatest(-100, ` + mid + ` - ` + wald + `) AS low, least(100, ` + mid + ` + ` + wald + `) AS high
	FROM
	(
	    SELECT ` + step + ` AS time, toFloat64(count()) AS n, toFloat64(countIf(score >= 9)) AS p, toFloat64(countIf(score <= 6)) AS d
	    FROM surveys
	    WHERE ` + inSteps + ` AND kind = 'nps' AND ` + answering + `
	    GROUP BY time
	)
	ORDER BY time`,
		columns: map[string]column{"nps": {name: "NPS", color: blue}, "low": {name: "From", color: blue, thin: true}, "high": {name: "To", color: blue, band: "From"}},
	}
}

func npsKinds() panel {
	return panel{
		kind: "timeseries", title: "Who says what", w: 8, bars: true, stacked: true, unit: whole, none: noAnswers, steps: steps(blue), least: "1d",
		about: "NPS answers 9–10, 7–8 and 0–6 by the step of the answer." + notOver, base: "NPS " + answersBase,
		sql: `
	SELECT ` + step + ` AS time, countIf(score >= 9) AS promoters, countIf(score IN (7, 8)) AS passives, countIf(score <= 6) AS detractors
	FROM surveys
	WHERE ` + inSteps + ` AND kind = 'nps' AND ` + answering + `
	GROUP BY time
	ORDER BY time`,
		columns: map[string]column{"promoters": {name: "Promoters", color: blue}, "passives": {name: "Passives", color: gray}, "detractors": {name: "Detractors", color: orange}},
	}
}

func npsHeat() panel {
	return panel{
		kind: "heatmap", title: "Every NPS score over time", w: 10, unit: whole, none: noAnswers, steps: steps(blue),
		about: "NPS answers by the step of the answer and the score given.", base: "NPS " + answersBase,
		sql: `
	SELECT ` + step + ` AS time, leftPad(toString(s), 2, '0') AS given, countIf(score = s) AS answers
	FROM surveys ARRAY JOIN range(11) AS s
	WHERE ` + inSteps + ` AND kind = 'nps' AND ` + answering + `
	GROUP BY time, s
	ORDER BY time, given`,
		columns: map[string]column{"given": {name: "Score"}},
	}
}

func effortScores() panel {
	return panel{
		kind: "barchart", title: "Ease (CES)", w: 7, unit: whole, none: noAnswers, steps: steps(blue),
		about: "CES answers in the range by score, 1 (very hard) to 7 (very easy).", base: "CES " + answersBase,
		sql: `
	SELECT toString(s) AS score_given, countIf(score = s) AS answers
	FROM surveys ARRAY JOIN range(1, 8) AS s
	WHERE $__timeFilter(event_time) AND kind = 'ces' AND ` + answering + `
	GROUP BY s
	ORDER BY s`,
		columns: map[string]column{"score_given": {name: "Score"}, "answers": {name: "Answers", color: blue}},
	}
}

// npsTable groups NPS answers by what a piece of SQL says.
func npsTable(title, about, base, first, named, heading, from string) panel {
	return panel{
		kind: "table", title: title, w: 12, unit: whole, none: noAnswers, steps: steps(blue), sort: "answers",
		about: about, base: base,
		sql: `
	SELECT ` + named + `, toUInt64(n) AS answers, ` + npsOf + ` AS nps, greatest(-100, ` + mid + ` - ` + wald + `) AS low, least(100, ` + mid + ` + ` + wald + `) AS high, p / n AS promoters, d / n AS detractors
	FROM
	(
	    SELECT ` + first + ` AS ` + named + `, toFloat64(count()) AS n, toFloat64(countIf(score >= 9)) AS p, toFloat64(countIf(score <= 6)) AS d
	    FROM ` + from + `
	    GROUP BY ` + named + `
	)
	ORDER BY n DESC, ` + named,
		columns: map[string]column{
			named: {name: heading}, "answers": {name: "Answers"},
			"nps": {name: "NPS", unit: "none", decimals: ptr(1.0), cell: "ground", steps: steps(orange, 0.0, "transparent", 30.0, green)},
			"low": {name: "From", unit: "none", decimals: ptr(0.0)}, "high": {name: "To", unit: "none", decimals: ptr(0.0)},
			"promoters": {name: "Promoters", unit: "percentunit", decimals: ptr(0.0)}, "detractors": {name: "Detractors", unit: "percentunit", decimals: ptr(0.0)},
		},
	}
}

func npsByTier() panel {
	return npsTable("NPS by tier", "NPS with its 95 % interval by the tier that the customer held when the answer came, not now.", "NPS answers in the range; "+answersBase,
		"if(t.to_tier = '', 'no tier', toString(t.to_tier))", "held", "Tier then", `(SELECT partition, sequence, account_id, score FROM surveys WHERE $__timeFilter(event_time) AND kind = 'nps' AND `+answering+`) AS s
	    ASOF LEFT JOIN (SELECT account_id, sequence, to_tier FROM tier_changes) AS t ON t.account_id = s.account_id AND t.sequence <= s.sequence`)
}

func npsByOccasion() panel {
	p := npsTable("NPS by what came before", "NPS with its 95 % interval of answers within 30 days after a refund, within 30 days after spending points, and of all others. A refund counts first.", "NPS answers in the range; "+answersBase,
		"multiIf(r.account_id != '' AND r.event_time >= s.event_time - INTERVAL 30 DAY, 'after a refund', x.account_id != '' AND x.event_time >= s.event_time - INTERVAL 30 DAY, 'after spending points', 'neither')", "occasion", "Occasion",
		`(SELECT account_id, event_time, score FROM surveys WHERE $__timeFilter(event_time) AND kind = 'nps' AND `+answering+`) AS s
	    ASOF LEFT JOIN (SELECT account_id, event_time FROM refunds) AS r ON r.account_id = s.account_id AND r.event_time <= s.event_time
	    ASOF LEFT JOIN (SELECT account_id, event_time FROM redemptions WHERE is_accepted) AS x ON x.account_id = s.account_id AND x.event_time <= s.event_time`)
	return p
}

func newestDetractors() panel {
	return panel{
		kind: "table", title: "Newest detractors", w: 24, unit: whole, none: "No detractor in this range", steps: steps(blue),
		about: "The newest NPS answers from 0 to 6 with how the customer stands now: call the best of them. Click one to look them up.", base: "NPS answers in the range; " + answersBase + " The newest 100.",
		sql: `
	SELECT s.event_time AS time, s.account_id AS customer_id, s.score AS score, c.tier AS tier, c.orders AS orders, toFloat64(c.net_spend) AS spend, toDate(c.last_order_time, ` + zone + `) AS last_order, s.order_id AS order_id
	FROM (SELECT * FROM surveys WHERE $__timeFilter(event_time) AND kind = 'nps' AND score <= 6 AND ` + answering + `) AS s
	LEFT JOIN customers AS c ON c.customer_id = s.account_id
	ORDER BY time DESC, customer_id
	LIMIT 100`,
		columns: map[string]column{
			"time": {name: "When", width: 180}, "customer_id": {name: "Customer", link: "customer"}, "score": {name: "Score", cell: "tone", steps: steps(red, 4.0, orange)}, "tier": {name: "Tier"}, "orders": {name: "Orders"},
			"spend": {name: "Net spend", unit: money, cell: "gauge"}, "last_order": {name: "Last order"}, "order_id": {name: "About order"},
		},
	}
}

func surveyResponse() panel {
	return panel{
		kind: "bargauge", title: "Who answers", w: 7, unit: "percentunit", decimals: 1, none: "No survey was sent 14 days ago or earlier", steps: steps(orange, 0.1, blue, 0.3, green), max: ptr(1.0),
		about: "Survey messages that were answered within 14 days, divided by those whose 14 days are over, by the month of the message. Few answers speak for few.", base: "messages of campaigns with the purpose survey, months that begin in the range; all tiers and segments.",
		sql: `
	SELECT formatDateTime(month, '%Y-%m') AS sent_in, if(sum(s.sent) = 0, NULL, sum(s.answered) / sum(s.sent)) AS answered
	FROM survey_response AS s
	WHERE month >= toDate($__fromTime, ` + zone + `) AND month <= toDate($__toTime, ` + zone + `) AND ` + facts + `
	GROUP BY month
	ORDER BY month`,
		columns: map[string]column{"sent_in": {name: "Sent in"}},
	}
}

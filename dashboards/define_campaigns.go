package dashboards

const (
	runsBase = "messages of the chosen campaigns; reports count when they name the message and come from its customer."
	noSent   = "No message was sent in this range"
)

// reported are messages and what became of them, each at its own time.
const reported = `(
	            SELECT entry_time AS at, 'sent' AS what, message_id, account_id, campaign_id, is_simulated FROM messages
	            UNION ALL
	            SELECT o.event_time, toString(o.outcome), o.message_id, o.account_id, m.campaign_id, o.is_simulated
	            FROM outcomes AS o INNER JOIN messages AS m ON m.message_id = o.message_id AND m.account_id = o.account_id
	        )`

func campaigns() board {
	return board{
		name: "campaigns", title: "Campaigns", from: "now-90d",
		about:     "What the campaigns send, what becomes of it, why messages are held back, and what it brings against the holdout.",
		variables: []string{"grain", "campaign", "simulated"},
		rows: []row{
			{4, campaignStats()},
			{8, []panel{messagesSent(), heldBack()}},
			{10, []panel{campaignFunnel()}},
			{10, []panel{campaignLift()}},
			{9, []panel{newestMessages()}},
		},
	}
}

func campaignStats() []panel {
	ask := func(values string) string {
		states := ""
		for _, what := range []string{"sent", "delivered", "opened", "clicked", "unsubscribed"} {
			if states != "" {
				states += ", "
			}
			states += "uniqExactStateIf(message_id, what = '" + what + "') AS " + what
		}
		return rolling(reported, "at", facts+" AND "+inCampaign, states, values)
	}
	of := func(what, whole string) string {
		return "if(uniqExactMerge(" + whole + ") = 0, NULL, uniqExactMerge(" + what + ") / uniqExactMerge(" + whole + ")) AS share"
	}
	left := share("Unsubscribed", "Messages after which the customer unsubscribed, divided by messages sent. Above 0.5 % is a warning, above 1 % too much.", runsBase, ask(of("unsubscribed", "sent")), noSent)
	left.steps, left.good, left.decimals = steps(green, 0.005, yellow, 0.01, red), -1, 2
	held := share("Held back", "Runs that ended without a message, holdouts apart, divided by all runs that ended, holdouts apart: caps, quiet hours, consent, audience.", "decisions of the chosen campaigns that ended a run.",
		rolling("campaign_log", "entry_time", "outcome IN ('sent', 'held') AND arm NOT IN ('holdout', 'global_holdout') AND "+facts+" AND "+inCampaign,
			"countState() AS n, countStateIf(outcome = 'held') AS held", "if(countMerge(n) = 0, NULL, countMerge(held) / countMerge(n)) AS share"), "No run ended in this range")
	held.good = 0
	opened := share("Opened", "Messages reported as opened divided by messages reported as delivered. Mail programs that load images by themselves count too.", runsBase, ask(of("opened", "delivered")), noSent)
	clicked := share("Clicked", "Messages with a click divided by messages reported as delivered.", runsBase, ask(of("clicked", "delivered")), noSent)
	return []panel{
		count("Messages sent", "Messages that a campaign tool was told to send.", runsBase, ask("uniqExactMerge(sent) AS messages"), noSent),
		opened, clicked, orderedShare(), held, left,
	}
}

func orderedShare() panel {
	return share("Ordered within 14 days", "Messages whose customer ordered within 14 days after it, whether or not it was opened, divided by messages sent. Some would have ordered anyway: see the effect against the holdout below.",
		"messages of the chosen campaigns; those of the last 14 days may still lead to an order.",
		rolling(`(
	            SELECT m.entry_time AS at, m.message_id AS message_id, any(m.campaign_id) AS campaign_id, any(m.is_simulated) AS is_simulated, countIf(o.event_time > m.entry_time AND o.event_time <= m.entry_time + INTERVAL 14 DAY) > 0 AS ordered
	            FROM messages AS m LEFT JOIN (SELECT account_id, event_time FROM orders WHERE is_identified) AS o ON o.account_id = m.account_id
	            GROUP BY at, message_id
	        )`, "at", facts+" AND "+inCampaign, "countState() AS n, countStateIf(ordered) AS ordered", "if(countMerge(n) = 0, NULL, countMerge(ordered) / countMerge(n)) AS share"), noSent)
}

func messagesSent() panel {
	return panel{
		kind: "timeseries", title: "Messages by campaign", w: 16, bars: true, stacked: true, unit: "short", none: noSent, steps: steps(blue), least: "1d",
		about: "Messages sent by the step of the decision." + notOver, base: "messages of the chosen campaigns.",
		sql: `
	SELECT ` + entryStep + ` AS time, toString(campaign_id) AS campaign, count() AS messages
	FROM messages
	WHERE ` + inEntrySteps + ` AND ` + facts + ` AND ` + inCampaign + `
	GROUP BY time, campaign
	ORDER BY time, campaign`,
		columns: map[string]column{"messages": {name: "${__field.labels.campaign}"}},
	}
}

func heldBack() panel {
	return panel{
		kind: "bargauge", title: "Why messages are held back", w: 8, unit: "short", none: "Nothing was held back in this range", steps: steps(blue),
		about: "Runs that ended without a message, by the reason of the decision; holdouts are meant to.", base: "decisions of the chosen campaigns in the range that ended a run without a message.",
		sql: `
	SELECT replaceAll(toString(reason), '_', ' ') AS why, count() AS runs
	FROM campaign_log
	WHERE $__timeFilter(entry_time) AND outcome = 'held' AND ` + facts + ` AND ` + inCampaign + `
	GROUP BY why
	ORDER BY runs DESC
	LIMIT 20`,
	}
}

func campaignFunnel() panel {
	return panel{
		kind: "table", title: "From the trigger to the order", w: 24, unit: "short", none: "No campaign has run yet", steps: steps(blue), sort: "sent",
		about: "Runs, messages, and what became of them: shares of delivered, opened and clicked are of messages sent; ordered is of runs with a message, within 14 days after the assignment.",
		base:  "all runs of the chosen campaigns since the beginning; the range does not count here.",
		sql: `
	SELECT campaign_id AS campaign, sum(f.runs) AS runs, sum(f.held) AS held, sum(f.waiting) AS waiting, sum(f.sent) AS sent,
	    if(sent = 0, NULL, sum(f.delivered) / sent) AS delivered, if(sent = 0, NULL, sum(f.opened) / sent) AS opened, if(sent = 0, NULL, sum(f.clicked) / sent) AS clicked,
	    if(sumIf(f.runs, treated) = 0, NULL, sumIf(f.converted_14_days, treated) / sumIf(f.runs, treated)) AS ordered, sum(f.unsubscribed) AS unsubscribed
	FROM (SELECT *, arm NOT IN ('', 'holdout', 'global_holdout') AS treated FROM campaign_funnel) AS f
	WHERE ` + facts + ` AND ` + inCampaign + `
	GROUP BY campaign
	ORDER BY sent DESC, campaign`,
		columns: map[string]column{
			"campaign": {name: "Campaign", link: "/d/punchcard-campaigns?var-campaign=${__value.raw:percentencode}", title: "Only this campaign"},
			"runs":     {name: "Runs"}, "held": {name: "Held back"}, "waiting": {name: "Waiting"}, "sent": {name: "Sent", cell: "gauge"},
			"delivered": {name: "Delivered", unit: "percentunit", decimals: ptr(1.0), cell: "ground", steps: steps(orange, 0.9, "transparent")},
			"opened":    {name: "Opened", unit: "percentunit", decimals: ptr(1.0), cell: "shade", max: ptr(1.0)}, "clicked": {name: "Clicked", unit: "percentunit", decimals: ptr(1.0), cell: "shade", max: ptr(1.0)},
			"ordered": {name: "Ordered", unit: "percentunit", decimals: ptr(1.0), cell: "shade", max: ptr(1.0)}, "unsubscribed": {name: "Unsubscribed", cell: "tone", steps: steps(gray, 1.0, orange)},
		},
	}
}

func campaignLift() panel {
	return panel{
		kind: "table", title: "Effect against the holdout", w: 24, unit: "short", none: "No campaign has a holdout yet", steps: steps(blue), sort: "effect",
		about: "Share of customers' runs with an order within 14 days, with a message and in the holdout; effect = difference, with its 95 % interval (Newcombe, from two Wilson intervals). Green: the whole interval is above 0.",
		base:  "runs with an arm whose 14 days are over, by assignment, of the chosen campaigns; holdouts of the campaign and of all campaigns together.",
		sql: `
	WITH 1.959964 AS z
	SELECT campaign_id AS campaign, sumIf(n, treated) AS assigned, sumIf(x, treated) / assigned AS ordered, sumIf(n, NOT treated) AS holdout, sumIf(x, NOT treated) / holdout AS holdout_ordered,
	    ordered - holdout_ordered AS effect,
	    z * sqrt(ordered * (1 - ordered) / assigned + z * z / (4 * assigned * assigned)) / (1 + z * z / assigned) AS half_a, (ordered + z * z / (2 * assigned)) / (1 + z * z / assigned) AS mid_a,
	    z * sqrt(holdout_ordered * (1 - holdout_ordered) / holdout + z * z / (4 * holdout * holdout)) / (1 + z * z / holdout) AS half_b, (holdout_ordered + z * z / (2 * holdout)) / (1 + z * z / holdout) AS mid_b,
	    effect - sqrt(pow(ordered - mid_a + half_a, 2) + pow(mid_b + half_b - holdout_ordered, 2)) AS low,
	    effect + sqrt(pow(mid_a + half_a - ordered, 2) + pow(holdout_ordered - mid_b + half_b, 2)) AS high,
	    multiIf(low > 0, 'works', high < 0, 'harms', 'not shown yet') AS verdict
	FROM
	(
	    SELECT r.campaign_id AS campaign_id, r.is_simulated AS is_simulated, r.arm NOT IN ('holdout', 'global_holdout') AS treated, count() AS n, countIf(b.orders > 0) AS x
	    FROM campaign_runs AS r
	    LEFT JOIN
	    (
	        SELECT r.run_id AS run_id, count() AS orders
	        FROM campaign_runs AS r INNER JOIN orders AS o ON o.account_id = r.customer_id
	        WHERE o.is_identified AND r.arm != '' AND o.event_time > r.assigned_time AND o.event_time <= r.assigned_time + INTERVAL 14 DAY
	        GROUP BY r.run_id
	    ) AS b ON b.run_id = r.run_id
	    WHERE r.arm != '' AND r.assigned_time + INTERVAL 14 DAY <= (SELECT time FROM as_of)
	    GROUP BY campaign_id, is_simulated, treated
	)
	WHERE ` + facts + ` AND ` + inCampaign + `
	GROUP BY campaign
	HAVING assigned > 0 AND holdout > 0
	ORDER BY effect DESC, campaign`,
		columns: map[string]column{
			"campaign": {name: "Campaign", link: "/d/punchcard-campaigns?var-campaign=${__value.raw:percentencode}", title: "Only this campaign"},
			"assigned": {name: "With a message"}, "ordered": {name: "Ordered", unit: "percentunit", decimals: ptr(1.0), cell: "gauge", max: ptr(1.0)},
			"holdout": {name: "Holdout"}, "holdout_ordered": {name: "Holdout ordered", unit: "percentunit", decimals: ptr(1.0), cell: "gauge", max: ptr(1.0)},
			"effect": {name: "Effect", unit: "percentunit", decimals: ptr(1.0), cell: "tone", steps: steps(red, 0.0, green)},
			"low":    {name: "From", unit: "percentunit", decimals: ptr(1.0), cell: "ground", steps: steps("transparent", 0.0, green)}, "high": {name: "To", unit: "percentunit", decimals: ptr(1.0)},
			"half_a": {hidden: true}, "mid_a": {hidden: true}, "half_b": {hidden: true}, "mid_b": {hidden: true}, "verdict": {name: "Verdict"},
		},
	}
}

func newestMessages() panel {
	return panel{
		kind: "table", title: "Newest messages", w: 24, unit: "short", none: noSent, steps: steps(blue),
		about: "The newest messages, as the campaign tool was told, with what triggered them. The tool fills {{first_name}} and the like.", base: "messages of the chosen campaigns in the range, the newest 100.",
		sql: `
	SELECT entry_time AS time, account_id AS customer_id, toString(campaign_id) AS campaign, toString(arm) AS variant, toString(channel) AS channel,
	    concat(trigger, if(detail = '', '', concat(': ', detail))) AS because, subject
	FROM messages
	WHERE $__timeFilter(entry_time) AND ` + facts + ` AND ` + inCampaign + `
	ORDER BY time DESC, message_id
	LIMIT 100`,
		columns: map[string]column{
			"time": {name: "When", width: 180}, "customer_id": {name: "Customer", link: "customer", width: 140}, "campaign": {name: "Campaign"}, "variant": {name: "Variant", width: 120},
			"channel": {name: "Channel", width: 100}, "because": {name: "Because"}, "subject": {name: "Subject"},
		},
	}
}

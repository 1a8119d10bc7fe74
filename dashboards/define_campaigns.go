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
			{9, []panel{sampleRatio(), newestMessages()}},
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
	return share("Then ordered", "Messages whose customer ordered within 14 days after it, whether or not it was opened, divided by messages sent. Some would have ordered anyway: see the effect against the holdout below.",
		"messages of the chosen campaigns; those of the last 14 days may still lead to an order.",
		rolling(`(
	            SELECT m.entry_time AS at, m.message_id AS message_id, any(m.campaign_id) AS campaign_id, any(m.is_simulated) AS is_simulated, countIf(o.event_time > m.entry_time AND o.event_time <= m.entry_time + INTERVAL 14 DAY) > 0 AS ordered
	            FROM messages AS m LEFT JOIN (SELECT account_id, event_time FROM orders WHERE is_identified) AS o ON o.account_id = m.account_id
	            GROUP BY at, message_id
	        )`, "at", facts+" AND "+inCampaign, "countState() AS n, countStateIf(ordered) AS ordered", "if(countMerge(n) = 0, NULL, countMerge(ordered) / countMerge(n)) AS share"), noSent)
}

func messagesSent() panel {
	return panel{
		kind: "timeseries", title: "Messages by campaign", w: 16, bars: true, stacked: true, unit: whole, none: noSent, steps: steps(blue), least: "1d",
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
		kind: "bargauge", title: "Why held back", w: 8, unit: whole, none: "Nothing was held back in this range", steps: steps(blue),
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
		kind: "table", title: "From the trigger to the order", w: 24, unit: whole, none: "No campaign has run yet", steps: steps(blue), sort: "sent",
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
	tenths := func(name, cell string, s ...any) column {
		c := column{name: name, unit: "percentunit", decimals: ptr(1.0), cell: cell}
		if len(s) > 0 {
			first, _ := s[0].(string)
			c.steps = steps(first, s[1:]...)
		}
		return c
	}
	return panel{
		kind: "table", title: "Effect against the holdout", w: 24, unit: whole, none: "No campaign has a holdout whose window is over", steps: steps(blue), sort: "effect",
		about: "Share of customers who ordered within the campaign's own window, with the message and in the holdout; effect = difference with its 95 % interval (Newcombe). Incremental sales = difference of mean spend × customers. It works only when the whole interval is above 0. One of twenty campaigns without any effect will look as if.",
		base:  "customers by their first assignment to the chosen campaigns, drawn by lot, window over, sent or not; the range does not count here.",
		sql: `
	SELECT campaign_id AS campaign, arm AS variant, customers, rate AS ordered, held_customers AS holdout, held_rate AS holdout_ordered, lift AS effect, lift_low AS low, lift_high AS high,
	    verdict, toFloat64(incremental_spend) AS incremental
	FROM campaign_lift(conversion_days = 0, message_cost = 0, margin = 1)
	WHERE base = ${simulated:singlequote} AND ` + inCampaign + `
	ORDER BY effect DESC, campaign, variant`,
		columns: map[string]column{
			"campaign": {name: "Campaign", link: "/d/punchcard-campaigns?var-campaign=${__value.raw:percentencode}", title: "Only this campaign"}, "variant": {name: "Variant"},
			"customers": {name: "With a message"}, "ordered": tenths("Ordered", ""), "holdout": {name: "Holdout"}, "holdout_ordered": tenths("Holdout ordered", ""),
			"effect": tenths("Effect", ""), "low": tenths("From", "ground", "transparent", 0.0, green), "high": tenths("To", ""),
			"verdict": {name: "Verdict", tints: map[string]string{"works": green, "harms": red, "cannot tell": gray}}, "incremental": {name: "Incremental sales", unit: money},
		},
	}
}

// sampleRatio checks that the lot was fair.
func sampleRatio() panel {
	return panel{
		kind: "bargauge", title: "Was the lot fair", w: 8, unit: "none", decimals: 3, none: "Nobody was assigned yet", steps: steps(red, 0.001, orange, 0.01, green), max: ptr(1.0),
		about: "Probability that the arms' sizes differ so much from their shares by chance alone (chi-square). Below 0.001 something is wrong with the assignment: believe no effect.", base: "customers by their first assignment to the chosen campaigns.",
		sql: `
	SELECT campaign_id AS campaign, min(p) AS probability
	FROM campaign_sample_ratio
	WHERE base = ${simulated:singlequote} AND ` + inCampaign + `
	GROUP BY campaign
	ORDER BY probability, campaign`,
	}
}

func newestMessages() panel {
	return panel{
		kind: "table", title: "Newest messages", w: 16, unit: whole, none: noSent, steps: steps(blue),
		about: "The newest messages, as the campaign tool was told, with what triggered them. The tool fills {{first_name}} and the like.", base: "messages of the chosen campaigns in the range, the newest 100.",
		sql: `
	SELECT entry_time AS time, account_id AS customer_id, toString(campaign_id) AS campaign, toString(channel) AS channel,
	    concat(trigger, if(detail = '', '', concat(': ', detail))) AS because, subject
	FROM messages
	WHERE $__timeFilter(entry_time) AND ` + facts + ` AND ` + inCampaign + `
	ORDER BY time DESC, message_id
	LIMIT 100`,
		columns: map[string]column{
			"time": {name: "When", width: 180}, "customer_id": {name: "Customer", link: "customer", width: 140}, "campaign": {name: "Campaign"},
			"channel": {name: "Channel", width: 100}, "because": {name: "Because"}, "subject": {name: "Subject"},
		},
	}
}

package dashboards

const (
	noModel   = "No model yet: run punchcard model fit"
	valueBase = "identified customers with a real order in the program's currency, of the chosen tiers and segments, by the newest fit."
	// valued keeps predictions to the chosen customers.
	valued = "customer_id IN (SELECT customer_id FROM customers WHERE " + chosen + ")"
)

func value() board {
	return board{
		name: "value", title: "Customer value", from: "now-365d",
		about:     "What customers are worth: what each cohort has spent so far, what each customer is expected to spend in the next 12 months, and how far the models can be trusted.",
		variables: []string{"tier", "segment", "simulated"},
		rows: []row{
			{4, valueStats()},
			{9, []panel{cohortValue(), aliveHistogram()}},
			{10, []panel{mostValuable(), mostAtRisk()}},
			{8, []panel{modelQuality()}},
			{8, []panel{modelParameters(), modelNote()}},
		},
	}
}

func valueStats() []panel {
	ask := func(values string) string {
		return `
	SELECT ` + values + `
	FROM customer_value
	WHERE ` + valued + `
	HAVING count() > 0`
	}
	still := func(p panel) panel {
		p.still, p.real, p.good = true, true, 0
		p.about = p.about[:len(p.about)-len(againstPrior)]
		return p
	}
	alive := still(share("Mean P(alive)", "Mean of P(alive), by the model that the fit names for it; never by BG/NBD, which calls every one-time buyer alive for ever.", valueBase, ask("avg(p_alive) AS p_alive"), noModel))
	alive.steps = steps(orange, 0.3, blue, 0.6, green)
	purchases := still(count("Purchases each", "Mean of the purchases expected in 12 months.", valueBase, ask("avg(expected_purchases) AS purchases"), noModel))
	purchases.decimals = 2
	return []panel{
		still(amount("Next 12 months", "Σ expected purchases × expected spend a purchase.", valueBase, ask("sum(expected_spend) AS expected_spend"), noModel)),
		still(amount("Discounted", "Each month's expected spend, discounted from its end at the yearly rate of the fit.", valueBase, ask("sum(discounted_value) AS discounted_value"), noModel)),
		still(amount("Each customer", "Mean of the expected spend of 12 months.", valueBase, ask("avg(expected_spend) AS expected_spend"), noModel)),
		purchases, alive,
		still(count("Modelled", "Customers that the newest fit predicts.", valueBase, ask("count() AS customers"), noModel)),
	}
}

func cohortValue() panel {
	at := func(days string) string {
		return "toFloat64(maxIf(ltv, age_days = " + days + ")) AS d" + days
	}
	shade := func(name string) column {
		return column{name: name, unit: money, decimals: ptr(2.0), cell: "shade"}
	}
	return panel{
		kind: "table", title: "What a customer has brought so far, by cohort and age", w: 16, unit: whole, none: noSales, steps: steps(blue),
		about: "Net spend of a cohort within the first so many days of each customer, divided by its customers, also those who never came back: the historic lifetime value. Null until the youngest customer can be so old.",
		base:  "identified customers by the month of their first order in the program's currency, net of refunds, cohorts that begin in the range; all tiers and segments.",
		sql: `
	SELECT cohort, max(size) AS customers, ` + at("1") + `, ` + at("30") + `, ` + at("90") + `, ` + at("180") + `, ` + at("365") + `
	FROM ltv_cohorts
	WHERE base = ${simulated:singlequote} AND currency = ` + currency + ` AND cohort >= toDate(toStartOfMonth($__fromTime, ` + zone + `)) AND cohort <= toDate($__toTime, ` + zone + `)
	GROUP BY cohort
	ORDER BY cohort DESC`,
		columns: map[string]column{
			"cohort": {name: "First order"}, "customers": {name: "Customers"},
			"d1": shade("1 day"), "d30": shade("30 days"), "d90": shade("90 days"), "d180": shade("180 days"), "d365": shade("365 days"),
		},
	}
}

func aliveHistogram() panel {
	return panel{
		kind: "barchart", title: "How likely they still buy", w: 8, unit: whole, none: noModel, steps: steps(blue), real: true,
		about: "Customers by P(alive), in tenths.", base: valueBase,
		sql: `
	SELECT concat(toString(10 * tenth), '-', toString(10 * tenth + 10), ' %') AS p_alive, count() AS customers
	FROM (SELECT toUInt8(least(floor(p_alive * 10), 9)) AS tenth FROM customer_value WHERE ` + valued + `)
	GROUP BY tenth
	ORDER BY tenth`,
		columns: map[string]column{"p_alive": {name: "P(alive)"}, "customers": {name: "Customers", color: blue}},
	}
}

func valueColumns() map[string]column {
	return map[string]column{
		"customer_id": {name: "Customer", link: "customer"}, "tier": {name: "Tier"}, "p_alive": {name: "P(alive)", unit: "percentunit", decimals: ptr(0.0), cell: "tone", steps: steps(orange, 0.3, gray, 0.6, green)},
		"purchases": {name: "Purchases", decimals: ptr(1.0)}, "expected_spend": {name: "Next 12 months", unit: money}, "spent": {name: "So far", unit: money}, "at_stake": {name: "At stake", unit: money},
		"last_order": {name: "Last order"},
	}
}

func mostValuable() panel {
	return panel{
		kind: "table", title: "Who will be worth most", w: 12, unit: whole, none: noModel, steps: steps(blue), sort: "expected_spend", real: true, columns: only(valueColumns(), "customer_id", "tier", "p_alive", "purchases", "expected_spend", "spent"),
		about: "Customers with the highest expected spend of the next 12 months. Click one to look them up.", base: valueBase + " The 50 first.",
		sql: `
	SELECT v.customer_id AS customer_id, c.tier AS tier, v.p_alive AS p_alive, v.expected_purchases AS purchases, v.expected_spend AS expected_spend, toFloat64(c.net_spend) AS spent
	FROM (SELECT * FROM customer_value WHERE ` + valued + `) AS v INNER JOIN customers AS c ON c.customer_id = v.customer_id
	ORDER BY expected_spend DESC, customer_id
	LIMIT 50`,
	}
}

func mostAtRisk() panel {
	p := mostValuable()
	p.title, p.sort, p.columns = "Whom we stand to lose", "at_stake", only(valueColumns(), "customer_id", "tier", "p_alive", "spent", "at_stake", "last_order")
	p.about = "Customers by what they spent so far times 1 − P(alive): who was worth much and is likely gone."
	p.sql = `
	SELECT v.customer_id AS customer_id, c.tier AS tier, v.p_alive AS p_alive, toFloat64(c.net_spend) AS spent, (1 - v.p_alive) * spent AS at_stake, toDate(c.last_order_time, ` + zone + `) AS last_order
	FROM (SELECT * FROM customer_value WHERE ` + valued + `) AS v INNER JOIN customers AS c ON c.customer_id = v.customer_id
	ORDER BY at_stake DESC, customer_id
	LIMIT 50`
	return p
}

func modelQuality() panel {
	return panel{
		kind: "table", title: "How far to trust the models", w: 24, unit: whole, none: noModel, steps: steps(blue), real: true,
		about: "The models of the newest fit: log-likelihood, and a back-test that predicts the last quarter of the time from what came before. Off = predicted / actual − 1.", base: "identified customers with a real order in the program's currency; the filters do not count here.",
		sql: `
	SELECT model, if(used_for = '', 'to compare', toString(used_for)) AS used_for, if(is_converged, 'yes', problem) AS converged, customers, log_likelihood,
	    test_predicted_purchases AS predicted, test_actual_purchases AS actual, if(actual = 0, NULL, predicted / actual - 1) AS off, test_mean_absolute_error AS error,
	    test_predicted_spend AS predicted_spend, test_actual_spend AS actual_spend, as_of, caveat
	FROM model_runs
	WHERE run_id = (SELECT argMax(run_id, (run_time, run_id)) FROM model_runs)
	ORDER BY model`,
		columns: map[string]column{
			"model": {name: "Model"}, "used_for": {name: "Used for"}, "converged": {name: "Fitted"}, "customers": {name: "Customers"}, "log_likelihood": {name: "Log-likelihood", decimals: ptr(1.0), unit: "none"},
			"predicted": {name: "Predicted purchases", decimals: ptr(0.0), unit: "none"}, "actual": {name: "Actual", decimals: ptr(0.0), unit: "none"},
			"off":   {name: "Off", unit: "percentunit", decimals: ptr(1.0), cell: "ground", steps: steps(orange, -0.2, "transparent", 0.2, orange)},
			"error": {name: "Mean abs. error", decimals: ptr(2.0), unit: "none"}, "predicted_spend": {name: "Predicted spend", unit: money}, "actual_spend": {name: "Actual spend", unit: money},
			"as_of": {name: "As of"}, "caveat": {name: "Caveat"},
		},
	}
}

func modelParameters() panel {
	return panel{
		kind: "table", title: "Parameters", w: 14, unit: "none", decimals: 4, none: noModel, steps: steps(blue), real: true,
		about: "Estimates at the maximum of the likelihood with standard errors and 95 % intervals (estimate ∓ 1.96 standard errors); times in weeks, money in major units.", base: "models of the newest fit that converged.",
		sql: `
	SELECT model, parameter, estimate, standard_error, low, high
	FROM model_parameters
	ORDER BY model, parameter`,
		columns: map[string]column{"model": {name: "Model"}, "parameter": {name: "Parameter"}, "estimate": {name: "Estimate"}, "standard_error": {name: "Standard error"}, "low": {name: "From"}, "high": {name: "To"}},
	}
}

func modelNote() panel {
	return panel{kind: "text", title: "What these models can and cannot say", w: 10, about: `**Expected purchases** assume that each customer buys at a rate of their own until they leave for good, which nobody sees.

- BG/NBD lets nobody leave before a second purchase: every one-time buyer counts as alive, so P(alive) is never taken from it.
- Gamma-Gamma takes spend a purchase to be independent of how often somebody buys.
- Seasons, prices and campaigns are not in the models. The back-test above says how far off they were.

Simulated orders are never fitted. Run ` + "`punchcard model fit`" + ` to fit anew.`}
}

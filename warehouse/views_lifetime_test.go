package warehouse

import "testing"

// The story is that of fillLoyalty.

func testVoice(t *testing.T, w *Warehouse) {
	// Silver came with the entry before a's answer of 15 March, loyal too; fans came of the answer itself.
	expect(t, w, "SELECT sequence, customer_id, kind, score, opinion, tier, r, segments, after_redemption, after_refund FROM survey_answers ORDER BY 1", `
		13 | b | nps | 7 | passive |  | 0 | [] | false | false
		14 | a | nps | 9 | promoter |  | 0 | [] | false | false
		17 | b | ces | 4 | hard |  | 0 | [loyal] | false | true
		23 | a | nps | 10 | promoter | silver | 5 | [loyal] | false | true
		25 | a | ces | 6 | easy | silver | 5 | [fans loyal] | true | true
		26 | c | nps | 3 | detractor | bronze | 0 | [] | false | false`)
	// Three real answers 7, 9, 10: p = 2.75/6, d = .75/6; 33.3333 ± 100 × 1.96 √((.583333 − .111111) / 6).
	expect(t, w, "SELECT by, value, answers, promoters, passives, detractors, nps, round(low, 4), round(high, 4) FROM nps WHERE base = 'real' AND by = 'all'", "all |  | 3 | 2 | 1 | 0 | 66.666667 | -21.6518 | 88.3185")
	expect(t, w, "SELECT n.nps = h.nps, abs(n.low - h.low) < 1e-9, abs(n.high - h.high) < 1e-9 FROM nps AS n, nps_interval(promoters = 2, passives = 1, detractors = 0) AS h WHERE n.base = 'real' AND n.by = 'all'", "1 | 1 | 1")
	expect(t, w, "SELECT by, value, answers, promoters, passives, detractors, nps FROM nps WHERE base = 'all' ORDER BY 1, 2", `
		after_redemption | no | 4 | 2 | 1 | 1 | 25
		after_refund | no | 3 | 1 | 1 | 1 | 0
		after_refund | yes | 1 | 1 | 0 | 0 | 100
		all |  | 4 | 2 | 1 | 1 | 25
		month | 2025-01-01 | 1 | 0 | 1 | 0 | 0
		month | 2025-02-01 | 1 | 1 | 0 | 0 | 100
		month | 2025-03-01 | 2 | 1 | 0 | 1 | 0
		r | 0 | 3 | 1 | 1 | 1 | 0
		r | 5 | 1 | 1 | 0 | 0 | 100
		segment |  | 3 | 1 | 1 | 1 | 0
		segment | loyal | 1 | 1 | 0 | 0 | 100
		tier |  | 2 | 1 | 1 | 0 | 50
		tier | bronze | 1 | 0 | 0 | 1 | -100
		tier | silver | 1 | 1 | 0 | 0 | 100`)
	// 4 and 6: mean 5, s = √2, so ± 1.96; one of two found it easy.
	expect(t, w, "SELECT kind, by, value, answers, mean, mean_low, mean_high, easy, easy_share, round(low, 4), round(high, 4) FROM ces WHERE base = 'real' AND by IN ('all', 'after_redemption') ORDER BY 1, 2, 3", `
		ces | after_redemption | no | 1 | 4 | - | - | 0 | 0 | 0 | 0.8325
		ces | after_redemption | yes | 1 | 6 | - | - | 1 | 1 | 0.1675 | 1
		ces | all |  | 2 | 5 | 3.040036 | 6.959964 | 1 | 0.5 | 0.0945 | 0.9055`)
	expect(t, w, "SELECT abs(c.low - h.low) < 1e-9, abs(c.high - h.high) < 1e-9 FROM ces AS c, adjusted_wald_interval(successes = 1, trials = 2) AS h WHERE c.base = 'real' AND c.by = 'all'", "1 | 1")
	expect(t, w, "SELECT month, kind, score, opinion, is_simulated, answers FROM survey_scores WHERE month = '2025-03-01' ORDER BY 2, 3", `
		2025-03-01 | ces | 6 | easy | false | 1
		2025-03-01 | nps | 3 | detractor | true | 1
		2025-03-01 | nps | 10 | promoter | false | 1`)
}

func testRetention(t *testing.T, w *Warehouse) {
	// April has not passed: null, not 0.
	expect(t, w, "SELECT base, cohort, number, size, active, active_in_or_after, active_share, active_in_or_after_share FROM retention WHERE grain = 'month' AND by = 'all' ORDER BY 1, 2, 3", `
		all | 2025-01-01 | 0 | 2 | 2 | 2 | 1 | 1
		all | 2025-01-01 | 1 | 2 | 1 | 1 | 0.5 | 0.5
		all | 2025-01-01 | 2 | 2 | 1 | 1 | 0.5 | 0.5
		all | 2025-01-01 | 3 | 2 | - | - | - | -
		all | 2025-02-01 | 0 | 1 | 1 | 1 | 1 | 1
		all | 2025-02-01 | 1 | 1 | 1 | 1 | 1 | 1
		all | 2025-02-01 | 2 | 1 | - | - | - | -
		real | 2025-01-01 | 0 | 2 | 2 | 2 | 1 | 1
		real | 2025-01-01 | 1 | 2 | 1 | 1 | 0.5 | 0.5
		real | 2025-01-01 | 2 | 2 | 1 | 1 | 0.5 | 0.5
		real | 2025-01-01 | 3 | 2 | - | - | - | -`)
	// Between a's orders of week 0, 4 and 9 nobody ordered; 10 April is in week 13 of 6 January.
	expect(t, w, "SELECT cohort, groupArray(number), groupArray(active_in_or_after) FROM (SELECT * FROM retention WHERE base = 'real' AND grain = 'week' AND by = 'all' AND active > 0 ORDER BY cohort, number) GROUP BY 1 ORDER BY 1", `
		2025-01-06 | [0 4 9] | [1 1 1]
		2025-01-20 | [0] | [1]`)
	expect(t, w, "SELECT cohort, max(number), maxIf(number, active IS NOT NULL) FROM retention WHERE base = 'real' AND grain = 'week' AND by = 'all' GROUP BY 1 ORDER BY 1", `
		2025-01-06 | 13 | 12
		2025-01-20 | 11 | 10`)
	expect(t, w, "SELECT by, value, size, active FROM retention WHERE base = 'real' AND grain = 'month' AND number = 1 ORDER BY 1, 2", `
		all |  | 2 | 1
		channel | app | 1 | 0
		channel | web | 1 | 1
		segment | fans | 1 | 1
		segment | loyal | 2 | 1
		tier |  | 1 | 0
		tier | silver | 1 | 1`)
	expect(t, w, "SELECT base, period, is_passed, active, new, retained, reactivated, active_before, lost, period_churn FROM customers_by_period WHERE grain = 'month' ORDER BY 1, 2", `
		all | 2025-01-01 | true | 2 | 2 | 0 | 0 | 0 | 0 | -
		all | 2025-02-01 | true | 2 | 1 | 1 | 0 | 2 | 1 | 0.5
		all | 2025-03-01 | true | 2 | 0 | 2 | 0 | 2 | 0 | 0
		all | 2025-04-01 | false | 0 | 0 | 0 | 0 | 2 | - | -
		real | 2025-01-01 | true | 2 | 2 | 0 | 0 | 0 | 0 | -
		real | 2025-02-01 | true | 1 | 0 | 1 | 0 | 2 | 1 | 0.5
		real | 2025-03-01 | true | 1 | 0 | 1 | 0 | 1 | 0 | 0
		real | 2025-04-01 | false | 0 | 0 | 0 | 0 | 1 | - | -`)
	// In the week of 3 February a comes back after four weeks.
	expect(t, w, "SELECT period, active, new, retained, reactivated, active_before FROM customers_by_period WHERE base = 'real' AND grain = 'week' AND period <= '2025-02-03' ORDER BY 1", `
		2025-01-06 | 1 | 1 | 0 | 0 | 0
		2025-01-13 | 0 | 0 | 0 | 0 | 1
		2025-01-20 | 1 | 1 | 0 | 0 | 0
		2025-01-27 | 0 | 0 | 0 | 0 | 1
		2025-02-03 | 1 | 0 | 0 | 1 | 0`)
}

func testChurn(t *testing.T, writer, w *Warehouse) {
	// a: 28 and 35 days; type 7: p75 = 28 + .75 × 7, p90 = 28 + .9 × 7. With c's 21 too: p90 = 28 + .8 × 7.
	expect(t, w, "SELECT base, customers, gaps, mean_days, p50, p75, p90, p95, lapse_days FROM order_gaps ORDER BY 1", `
		all | 2 | 3 | 28 | 28 | 31.5 | 33.6 | 34.3 | 34
		real | 1 | 2 | 31.5 | 31.5 | 33.25 | 34.3 | 34.65 | 35`)
	// b's only order, 20 January, is 39 days back at the end of February.
	expect(t, w, "SELECT month, on_day, lapse_days, customers, inactive, inactive_rate FROM churn_inactive WHERE base = 'real' ORDER BY 1", `
		2025-01-01 | 2025-01-31 | 35 | 2 | 0 | 0
		2025-02-01 | 2025-02-28 | 35 | 2 | 1 | 0.5
		2025-03-01 | 2025-03-31 | 35 | 2 | 1 | 0.5
		2025-04-01 | 2025-04-10 | 35 | 2 | 1 | 0.5`)
	expect(t, w, "SELECT definition, count() FROM churn GROUP BY 1 ORDER BY 1", "inactive | 2\nperiod | 2") // no model yet
	expect(t, w, "SELECT state, modelled, mean_p_alive, expected_spend FROM at_risk_value WHERE base = 'real' ORDER BY 1", "active | 0 | - | -\nlapsed | 0 | - | -")
	ask(t, writer, "INSERT INTO model_runs (run_id, model, run_time, as_of, currency) VALUES ('run1', 'Pareto/NBD', '2025-04-10 02:00:00', '2025-04-09', 'GBP')")
	ask(t, writer, "INSERT INTO model_predictions (run_id, customer_id, p_alive, alive_model, expected_spend) VALUES ('run1', 'a', 0.75, 'Pareto/NBD', 120), ('run1', 'b', 0.25, 'Pareto/NBD', 5)")
	expect(t, w, "SELECT base, definition, detail, base_text, on_day, customers, churned, rate FROM churn ORDER BY 1, 2", `
		all | inactive | no order for 34 days | customers who ever ordered | 2025-04-10 | 3 | 2 | 0.666667
		all | period | no order in 2025-03 | customers with an order in 2025-02 | 2025-03-31 | 2 | 0 | 0
		real | inactive | no order for 35 days | customers who ever ordered | 2025-04-10 | 2 | 1 | 0.5
		real | model | 1 - P(alive) by Pareto/NBD | customers with a real order in the program's currency | 2025-04-09 | 2 | 1 | 0.5
		real | period | no order in 2025-03 | customers with an order in 2025-02 | 2025-03-31 | 1 | 0 | 0`)
	expect(t, w, "SELECT customer_id, state, days_silent, lapses_in, tier, rfm_name, p_alive, expected_spend FROM at_risk_customers ORDER BY 1", `
		a | active | 31 | 3 | silver | Potential loyalists | 0.75 | 120
		b | lapsed | 80 | -46 |  | Hibernating | 0.25 | 5
		c | lapsed | 38 | -4 | bronze | Potential loyalists | - | -`)
	expect(t, w, "SELECT base, state, customers, window_net_spend, modelled, mean_p_alive, expected_spend FROM at_risk_value ORDER BY 1, 2", `
		all | active | 1 | 160 | 1 | 0.75 | 120
		all | lapsed | 2 | 80 | 1 | 0.25 | 5
		real | active | 1 | 160 | 1 | 0.75 | 120
		real | lapsed | 1 | 35 | 1 | 0.25 | 5`)
	// Day 30 of a is 4 February: 100 + 50 − 20; of b 18 February: 40 − 5. The youngest of the cohort is 90 days old on 1 May.
	expect(t, w, "SELECT age_days, size, spend, ltv FROM ltv_cohorts WHERE base = 'real' AND age_days IN (1, 7, 30, 60, 90, 365) ORDER BY 1", `
		1 | 2 | 140 | 70
		7 | 2 | 140 | 70
		30 | 2 | 165 | 82.5
		60 | 2 | 165 | 82.5
		90 | 2 | - | -
		365 | 2 | - | -`)
	expect(t, w, "SELECT cohort, spend FROM ltv_cohorts WHERE base = 'all' AND age_days = 30 ORDER BY 1", "2025-01-01 | 165\n2025-02-01 | 45")
}

func testPipeline(t *testing.T, w *Warehouse) {
	expect(t, w, "SELECT day, kind, outcome, is_simulated, entries FROM entries_daily WHERE day >= '2025-03-01' ORDER BY ALL", `
		2025-03-03 | event | applied | true | 1
		2025-03-25 | event | applied | false | 1
		2025-03-25 | event | kept | false | 1
		2025-04-10 | tick | applied | false | 1`)
	// Two events on 25 March, one of them two hours late: p95 = .95 × 7200.
	expect(t, w, "SELECT day, is_simulated, events, p50_seconds, p95_seconds, p99_seconds, max_seconds, over_minute, over_hour, over_day FROM event_lateness WHERE day = '2025-03-25'", "2025-03-25 | false | 2 | 3600 | 6840 | 7128 | 7200 | 1 | 1 | 0")
	// Kept for 30 days, so these came just now; the row of a file is no other sender.
	expect(t, w, "SELECT code, field, source, sum(rejects), argMax(newest_message, day), argMax(newest_hint, day), max(day) = toDate(max(newest_time), 'Asia/Tokyo') FROM rejects_daily GROUP BY 1, 2, 3 ORDER BY 3", `
		too_old | timestamp | shop | 1 | oldest | sooner | 1
		too_old | timestamp | till.csv | 2 | older | sooner | 1`)
	expect(t, w, "SELECT table_name, rows, newest_event_time, behind_seconds FROM freshness WHERE table_name IN ('entries', 'orders', 'activities') ORDER BY 1", `
		activities | 0 | - | -
		entries | 7 | 2025-04-10 03:00 | 0
		orders | 7 | 2025-03-10 03:00 | 2678400`)
}

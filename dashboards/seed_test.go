package dashboards

import (
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/warehouse"
	"github.com/punchcard/punchcard/warehouse/embedded"
)

// The seed: 40 customers, c30 to c39 simulated, six orders each, every 25 days
// from the first of September 2025 on; what follows from them is as simple. The
// range that is asked for are the 166 days up to 15 February 2026.
var (
	seedFrom = event.Time(1_756_771_200_000) // 2025-09-02
	seedTo   = event.Time(1_771_113_600_000) // 2026-02-15
	seedLong = Range{From: seedFrom, To: seedTo, IntervalSeconds: 86400}
	// Rejects are kept for 30 days of the wall clock, so theirs lie ahead.
	seedRejects = Range{From: 4_102_444_800_000, To: 4_102_531_200_000, IntervalSeconds: 3600} // 2100-01-01
)

const seedBundle = `{"control":{"files":{"program.yaml":"tiers:\n  window: 365 days\n  review: 365 days\n  list:\n    - {id: bronze, name: Bronze, spend: 0}\n    - {id: silver, name: Silver, spend: 80}\n    - {id: gold, name: Gold, spend: 500}\n",` +
	`"campaigns/welcome.yaml":"name: Welcome\npurpose: marketing\nchannel: email\nholdout: 50%\nconversion: 14 days\narms:\n  - {id: message, weight: 1}\n"}}}`

// seedBundleSQL is the bundle within a string literal.
func seedBundleSQL() string { return strings.Trim(literal(seedBundle), "'") }

// when is the time of order k of customer c.
const when = "(toDateTime64('2025-09-01 10:00:00', 3, 'UTC') + toIntervalDay(number % 40 + 25 * intDiv(number, 40)))"

var seedStatements = []string{
	`INSERT INTO entries (partition, sequence, event_time, entry_time, kind, cause_type, cause_id, value, account_id) VALUES (0, 1, '2025-09-01 00:00:00', '2025-09-01 00:00:00', 'control', 'bundle', 'b1', '` + seedBundleSQL() + `', '')`,
	`INSERT INTO entries (partition, sequence, event_time, entry_time, kind, outcome, account_id, is_simulated, enrolment_rule_id)
		SELECT number % 2, intDiv(number, 2) + 2, ` + when + `, ` + when + ` + INTERVAL 5 SECOND, 'event', 'applied', concat('c', toString(number % 40)), number % 40 >= 30, if(number < 40, 'first-order', '') FROM numbers(240)`,
	`INSERT INTO entries (partition, sequence, event_time, entry_time, kind) SELECT number, 122, '2026-02-15 00:00:00', '2026-02-15 00:00:00', 'tick' FROM numbers(2)`,
	`INSERT INTO entries (partition, sequence, event_time, entry_time, kind) VALUES (1, 1, '2025-09-01 00:00:00', '2025-09-01 00:00:00', 'tick')`,
	`INSERT INTO orders (partition, sequence, event_time, entry_time, account_id, is_simulated, is_identified, order_id, currency, minor_per_major, number, lines, net_minor, base_minor, channel, outcome)
		SELECT number % 2, intDiv(number, 2) + 2, ` + when + `, ` + when + ` + INTERVAL 5 SECOND, concat('c', toString(number % 40)), number % 40 >= 30, true, toString(number), 'GBP', 100, intDiv(number, 40) + 1, 1,
			1000, 1000, if(number % 2 = 0, 'web', 'store'), 'applied' FROM numbers(240)`,
	// A guest's order is nobody's.
	`INSERT INTO orders (partition, sequence, event_time, account_id, is_identified, currency, minor_per_major, net_minor) VALUES (0, 900, '2026-01-01 00:00:00', 'guest:1', false, 'GBP', 100, 99900)`,
	`INSERT INTO refunds (partition, sequence, event_time, account_id, is_identified, refund_id, currency, minor_per_major, net_minor, matched_minor, outcome) VALUES (0, 901, '2025-12-01 00:00:00', 'c1', true, 'f1', 'GBP', 100, 500, 500, 'applied')`,
	`INSERT INTO points (partition, sequence, index, event_time, entry_time, account_id, is_simulated, account, wallet, points, reason, rule_id, lot_id, expires_on, order_id)
		SELECT number % 2, intDiv(number, 2) + 2, 0, ` + when + `, ` + when + `, concat('c', toString(number % 40)), number % 40 >= 30, 'customer', 'points', 10, 'earn', if(number % 3 = 0, 'bonus', 'base'), toString(number), '2026-06-30', toString(number) FROM numbers(240)`,
	`INSERT INTO points (partition, sequence, index, event_time, entry_time, account_id, account, wallet, points, reason, lot_id, expires_on)
		SELECT 0, 300 + number, 0, '2026-01-10 00:00:00', '2026-01-10 00:00:00', concat('c', toString(number)), 'customer', 'points', if(number < 5, -4, -10), if(number < 5, 'spend', 'expire'), toString(number), '2026-06-30' FROM numbers(10)`,
	`INSERT INTO redemptions (partition, sequence, event_time, entry_time, account_id, redemption_id, points, is_accepted, reason)
		SELECT 0, 300 + number, '2026-01-10 00:00:00', '2026-01-10 00:00:00', concat('c', toString(number)), toString(number), 4, number < 5, if(number < 5, '', 'not_enough_points') FROM numbers(6)`,
	`INSERT INTO customer_standings (partition, sequence, entry_time, customer_id, is_simulated, is_member, enrolled_time, balance, next_expiry_on, next_expiry_points, tier, tier_since, tier_review_on, tier_spend_minor, r, f, m, orders, net_spend_minor,
			window_orders, window_net_spend_minor, currency, minor_per_major, first_order_time, last_order_time, segments)
		SELECT number % 2, 500 + number, '2026-02-10 00:00:00', concat('c', toString(number)), number >= 30, number % 4 != 3, if(number % 4 = 3, toDateTime64(0, 3, 'UTC'), ` + when + `), 60, '2026-03-01', 10, if(number % 4 = 3, '', if(number < 20, 'silver', 'bronze')),
			if(number % 4 = 3, toDateTime64(0, 3, 'UTC'), ` + when + `), if(number % 4 = 3, '1970-01-01', '2026-03-01'), 4000, number % 5 + 1, intDiv(number, 5) % 5 + 1, intDiv(number, 8) + 1, 6, 6000, 6, 6000, 'GBP', 100, ` + when + `, ` + when + ` + INTERVAL 125 DAY, if(number < 10, ['loyal', 'new'], ['loyal']) FROM numbers(40)`,
	`INSERT INTO tier_changes (partition, sequence, event_time, entry_time, account_id, is_simulated, to_tier, reason, currency, minor_per_major)
		SELECT number % 2, intDiv(number, 2) + 2, ` + when + `, ` + when + `, concat('c', toString(number)), number >= 30, 'bronze', 'enrolled', 'GBP', 100 FROM numbers(40) WHERE number % 4 != 3`,
	`INSERT INTO tier_changes (partition, sequence, event_time, entry_time, account_id, from_tier, to_tier, reason, currency, minor_per_major)
		SELECT number % 2, 200 + number, '2026-01-05 00:00:00', '2026-01-05 00:00:00', concat('c', toString(number)), 'bronze', 'silver', 'reached', 'GBP', 100 FROM numbers(20) WHERE number % 4 != 3`,
	`INSERT INTO score_changes (partition, sequence, event_time, entry_time, account_id, from_r, from_f, from_m, to_r, to_f, to_m, reason)
		SELECT number % 2, 400 + number, '2026-01-05 00:00:00', '2026-01-05 00:00:00', concat('c', toString(number)), 5, 1, 1, 3, 3, 3, 'time' FROM numbers(20)`,
	`INSERT INTO segment_changes (partition, sequence, index, event_time, entry_time, account_id, is_simulated, segment_id, version, change, clause, cause)
		SELECT number % 2, 500 + number, 0, '2026-01-06 00:00:00', '2026-01-06 00:00:00', concat('c', toString(number)), number >= 30, 'loyal', 'v1', 'entered', 'orders >= 3', 'event' FROM numbers(40)`,
	`INSERT INTO segment_changes (partition, sequence, index, event_time, entry_time, account_id, segment_id, version, change, clause, cause)
		SELECT number % 2, 500 + number, 1, '2026-01-06 00:00:00', '2026-01-06 00:00:00', concat('c', toString(number)), 'new', 'v1', 'entered', 'orders < 3', 'event' FROM numbers(10)`,
	// The textbook's answers: 50 promoters, 30 passives, 20 detractors.
	`INSERT INTO surveys (partition, sequence, event_time, entry_time, account_id, survey_id, kind, score)
		SELECT number % 2, 600 + number, '2026-01-14 12:00:00', '2026-01-14 12:00:00', concat('c', toString(number % 30)), toString(number), 'nps', multiIf(number < 50, 9, number < 80, 8, 6) FROM numbers(100)`,
	`INSERT INTO surveys (partition, sequence, event_time, entry_time, account_id, survey_id, kind, score)
		SELECT number % 2, 700 + number, '2026-01-14 12:00:00', '2026-01-14 12:00:00', concat('c', toString(number % 30)), concat('e', toString(number)), if(number < 10, 'ces', 'csat'), number % 5 + 1 FROM numbers(20)`,
	`INSERT INTO campaign_log (partition, sequence, event_time, entry_time, account_id, campaign_id, version, run_id, trigger, detail, trigger_time, outcome, reason, arm, channel, purpose)
		SELECT 0, number + 1, '2025-12-01 10:00:00', '2025-12-01 10:00:00', concat('c', toString(number)), 'welcome', 'v1', toString(number), 'enters', 'loyal', '2025-12-01 10:00:00', if(number < 15, 'sent', 'held'), if(number < 15, '', if(number < 25, 'campaign_holdout', 'no_consent')),
			if(number < 15, 'message', if(number < 25, 'holdout', '')), 'email', 'marketing' FROM numbers(30)`,
	`INSERT INTO messages (partition, sequence, event_time, entry_time, account_id, message_id, campaign_id, version, arm, channel, purpose, subject, trigger, detail)
		SELECT 0, number + 1, '2025-12-01 10:00:00', '2025-12-01 10:00:00', concat('c', toString(number)), toString(number), 'welcome', 'v1', 'message', 'email', 'marketing', 'Hello', 'enters', 'loyal' FROM numbers(15)`,
	`INSERT INTO campaign_log (partition, sequence, event_time, entry_time, account_id, campaign_id, version, run_id, trigger, trigger_time, outcome, arm, channel, purpose)
		SELECT 1, number + 1, '2026-01-02 10:00:00', '2026-01-02 10:00:00', concat('c', toString(number)), 'ask', 'v1', concat('s', toString(number)), 'event', '2026-01-02 10:00:00', 'sent', 'message', 'email', 'survey' FROM numbers(10)`,
	`INSERT INTO messages (partition, sequence, event_time, entry_time, account_id, message_id, campaign_id, version, arm, channel, purpose, subject, trigger)
		SELECT 1, number + 1, '2026-01-02 10:00:00', '2026-01-02 10:00:00', concat('c', toString(number)), concat('s', toString(number)), 'ask', 'v1', 'message', 'email', 'survey', 'One question', 'event' FROM numbers(10)`,
	`INSERT INTO campaign_entries (partition, sequence, entry_time, kind) SELECT 0, number + 1, '2026-02-15 00:00:00', 'decision' FROM numbers(30)`,
	`INSERT INTO outcomes (partition, sequence, index, event_time, entry_time, account_id, outcome, channel, message_id)
		SELECT 0, 800 + number, number % 3, '2025-12-01 12:00:00', '2025-12-01 12:00:00', concat('c', toString(intDiv(number, 3))), ['delivered', 'opened', 'clicked'][number % 3 + 1], 'email', toString(intDiv(number, 3)) FROM numbers(30)`,
	`INSERT INTO rejects (partition, record_offset, received_time, code, field, message, hint, source) SELECT 0, number, toDateTime64('2100-01-01 10:00:00', 3, 'UTC'), 'too_old', 'timestamp', 'it is too old', 'send it sooner', 'shop' FROM numbers(7)`,
	`INSERT INTO model_runs (run_id, model, run_time, as_of, currency, used_for, is_converged, parameters, estimates, standard_errors, log_likelihood, customers, test_predicted_purchases, test_actual_purchases, discount_rate) VALUES
		('m1', 'BG/NBD', '2026-02-15 00:00:00', '2026-02-15', 'GBP', 'expected_purchases', true, ['r', 'alpha'], [0.24, 4.4], [0.01, 0.3], -9582.4, 30, 90, 100, 0.1), ('m1', 'MBG/NBD', '2026-02-15 00:00:00', '2026-02-15', 'GBP', 'p_alive', true, ['r'], [0.5], [0.02], -9590.1, 30, 95, 100, 0.1)`,
	`INSERT INTO model_predictions (run_id, customer_id, repeat_purchases, p_alive, alive_model, expected_purchases, purchases_model, order_value, spend_model, expected_spend, discounted_value)
		SELECT 'm1', concat('c', toString(number)), 5, (number % 10) / 10, 'MBG/NBD', 4, 'BG/NBD', 10, 'Gamma-Gamma', 40, 38 FROM numbers(30)`,
}

// seeded starts the engine, fills it and gives a reader.
func seeded(t *testing.T) *warehouse.Warehouse {
	t.Helper()
	engine := started(t)
	w, err := warehouse.Open(t.Context(), warehouse.Config{URL: engine.URL(), User: embedded.WriterUser, Password: engine.WriterKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.NoteProgram(t.Context(), warehouse.ProgramVersion{BundleID: "b1", EffectiveFrom: seedFrom + 1000, Name: "Stamps", Currency: "GBP", TimeZone: "Europe/London"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range seedStatements {
		fill(t, w, s)
	}
	reader, err := warehouse.Open(t.Context(), warehouse.Config{URL: engine.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader
}

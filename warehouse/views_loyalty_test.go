package warehouse

import (
	"context"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// fillLoyalty tells one small story; every figure of the tests below can be
// worked out from it by hand. The program is in Tokyo, where 03:00 UTC is noon.
//
//	a  orders £100 on 6 Jan (web), £50 on 3 Feb, £30 on 10 Mar. Joins with the
//	   second (bronze, 150 points), silver with the third (30 points). £20 of the
//	   second come back on 1 Mar (20 points). Spends 100 points on 20 Mar.
//	b  orders £40 on 20 Jan (app); £5 come back on 5 Feb, found in no order.
//	c  simulated: £20 on 10 Feb, £25 on 3 Mar; joins with it (bronze, 25 points,
//	   which expire on 1 Apr).
//	A guest orders £9.99 on 7 Jan. It is 10 April.
//
// Answers: NPS b 7 (25 Jan), a 9 (1 Feb), a 10 (15 Mar), c 3 (25 Mar); effort
// b 4 (10 Feb), a 6 (25 Mar, 2 hours late).
func fillLoyalty(t *testing.T) (writer, reader *Warehouse) {
	e, w := migrated(t)
	if err := w.NoteProgram(context.Background(), ProgramVersion{BundleID: "b1", EffectiveFrom: event.Time(5), Name: "Stamps", Currency: "GBP", TimeZone: "Asia/Tokyo"}); err != nil {
		t.Fatal(err)
	}
	const base = "partition, sequence, index, event_time, entry_time, is_simulated, account_id"
	for _, s := range []string{
		`INSERT INTO entries (partition, sequence, kind, cause_type, cause_id, value) VALUES (0, 1, 'control', 'bundle', 'b1', '{"control":{"files":{"program.yaml":"currency: GBP # money\\n# tiers: none\\ntiers: # by spend\\n  window: 60 days\\n  review: 30 days\\n  levels:\\n    - {id: bronze, name: Bronze, spend: 0} # all\\n    - {id: silver, name: \\"Silver\\", spend: 50.00}\\n    - {id: gold, name: Gold, spend: 500.00}\\nscores:\\n  window: 365 days\\n"}}}')`,
		`INSERT INTO entries (partition, sequence, kind, outcome, event_time, entry_time, is_simulated, account_id, enrolment_rule_id) VALUES
			(0, 10, 'event', 'applied', '2025-01-06 03:00:00', '2025-01-06 03:00:00', false, 'a', ''), (0, 15, 'event', 'applied', '2025-02-03 03:00:00', '2025-02-03 03:00:00', false, 'a', 'second-order'),
			(0, 20, 'event', 'applied', '2025-03-03 03:00:00', '2025-03-03 03:00:00', true, 'c', 'sign-up'), (0, 25, 'event', 'kept', '2025-03-25 01:00:00', '2025-03-25 03:00:00', false, 'a', ''),
			(0, 26, 'event', 'applied', '2025-03-25 03:00:00', '2025-03-25 03:00:00', false, 'b', ''), (0, 28, 'tick', 'applied', '2025-04-10 03:00:00', '2025-04-10 03:00:00', false, '', '')`,
		`INSERT INTO orders (` + base + `, order_id, is_identified, currency, minor_per_major, net_minor, channel) VALUES
			(0, 10, 0, '2025-01-06 03:00:00', '2025-01-06 03:00:00', false, 'a', 'o1', true, 'GBP', 100, 10000, 'web'), (0, 11, 0, '2025-01-07 03:00:00', '2025-01-07 03:00:00', false, 'guest:1', 'o2', false, 'GBP', 100, 999, 'web'),
			(0, 12, 0, '2025-01-20 03:00:00', '2025-01-20 03:00:00', false, 'b', 'o3', true, 'GBP', 100, 4000, 'app'), (0, 15, 0, '2025-02-03 03:00:00', '2025-02-03 03:00:00', false, 'a', 'o4', true, 'GBP', 100, 5000, 'web'),
			(0, 18, 0, '2025-02-10 03:00:00', '2025-02-10 03:00:00', true, 'c', 'o5', true, 'GBP', 100, 2000, 'web'), (0, 20, 0, '2025-03-03 03:00:00', '2025-03-03 03:00:00', true, 'c', 'o6', true, 'GBP', 100, 2500, 'web'),
			(0, 21, 0, '2025-03-10 03:00:00', '2025-03-10 03:00:00', false, 'a', 'o7', true, 'GBP', 100, 3000, 'web')`,
		`INSERT INTO refunds (` + base + `, refund_id, is_identified, currency, minor_per_major, net_minor, matched_minor) VALUES
			(0, 16, 0, '2025-02-05 03:00:00', '2025-02-05 03:00:00', false, 'b', 'r1', true, 'GBP', 100, 500, 0), (0, 19, 0, '2025-03-01 03:00:00', '2025-03-01 03:00:00', false, 'a', 'r2', true, 'GBP', 100, 2000, 2000)`,
		`INSERT INTO refund_allocations (` + base + `, refund_id, order_id, currency, minor_per_major, amount_minor) VALUES (0, 19, 0, '2025-03-01 03:00:00', '2025-03-01 03:00:00', false, 'a', 'r2', 'o4', 'GBP', 100, 2000)`,
		`INSERT INTO points (` + base + `, account, wallet, reason, points, rule_id, lot_id, expires_on, order_id) VALUES
			(0, 15, 0, '2025-02-03 03:00:00', '2025-02-03 03:00:00', false, 'a', 'customer', 'p', 'earn', 150, 'spend', 'o4/spend', '2025-08-03', 'o4'), (0, 15, 1, '2025-02-03 03:00:00', '2025-02-03 03:00:00', false, 'a', 'earned', 'p', 'earn', -150, 'spend', '', '1970-01-01', 'o4'),
			(0, 19, 0, '2025-03-01 03:00:00', '2025-03-01 03:00:00', false, 'a', 'customer', 'p', 'reverse', -20, '', 'o4/spend', '2025-08-03', 'o4'), (0, 20, 0, '2025-03-03 03:00:00', '2025-03-03 03:00:00', true, 'c', 'customer', 'p', 'earn', 25, 'spend', 'o6/spend', '2025-04-01', 'o6'),
			(0, 21, 0, '2025-03-10 03:00:00', '2025-03-10 03:00:00', false, 'a', 'customer', 'p', 'earn', 30, 'spend', 'o7/spend', '2025-09-10', 'o7'), (0, 24, 0, '2025-03-20 03:00:00', '2025-03-20 03:00:00', false, 'a', 'customer', 'p', 'spend', -100, '', 'o4/spend', '2025-08-03', ''),
			(0, 27, 0, '2025-04-01 15:00:00', '2025-04-01 15:00:00', false, 'c', 'customer', 'p', 'expire', -25, '', 'o6/spend', '2025-04-01', '')`,
		`INSERT INTO decisions (` + base + `, rule_id, points, base_minor) VALUES (0, 15, 0, '2025-02-03 03:00:00', '2025-02-03 03:00:00', false, 'a', 'spend', 150, 5000), (0, 21, 0, '2025-03-10 03:00:00', '2025-03-10 03:00:00', false, 'a', 'spend', 30, 3000),
			(0, 20, 0, '2025-03-03 03:00:00', '2025-03-03 03:00:00', true, 'c', 'spend', 25, 2500), (0, 10, 0, '2025-01-06 03:00:00', '2025-01-06 03:00:00', false, 'a', 'spend', 0, 10000)`,
		`INSERT INTO redemptions (` + base + `, redemption_id, points, is_accepted) VALUES (0, 24, 0, '2025-03-20 03:00:00', '2025-03-20 03:00:00', false, 'a', 'x1', 100, true), (0, 29, 0, '2025-03-21 03:00:00', '2025-03-21 03:00:00', true, 'c', 'x2', 999, false)`,
		`INSERT INTO messages (` + base + `, message_id, purpose) VALUES (0, 1, 0, '2025-03-12 03:00:00', '2025-03-12 03:00:00', false, 'a', 'm1', 'marketing')`,
		`INSERT INTO tier_changes (` + base + `, from_tier, to_tier, reason) VALUES (0, 15, 0, '2025-02-03 03:00:00', '2025-02-03 03:00:00', false, 'a', '', 'bronze', 'enrolled'), (0, 20, 0, '2025-03-03 03:00:00', '2025-03-03 03:00:00', true, 'c', '', 'bronze', 'enrolled'),
			(0, 21, 0, '2025-03-10 03:00:00', '2025-03-10 03:00:00', false, 'a', 'bronze', 'silver', 'reached')`,
		`INSERT INTO score_changes (` + base + `, from_r, from_f, from_m, to_r, to_f, to_m, reason) VALUES (0, 21, 0, '2025-03-10 03:00:00', '2025-03-10 03:00:00', false, 'a', 0, 0, 0, 5, 2, 4, 'order'), (0, 27, 1, '2025-04-01 15:00:00', '2025-04-01 15:00:00', false, 'a', 5, 2, 4, 4, 2, 4, 'cut_points'),
			(0, 27, 2, '2025-04-01 15:00:00', '2025-04-01 15:00:00', false, 'a', 4, 2, 4, 3, 1, 4, 'cut_points')`,
		`INSERT INTO segment_changes (` + base + `, segment_id, version, change) VALUES (0, 22, 0, '2025-03-11 03:00:00', '2025-03-11 03:00:00', false, 'a', 'loyal', 'v1', 'entered'), (0, 23, 0, '2025-03-15 03:00:00', '2025-03-15 03:00:00', false, 'a', 'fans', 'v1', 'entered'),
			(0, 13, 0, '2025-01-25 03:00:00', '2025-01-25 03:00:00', false, 'b', 'loyal', 'v1', 'entered'), (0, 14, 0, '2025-02-04 03:00:00', '2025-02-04 03:00:00', false, 'b', 'fans', 'v1', 'entered'), (0, 16, 0, '2025-02-05 03:00:00', '2025-02-05 03:00:00', false, 'b', 'fans', 'v1', 'left')`,
		`INSERT INTO surveys (` + base + `, kind, score) VALUES (0, 13, 0, '2025-01-25 03:00:00', '2025-01-25 03:00:00', false, 'b', 'nps', 7), (0, 14, 0, '2025-02-01 03:00:00', '2025-02-01 03:00:00', false, 'a', 'nps', 9), (0, 17, 0, '2025-02-10 03:00:00', '2025-02-10 03:00:00', false, 'b', 'ces', 4),
			(0, 23, 0, '2025-03-15 03:00:00', '2025-03-15 03:00:00', false, 'a', 'nps', 10), (0, 25, 0, '2025-03-25 01:00:00', '2025-03-25 03:00:00', false, 'a', 'ces', 6), (0, 26, 0, '2025-03-25 03:00:00', '2025-03-25 03:00:00', true, 'c', 'nps', 3)`,
		`INSERT INTO customer_standings (partition, sequence, customer_id, is_member, is_simulated, enrolled_time, tier, tier_since, tier_review_on, tier_spend_minor, balance, r, f, m, orders, net_spend_minor, window_orders, window_net_spend_minor, currency, minor_per_major, first_order_time, last_order_time, segments) VALUES
			(0, 27, 'a', true, false, '2025-02-03 03:00:00', 'silver', '2025-03-10 03:00:00', '2025-04-20', 6000, 60, 5, 2, 4, 3, 16000, 3, 16000, 'GBP', 100, '2025-01-06 03:00:00', '2025-03-10 03:00:00', ['fans', 'loyal']),
			(0, 17, 'b', false, false, '1970-01-01 00:00:00', '', '1970-01-01 00:00:00', '1970-01-01', 0, 0, 1, 1, 2, 1, 3500, 1, 3500, 'GBP', 100, '2025-01-20 03:00:00', '2025-01-20 03:00:00', ['loyal']),
			(0, 27, 'c', true, true, '2025-03-03 03:00:00', 'bronze', '2025-03-03 03:00:00', '1970-01-01', 4500, 0, 4, 2, 3, 2, 4500, 2, 4500, 'GBP', 100, '2025-02-10 03:00:00', '2025-03-03 03:00:00', [])`,
		`INSERT INTO rejects (partition, record_offset, received_time, code, field, source, message, hint) 
			SELECT 0, number, now64(3) + number, 'too_old', 'timestamp', ['till.csv:7', 'till.csv:12', 'shop'][number + 1], ['old', 'older', 'oldest'][number + 1], 'sooner' FROM numbers(3)`,
	} {
		ask(t, w, s)
	}
	reader, err := Open(t.Context(), Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return w, reader
}

func TestViewsOfLoyalty(t *testing.T) {
	writer, w := fillLoyalty(t)
	t.Run("orders", func(t *testing.T) { testOrders(t, w) })
	t.Run("points", func(t *testing.T) { testPoints(t, w) })
	t.Run("tiers", func(t *testing.T) { testTiers(t, w) })
	t.Run("rfm", func(t *testing.T) { testNamedScores(t, w) })
	t.Run("voice", func(t *testing.T) { testVoice(t, w) })
	t.Run("retention", func(t *testing.T) { testRetention(t, w) })
	t.Run("churn", func(t *testing.T) { testChurn(t, writer, w) })
	t.Run("pipeline", func(t *testing.T) { testPipeline(t, w) })
}

func testOrders(t *testing.T, w *Warehouse) {
	// The order that enrols is a member's; the tier is the one before the order.
	expect(t, w, "SELECT order_id, customer_id, day, week, month, tier, buyer, amount FROM order_facts ORDER BY 1", `
		o1 | a | 2025-01-06 | 2025-01-06 | 2025-01-01 |  | not a member | 100
		o2 | guest:1 | 2025-01-07 | 2025-01-06 | 2025-01-01 |  | not identified | 9.99
		o3 | b | 2025-01-20 | 2025-01-20 | 2025-01-01 |  | not a member | 40
		o4 | a | 2025-02-03 | 2025-02-03 | 2025-02-01 |  | member | 50
		o5 | c | 2025-02-10 | 2025-02-10 | 2025-02-01 |  | not a member | 20
		o6 | c | 2025-03-03 | 2025-03-03 | 2025-03-01 |  | member | 25
		o7 | a | 2025-03-10 | 2025-03-10 | 2025-03-01 | bronze | member | 30`)
	expect(t, w, "SELECT day, is_simulated, channel, tier, buyer, customers, orders, spend, average_order FROM orders_daily WHERE day < '2025-02-04' ORDER BY 1", `
		2025-01-06 | false | web |  | not a member | 1 | 1 | 100 | 100
		2025-01-07 | false | web |  | not identified | - | 1 | 9.99 | 9.99
		2025-01-20 | false | app |  | not a member | 1 | 1 | 40 | 40
		2025-02-03 | false | web |  | member | 1 | 1 | 50 | 50`)
	expect(t, w, "SELECT day, is_identified, refunds, refund_spend, matched_spend FROM refunds_daily ORDER BY 1", `
		2025-02-05 | true | 1 | 5 | 0
		2025-03-01 | true | 1 | 20 | 20`)
	// a's two orders as a member: 80 / 2; the guest has no frequency and is nobody's non-member.
	expect(t, w, "SELECT base, buyer, customers, orders, spend, average_order, orders_per_customer, repeat_customers, repeat_rate FROM buyer_kpis WHERE grain = 'all' ORDER BY 1, 2", `
		all | member | 2 | 3 | 105 | 35 | 1.5 | 1 | 0.5
		all | not a member | 3 | 3 | 160 | 53.333 | 1 | 0 | 0
		all | not identified | - | 1 | 9.99 | 9.99 | - | - | -
		real | member | 1 | 2 | 80 | 40 | 2 | 1 | 1
		real | not a member | 2 | 2 | 140 | 70 | 1 | 0 | 0
		real | not identified | - | 1 | 9.99 | 9.99 | - | - | -`)
	expect(t, w, "SELECT grain, period, buyer, customers, orders FROM buyer_kpis WHERE base = 'real' AND period < '2025-01-10' AND grain != 'all' ORDER BY ALL", `
		month | 2025-01-01 | not a member | 2 | 2
		month | 2025-01-01 | not identified | - | 1
		week | 2025-01-06 | not a member | 1 | 1
		week | 2025-01-06 | not identified | - | 1`)
	// The last 30 days begin on 11 March: of a only the points spent on 20 March.
	expect(t, w, "SELECT base, as_of, customers, members, participation_rate, new_members_30, active_30, active_90, active_365, active_rate_90, redeemers, redeemer_rate FROM program_kpis ORDER BY 1", `
		all | 2025-04-10 03:00 | 3 | 2 | 0.666667 | 0 | 1 | 2 | 2 | 1 | 1 | 0.5
		real | 2025-04-10 03:00 | 2 | 1 | 0.5 | 0 | 1 | 1 | 1 | 1 | 1 | 1`)
	expect(t, w, "SELECT day, rule_id, is_simulated, enrolled, members FROM membership_daily WHERE day IN ('2025-02-02', '2025-02-03', '2025-03-03', '2025-04-10') ORDER BY 1, 2", `
		2025-02-03 | second-order | false | 1 | 1
		2025-03-03 | second-order | false | 0 | 1
		2025-03-03 | sign-up | true | 1 | 1
		2025-04-10 | second-order | false | 0 | 1
		2025-04-10 | sign-up | true | 0 | 1`)
	expect(t, w, "SELECT customer_id, kind, order_id, is_simulated, day, amount FROM spend_facts WHERE customer_id != 'c' ORDER BY 1, 5, 2", `
		a | order | o1 | false | 2025-01-06 | 100
		a | order | o4 | false | 2025-02-03 | 50
		a | refund | o4 | false | 2025-02-03 | -20
		a | order | o7 | false | 2025-03-10 | 30
		b | order | o3 | false | 2025-01-20 | 40
		b | unmatched |  | false | 2025-02-05 | -5`)
}

func testPoints(t *testing.T, w *Warehouse) {
	expect(t, w, "SELECT customer_id, lot_id, rule_id, order_id, is_simulated, issued_on, expires_on, issued, reversed, spent, expired, settled, outstanding FROM points_lots ORDER BY 2", `
		a | o4/spend | spend | o4 | false | 2025-02-03 | 2025-08-03 | 150 | 20 | 100 | 0 | 0 | 30
		c | o6/spend | spend | o6 | true | 2025-03-03 | 2025-04-01 | 25 | 0 | 0 | 25 | 0 | 0
		a | o7/spend | spend | o7 | false | 2025-03-10 | 2025-09-10 | 30 | 0 | 0 | 0 | 0 | 30`)
	// c's points expire by time alone, which counts as real: only both kinds together are what is owed.
	expect(t, w, "SELECT day, is_simulated, issued, reversed, spent, expired, outstanding FROM points_balance_daily WHERE day IN ('2025-02-03', '2025-03-02', '2025-03-03', '2025-04-02', '2025-04-10') ORDER BY 1, 2", `
		2025-02-03 | false | 150 | 0 | 0 | 0 | 150
		2025-03-02 | false | 0 | 0 | 0 | 0 | 130
		2025-03-03 | false | 0 | 0 | 0 | 0 | 130
		2025-03-03 | true | 25 | 0 | 0 | 0 | 25
		2025-04-02 | false | 0 | 0 | 0 | 25 | 35
		2025-04-02 | true | 0 | 0 | 0 | 0 | 25
		2025-04-10 | false | 0 | 0 | 0 | 0 | 35
		2025-04-10 | true | 0 | 0 | 0 | 0 | 25`)
	expect(t, w, "SELECT expires_on, wallet, is_simulated, customers, lots, points FROM points_expiry ORDER BY 1", `
		2025-08-03 | p | false | 1 | 1 | 30
		2025-09-10 | p | false | 1 | 1 | 30`)
	// 100 / (180 − 20); 100 / (100 + 0).
	expect(t, w, "SELECT is_simulated, issued, reversed, spent, expired, outstanding, of_issued, of_ended FROM points_redemption ORDER BY 1", `
		false | 180 | 20 | 100 | 0 | 60 | 0.625 | 1
		true | 25 | 0 | 0 | 25 | 0 | 0 | 0`)
	expect(t, w, "SELECT month, is_simulated, lots, net, spent, expired, outstanding, is_closed, redemption_rate, breakage_rate, outstanding_rate FROM points_breakage ORDER BY 1, 2", `
		2025-02-01 | false | 1 | 130 | 100 | 0 | 30 | false | 0.769231 | 0 | 0.230769
		2025-03-01 | false | 1 | 30 | 0 | 0 | 30 | false | 0 | 0 | 1
		2025-03-01 | true | 1 | 25 | 0 | 25 | 0 | true | 0 | 1 | 0`)
	// February: sales 50 − 20; 130 × .9 = 117 points expected, worth 1.17; 30 × 1.17 / 31.17 = 1.126 for the
	// points, of which 100 / 117 = .962 is revenue. March with c: sales 55, 49.5 points, .495: 55 × .495 / 55.495 = .491.
	expect(t, w, "SELECT base, month, currency, sales, net, expected, spent, outstanding, face_value, stand_alone, deferred, recognised, fair_value FROM points_liability(point_value = 0.01, breakage = 0.1) ORDER BY 1, 2", `
		all | 2025-02-01 | GBP | 30 | 130 | 117 | 100 | 30 | 0.3 | 1.17 | 1.126 | 0.962 | 0.164
		all | 2025-03-01 | GBP | 55 | 55 | 49.5 | 0 | 30 | 0.3 | 0.495 | 0.491 | 0 | 0.491
		real | 2025-02-01 | GBP | 30 | 130 | 117 | 100 | 30 | 0.3 | 1.17 | 1.126 | 0.962 | 0.164
		real | 2025-03-01 | GBP | 30 | 30 | 27 | 0 | 30 | 0.3 | 0.27 | 0.268 | 0 | 0.268`)
	// It is what the helper of the formula gives.
	expect(t, w, `SELECT v.deferred = round(h.points_part, 3), v.recognised = round(h.recognised, 3) FROM points_liability(point_value = 0.01, breakage = 0.1) AS v,
		ifrs15_allocation(sale = 30, points_value = 1.17, redeemed = 100, expected = 117) AS h WHERE v.base = 'real' AND v.month = '2025-02-01'`, "1 | 1")
	expect(t, w, "SELECT fair_value, deferred FROM points_liability(point_value = 0.01, breakage = 1) WHERE base = 'real' ORDER BY month", "0 | 0\n0 | 0")
	expect(t, w, "SELECT month, rule_id, is_simulated, times, customers, points, base_spend, points_per_unit FROM earnings_monthly ORDER BY 1, 3", `
		2025-02-01 | spend | false | 1 | 1 | 150 | 50 | 3
		2025-03-01 | spend | false | 1 | 1 | 30 | 30 | 1
		2025-03-01 | spend | true | 1 | 1 | 25 | 25 | 1`)
	expect(t, w, "SELECT month, is_simulated, points_spent, points_cost, messages, messages_cost, cost, member_spend, cost_share FROM program_cost(point_value = 0.01, message_cost = 0.5) WHERE month = '2025-03-01' ORDER BY 2", `
		2025-03-01 | false | 100 | 1 | 1 | 0.5 | 1.5 | 30 | 0.05
		2025-03-01 | true | 0 | 0 | 0 | 0 | 0 | 25 | 0`)
}

func testTiers(t *testing.T, w *Warehouse) {
	expect(t, w, "SELECT tier, name, level, spend, currency, window_days, review_days FROM tiers ORDER BY level", `
		bronze | Bronze | 0 | 0 | GBP | 60 | 30
		silver | Silver | 1 | 50 | GBP | 60 | 30
		gold | Gold | 2 | 500 | GBP | 60 | 30`)
	expect(t, w, "SELECT day, tier, is_simulated, came, went, members FROM tier_mix_daily WHERE day IN ('2025-02-03', '2025-03-10', '2025-04-10') ORDER BY ALL", `
		2025-02-03 | bronze | false | 1 | 0 | 1
		2025-03-10 | bronze | false | 0 | 1 | 0
		2025-03-10 | bronze | true | 0 | 0 | 1
		2025-03-10 | silver | false | 1 | 0 | 1
		2025-04-10 | bronze | false | 0 | 0 | 0
		2025-04-10 | bronze | true | 0 | 0 | 1
		2025-04-10 | silver | false | 0 | 0 | 1`)
	// In March a moved and nobody stayed; in April both stay.
	expect(t, w, "SELECT month, from_tier, to_tier, is_simulated, members, share FROM tier_matrix ORDER BY ALL", `
		2025-02-01 |  | bronze | false | 1 | 1
		2025-03-01 |  | bronze | true | 1 | 1
		2025-03-01 | bronze | silver | false | 1 | 1
		2025-04-01 | bronze | bronze | true | 1 | 1
		2025-04-01 | silver | silver | false | 1 | 1`)
	// From 3 February to 10 March: 35 days.
	expect(t, w, "SELECT month, from_tier, to_tier, reason, is_simulated, moves, members, median_days, p90_days FROM tier_moves ORDER BY ALL", `
		2025-02-01 |  | bronze | enrolled | false | 1 | 1 | - | -
		2025-03-01 |  | bronze | enrolled | true | 1 | 1 | - | -
		2025-03-01 | bronze | silver | reached | false | 1 | 1 | 35 | 35`)
	// a's review on 20 April counts what was bought after 19 February: £30 of the £50 that silver needs.
	expect(t, w, "SELECT customer_id, tier, days_in_tier, tier_spend, next_tier, to_next, review_on, days_to_review, counts_at_review, to_keep FROM tier_standing ORDER BY 1", `
		a | silver | 31 | 60 | gold | 440 | 2025-04-20 | 10 | 30 | 20
		c | bronze | 38 | 45 | silver | 5 | - | - | - | -`)
}

func testNamedScores(t *testing.T, w *Warehouse) {
	expect(t, w, "SELECT count(), uniqExact(r, f), uniqExact(name), min(sort_order), max(sort_order) FROM rfm_cells", "25 | 25 | 10 | 1 | 10")
	expect(t, w, "SELECT name, groupArray(toString(r) || toString(f)) FROM (SELECT * FROM rfm_cells ORDER BY r, f) GROUP BY name, sort_order ORDER BY sort_order", `
		Champions | [54 55]
		Loyal | [34 35 44 45]
		Potential loyalists | [42 43 52 53]
		New | [51]
		Promising | [41]
		Need attention | [33]
		About to sleep | [31 32]
		Can't lose them | [15 25]
		At risk | [13 14 23 24]
		Hibernating | [11 12 21 22]`)
	expect(t, w, "SELECT base, count(), sum(customers) FROM rfm_named_grid GROUP BY 1 ORDER BY 1", "all | 25 | 3\nreal | 25 | 2")
	expect(t, w, "SELECT base, r, f, name, customers, customers_share, mean_m, window_net_spend, mean_spend FROM rfm_named_grid WHERE customers > 0 ORDER BY 1, 2", `
		all | 1 | 1 | Hibernating | 1 | 0.333333 | 2 | 35 | 35
		all | 4 | 2 | Potential loyalists | 1 | 0.333333 | 3 | 45 | 45
		all | 5 | 2 | Potential loyalists | 1 | 0.333333 | 4 | 160 | 160
		real | 1 | 1 | Hibernating | 1 | 0.5 | 2 | 35 | 35
		real | 5 | 2 | Potential loyalists | 1 | 0.5 | 4 | 160 | 160`)
	expect(t, w, "SELECT base, a, b, both, in_a, in_b, share_of_a, jaccard FROM segment_overlap WHERE base = 'real' ORDER BY ALL", `
		real | fans | fans | 1 | 1 | 1 | 1 | 1
		real | fans | loyal | 1 | 1 | 2 | 1 | 0.5
		real | loyal | fans | 1 | 2 | 1 | 0.5 | 0.5
		real | loyal | loyal | 2 | 2 | 2 | 1 | 1`)
	// From R5 F2 to R4 F2 the name stays: no movement.
	expect(t, w, "SELECT month, from_name, to_name, reason, moves, customers FROM rfm_movements ORDER BY ALL", `
		2025-03-01 | Not scored | Potential loyalists | order | 1 | 1
		2025-04-01 | Potential loyalists | About to sleep | cut_points | 1 | 1`)
	expect(t, w, "SELECT measure, score, customers, lowest, median, highest FROM rfm_distribution WHERE base = 'all' ORDER BY ALL", `
		frequency | 1 | 1 | 1 | 1 | 1
		frequency | 2 | 2 | 2 | 2.5 | 3
		monetary | 2 | 1 | 35 | 35 | 35
		monetary | 3 | 1 | 45 | 45 | 45
		monetary | 4 | 1 | 160 | 160 | 160
		recency | 1 | 1 | 80 | 80 | 80
		recency | 4 | 1 | 38 | 38 | 38
		recency | 5 | 1 | 31 | 31 | 31`)
}

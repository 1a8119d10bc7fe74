package warehouse

import (
	"context"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// fillCampaigns makes four customers, c4 simulated; the program is in Tokyo, nine
// hours ahead. It returns a reader: analysts are readers.
func fillCampaigns(t *testing.T) *Warehouse {
	e, w := migrated(t)
	if err := w.NoteProgram(context.Background(), ProgramVersion{BundleID: "b1", EffectiveFrom: event.Time(5), Name: "Stamps", Currency: "GBP", TimeZone: "Asia/Tokyo"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		`INSERT INTO entries (partition, sequence, entry_time) VALUES (0, 1, '2025-03-20 12:00:00')`,
		`INSERT INTO customer_standings (partition, sequence, customer_id, is_simulated) VALUES (0, 1, 'c1', false), (0, 2, 'c2', false), (1, 3, 'c3', false), (0, 4, 'c4', true)`,
		`INSERT INTO segment_changes (partition, sequence, index, entry_time, account_id, segment_id, version, change, clause, cause) VALUES
			(0, 1, 0, '2025-03-01 14:00:00', 'c1', 'loyal', 'v1', 'entered', 'orders >= 3', 'event'), (0, 2, 0, '2025-03-01 16:00:00', 'c2', 'loyal', 'v1', 'entered', 'orders >= 3', 'event'),
			(1, 3, 0, '2025-03-01 16:30:00', 'c3', 'loyal', 'v1', 'entered', 'orders >= 3', 'event'), (0, 5, 0, '2025-03-02 16:00:00', 'c2', 'loyal', 'v1', 'left', 'recency', 'time'),
			(0, 6, 0, '2025-03-03 16:00:00', 'c2', 'loyal', 'v2', 'entered', 'orders >= 2', 'activation'), (0, 7, 0, '2025-03-03 17:00:00', 'c1', 'gone', 'v1', 'entered', 'x', 'event'),
			(0, 8, 0, '2025-03-03 18:00:00', 'c1', 'gone', '', 'left', 'the segment was removed', 'activation'), (0, 9, 0, '2025-03-03 18:00:00', 'c1', 'loyal', 'v2', 'left', 'orders >= 2', 'time')`,
		`INSERT INTO segment_changes (partition, sequence, index, entry_time, account_id, segment_id, version, change, clause, cause, is_simulated) VALUES (0, 10, 0, '2025-03-01 14:00:00', 'c4', 'loyal', 'v1', 'entered', 'orders >= 3', 'event', true)`,
		// r1 waits for the morning, is sent, and its customer orders after 8 days; r2 is a
		// holdout whose customer orders at once; r3 never gets an arm; r4 still waits.
		`INSERT INTO campaign_log (partition, sequence, event_time, entry_time, account_id, run_id, campaign_id, version, trigger, detail, trigger_time, outcome, reason, until, arm, channel, purpose) VALUES
			(0, 1, '2025-03-02 20:00:05', '2025-03-02 20:00:00', 'c1', 'r1', 'welcome', 'v1', 'enters', 'loyal', '2025-03-02 20:00:05', 'postponed', 'quiet_hours', '2025-03-03 08:00:00', 'a', 'email', 'marketing'),
			(0, 2, '2025-03-03 08:00:00', '2025-03-03 08:00:00', 'c1', 'r1', 'welcome', 'v2', 'enters', 'loyal', '2025-03-02 20:00:05', 'sent', '', '1970-01-01 00:00:00', 'a', 'email', 'marketing'),
			(0, 3, '2025-03-02 20:00:00', '2025-03-03 09:00:00', 'c2', 'r2', 'welcome', 'v2', 'enters', 'loyal', '2025-03-02 20:00:00', 'held', 'campaign_holdout', '1970-01-01 00:00:00', 'holdout', 'email', 'marketing'),
			(1, 1, '2025-03-03 09:00:00', '2025-03-03 09:00:00', 'c3', 'r3', 'welcome', 'v2', 'enters', 'loyal', '2025-03-03 09:00:00', 'held', 'no_consent', '1970-01-01 00:00:00', '', 'email', 'marketing'),
			(0, 4, '2025-03-19 09:00:00', '2025-03-19 09:00:00', 'c2', 'r4', 'welcome', 'v2', 'enters', 'loyal', '2025-03-19 09:00:00', 'postponed', 'quiet_hours', '2025-03-20 09:00:00', 'a', 'email', 'marketing')`,
		`INSERT INTO messages (partition, sequence, account_id, message_id, campaign_id, arm) VALUES (0, 2, 'c1', 'r1', 'welcome', 'a')`,
		`INSERT INTO outcomes (partition, sequence, account_id, outcome, channel, message_id) VALUES
			(0, 20, 'c1', 'delivered', 'email', 'r1'), (0, 21, 'c1', 'opened', 'email', 'r1'), (0, 22, 'c1', 'opened', 'email', 'r1'),
			(0, 23, 'c2', 'clicked', 'email', 'r1'), (0, 24, 'c2', 'opened', 'email', 'r9'), (0, 25, 'c2', 'unsubscribed', 'email', '')`,
		// The trigger itself (o1) converts nothing; nor does an order before the clock knew (o2).
		`INSERT INTO orders (partition, sequence, account_id, is_identified, currency, minor_per_major, net_minor, event_time, order_id) VALUES
			(0, 30, 'c1', true, 'GBP', 100, 9900, '2025-03-02 20:00:05', 'o1'), (0, 31, 'c1', true, 'GBP', 100, 1001, '2025-03-10 21:00:00', 'o3'), (0, 32, 'c1', true, 'EUR', 100, 500, '2025-03-10 22:00:00', 'o4'),
			(0, 33, 'c2', true, 'GBP', 100, 7700, '2025-03-03 08:00:00', 'o2'), (0, 34, 'c2', true, 'GBP', 100, 2050, '2025-03-03 10:00:00', 'o5'), (1, 35, 'c3', true, 'GBP', 100, 1, '2025-03-03 10:00:00', 'o6')`,
		`INSERT INTO campaign_entries (partition, sequence, entry_time) VALUES (0, 1, '2025-03-20 11:59:00'), (0, 3, '2025-03-20 11:59:30'), (2, 1, '2025-03-20 12:00:00')`,
	} {
		ask(t, w, s)
	}
	reader, err := Open(t.Context(), Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader
}

func TestViewsOfSegments(t *testing.T) {
	w := fillCampaigns(t)
	expect(t, w, "SELECT segment_id, is_simulated, members, members_share, version, newest_change FROM segment_sizes ORDER BY ALL", `
		loyal | false | 2 | 0.666667 | v2 | 2025-03-03 18:00
		loyal | true | 1 | 1 | v1 | 2025-03-01 14:00`)
	expect(t, w, "SELECT day, segment_id, clause, cause, is_simulated, entered, left FROM segment_flow_daily ORDER BY ALL", `
		2025-03-01 | loyal | orders >= 3 | event | false | 1 | 0
		2025-03-01 | loyal | orders >= 3 | event | true | 1 | 0
		2025-03-02 | loyal | orders >= 3 | event | false | 2 | 0
		2025-03-03 | loyal | recency | time | false | 0 | 1
		2025-03-04 | gone | the segment was removed | activation | false | 0 | 1
		2025-03-04 | gone | x | event | false | 1 | 0
		2025-03-04 | loyal | orders >= 2 | activation | false | 1 | 0
		2025-03-04 | loyal | orders >= 2 | time | false | 0 | 1`)
}

func TestViewsOfCampaigns(t *testing.T) {
	w := fillCampaigns(t)
	expect(t, w, "SELECT run_id, campaign_id, version, customer_id, arm, assigned_time, outcome, reason, postponements, decided_time FROM campaign_runs ORDER BY 1", `
		r1 | welcome | v2 | c1 | a | 2025-03-02 20:00 | sent |  | 1 | 2025-03-03 08:00
		r2 | welcome | v2 | c2 | holdout | 2025-03-03 09:00 | held | campaign_holdout | 0 | 2025-03-03 09:00
		r3 | welcome | v2 | c3 |  | - | held | no_consent | 0 | 2025-03-03 09:00
		r4 | welcome | v2 | c2 | a | 2025-03-19 09:00 | postponed | quiet_hours | 1 | 2025-03-19 09:00`)
	expect(t, w, `SELECT campaign_id, arm, is_simulated, runs, customers, waiting, held, held_reasons, sent, delivered, opened, clicked, bounced, complained, unsubscribed,
		converted_7_days, converted_14_days, converted_30_days FROM campaign_funnel ORDER BY ALL`, `
		welcome |  | false | 1 | 1 | 0 | 1 | map[no_consent:1] | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0
		welcome | a | false | 2 | 2 | 1 | 0 | map[] | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 1 | 1
		welcome | holdout | false | 1 | 1 | 0 | 1 | map[campaign_holdout:1] | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1 | 1 | 1`)
	expect(t, w, "SELECT campaign_id, outcome, reason, is_simulated, decisions, customers, newest_time FROM campaign_held ORDER BY ALL", `
		welcome | held | campaign_holdout | false | 1 | 1 | 2025-03-03 09:00
		welcome | held | no_consent | false | 1 | 1 | 2025-03-03 09:00
		welcome | postponed | quiet_hours | false | 2 | 2 | 2025-03-19 09:00`)
	expect(t, w, "SELECT campaign_id, arm, is_simulated, assigned, closed, converted, conversion_rate, orders, spend FROM campaign_conversions(conversion_days = 14) ORDER BY ALL", `
		welcome | a | false | 2 | 1 | 1 | 0.5 | 2 | 10.01
		welcome | holdout | false | 1 | 1 | 1 | 1 | 1 | 20.5`)
	expect(t, w, "SELECT arm, closed, converted, spend FROM campaign_conversions(conversion_days = 1) ORDER BY ALL", `
		a | 2 | 0 | 0
		holdout | 1 | 1 | 20.5`)
	expect(t, w, "SELECT why, outcome, message_id, customer_id, sequence FROM outcomes_unmatched ORDER BY sequence", `
		other_customer | clicked | r1 | c2 | 23
		unknown_message | opened | r9 | c2 | 24
		no_message_id | unsubscribed |  | c2 | 25`)
	expect(t, w, "SELECT partition, entries, gaps, campaign_entries, campaign_max_sequence, campaign_gaps, campaign_doubles, campaign_behind_seconds FROM pipeline_health ORDER BY 1", `
		0 | 1 | 0 | 2 | 3 | 1 | 0 | 30
		2 | 0 | 0 | 1 | 1 | 0 | 0 | 0`)
}

package sink

import (
	"slices"
	"strings"
	"testing"
)

// A check that cannot fail proves nothing: each of these damages is found.
func TestVerifyFindsDamage(t *testing.T) {
	w := newWorld(t)
	w.publish(400)
	s := New(w.config())
	stop := w.run(s)
	w.arrive(s)
	must(t, stop())
	const now = " SETTINGS mutations_sync = 1"
	// New rows of a ReplacingMergeTree would replace the old ones at once: merges stop.
	for _, table := range slices.Concat(tableNames, campaignTables) {
		w.ask("SYSTEM STOP MERGES " + table)
	}
	for _, damage := range []struct{ do, want string }{
		{"INSERT INTO entries SELECT * FROM entries WHERE partition = 1 AND sequence = 7", "entries: dense from 1, each once: partition 1"},
		{"INSERT INTO order_items SELECT * FROM order_items WHERE partition = 0 LIMIT 1", "order_items: each fact once: partition 0"},
		{"INSERT INTO points SELECT * REPLACE (toInt64(1000000) AS sequence) FROM points WHERE partition = 0 LIMIT 1", ""}, // later than asked for
		{"INSERT INTO surveys SELECT * REPLACE (toInt32(5) AS index) FROM surveys WHERE partition = 2 LIMIT 1", "surveys: each fact once: partition 2"},
		{"INSERT INTO points SELECT * REPLACE (points + 1 AS points) FROM points WHERE account = 'customer' LIMIT 1", "points: postings sum to zero"},
		{"INSERT INTO points SELECT * FROM points WHERE account = 'customer' LIMIT 1", "points: balance is the sum of postings"},
		{"INSERT INTO customer_standings SELECT * REPLACE (balance + 1 AS balance) FROM customer_standings LIMIT 1", "customer_standings: as the newest standing"},
		{"INSERT INTO customer_standings SELECT * REPLACE ('c9' AS customer_id) FROM customer_standings LIMIT 1", "customer_standings: as the newest standing in entries: customer c9"},
		{"INSERT INTO customer_standings SELECT * REPLACE (['x'] AS segments) FROM customer_standings LIMIT 1", "customer_standings: as the newest standing"},
		{"INSERT INTO refund_allocations SELECT * FROM refund_allocations WHERE is_wholly LIMIT 1", "orders: orders are those not wholly refunded"},
		{"INSERT INTO segment_changes SELECT * REPLACE ('other' AS segment_id) FROM segment_changes WHERE change = 'entered' LIMIT 1", "segment_changes: segments are the sum of changes"},
		{"INSERT INTO activities SELECT * FROM activities WHERE partition = 1 LIMIT 1", "activities: each fact once: partition 1"},
		{"INSERT INTO outcomes SELECT * FROM outcomes WHERE partition = 1 LIMIT 1", "outcomes: each fact once: partition 1"},
		{"INSERT INTO customer_facts SELECT * FROM customer_facts WHERE partition = 1 LIMIT 1", "customer_facts: each fact once: partition 1"},
		{"INSERT INTO campaign_entries SELECT * FROM campaign_entries WHERE partition = 1 AND sequence = 7", "campaign_entries: dense from 1, each once: partition 1"},
		{"INSERT INTO campaign_log SELECT * FROM campaign_log WHERE outcome = 'held' LIMIT 1", "campaign_log: each fact once"},
		{"INSERT INTO messages SELECT * FROM messages WHERE partition = 1 LIMIT 1", "messages: each message has its decision to send: partition 1"},
		{"INSERT INTO messages SELECT * REPLACE ('nobody' AS account_id) FROM messages WHERE partition = 2 LIMIT 1", "messages: each message has its decision to send: partition 2"},
		{"INSERT INTO campaign_log SELECT * REPLACE (sequence + 1 AS sequence, 'postponed' AS outcome) FROM campaign_log WHERE outcome = 'sent' AND partition = 0 ORDER BY sequence LIMIT 1", "campaign_log: a run ends once"},
		{"INSERT INTO campaign_entries SELECT * REPLACE (toInt64(1) AS ledger_sequence) FROM campaign_entries WHERE partition = 0 AND sequence = 9", "campaign_entries: the ledger in order: partition 0"},
		{"INSERT INTO campaign_entries SELECT * REPLACE (toInt64(5000) AS source_offset) FROM campaign_entries WHERE partition = 2 AND sequence = 9", "campaign_entries: took the ledger entry that it says: partition 2"},
		{"INSERT INTO refunds SELECT * FROM refunds WHERE partition = 0 LIMIT 1", "refunds: each fact once"},
	} {
		w.ask(damage.do)
		check, upTo := w.warehouse.Verify, w.ledger.sequence
		if strings.HasPrefix(damage.want, "campaign_") || strings.HasPrefix(damage.want, "messages") {
			check, upTo = w.warehouse.VerifyCampaigns, w.campaigns.sequence
		}
		found, err := check(t.Context(), upTo)
		must(t, err)
		seen := damage.want == ""
		for _, f := range found {
			seen = seen || strings.HasPrefix(f.String(), damage.want)
			if damage.want == "" {
				seen = seen && f.Table != "points"
			}
		}
		if !seen {
			t.Errorf("%s: not found, but %v", damage.do, found)
		}
	}
	missing := []string{"orders", "decisions", "redemptions", "tier_changes", "score_changes", "refund_lines", "refund_allocations",
		"activities", "outcomes", "customer_facts", "segment_changes", "campaign_log", "messages"}
	for _, table := range missing {
		w.ask("SYSTEM START MERGES " + table) // a mutation is one
		w.ask("ALTER TABLE " + table + " DELETE WHERE sequence = (SELECT max(sequence) FROM " + table + ")" + now)
	}
	found, err := w.warehouse.Verify(t.Context(), w.ledger.sequence)
	must(t, err)
	more, err := w.warehouse.VerifyCampaigns(t.Context(), w.campaigns.sequence)
	must(t, err)
	found = append(found, more...)
	for _, table := range missing {
		seen := false
		for _, f := range found {
			seen = seen || f.Table == table && strings.Contains(f.Detail, "0 rows")
		}
		if !seen {
			t.Errorf("rows deleted from %s: not found", table)
		}
	}
}

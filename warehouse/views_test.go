package warehouse

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// text shows rows as an analyst sees them.
func text(rows [][]any) string {
	var lines []string
	for _, r := range rows {
		var cells []string
		for _, v := range r {
			switch v := v.(type) {
			case nil:
				cells = append(cells, "-")
			case time.Time:
				cells = append(cells, strings.TrimSuffix(v.UTC().Format("2006-01-02 15:04"), " 00:00"))
			case float64:
				cells = append(cells, fmt.Sprint(math.Round(v*1e6)/1e6))
			default:
				cells = append(cells, fmt.Sprint(v))
			}
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return strings.Join(lines, "\n")
}

func expect(t *testing.T, w *Warehouse, statement, want string) {
	t.Helper()
	var trimmed []string
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		trimmed = append(trimmed, strings.TrimSpace(line))
	}
	if have := text(ask(t, w, statement)); have != strings.Join(trimmed, "\n") {
		t.Errorf("%s\ngives\n%s\nwant\n%s", statement, have, strings.Join(trimmed, "\n"))
	}
}

// The zone is nine hours ahead: an order late in the evening of the last day of
// a month, UTC, is one of the next month.
func fill(t *testing.T) (w, reader *Warehouse) {
	e, w := migrated(t)
	reader, err := Open(t.Context(), Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	for range 2 {
		if err := w.NoteProgram(context.Background(), ProgramVersion{BundleID: "b2", EffectiveFrom: event.Time(5), Name: "Stamps", Currency: "GBP", TimeZone: "Asia/Tokyo"}); err != nil {
			t.Fatal(err)
		}
		if err := w.NoteProgram(context.Background(), ProgramVersion{BundleID: "b1", Name: "Old", Currency: "GBP", TimeZone: "Europe/London"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []string{
		`INSERT INTO entries (partition, sequence, entry_time, is_history, is_simulated, enrolment_rule_id) VALUES
			(0, 1, '2025-03-09 11:00:00', true, false, 'first_order'), (0, 2, '2025-04-05 12:00:00', false, true, ''), (0, 4, '2025-04-10 15:30:00', false, false, ''),
			(1, 1, '2025-04-10 15:00:00', false, false, 'first_order'), (1, 1, '2025-04-10 15:00:00', false, false, 'first_order')`,
		`INSERT INTO orders (partition, sequence, account_id, is_identified, is_simulated, currency, minor_per_major, lines, net_minor, event_time) VALUES
			(0, 1, 'c1', true, false, 'GBP', 100, 2, 1001, '2025-01-10 10:00:00'), (0, 2, 'c1', true, false, 'GBP', 100, 1, 2000, '2025-03-10 10:00:00'),
			(0, 3, 'c2', true, false, 'GBP', 100, 3, 3000, '2025-01-31 22:00:00'), (0, 4, 'c2', true, true, 'GBP', 100, 1, 500, '2025-04-02 10:00:00'),
			(0, 5, 'c3', true, false, 'JPY', 1, 1, 700, '2025-02-10 10:00:00'), (0, 6, 'guest:1', false, false, 'GBP', 100, 9, 999999, '2025-02-10 10:00:00')`,
		`INSERT INTO refunds (partition, sequence, account_id, is_identified, is_simulated, currency, minor_per_major, net_minor) VALUES
			(0, 7, 'c1', true, false, 'GBP', 100, 101), (0, 8, 'guest:1', false, false, 'GBP', 100, 5)`,
		`INSERT INTO refund_lines (partition, sequence, index, is_identified, currency, minor_per_major, match, amount_minor, matched_minor) VALUES
			(0, 7, 0, true, 'GBP', 100, 'matched', 60, 60), (0, 7, 1, true, 'GBP', 100, 'partly', 41, 11), (0, 7, 2, true, 'GBP', 100, 'matched', 5, 5), (0, 8, 0, false, 'GBP', 100, 'unmatched', 5, 0)`,
		`INSERT INTO points (partition, sequence, index, entry_time, account, wallet, reason, points) VALUES
			(0, 1, 0, '2025-01-31 23:30:00', 'customer', 'p', 'earn', 100), (0, 1, 1, '2025-01-31 23:30:00', 'earned', 'p', 'earn', -100),
			(0, 2, 0, '2025-02-01 01:00:00', 'customer', 'p', 'spend', -30), (0, 2, 1, '2025-02-01 01:00:00', 'spent', 'p', 'spend', 30),
			(0, 3, 0, '2025-02-02 16:00:00', 'customer', 'p', 'reverse', -80), (0, 3, 1, '2025-02-02 16:00:00', 'earned', 'p', 'reverse', 80),
			(0, 4, 0, '2025-02-02 17:00:00', 'customer', 'p', 'earn', 20), (0, 4, 1, '2025-02-02 17:00:00', 'customer', 'p', 'settle', -10), (0, 4, 2, '2025-02-02 17:00:00', 'customer', 'p', 'settle', 10),
			(0, 5, 0, '2025-02-04 17:00:00', 'customer', 'p', 'expire', -5)`,
		`INSERT INTO decisions (partition, sequence, index, rule_id, points, multipliers, is_simulated) VALUES
			(0, 1, 0, 'spend', 100, ['gold', 'weekend'], false), (0, 2, 0, 'spend', 20, ['gold'], false), (0, 2, 1, 'review', 0, [], false), (0, 3, 0, 'spend', 7, [], true)`,
		`INSERT INTO customer_standings (partition, sequence, customer_id, is_member, is_simulated, tier, balance, r, f, m, currency, minor_per_major, tier_spend_minor, window_net_spend_minor, enrolled_time, next_expiry_on) VALUES
			(0, 1, 'c1', true, false, 'bronze', 5, 1, 1, 1, 'GBP', 100, 1001, 1001, '2025-01-10 10:00:00', '1970-01-01'), (0, 9, 'c1', true, false, 'gold', -7, 5, 2, 4, 'GBP', 100, 2900, 2901, '2025-01-10 10:00:00', '2026-01-31'),
			(0, 3, 'c2', true, false, 'bronze', 10, 5, 2, 5, 'GBP', 100, 3000, 3000, '2025-01-31 22:00:00', '1970-01-01'), (0, 5, 'c3', false, false, '', 0, 0, 0, 0, 'JPY', 1, 0, 700, '1970-01-01 00:00:00', '1970-01-01'),
			(0, 6, 'c4', true, true, 'bronze', 1, 3, 3, 3, 'GBP', 100, 0, 0, '2025-02-01 00:00:00', '1970-01-01')`,
		`INSERT INTO rejects (partition, record_offset, received_time, code) SELECT number % 2 * 3, number, now64(3), 'too_old' FROM numbers(5)`,
	} {
		ask(t, w, s)
	}
	return w, reader
}

// Analysts are readers: the views answer them.
func TestViews(t *testing.T) {
	_, w := fill(t)
	expect(t, w, "SELECT name, currency, time_zone, bundle_id, versions FROM program", "Stamps | GBP | Asia/Tokyo | b2 | 2")
	expect(t, w, "SELECT time, day, month FROM as_of", "2025-04-10 15:30 | 2025-04-11 | 2025-04-01")
	expect(t, w, "SELECT is_simulated, currency, customers, orders, lines, gross_spend, refunds, refund_spend, net_spend, average_order, orders_per_customer, repeat_customers, repeat_rate FROM purchase_kpis ORDER BY ALL", `
		false | GBP | 2 | 3 | 6 | 60.01 | 1 | 1.01 | 59 | 20.003 | 1.5 | 1 | 0.5
		false | JPY | 1 | 1 | 1 | 700 | 0 | 0 | 700 | 700 | 1 | 0 | 0
		true | GBP | 1 | 1 | 1 | 5 | 0 | 0 | 5 | 5 | 1 | 0 | 0`)
	// c2's first order is on 31 January in London, on 1 February in Tokyo.
	expect(t, w, "SELECT base, cohort_month, month_number, size, active, active_in_or_after, active_share FROM retention_cohorts ORDER BY 1, 2, 3", `
		all | 2025-01-01 | 0 | 1 | 1 | 1 | 1
		all | 2025-01-01 | 1 | 1 | 0 | 1 | 0
		all | 2025-01-01 | 2 | 1 | 1 | 1 | 1
		all | 2025-01-01 | 3 | 1 | 0 | 0 | 0
		all | 2025-02-01 | 0 | 2 | 2 | 2 | 1
		all | 2025-02-01 | 1 | 2 | 0 | 1 | 0
		all | 2025-02-01 | 2 | 2 | 1 | 1 | 0.5
		real | 2025-01-01 | 0 | 1 | 1 | 1 | 1
		real | 2025-01-01 | 1 | 1 | 0 | 1 | 0
		real | 2025-01-01 | 2 | 1 | 1 | 1 | 1
		real | 2025-01-01 | 3 | 1 | 0 | 0 | 0
		real | 2025-02-01 | 0 | 2 | 2 | 2 | 1
		real | 2025-02-01 | 1 | 2 | 0 | 0 | 0
		real | 2025-02-01 | 2 | 2 | 0 | 0 | 0`)
	expect(t, w, "SELECT customer_id, is_member, enrolled_time, balance, next_expiry_on, tier, tier_spend, r, window_net_spend, currency FROM customers ORDER BY 1", `
		c1 | true | 2025-01-10 10:00 | -7 | 2026-01-31 | gold | 29 | 5 | 29.01 | GBP
		c2 | true | 2025-01-31 22:00 | 10 | - | bronze | 30 | 5 | 30 | GBP
		c3 | false | - | 0 | - |  | 0 | 0 | 700 | JPY
		c4 | true | 2025-02-01 | 1 | - | bronze | 0 | 3 | 0 | GBP`)
	expect(t, w, "SELECT is_simulated, r, f, customers, customers_share, mean_m, window_net_spend FROM rfm_grid ORDER BY ALL", `
		false | 5 | 2 | 2 | 1 | 4.5 | 59.01
		true | 3 | 3 | 1 | 1 | 3 | 0`)
	expect(t, w, "SELECT is_simulated, tier, members, members_share, balance, tier_spend FROM tier_mix ORDER BY ALL", `
		false | bronze | 1 | 0.5 | 10 | 30
		false | gold | 1 | 0.5 | -7 | 29
		true | bronze | 1 | 1 | 1 | 0`)
}

func TestViewsOfTheLedger(t *testing.T) {
	writer, w := fill(t)
	expect(t, w, "SELECT day, wallet, is_simulated, issued, reversed, spent, expired, outstanding FROM points_daily ORDER BY ALL", `
		2025-02-01 | p | false | 100 | 0 | 30 | 0 | 70
		2025-02-03 | p | false | 20 | 80 | 0 | 0 | 10
		2025-02-05 | p | false | 0 | 0 | 0 | 5 | 5`)
	expect(t, w, "SELECT partition, entries, max_sequence, gaps, doubles, newest_time, behind_seconds, history_entries, simulated_entries, rejects FROM pipeline_health ORDER BY 1", `
		0 | 3 | 4 | 1 | 0 | 2025-04-10 15:30 | 0 | 1 | 1 | 3
		1 | 1 | 1 | 0 | 0 | 2025-04-10 15:00 | 1800 | 0 | 0 | 0
		3 | 0 | 0 | 0 | 0 | 1970-01-01 | 0 | 0 | 0 | 2`)
	// A double in another insert is seen until a merge folds it.
	ask(t, writer, "SYSTEM STOP MERGES entries")
	ask(t, writer, "INSERT INTO entries (partition, sequence, entry_time) VALUES (1, 1, '2025-04-10 15:00:00')")
	expect(t, w, "SELECT partition, entries, gaps, doubles FROM pipeline_health WHERE partition = 1", "1 | 2 | 0 | 1")
	expect(t, w, "SELECT kind, rule_id, is_simulated, times, points FROM rules_fired ORDER BY ALL", `
		earning | spend | false | 2 | 120
		earning | spend | true | 1 | 7
		enrolment | first_order | false | 2 | 0
		multiplier | gold | false | 2 | 120
		multiplier | weekend | false | 1 | 100`)
	expect(t, w, "SELECT is_simulated, currency, match, lines, spend, matched_spend FROM refund_matches ORDER BY ALL", `
		false | GBP | matched | 2 | 0.65 | 0.65
		false | GBP | partly | 1 | 0.41 | 0.11`)
}

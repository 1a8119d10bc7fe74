package warehouse

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/sql"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shop is a small shop of a hundred days and sixty customers: customer k ordered
// first on day k and then every 10 + 9 × (k mod 7) days, k mod 6 times again; every
// third one is no member, every tenth order came back in part.
var shop = []string{
	`INSERT INTO orders (partition, sequence, event_time, entry_time, account_id, is_identified, order_id, currency, minor_per_major, number, lines, net_minor, base_minor, channel, country, outcome)
		SELECT k % 2, k * 10 + j + 1, toDateTime64('2025-01-05 10:00:00', 3, 'UTC') + toIntervalDay(k + j * (10 + 9 * (k % 7))) AS at, at, 'c' || toString(k), true, 'o' || toString(k * 10 + j), 'GBP', 100, j + 1, 1,
			(1 + (k * 7 + j * 3) % 50) * 100, (1 + (k * 7 + j * 3) % 50) * 100, ['web', 'app', 'store'][1 + k % 3], 'GB', 'applied'
		FROM (SELECT number AS k, arrayJoin(range(1 + k % 6)) AS j FROM numbers(60)) WHERE at < toDateTime64('2025-06-01 00:00:00', 3, 'UTC')`,
	`INSERT INTO order_items (partition, sequence, index, event_time, entry_time, account_id, is_identified, order_id, product_id, product_name, category, quantity, currency, minor_per_major, amount_minor)
		SELECT partition, sequence, 0, event_time, entry_time, account_id, true, order_id, 'p' || toString(net_minor % 500), ['Mug', 'Tea', 'Pot', 'Tin', 'Jar'][1 + intDiv(net_minor, 100) % 5], 'kitchen', 2, 'GBP', 100, net_minor FROM orders`,
	`INSERT INTO refunds (partition, sequence, event_time, entry_time, account_id, is_identified, refund_id, order_id, currency, minor_per_major, lines, net_minor, matched_minor, outcome)
		SELECT partition, sequence + 1000, event_time + INTERVAL 3 DAY, entry_time + INTERVAL 3 DAY, account_id, true, 'r' || order_id, order_id, 'GBP', 100, 1, intDiv(net_minor, 2), intDiv(net_minor, 2), 'applied' FROM orders WHERE sequence % 10 = 1 AND sequence % 3 = 0`,
	`INSERT INTO refund_lines (partition, sequence, index, event_time, account_id, is_identified, refund_id, product_id, match, quantity, matched_quantity, currency, minor_per_major, amount_minor, matched_minor)
		SELECT r.partition, r.sequence, 0, r.event_time, r.account_id, true, r.refund_id, i.product_id, 'matched', 1, 1, 'GBP', 100, r.net_minor, r.net_minor FROM refunds AS r INNER JOIN order_items AS i ON i.order_id = r.order_id`,
	`INSERT INTO points (partition, sequence, index, event_time, entry_time, account_id, account, wallet, points, reason, rule_id)
		SELECT partition, sequence, arrayJoin([0, 1]) AS i, event_time, entry_time, account_id, ['customer', 'earned'][i + 1], 'points', [1, -1][i + 1] * intDiv(net_minor, 100), 'earn', 'spend' FROM orders WHERE sequence % 3 != 0`,
	`INSERT INTO points (partition, sequence, index, entry_time, account_id, account, wallet, points, reason) VALUES
		(0, 5000, 0, '2025-03-20 10:00:00', 'c4', 'customer', 'points', -30, 'spend'), (0, 5001, 0, '2025-05-31 23:30:00', 'c4', 'customer', 'points', -5, 'expire')`,
	`INSERT INTO decisions (partition, sequence, index, account_id, rule_id, points, multipliers) SELECT partition, sequence, 0, account_id, 'spend', intDiv(net_minor, 100), if(channel = 'app', ['app_double'], []) FROM orders WHERE sequence % 3 != 0`,
	`INSERT INTO redemptions (partition, sequence, account_id, redemption_id, points, is_accepted, reason) VALUES
		(0, 5000, 'c4', 'x1', 30, true, ''), (0, 5002, 'c5', 'x2', 900, false, 'too_few_points'), (1, 5003, 'c7', 'x3', 900, false, 'too_few_points')`,
	`INSERT INTO customer_standings (partition, sequence, customer_id, is_member, balance, next_expiry_on, next_expiry_points, tier, tier_review_on, tier_spend_minor, r, f, m, orders, net_spend_minor, window_orders, window_net_spend_minor, currency, minor_per_major, first_order_time, last_order_time, segments)
		SELECT any(partition), max(sequence), account_id, max(number) % 3 != 0, intDiv(sum(net_minor), 100), '2025-07-01', 5, ['bronze', 'silver'][1 + toUInt8(count() > 3)], '2025-07-15', sum(net_minor), 1 + count() % 5, least(5, count()), 1 + intDiv(sum(net_minor), 100) % 5,
			count(), sum(net_minor), count(), sum(net_minor), 'GBP', 100, min(event_time), max(event_time), arrayFilter(x -> x != '', [if(count() > 2, 'loyal', ''), if(sum(net_minor) > 8000, 'big', ''), 'all']) FROM orders GROUP BY account_id`,
	`INSERT INTO tier_changes (partition, sequence, event_time, entry_time, account_id, from_tier, to_tier, reason) VALUES
		(0, 1, '2025-01-06 10:00:00', '2025-01-06 10:00:00', 'c1', '', 'bronze', 'enrolled'), (0, 9, '2025-02-05 22:00:00', '2025-02-05 22:00:00', 'c1', 'bronze', 'silver', 'reached'),
		(0, 2, '2025-01-08 10:00:00', '2025-01-08 10:00:00', 'c3', '', 'bronze', 'enrolled'), (0, 8, '2025-01-28 10:00:00', '2025-01-28 10:00:00', 'c3', 'bronze', 'silver', 'reached')`,
	`INSERT INTO score_changes (partition, sequence, entry_time, account_id, from_r, from_f, from_m, to_r, to_f, to_m, reason) SELECT 0, 6000 + number, '2025-05-01 00:00:00', 'c' || toString(number), 5, 3, 3, 2, 3, 3, 'time' FROM numbers(60)`,
	`INSERT INTO surveys (partition, sequence, event_time, account_id, kind, score) SELECT 0, 7000 + number, toDateTime64('2025-04-30 22:30:00', 3, 'UTC') + toIntervalMinute(number), 'c' || toString(number), 'nps', if(number < 50, 9, if(number < 80, 7, 3)) FROM numbers(100)`,
	`INSERT INTO campaign_log (partition, sequence, event_time, entry_time, account_id, campaign_id, run_id, trigger, trigger_time, outcome, reason, arm, channel, purpose)
		SELECT 0, number + 1, '2025-03-01 00:00:00', '2025-03-01 00:00:00', 'c' || toString(number), 'come_back', 'run' || toString(number), 'enters', '2025-03-01 00:00:00', if(number % 4 = 0, 'held', 'sent'), if(number % 4 = 0, 'holdout', ''), if(number % 4 = 0, 'holdout', 'a'), 'email', 'marketing' FROM numbers(60)`,
	`INSERT INTO model_runs (run_id, model, run_time, as_of, currency, used_for, is_converged, discount_rate) VALUES ('run1', 'BG/NBD', '2025-06-02 00:00:00', '2025-06-01', 'GBP', 'expected_purchases', true, 0.1)`,
	`INSERT INTO model_predictions (run_id, customer_id, p_alive, alive_model, expected_purchases, order_value, expected_spend) SELECT 'run1', 'c' || toString(number), number / 60, 'Pareto/NBD', 2, 20, 40 + number FROM numbers(60)`,
	`INSERT INTO entries (partition, sequence, entry_time, account_id, enrolment_rule_id) SELECT 0, number + 1, toDateTime64('2025-01-05 10:00:00', 3, 'UTC') + toIntervalDay(number * 2), 'c' || toString(number), if(number % 3 = 0, '', 'first_order') FROM numbers(74)`,
}

func open(t *testing.T) *Warehouse {
	t.Helper()
	e, w := migrated(t)
	if err := w.NoteProgram(t.Context(), ProgramVersion{BundleID: "b", Name: "Stamps", Currency: "GBP", TimeZone: "Europe/London"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range shop {
		ask(t, w, s)
	}
	reader, err := Open(t.Context(), Config{URL: e.URL(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader
}

// Every worked question is answered, as a reader, with the columns that it says.
func TestExamplesAnswer(t *testing.T) {
	w := open(t)
	examples, err := sql.Examples()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range examples {
		columns, _, rows, err := w.Query(t.Context(), e.Query)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		var said []string
		for _, c := range e.Columns {
			said = append(said, c.Name)
		}
		if len(rows) == 0 {
			t.Errorf("%s: no rows", e.Name)
		} else if !slices.Equal(columns, said) {
			t.Errorf("%s: gives %v, says %v", e.Name, columns, said)
		}
		fmt.Fprintf(&b, "%02d %s\n%s\n%s\n\n", e.Number, e.Question, strings.Join(columns, " | "), text(rows[:min(len(rows), 12)]))
	}
	golden(t, "testdata/examples.golden", b.String())
}

func golden(t *testing.T, path, have string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != have {
		t.Errorf("%s is not what the queries give; look, then run the test with -update\n%s", path, have)
	}
}

// What the dictionary says is what ClickHouse has.
func TestDictionaryIsTheDatabase(t *testing.T) {
	_, w := migrated(t)
	entries, err := sql.Dictionary()
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, fmt.Sprintf("%s: %s", e.Name, e.Comment))
		for _, p := range e.Parameters {
			have = append(have, fmt.Sprintf("%s(%s %s)", e.Name, p.Name, p.Type))
		}
		if len(e.Parameters) > 0 {
			continue // the database has no columns of views with parameters
		}
		for _, c := range e.Columns {
			have = append(have, fmt.Sprintf("%s.%s %s: %s", e.Name, c.Name, c.Type, c.Comment))
		}
	}
	var want []string
	for _, statement := range []string{
		"SELECT name || ': ' || comment FROM system.tables WHERE database = 'punchcard' AND name != 'schema_migrations'",
		"SELECT name || '(' || p.1 || ' ' || p.2 || ')' FROM (SELECT name, arrayJoin(parameterized_view_parameters) AS p FROM system.tables WHERE database = 'punchcard')",
		"SELECT table || '.' || name || ' ' || type || ': ' || comment FROM system.columns WHERE database = 'punchcard' AND table != 'schema_migrations'",
	} {
		for _, r := range ask(t, w, statement) {
			want = append(want, fmt.Sprint(r[0]))
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	for _, h := range have {
		if _, ok := slices.BinarySearch(want, h); !ok {
			t.Errorf("the dictionary alone has %q", h)
		}
	}
	for _, x := range want {
		if _, ok := slices.BinarySearch(have, x); !ok {
			t.Errorf("the database alone has %q", x)
		}
	}
}

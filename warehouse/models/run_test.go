package models

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/ingest/history"
	"github.com/punchcard/punchcard/warehouse"
	"github.com/punchcard/punchcard/warehouse/embedded"
)

func TestMain(m *testing.M) {
	if embedded.IsChild() {
		embedded.RunChild()
	}
	os.Exit(m.Run())
}

// empty is a warehouse without facts.
func empty(t testing.TB) *warehouse.Warehouse {
	t.Helper()
	if _, err := embedded.FindLibrary(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	e, err := embedded.Start(context.Background(), embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	w, err := warehouse.Open(context.Background(), warehouse.Config{URL: e.URL(), User: embedded.WriterUser, Password: e.WriterKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if err := w.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

// order is a fact for the table.
type order struct {
	account, id, currency string
	at                    time.Time
	minor                 int64
	simulated, guest      bool
}

func insert(t testing.TB, w *warehouse.Warehouse, orders []order) {
	t.Helper()
	n := len(orders)
	var account, id, currency []string
	var at, minor, sequence []int64
	var simulated, identified []bool
	var unit []uint16
	for i, o := range orders {
		account, id, currency = append(account, o.account), append(id, o.id), append(currency, o.currency)
		at, minor, sequence = append(at, o.at.UnixMilli()), append(minor, o.minor), append(sequence, int64(i+1))
		simulated, identified, unit = append(simulated, o.simulated), append(identified, !o.guest), append(unit, 100)
	}
	err := w.Insert(context.Background(), "orders", fmt.Sprint("orders-", n, id[0]), []warehouse.Column{
		{Name: "sequence", Values: sequence}, {Name: "account_id", Values: account}, {Name: "order_id", Values: id}, {Name: "currency", Values: currency},
		{Name: "event_time", Values: at}, {Name: "net_minor", Values: minor}, {Name: "is_simulated", Values: simulated}, {Name: "is_identified", Values: identified}, {Name: "minor_per_major", Values: unit},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tell(t testing.TB, w *warehouse.Warehouse, statement string) [][]any {
	t.Helper()
	_, rows, err := w.Ask(context.Background(), statement, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// cdnowOrders are the rows of the sample up to a day, at noon.
func cdnowOrders(t testing.TB, upTo string) []order {
	t.Helper()
	text, err := history.Data.ReadFile(history.CDNOWSample)
	if err != nil {
		t.Fatal(err)
	}
	var out []order
	for row := range strings.Lines(string(text)) {
		f := strings.Fields(row)
		if f[2] > upTo {
			continue
		}
		at, err := time.Parse("20060102 15", f[2]+" 12")
		if err != nil {
			t.Fatal(err)
		}
		dollars, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, order{account: f[0], id: fmt.Sprint("o", len(out)), currency: "USD", at: at, minor: int64(math.Round(100 * dollars))})
	}
	return out
}

var wallClock = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// What is in ClickHouse gives what is in the papers: orders of a day together,
// guests, simulated, refunded and foreign orders left out.
func TestRunOfCDNOW(t *testing.T) {
	w := empty(t)
	orders := cdnowOrders(t, "19970930")
	day := time.Date(1997, 9, 1, 12, 0, 0, 0, time.UTC)
	insert(t, w, append(orders,
		order{account: "00004", id: "x1", currency: "USD", at: day, minor: 100, simulated: true},
		order{account: "sim", id: "x2", currency: "USD", at: day, minor: 100, simulated: true},
		order{account: "guest:1", id: "x3", currency: "USD", at: day, minor: 100, guest: true},
		order{account: "00004", id: "x4", currency: "EUR", at: day, minor: 100},
		order{account: "00004", id: "x5", currency: "USD", at: day, minor: 700}, // wholly refunded below
	))
	tell(t, w, "INSERT INTO refund_allocations (sequence, account_id, order_id, event_time, currency, amount_minor, is_wholly) VALUES (1, '00004', 'x5', '1997-09-02 00:00:00', 'USD', 700, true)")
	tell(t, w, "INSERT INTO entries (sequence, entry_time) VALUES (1, '1997-10-20 00:00:00')") // the clock went on
	r, err := Run(context.Background(), w, Options{Now: wallClock})
	if err != nil {
		t.Fatal(err)
	}
	if r.AsOf.Format(time.DateOnly) != "1997-09-30" || r.Currency != "USD" || r.Customers != 2357 || r.Simulated != 2 {
		t.Errorf("%v %s %d %d", r.AsOf, r.Currency, r.Customers, r.Simulated)
	}
	near(t, "the log-likelihood", r.Models[0].LogLikelihood, "-9582.429")
	near(t, "Pareto/NBD's", r.Models[2].LogLikelihood, "-9594.976")
	near(t, "Gamma-Gamma's", r.Models[spendIndex].LogLikelihood, "-4055.918")
	for _, m := range r.Models {
		t.Logf("%s %v: predicted %.0f purchases of %.0f, spend %.0f of %.0f, off by %.3f each", m.Model, m.UsedFor, m.Test.PredictedPurchases, m.Test.ActualPurchases, m.Test.PredictedSpend, m.Test.ActualSpend, m.Test.MeanAbsoluteError)
		if m.Test.Weeks != 68.0/7 || m.Test.Customers != 2357 || m.Model != NameNBD && math.Abs(m.Test.PredictedPurchases/m.Test.ActualPurchases-1) > 0.35 || m.Caveat == "" {
			t.Errorf("%s: %+v %q", m.Model, m.Test, m.Caveat)
		}
	}
	rows := tell(t, w, "SELECT model, parameter, round(estimate, 3), round(standard_error, 4) FROM model_parameters WHERE used_for = 'expected_purchases' ORDER BY parameter")
	if have := fmt.Sprint(rows); have != "[[BG/NBD a 0.793 0.1857] [BG/NBD alpha 4.414 0.3782] [BG/NBD b 2.426 0.7054] [BG/NBD r 0.243 0.0126]]" {
		t.Error(have)
	}
	rows = tell(t, w, `SELECT count(), uniqExact(customer_id), round(sum(expected_spend), 6), round(sum(discounted_value), 6), any(alive_model), any(purchases_model), any(spend_model), min(p_alive) > 0, max(p_alive) <= 1,
		countIf(discounted_value >= expected_spend), toString(any(as_of)) FROM customer_value`)
	want := fmt.Sprint("[[2357 2357 ", math.Round(r.Spend*1e6)/1e6, " ", math.Round(r.Discounted*1e6)/1e6, " Pareto/NBD BG/NBD Gamma-Gamma 1 1 0 1997-09-30]]")
	if have := fmt.Sprint(rows); have != want {
		t.Errorf("%s, want %s", have, want)
	}
	rows = tell(t, w, "SELECT repeat_purchases, round(recency_weeks, 2), round(age_weeks, 2), round(mean_spend, 3), round(expected_purchases, 3), round(p_alive, 3) FROM customer_value WHERE customer_id = '00004'")
	t.Log(rows)
	if have := fmt.Sprint(rows); !strings.HasPrefix(have, "[[2 30.43 38.86 22.345 ") {
		t.Errorf("the first customer: %s", have)
	}
	// A later run is the one that counts; the first stays beside it.
	if again, err := Daily(context.Background(), w, Options{Now: wallClock.Add(time.Hour)}); err != nil || again != nil {
		t.Errorf("a second run of the day: %v, %v", again, err)
	}
	next, err := Daily(context.Background(), w, Options{Now: wallClock.Add(24 * time.Hour), DiscountRate: 0.2})
	if err != nil || next.Discounted >= r.Discounted || next.Spend != r.Spend {
		t.Fatalf("%v", err)
	}
	rows = tell(t, w, "SELECT (SELECT count() FROM model_predictions), count(), any(run_id), any(discount_rate) FROM customer_value")
	if have := fmt.Sprint(rows); have != "[[4714 2357 2026-03-02T04:00:00.000Z 0.2]]" {
		t.Error(have)
	}
}

// Too little is said, with what is missing; nothing is written.
func TestTooFew(t *testing.T) {
	w := empty(t)
	expect := func(part string) {
		t.Helper()
		_, err := Run(context.Background(), w, Options{Now: wallClock})
		if !errors.Is(err, ErrTooFew) || !strings.Contains(err.Error(), part) {
			t.Errorf("want %q, have %v", part, err)
		}
	}
	expect("no real orders of identified customers")
	day := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	tell(t, w, "INSERT INTO entries (sequence, entry_time) VALUES (1, '2025-12-31 00:00:00')")
	insert(t, w, []order{{account: "s", id: "s", currency: "USD", at: day, minor: 1, simulated: true}})
	expect("all 1 orders are simulated")
	insert(t, w, []order{{account: "a", id: "a1", currency: "USD", at: day, minor: 1}, {account: "a", id: "a2", currency: "USD", at: day.AddDate(0, 0, 20), minor: 1}})
	expect("reach over 20 days; a fit needs 56")
	insert(t, w, []order{{account: "b", id: "b1", currency: "USD", at: day.AddDate(0, 0, 90), minor: 1}})
	expect("2 customers with real orders, of whom 1 bought again; a fit needs 200 and 50")
	if n := fmt.Sprint(tell(t, w, "SELECT (SELECT count() FROM model_runs), (SELECT count() FROM model_predictions), (SELECT count() FROM customer_value)")); n != "[[0 0 0]]" {
		t.Errorf("rows of no run: %s", n)
	}
	if _, err := Run(context.Background(), w, Options{Now: wallClock, DiscountRate: 3}); err == nil {
		t.Error("a discount rate of 300 %")
	}
}

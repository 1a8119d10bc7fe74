package main

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

// figure is one number that must come out: each is one SELECT.
type figure struct {
	what  string
	query string // gives one row with column v
	want  float64
	exact bool // or to the digits of want, 6 decimals
}

func (p *place) figures(list []figure) {
	p.t.Helper()
	for _, f := range list {
		rows := p.sql(f.query)
		if len(rows) != 1 {
			p.t.Errorf("%s: %d rows", f.what, len(rows))
			continue
		}
		var got float64
		if _, err := fmt.Sscan(fmt.Sprint(rows[0]["v"]), &got); err != nil {
			p.t.Errorf("%s: %v", f.what, rows[0]["v"])
			continue
		}
		p.t.Logf("%-42s %v", f.what, rows[0]["v"])
		if math.Abs(got-f.want) > 0.0000005 {
			p.t.Errorf("%s: got %v, want %v", f.what, got, f.want)
		}
	}
}

// TestDemoRoad is make demo without the live part: import, figures, the two
// customers who bought and cancelled, every command beside the running program
// and alone, a second start that imports nothing, verify.
func TestDemoRoad(t *testing.T) {
	p := newPlace(t)
	began := time.Now()
	demo := p.spawn("demo", "--no-live")
	until(t, "import done", 5*time.Minute, func() bool {
		select {
		case <-demo.done:
			t.Fatalf("the demo ended: %v\n%s", demo.err, demo.out)
		default:
		}
		return strings.Contains(demo.out.String(), "nothing more is coming in")
	})
	t.Logf("import and report after %.1f s\n%s", time.Since(began).Seconds(), demo.out)
	p.awaitReady(demo, 30*time.Second)
	p.figures(onlineRetail)
	everyRuleFired(t, p)
	tiersAreFilled(t, p)
	for _, id := range []string{"16446", "12346"} {
		boughtAndCancelled(t, p, id)
	}
	t.Log(p.mustRun("verify"))
	besideCommands(t, p)
	if d := demo.interrupt(); d > 5*time.Second {
		t.Errorf("Ctrl-C took %s, at most 5 s", d)
	}
	entries := p.sql("SELECT count() AS v FROM entries WHERE kind != 'takeover'")[0]["v"] // alone
	again := p.spawn("demo", "--no-live")
	until(t, "second start", 3*time.Minute, func() bool { return strings.Contains(again.out.String(), "nothing more is coming in") })
	if !strings.Contains(again.out.String(), "already imported") {
		t.Errorf("the second start did not say that it was imported:\n%s", again.out)
	}
	if now := p.sql("SELECT count() AS v FROM entries WHERE kind != 'takeover'")[0]["v"]; fmt.Sprint(now) != fmt.Sprint(entries) {
		t.Errorf("the second start made entries: %v, before %v", now, entries)
	}
	again.interrupt()
	goesLive(t, p)
	t.Log(p.mustRun("verify")) // alone
	t.Log(p.mustRun("customer", "12748", "--last", "5"))
}

// goesLive: simulated shoppers buy at the walking clock's pace, verify passes
// under their load, Ctrl-C ends it, and another start goes on.
func goesLive(t *testing.T, p *place) {
	t.Helper()
	simulated := func() float64 {
		n, _ := p.sql("SELECT count() AS v FROM orders WHERE is_simulated")[0]["v"].(float64)
		return n
	}
	last := 0.0
	for range 2 {
		live := p.spawn("demo", "--speed", "12h")
		until(t, "the demo is live", 2*time.Minute, func() bool { return strings.Contains(live.out.String(), "live: simulated shoppers") })
		until(t, "simulated orders", time.Minute, func() bool { return simulated() > last+100 })
		t.Log(p.mustRun("verify"))
		if d := live.interrupt(); d > 5*time.Second {
			t.Errorf("Ctrl-C took %s while live, at most 5 s", d)
		}
		last = simulated()
	}
	rows := p.sql("SELECT countIf(cause_name = 'Order Completed' AND outcome != 'applied') AS orders, countIf(cause_name = 'Order Refunded' AND reason = 'unknown_order') AS refunds FROM entries WHERE is_simulated AND outcome != 'duplicate' AND outcome != 'duplicate_order'")
	if fmt.Sprint(rows[0]["orders"]) != "0" || fmt.Sprint(rows[0]["refunds"]) != "0" {
		t.Errorf("simulated orders not applied, refunds of unknown orders: %v", rows[0])
	}
}

var onlineRetail = []figure{
	{what: "lines of orders with customer id", query: "SELECT count() AS v FROM order_items WHERE is_identified", want: 397884},
	{what: "customers", query: "SELECT customers AS v FROM purchase_kpis WHERE NOT is_simulated", want: 4338},
	{what: "invoices", query: "SELECT orders AS v FROM purchase_kpis WHERE NOT is_simulated", want: 18532},
	{what: "gross spend", query: "SELECT toFloat64(gross_spend) AS v FROM purchase_kpis WHERE NOT is_simulated", want: 8911407.90},
	{what: "average order", query: "SELECT toFloat64(average_order) AS v FROM purchase_kpis WHERE NOT is_simulated", want: 480.866},
	{what: "orders per customer", query: "SELECT round(orders_per_customer, 6) AS v FROM purchase_kpis WHERE NOT is_simulated", want: 4.272015},
	{what: "repeat customers", query: "SELECT repeat_customers AS v FROM purchase_kpis WHERE NOT is_simulated", want: 2845},
	{what: "repeat rate", query: "SELECT round(repeat_rate, 6) AS v FROM purchase_kpis WHERE NOT is_simulated", want: 0.655832},
	{what: "cancel lines with customer", query: "SELECT count() AS v FROM refund_lines WHERE is_identified", want: 8905},
	{what: "cancel lines found in earlier orders", query: "SELECT countIf(match = 'matched') AS v FROM refund_lines WHERE is_identified", want: 7516},
	{what: "cancel lines found in part", query: "SELECT countIf(match = 'partly') AS v FROM refund_lines WHERE is_identified", want: 54},
	{what: "cancel lines not found", query: "SELECT countIf(match = 'unmatched') AS v FROM refund_lines WHERE is_identified", want: 1335},
	{what: "gaps and doubles", query: "SELECT sum(gaps) + sum(doubles) AS v FROM pipeline_health", want: 0},
}

func everyRuleFired(t *testing.T, p *place) {
	t.Helper()
	fired := map[any]bool{}
	for _, row := range p.sql("SELECT rule_id, sum(times) AS times, sum(points) AS points FROM rules_fired GROUP BY rule_id ORDER BY rule_id") {
		t.Logf("rule %v: %v times, %v points", row["rule_id"], row["times"], row["points"])
		fired[row["rule_id"]] = true
	}
	sub, err := fs.Sub(demoBundle, "demo/bundle")
	if err != nil {
		t.Fatal(err)
	}
	files, err := readBundle(sub)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := parseBundle(files)
	if err != nil {
		t.Fatal(err)
	}
	// Rules for events that history does not have wait for the live part.
	for _, rule := range ruleIDs(rules.Book) {
		if !rule.live && !fired[rule.id] {
			t.Errorf("rule %s never fired", rule.id)
		}
	}
}

func tiersAreFilled(t *testing.T, p *place) {
	t.Helper()
	rows := p.sql("SELECT tier, count() AS n, count() / sum(count()) OVER () AS share FROM customers WHERE is_member GROUP BY tier")
	for _, row := range rows {
		t.Logf("tier %v: %v members (%v)", row["tier"], row["n"], row["share"])
		if share, _ := row["share"].(float64); share > 0.6 || share <= 0 {
			t.Errorf("tier %v holds %v of the members", row["tier"], row["share"])
		}
	}
	if len(rows) != 4 {
		t.Errorf("%d tiers hold members, the program has 4", len(rows))
	}
}

// boughtAndCancelled: in no upper tier, no champions, no points from it.
func boughtAndCancelled(t *testing.T, p *place, id string) {
	t.Helper()
	for _, row := range p.sql("SELECT customer_id, is_member, balance, tier, r, f, m, orders FROM customers WHERE customer_id = '" + id + "'") {
		t.Logf("customer %s: %v", id, row)
		if tier := fmt.Sprint(row["tier"]); tier != "" && tier != "bronze" {
			t.Errorf("customer %s is in tier %s", id, tier)
		}
		if fmt.Sprint(row["r"]) == "5" && fmt.Sprint(row["f"]) == "5" && fmt.Sprint(row["m"]) == "5" {
			t.Errorf("customer %s is a champion", id)
		}
	}
	rows := p.sql("SELECT sum(points) AS v FROM points WHERE account = 'customer' AND account_id = '" + id + "' AND order_id IN ('581483', '541431')")
	if v := fmt.Sprint(rows[0]["v"]); v != "0" {
		t.Errorf("customer %s holds %s points of the cancelled order", id, v)
	}
}

// besideCommands runs what a person runs in a second terminal.
func besideCommands(t *testing.T, p *place) {
	t.Helper()
	out := p.mustRun("customer", "12748")
	t.Log(out)
	if !regexp.MustCompile(`balance +\d+ points`).MatchString(out) || !strings.Contains(out, "points by") {
		t.Errorf("punchcard customer does not explain:\n%s", out)
	}
	if out := p.mustRun("program", "show"); !strings.Contains(out, "GBP") {
		t.Errorf("punchcard program show:\n%s", out)
	}
	if out := p.mustRun("sql", "--format", "csv", "SELECT 1 AS one, NULL AS nothing"); out != "one,nothing\n1,\n" {
		t.Errorf("punchcard sql: %q", out)
	}
	if out, err := p.run("sql", "DROP TABLE orders"); err == nil {
		t.Errorf("punchcard sql wrote: %s", out)
	}
	status, answer, err := p.call(context.Background(), "read", "/v1/customers/12748", nil)
	if err != nil || status != 200 {
		t.Errorf("GET /v1/customers/12748: %d %v %v", status, answer, err)
	}
}

package segments_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
	"github.com/punchcard/punchcard/warehouse"
	engine "github.com/punchcard/punchcard/warehouse/embedded"
)

func TestMain(m *testing.M) {
	if engine.IsChild() {
		engine.RunChild()
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openEngine starts ClickHouse with all tables; reader may only read.
func openEngine(t testing.TB) (writer, reader *warehouse.Warehouse) {
	t.Helper()
	if _, err := engine.FindLibrary(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	e, err := engine.Start(context.Background(), engine.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() { e.Close() })
	open := func(c warehouse.Config) *warehouse.Warehouse {
		w, err := warehouse.Open(t.Context(), c)
		must(t, err)
		t.Cleanup(func() { w.Close() })
		return w
	}
	writer = open(warehouse.Config{URL: e.URL(), User: "punchcard", Password: e.WriterKey()})
	must(t, writer.Migrate(t.Context()))
	return writer, open(warehouse.Config{URL: e.URL(), ReadOnly: true})
}

// hostile is text that would end a careless literal.
const hostile = "a'b\\c\"d`e{as_of:String}$1?@x--/*"

var everyLeaf = map[string]string{
	"member": "member: true", "no-member": "member: false",
	"tier": "tier: silver", "tier-in": "tier: {in: [silver, gold]}", "tier-least": "tier: {at_least: silver}", "tier-most": "tier: {at_most: silver}",
	"recency": "recency: {at_most: 3}", "frequency": "frequency: {at_least: 2}", "monetary": "monetary: 5", "scored": "monetary: {known: true}",
	"balance": "balance: {at_least: 50}", "orders": "orders: {at_least: 2}", "spend": "spend: {at_least: 100.00}",
	"next-tier": "spend_to_next_tier: {at_most: 100.00}", "keep-tier": "spend_to_keep_tier: {more_than: 0.00}", "kept-tier": "spend_to_keep_tier: {known: true}",
	"since-first": "days_since_first_order: {at_most: 20}", "since-last": "days_since_last_order: {more_than: 10}",
	"since-enrolled": "days_since_enrolled: {at_most: 14}", "since-tier": "days_since_tier: {at_most: 7}", "to-review": "days_to_tier_review: {at_most: 10}",
	"to-expiry": "days_to_expiry: {at_most: 5}", "expiring": "expiring_points: {at_least: 20}",
	"birthday": "days_to_birthday: {at_most: 30}", "overdue": "overdue: {times: 1.5, orders: 3}",
	"orders-7": "count: {of: order, in: 7 days, at_least: 1}", "orders-week": "count: {of: order, in: this week, at_least: 1}",
	"orders-last-week": "count: {of: order, in: last week, at_least: 1}", "orders-month": "count: {of: order, in: this month, at_least: 2}",
	"orders-last-month": "count: {of: order, in: last month, is: 0}", "orders-quarter": "count: {of: order, in: this quarter, at_least: 3}",
	"orders-last-quarter": "count: {of: order, in: last quarter, at_least: 1}", "orders-year": "count: {of: order, in: this year, at_least: 4}",
	"spend-30": "sum: {of: order, in: 30 days, at_least: 80.00}", "spend-month": "sum: {of: order, in: this month, less_than: 10.00}",
	"web-orders": "count: {of: order, where: {channel: {in: [web, app]}}, at_least: 2}", "web-spend": "sum: {of: order, where: {channel: web}, in: 60 days, at_least: 50.00}",
	"country-spend": "sum: {of: order, where: {country: DE}, at_least: 50.00}",
	"decor":         "count: {of: order, where: {category: decor}, in: 90 days, at_least: 1}", "two-filters": "count: {of: order, where: {category: decor, brand: acme, product: {in: [p1, p2, p3]}}, at_least: 1}",
	"reviews": "count: {of: Product Reviewed, in: 30 days, at_least: 2}", "good-reviews": "count: {of: Product Reviewed, where: {rating: {at_least: 4}}, at_least: 1}",
	"text-reviews": "count: {of: Product Reviewed, where: {text: nice, verified: true}, at_least: 1}", "minutes": "sum: {of: Video Watched, property: minutes, in: 14 days, at_least: 20}",
	"minutes-ever": "sum: {of: Video Watched, property: minutes, less_than: 5}", "month-videos": "count: {of: Video Watched, in: this month, at_least: 2}",
	"since-review": "days_since_last: {of: Product Reviewed, at_most: 9}", "since-first-review": "days_since_first: {of: Product Reviewed, where: {rating: 5}, more_than: 9}",
	"never-reviewed": "never: Product Reviewed", "never-ordered": "never: order", "never-good": "never: {of: Product Reviewed, where: {rating: {at_least: 5}}}",
	"detractor": "latest: {of: Survey Answered, where: {kind: nps}, property: score, at_most: 6}", "latest-text": "latest: {of: Product Reviewed, property: text, in: [nice, bad]}",
	"latest-known": "latest: {of: Product Reviewed, property: text, known: true}", "latest-true": "latest: {of: Product Reviewed, property: verified, is: true}",
	"country": "fact: {name: country, in: [DE, FR]}", "age": "fact: {name: age, at_least: 18, less_than: 60}", "consent": "fact: {name: consent.email, is: true}", "no-consent": "fact: {name: consent.email, is: false}", "language": "fact: {name: language, known: true}",
	"hostile-name": "fact: {name: " + yamlText(hostile) + ", is: " + yamlText(hostile) + "}", "hostile-event": "count: {of: " + yamlText(hostile) + ", where: {" + yamlText(hostile) + ": " + yamlText(hostile) + "}, at_least: 1}",
	"hostile-latest": "latest: {of: " + yamlText(hostile) + ", property: " + yamlText(hostile) + ", in: [" + yamlText(hostile) + "]}",
	"mixed":          "all: [{member: true}, {any: [{orders: {at_least: 3}}, {balance: {at_least: 100}}]}, {not: {segment: lonely}}]",
	"lonely":         "not: {any: [{segment: reviews}, {count: {of: order, in: 30 days, at_least: 1}}]}", "either": "segment: {in: [mixed, gone]}", "gone": "all: [{days_since_last_order: {more_than: 20}}, {not: {fact: {name: country, is: DE}}}]",
}

func yamlText(s string) string {
	out := "'"
	for _, r := range s {
		if r == '\'' {
			out += "'"
		}
		out += string(r)
	}
	return out + "'"
}

const rules = `program: Test
currency: GBP
time_zone: Europe/London
effective_from: always
enrolment:
  - {id: second-order, on: order, number: 2}
  - {id: sign-up, on: sign_up}
points: {name: points, expire_after: 25 days}
earn:
  - {id: base, on: order, points: 1, per: 1.00, round: down}
  - {id: review, on: event, event: Product Reviewed, points: 25}
redemption: {minimum: 1}
tiers:
  window: 40 days
  review: 20 days
  levels:
    - {id: bronze, name: Bronze, spend: 0}
    - {id: silver, name: Silver, spend: 120.00}
    - {id: gold, name: Gold, spend: 300.00}
scores:
  window: 60 days
  method: fixed
  fixed:
    recency_days: [3, 9, 18, 30]
    orders: [1, 2, 3, 6]
    spend: [50.00, 90.00, 140.00, 260.00]
`

func files() map[string]string {
	out := map[string]string{program.ProgramFile: rules}
	for id, who := range everyLeaf {
		out[program.SegmentsDir+id+".yaml"] = "who: {" + who + "}\n"
	}
	return out
}

func parse(t testing.TB, files map[string]string) *segments.Set {
	t.Helper()
	book, problems := program.Parse(files)
	for _, p := range problems {
		t.Error(p)
	}
	if book == nil {
		t.FailNow()
	}
	set, problems := segments.Parse(files, book, nil)
	for _, p := range problems {
		t.Error(p)
	}
	if set == nil {
		t.FailNow()
	}
	return set
}

// Every form of every clause is a query that ClickHouse takes, as a reader.
func TestSQLIsTaken(t *testing.T) {
	set := parse(t, files())
	_, reader := openEngine(t)
	at := event.At(time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC))
	ask := func(q segments.Question) {
		t.Helper()
		text, err := set.SQL(q)
		must(t, err)
		if _, _, err := reader.Ask(t.Context(), text, map[string]string{segments.SQLAsOf: segments.SQLTime(at), segments.SQLPartition: "0", segments.SQLSequence: "10"}); err != nil {
			t.Fatalf("%v: %v\n%s", q.Segments, err, text)
		}
	}
	ask(segments.Question{})
	ask(segments.Question{Form: segments.SQLCustomers, OfPartition: true})
	for id := range everyLeaf {
		ask(segments.Question{Form: segments.SQLReasons, Segments: []string{id}})
	}
}

// Whatever a text holds, its literal is that text and nothing else.
func TestQuoteIsTheText(t *testing.T) {
	_, reader := openEngine(t)
	texts := []string{"", "'", `\`, `\'`, `''`, hostile, "'; DROP TABLE entries; --", "\x00\t\n\r\x7f", "ü€😀", `\x41\n\0`, "{a:String} $1 ? @p %s"}
	all := make([]byte, 0, 127)
	for c := range byte(128) {
		texts = append(texts, string(rune(c)), "x"+string(rune(c))+"'")
		all = append(all, c)
	}
	texts = append(texts, string(all))
	query := "SELECT "
	for i, s := range texts {
		if i > 0 {
			query += ", "
		}
		query += fmt.Sprintf("hex(%s) = '%X'", segments.Quote(s), s)
	}
	_, rows, err := reader.Ask(t.Context(), query, nil)
	must(t, err)
	for i, same := range rows[0] {
		if fmt.Sprint(same) != "1" {
			t.Errorf("%q becomes %s, another text", texts[i], segments.Quote(texts[i]))
		}
	}
}

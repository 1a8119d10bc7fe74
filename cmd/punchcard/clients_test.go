package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	analytics "github.com/segmentio/analytics-go/v3"

	"github.com/punchcard/punchcard/event"
)

// smallProgram gives a point a dollar and 25 a review, and nothing by the date.
const smallProgram = `program: Small
currency: USD
time_zone: UTC
effective_from: always
enrolment:
  - {id: first-order, on: order, number: 1}
points: {name: points, expire_after: 12 months}
earn:
  - {id: base, on: order, points: 1, per: 1.00, round: down}
  - {id: review, on: event, event: Product Reviewed, points: 25}
redemption: {minimum: 1}
refunds: {without_order: allocate}
tiers:
  window: 365 days
  review: 90 days
  levels:
    - {id: bronze, name: Bronze, spend: 0}
    - {id: gold, name: Gold, spend: 50.00}
scores:
  window: 365 days
  method: fixed
  fixed:
    recency_days: [30, 60, 120, 240]
    orders: [1, 2, 4, 8]
    spend: [20.00, 50.00, 100.00, 200.00]
`

// TestClientsOfTheRunningProgram: clients that know nothing of us send and read;
// each shows its event through to the entry, the standing and the SQL row.
func TestClientsOfTheRunningProgram(t *testing.T) {
	p := newPlace(t)
	pr := p.spawn("serve")
	t.Run("no active program", func(t *testing.T) { p.withoutProgram(t, pr) })
	if t.Failed() {
		return
	}
	p.mustRun("program", "activate", bundleDir(t, smallProgram))
	p.awaitReady(pr, 30*time.Second)
	t.Run("Segment Go", p.segmentGo)
	t.Run("Segment Node", p.segmentNode)
	t.Run("plain HTTP", p.plainHTTP)
	t.Run("kafka-go", p.kafkaGo)
	t.Run("ClickHouse over HTTP", p.clickhouseHTTP)
	t.Run("clickhouse-go", p.clickhouseGo)
	t.Run("operators", p.operators)
	t.Run("schemas", p.topicsKeepTheirSchemas)
	t.Log(p.mustRun("verify"))
	pr.interrupt()
}

// bundleDir writes a program into a folder.
func bundleDir(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "program.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plain sends a request as curl would, and returns status and body.
func plain(t *testing.T, method, address, key, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.SetBasicAuth(key, "")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// withoutProgram: not ready, and says why; events are kept without effect.
func (p *place) withoutProgram(t *testing.T, pr *process) {
	last := ""
	until(t, "only the program is missing", time.Minute, func() bool {
		select {
		case <-pr.done:
			t.Fatalf("the program ended: %v", pr.err)
		default:
		}
		resp, err := http.Get("http://" + p.http + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		last = string(text)
		return resp.StatusCode == http.StatusServiceUnavailable && last == "no active program\n"
	})
	if status, text := plain(t, "GET", "http://"+p.http+"/healthz", "", ""); status != 200 || text != "ok\n" {
		t.Errorf("/healthz: %d %q", status, text)
	}
	p.send(t, "server", "/v1/track", `{"userId":"early","messageId":"early-1","event":"Order Completed","properties":{"order_id":"early-o","currency":"USD","total":30}}`)
	until(t, "the entry in ClickHouse", 30*time.Second, func() bool { return len(p.sql("SELECT 1 FROM entries WHERE cause_id = 'early-1'")) == 1 })
	row := p.sql("SELECT outcome, reason, (SELECT count() FROM points) AS points, (SELECT count() FROM orders WHERE order_id = 'early-o') AS orders FROM entries WHERE cause_id = 'early-1'")[0]
	if fmt.Sprint(row) != "map[orders:1 outcome:kept points:0 reason:no_active_program]" {
		t.Errorf("an order without a program: %v", row)
	}
	if out, err := p.run("program", "show"); err == nil || !strings.Contains(out, "no active program") {
		t.Errorf("program show: %v %s", err, out)
	}
}

// send posts to the door and wants 200.
func (p *place) send(t *testing.T, kind, path, body string) string {
	t.Helper()
	status, text := plain(t, "POST", "http://"+p.http+path, p.key(kind), body)
	if status != 200 {
		t.Fatalf("POST %s: %d %s", path, status, text)
	}
	return text
}

// stands reads one's own write: how a customer stands after a message.
func (p *place) stands(t *testing.T, customer, after string) event.Standing {
	t.Helper()
	status, text := plain(t, "GET", "http://"+p.http+"/v1/customers/"+url.PathEscape(customer)+"?after="+url.QueryEscape(after), p.key("read"), "")
	var r reading
	if err := json.Unmarshal([]byte(text), &r); err != nil || status != 200 {
		t.Fatalf("how %s stands after %s: %d %s (%v)", customer, after, status, text, err)
	}
	return r.Standing
}

// through follows a message to its entry at the door and in SQL.
func (p *place) through(t *testing.T, customer, messageID, outcome string) {
	t.Helper()
	where := "cause_id = '" + messageID + "' AND account_id = '" + customer + "'"
	until(t, messageID+" in ClickHouse", 30*time.Second, func() bool { return len(p.sql("SELECT 1 FROM entries WHERE "+where)) > 0 })
	rows := p.sql("SELECT outcome, kind FROM entries WHERE " + where)
	if len(rows) != 1 || rows[0]["outcome"] != outcome || rows[0]["kind"] != "event" {
		t.Errorf("entries of %s: %v, want one %s", messageID, rows, outcome)
	}
	_, text := plain(t, "GET", "http://"+p.http+"/v1/customers/"+url.PathEscape(customer)+"/entries", p.key("read"), "")
	var page struct {
		Entries []event.Entry `json:"entries"`
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatalf("entries of %s: %v in %s", customer, err, text)
	}
	n := 0
	for _, e := range page.Entries {
		if e.Cause.ID == messageID && e.Kind == event.KindEvent {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the door shows %d entries of %s, want 1: %s", n, messageID, text)
	}
}

// said collects what Segment's Go client says of its messages.
type said struct {
	mu     sync.Mutex
	good   int
	failed []error
}

func (s *said) Success(analytics.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good++
}

func (s *said) Failure(_ analytics.Message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, err)
}

func (s *said) sum() (good int, failed error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.good, errors.Join(s.failed...)
}

func (p *place) segmentGo(t *testing.T) {
	s := &said{}
	client, err := analytics.NewWithConfig(p.key("server"), analytics.Config{Endpoint: "http://" + p.http, Callback: s})
	if err != nil {
		t.Fatal(err)
	}
	products := []map[string]any{{"product_id": "tea", "price": 25.50, "quantity": 2}, {"sku": "cup", "price": 9.90}}
	order := analytics.NewProperties().SetOrderId("go-o1").SetCurrency("USD").Set("products", products)
	for _, m := range []analytics.Message{
		analytics.Identify{UserId: "go-1", MessageId: "go-m1", Traits: analytics.NewTraits().SetEmail("go@shop.example")},
		analytics.Track{UserId: "go-1", MessageId: "go-m2", Event: "Order Completed", Properties: order},
		analytics.Track{UserId: "go-1", MessageId: "go-m3", Event: "Product Reviewed", Properties: analytics.NewProperties().Set("product_id", "tea")},
		analytics.Track{UserId: "go-1", MessageId: "go-m4", Event: "Something Else"},
		analytics.Page{AnonymousId: "go-a", MessageId: "go-m5", Name: "Home"},
	} {
		if err := client.Enqueue(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil { // sends them as one batch: batches of this client overtake each other
		t.Fatal(err)
	}
	if good, failed := s.sum(); good != 5 || failed != nil {
		t.Fatalf("the client says %d of 5 were sent: %v", good, failed)
	}
	got := p.stands(t, "go-1", "go-m4")
	// 2 × 25.50 + 9.90 = 60.90: 60 points, and 25 of the review.
	if got.Balance != 85 || got.NetSpendMinor != 6090 || got.Tier != "gold" || !got.Member {
		t.Errorf("go-1 stands at %+v", got)
	}
	p.through(t, "go-1", "go-m2", "applied")
	p.through(t, "go-1", "go-m3", "applied")
	p.through(t, "go-1", "go-m4", "kept")
	p.through(t, "anon:go-a", "go-m5", "kept")
	p.row(t, "SELECT account_id, number, toString(net_minor) AS net FROM orders WHERE order_id = 'go-o1'", "map[account_id:go-1 net:6090 number:1]")
	p.row(t, "SELECT sum(points) AS points FROM points WHERE account = 'customer' AND account_id = 'go-1'", "map[points:85]")
	p.row(t, "SELECT balance, tier FROM customers WHERE customer_id = 'go-1'", "map[balance:85 tier:gold]")
}

// row wants a query to give one row.
func (p *place) row(t *testing.T, query, want string) {
	t.Helper()
	if rows := p.sql(query); len(rows) != 1 || fmt.Sprint(rows[0]) != want {
		t.Errorf("%s: %v, want %s", query, rows, want)
	}
}

// nodeClient installs Segment's Node client as its lock file says, once, and
// returns its folder.
func nodeClient(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatalf("npm is needed for Segment's Node client (Node 18 or later): %v", err)
	}
	dir, from := filepath.Join(root, ".clients", "node"), filepath.Join("testdata", "node")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	complete := filepath.Join(dir, ".complete") // holds the lock file that was installed
	wanted, err := os.ReadFile(filepath.Join(from, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	have, _ := os.ReadFile(complete)
	for _, name := range []string{"package.json", "package-lock.json", "send.js"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(have, wanted) {
		return dir
	}
	cmd := exec.Command(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.WriteFile(complete, wanted, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (p *place) segmentNode(t *testing.T) {
	type call struct {
		Call   string         `json:"call"`
		Params map[string]any `json:"params"`
	}
	calls, err := json.Marshal([]call{
		{"identify", map[string]any{"userId": "node-1", "traits": map[string]any{"email": "node@shop.example"}}},
		{"track", map[string]any{"userId": "node-1", "event": "Order Completed", "properties": map[string]any{
			"order_id": "node-o1", "currency": "USD", "discount": 5, "products": []map[string]any{{"product_id": "lamp", "price": 45.25, "quantity": 1}}}}},
		{"page", map[string]any{"anonymousId": "node-a", "name": "Home"}},
		{"alias", map[string]any{"userId": "node-1", "previousId": "node-a"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "send.js")
	cmd.Dir = nodeClient(t)
	cmd.Env = append(os.Environ(), "HOST=http://"+p.http, "WRITE_KEY="+p.key("server"))
	cmd.Stdin = bytes.NewReader(calls)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s%s", err, &out, &problems)
	}
	ids := map[string]string{}
	for dec := json.NewDecoder(&out); dec.More(); {
		var m struct {
			Type      string `json:"type"`
			MessageID string `json:"message_id"`
		}
		if err := dec.Decode(&m); err != nil {
			t.Fatal(err)
		}
		ids[m.Type] = m.MessageID
	}
	if len(ids) != 4 {
		t.Fatalf("the client says that these were sent: %v", ids)
	}
	got := p.stands(t, "node-1", ids["track"])
	if got.Balance != 40 || got.NetSpendMinor != 4025 || got.Tier != "bronze" {
		t.Errorf("node-1 stands at %+v", got)
	}
	p.through(t, "node-1", ids["track"], "applied")
	p.through(t, "anon:node-a", ids["page"], "kept")
	p.row(t, "SELECT account_id, toString(net_minor) AS net, toString(discount_minor) AS discount FROM orders WHERE order_id = 'node-o1'", "map[account_id:node-1 discount:500 net:4025]")
	p.row(t, "SELECT balance FROM customers WHERE customer_id = 'node-1'", "map[balance:40]")
}

// plainHTTP: redemptions, surveys, refunds and what is refused, as curl sends it.
func (p *place) plainHTTP(t *testing.T) {
	text := p.send(t, "server", "/v1/batch", `{"batch":[
		{"type":"track","userId":"curl-1","messageId":"curl-m1","event":"Order Completed","properties":{"order_id":"curl-o1","currency":"USD","products":[{"product_id":"p","price":"10.01","quantity":3}]}},
		{"type":"track","userId":"curl-1","messageId":"curl-m2","event":"Order Completed","properties":{"order_id":"curl-o2","total":5}},
		{"type":"track","userId":"curl-1","messageId":"curl-m3","event":"Survey Answered","properties":{"kind":"nps","score":9}},
		{"type":"track","userId":"curl-1","messageId":"curl-m4","event":"Order Refunded","properties":{"order_id":"curl-o1","currency":"USD","products":[{"product_id":"p","price":"10.01","quantity":1}]}},
		{"type":"track","userId":"curl-1","messageId":"curl-m5","event":"Order Completed","properties":{"order_id":"curl-o1","currency":"USD","products":[{"product_id":"p","price":"10.01","quantity":3}]}}]}`)
	var answer struct{ Accepted, Rejected int }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Accepted != 4 || answer.Rejected != 1 {
		t.Errorf("a batch with one bad message: %s", text)
	}
	// 30 points for 30.03; a third of the money goes back, and its points.
	if got := p.stands(t, "curl-1", "curl-m5"); got.Balance != 20 || got.NetSpendMinor != 2002 {
		t.Errorf("curl-1 stands at %+v", got)
	}
	p.through(t, "curl-1", "curl-m5", "duplicate_order")
	redeem := `{"idempotency_key":"curl-r1","customer_id":"curl-1","points":15,"order_id":"curl-o3"}`
	first := p.send(t, "server", "/v1/redemptions", redeem)
	if again := p.send(t, "server", "/v1/redemptions", redeem); again != first || !strings.Contains(first, `"balance":5`) {
		t.Errorf("the same redemption twice: %s, then %s", first, again)
	}
	if status, text := plain(t, "POST", "http://"+p.http+"/v1/redemptions", p.key("server"), strings.Replace(redeem, "15", "14", 1)); status != http.StatusConflict {
		t.Errorf("the same key with another body: %d %s", status, text)
	}
	// Beyond what a public key may do: kept as a reject, and the answer says so.
	text = p.send(t, "public", "/v1/track", `{"userId":"curl-1","messageId":"curl-m6","event":"Order Completed","properties":{"order_id":"curl-o4","currency":"USD","total":1000}}`)
	if !strings.Contains(text, "key_not_allowed") {
		t.Errorf("an order with a public key: %s", text)
	}
	until(t, "both rejects in ClickHouse", 30*time.Second, func() bool {
		return len(p.sql("SELECT 1 FROM rejects WHERE message_id IN ('curl-m2', 'curl-m6')")) == 2
	})
	p.row(t, "SELECT code, field, hint != '' AS hint, position(original, 'curl-o2') > 0 AS original FROM rejects WHERE message_id = 'curl-m2'", "map[code:missing_field field:properties.currency hint:1 original:1]")
	p.row(t, "SELECT code FROM rejects WHERE message_id = 'curl-m6'", "map[code:key_not_allowed]")
	p.row(t, "SELECT count() AS n FROM surveys WHERE account_id = 'curl-1'", "map[n:1]")
	until(t, "the redemption in ClickHouse", 30*time.Second, func() bool { return len(p.sql("SELECT 1 FROM redemptions WHERE redemption_id = 'curl-r1'")) > 0 })
	p.row(t, "SELECT points, balance FROM redemptions WHERE redemption_id = 'curl-r1'", "map[balance:5 points:15]")
}

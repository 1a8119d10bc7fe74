package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/punchcard/punchcard/ingest"
)

// loadProgram is a program that a few lines of Go can model: a point per whole
// pound of an order, ten on becoming a member, nothing expires.
const loadProgram = `program: Load
currency: GBP
time_zone: UTC
effective_from: always
enrolment:
  - {id: first-order, on: order, number: 1}
points: {name: points, expire_after: never}
earn:
  - {id: base, on: order, points: 1, per: 1.00, round: down}
  - {id: welcome, on: enrolment, points: 10}
stacking: multiply
refunds: {without_order: allocate}
redemption: {minimum: 1}
tiers:
  window: 365 days
  review: 90 days
  levels:
    - {id: bronze, name: Bronze, spend: 0}
    - {id: silver, name: Silver, spend: 300.00}
scores:
  window: 365 days
  method: fixed
  fixed:
    recency_days: [30, 60, 120, 240]
    orders: [1, 2, 4, 8]
    spend: [50.00, 100.00, 250.00, 500.00]
`

const loadWelcome = 10

// loadCampaigns are segments and campaigns that fire often under load, at once and
// after a wait: whatever is killed, each run must end once.
var loadCampaigns = map[string]string{
	"segments/frequent.yaml": "who: {count: {of: order, in: 30 days, at_least: 3}}\n",
	"segments/saver.yaml":    "who: {all: [{balance: {at_least: 100}}, {not: {segment: frequent}}]}\n",
	"campaigns/thanks.yaml": `purpose: service
channel: email
when: {event: Order Completed}
again: always
holdout: 10
message: {subject: "Thank you", text: "You have {{balance}} points."}
`,
	"campaigns/frequent.yaml": `purpose: service
channel: push
when: {enters: frequent}
again: never
holdout: 20
message: {text: "Your third order in a month."}
`,
	"campaigns/then.yaml": `purpose: service
channel: sms
when: {event: Order Completed}
again: always
wait_for: {event: Order Completed, within: 2 days, if_comes: send, if_not: stop}
message: {text: "And another one."}
`,
	"campaigns/next.yaml": `purpose: service
channel: email
when: {leaves: saver}
again: always
wait_for: {event: Order Completed, within: 2 days, if_comes: send, if_not: stop}
arms:
  - {id: a, weight: 1, subject: "A", text: "{{orders}} orders"}
  - {id: b, weight: 1, subject: "B", text: "{{orders}} orders so far"}
`,
}

// writeBundle makes a folder that program activate takes: the program with the
// campaigns of the load.
func writeBundle(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	files := maps.Clone(loadCampaigns)
	files["program.yaml"] = text
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// seedOf is a test's seed: PUNCHCARD_TEST_SEED, or a new one; printed.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PUNCHCARD_TEST_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("PUNCHCARD_TEST_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("seed: PUNCHCARD_TEST_SEED=%d", seed)
	return seed
}

// load is clients that post orders, refunds, redemptions and repeats, and try
// again with the same ids until each is confirmed; and the model of what must
// come of them.
type load struct {
	t       *testing.T
	clients sync.WaitGroup
	done    chan struct{} // closed: finish what you are at
	ending  sync.Once
	over    atomic.Bool  // do not even that
	acked   atomic.Int64 // messages
	retries atomic.Int64
	refused atomic.Int64

	mu          sync.Mutex
	sent        map[string]bool           // message ids
	confirmed   map[string]bool           // of those
	orders      map[string]placed         // by order id
	refunds     map[string]int64          // minor units, by refund id
	redemptions map[string]map[string]any // answers, by key
	accounts    map[string]*account
}

type placed struct {
	account string
	minor   int64
}

// account is the model of a customer.
type account struct {
	earned, reversed, redeemed int64
	netMinor                   int64
	member                     bool
}

func (a *account) balance() int64 {
	b := a.earned - a.reversed - a.redeemed
	if a.member {
		b += loadWelcome
	}
	return b
}

// startLoad runs that many clients; client i talks to place i mod len(places).
func startLoad(t *testing.T, seed uint64, clients, customers int, places ...*place) *load {
	l := &load{t: t, done: make(chan struct{}), sent: map[string]bool{}, confirmed: map[string]bool{}, orders: map[string]placed{},
		refunds: map[string]int64{}, redemptions: map[string]map[string]any{}, accounts: map[string]*account{}}
	for i := range clients {
		c := &client{l: l, id: i, customers: customers, place: places[i%len(places)], rng: rand.New(rand.NewPCG(seed, uint64(i)+1))}
		l.clients.Add(1)
		go func() {
			defer l.clients.Done()
			c.run()
		}()
	}
	t.Cleanup(l.abandon)
	return l
}

// abandon ends the clients of a test that has failed.
func (l *load) abandon() {
	l.over.Store(true)
	l.ending.Do(func() { close(l.done) })
	l.clients.Wait()
}

// stop lets each client finish what it is at.
func (l *load) stop() {
	l.t.Helper()
	l.ending.Do(func() { close(l.done) })
	ended := make(chan struct{})
	go func() { l.clients.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(90 * time.Second):
		l.t.Fatal("clients are still waiting for a confirmation after 90 s")
	}
}

func (l *load) account(id string) *account {
	if l.accounts[id] == nil {
		l.accounts[id] = &account{}
	}
	return l.accounts[id]
}

// message is one call of Segment's API.
type message map[string]any

func (m message) id() string { return m["messageId"].(string) }

// client is one sender.
type client struct {
	l         *load
	id        int
	n         int
	customers int
	place     *place
	rng       *rand.Rand
	mine      []*basket // confirmed
	keys      []redemption
}

// basket is an order as it was sent.
type basket struct {
	message  message
	id       string
	account  string
	lines    []int64 // minor units
	refunded bool
}

type redemption struct {
	key, account string
	points       int64
}

func (c *client) run() {
	for {
		select {
		case <-c.l.done:
			return
		default:
		}
		var ok bool
		switch n := c.rng.IntN(100); {
		case n < 55 || len(c.mine) == 0:
			ok = c.order()
		case n < 70:
			ok = c.refund()
		case n < 85:
			ok = c.redeem()
		default:
			ok = c.repeat()
		}
		if !ok {
			return // it has been reported
		}
	}
}

func (c *client) next(kind string) string {
	c.n++
	return fmt.Sprintf("%s-%d-%d", kind, c.id, c.n)
}

// order posts one order, or a batch of them.
func (c *client) order() bool {
	var list []*basket
	var messages []message
	n := 1
	if c.rng.IntN(4) == 0 {
		n = 2 + c.rng.IntN(4)
	}
	for range n {
		b := c.basket()
		list, messages = append(list, b), append(messages, b.message)
	}
	if !c.send(messages...) {
		return false
	}
	l := c.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range list {
		a, sum := l.account(b.account), int64(0)
		for _, minor := range b.lines {
			sum += minor
		}
		a.member, a.earned, a.netMinor = true, a.earned+sum/100, a.netMinor+sum
		l.orders[b.id] = placed{b.account, sum}
	}
	c.mine = append(c.mine, list...)
	return true
}

// basket makes an order. Those of several lines cost whole pounds, so that the
// points of a line are known.
func (c *client) basket() *basket {
	b := &basket{id: c.next("order"), account: fmt.Sprintf("customer-%d", c.rng.IntN(c.customers))}
	b.lines = []int64{100 + int64(c.rng.IntN(9900))}
	if c.rng.IntN(2) == 0 {
		b.lines = nil
		for range 2 + c.rng.IntN(2) {
			b.lines = append(b.lines, int64(1+c.rng.IntN(40))*100)
		}
	}
	var products []any
	for i, minor := range b.lines {
		products = append(products, product(i, minor))
	}
	b.message = c.track(b.account, "Order Completed", map[string]any{"order_id": b.id, "currency": "GBP", "products": products})
	return b
}

func product(i int, minor int64) map[string]any {
	return map[string]any{"product_id": fmt.Sprintf("sku-%d", i), "quantity": 1, "price": fmt.Sprintf("%d.%02d", minor/100, minor%100)}
}

func (c *client) track(account, name string, properties map[string]any) message {
	return message{"messageId": c.next("message"), "type": "track", "userId": account, "event": name,
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano), "properties": properties}
}

// refund gives back an order of this client, whole or one line of it.
func (c *client) refund() bool {
	b := c.mine[c.rng.IntN(len(c.mine))]
	if b.refunded {
		return true
	}
	b.refunded = true
	id, minor := c.next("refund"), int64(0)
	properties := map[string]any{"refund_id": id, "order_id": b.id, "currency": "GBP"}
	if len(b.lines) > 1 && c.rng.IntN(2) == 0 {
		i := c.rng.IntN(len(b.lines))
		minor = b.lines[i]
		properties["products"] = []any{product(i, minor)}
	} else {
		for _, line := range b.lines {
			minor += line
		}
	}
	if !c.send(c.track(b.account, "Order Refunded", properties)) {
		return false
	}
	l := c.l
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(b.account)
	a.reversed, a.netMinor = a.reversed+minor/100, a.netMinor-minor
	l.refunds[id] = minor
	return true
}

// repeat sends again what was confirmed: the same message, the same order in
// another message, or the same redemption.
func (c *client) repeat() bool {
	b := c.mine[c.rng.IntN(len(c.mine))]
	switch n := c.rng.IntN(3); {
	case n == 0:
		return c.send(b.message)
	case n == 1:
		return c.send(c.track(b.account, "Order Completed", b.message["properties"].(map[string]any)))
	case len(c.keys) == 0:
		return true
	}
	k := c.keys[c.rng.IntN(len(c.keys))]
	answer, ok := c.ask(k)
	if !ok {
		return false
	}
	c.l.mu.Lock()
	first := c.l.redemptions[k.key]
	c.l.mu.Unlock()
	if !maps.Equal(answer, first) {
		c.l.t.Errorf("redemption %s: first %v, again %v", k.key, first, answer)
	}
	return true
}

// redeem spends points of a customer of this client's.
func (c *client) redeem() bool {
	k := redemption{c.next("redeem"), c.mine[c.rng.IntN(len(c.mine))].account, int64(1 + c.rng.IntN(60))}
	answer, ok := c.ask(k)
	if !ok {
		return false
	}
	l := c.l
	l.mu.Lock()
	defer l.mu.Unlock()
	l.redemptions[k.key] = answer
	if answer["accepted"] == true {
		l.account(k.account).redeemed += k.points
	} else {
		l.refused.Add(1)
	}
	c.keys = append(c.keys, k)
	return true
}

// ask posts a redemption until it is decided.
func (c *client) ask(k redemption) (map[string]any, bool) {
	id := ingest.RedeemMessagePrefix + k.key
	c.l.note(c.l.sent, id)
	var answer map[string]any
	ok := c.until("redemption "+k.key, func(ctx context.Context) (int, map[string]any, error) {
		status, a, err := c.place.call(ctx, "server", "/v1/redemptions", map[string]any{"idempotency_key": k.key, "customer_id": k.account, "points": k.points})
		answer = a
		return status, a, err
	})
	if ok {
		c.l.note(c.l.confirmed, id)
		c.l.acked.Add(1)
	}
	return answer, ok
}

// send posts messages until the door says 200.
func (c *client) send(messages ...message) bool {
	for _, m := range messages {
		c.l.note(c.l.sent, m.id())
	}
	path, body := "/v1/track", any(messages[0])
	if len(messages) > 1 {
		path, body = "/v1/batch", map[string]any{"batch": messages}
	}
	ok := c.until(messages[0].id(), func(ctx context.Context) (int, map[string]any, error) {
		status, answer, err := c.place.call(ctx, "server", path, body)
		if err == nil && status == http.StatusOK && fmt.Sprint(answer["accepted"]) != fmt.Sprint(len(messages)) {
			return http.StatusBadRequest, answer, nil
		}
		return status, answer, err
	})
	if !ok {
		return false
	}
	for _, m := range messages {
		c.l.note(c.l.confirmed, m.id())
	}
	c.l.acked.Add(int64(len(messages)))
	return true
}

func (l *load) note(set map[string]bool, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set[id] = true
}

const (
	callTimeout = 20 * time.Second // more than the door waits for an entry
	retryPause  = 25 * time.Millisecond
	giveUp      = 2 * time.Minute
)

// until calls until the answer is final: 200, or 422 of a refused redemption.
func (c *client) until(what string, call func(context.Context) (int, map[string]any, error)) bool {
	deadline := time.Now().Add(giveUp)
	for !c.l.over.Load() {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		status, answer, err := call(ctx)
		cancel()
		switch {
		case err != nil, status == http.StatusAccepted, status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		case status == http.StatusOK, status == http.StatusUnprocessableEntity && answer["code"] != nil:
			return true
		default:
			c.l.t.Errorf("%s: the door says %d %v", what, status, answer)
			return false
		}
		if time.Now().After(deadline) {
			c.l.t.Errorf("%s: not confirmed within %s, last %d %v %v", what, giveUp, status, answer, err)
			return false
		}
		c.l.retries.Add(1)
		time.Sleep(retryPause)
	}
	return false
}

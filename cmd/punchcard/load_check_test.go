package main

import (
	"context"
	"fmt"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// cluster opens the broker of a running program.
func (p *place) cluster() *stream.Cluster {
	p.t.Helper()
	cfg := stream.Config{Brokers: []string{p.broker}}
	if kafka() != "" {
		cfg.Brokers, cfg.Prefix = []string{kafka()}, p.tenant+"."
	}
	c, err := stream.Open(context.Background(), cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(c.Close)
	return c
}

// entries reads the whole ledger once everything in events is decided.
func (p *place) entries(within time.Duration) []*event.Entry {
	p.t.Helper()
	c, ctx := p.cluster(), context.Background()
	ends, err := c.Ends(ctx, event.TopicEvents, stream.ReadUncommitted)
	if err != nil {
		p.t.Fatal(err)
	}
	until(p.t, "all events are decided", within, func() bool {
		for part, r := range ends {
			tail, err := c.Tail(ctx, event.TopicLedger, part, 1)
			if err != nil || len(tail) == 0 {
				return err == nil && r.End == 0
			}
			if _, _, source, ok := event.EntryPosition(tail[0].Value); !ok || source < r.End-1 {
				return false
			}
		}
		return true
	})
	ledger, err := c.Ends(ctx, event.TopicLedger, stream.ReadUncommitted)
	if err != nil {
		p.t.Fatal(err)
	}
	var all []*event.Entry
	for part, r := range ledger {
		_, err := c.Scan(ctx, event.TopicLedger, part, r.Start, r.End, stream.ReadCommitted, func(rec *stream.Record) error {
			e := &event.Entry{}
			all = append(all, e)
			return event.DecodeEntry(rec.Value, e)
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return all
}

// tally is what a ledger holds.
type tally struct {
	messages map[string]int
	orders   map[string]int // applied, with the fact
	refunds  map[string]int
	answers  map[string]int // decided redemptions
	spent    map[string]int64
	standing map[string]*event.Standing
	newest   map[string]int64
	outcomes map[event.Outcome]int
}

func (l *load) tally(entries []*event.Entry) *tally {
	t := &tally{messages: map[string]int{}, orders: map[string]int{}, refunds: map[string]int{}, answers: map[string]int{},
		spent: map[string]int64{}, standing: map[string]*event.Standing{}, newest: map[string]int64{}, outcomes: map[event.Outcome]int{}}
	for _, e := range entries {
		if e.Kind == event.KindEvent {
			t.messages[e.Cause.ID]++
			t.outcomes[e.Outcome]++
		}
		if o := e.Order; o != nil && e.Outcome == event.OutcomeApplied {
			t.orders[o.OrderID]++
			if want := l.orders[o.OrderID]; o.NetMinor != want.minor || e.AccountID != want.account {
				l.t.Errorf("order %s: %d of %s in the ledger, sent %+v", o.OrderID, o.NetMinor, e.AccountID, want)
			}
		}
		if r := e.Refund; r != nil && e.Outcome == event.OutcomeApplied {
			t.refunds[r.RefundID]++
			if want := l.refunds[r.RefundID]; r.NetMinor != want || r.MatchedMinor != want {
				l.t.Errorf("refund %s: %d, matched %d; sent %d", r.RefundID, r.NetMinor, r.MatchedMinor, want)
			}
		}
		if r := e.Redemption; r != nil && e.Outcome != event.OutcomeDuplicate {
			t.answers[r.RedemptionID]++
		}
		for _, post := range e.Postings {
			if post.Account == event.AccountSpent {
				t.spent[e.AccountID] += post.Points
			}
		}
		if e.Standing != nil && e.Sequence > t.newest[e.AccountID] {
			t.standing[e.AccountID], t.newest[e.AccountID] = e.Standing, e.Sequence
		}
	}
	return t
}

// check compares a ledger with what the clients know.
func (l *load) check(entries []*event.Entry) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tally(entries)
	l.t.Logf("%d messages sent and confirmed (%d calls tried again): %d orders, %d refunds, %d redemptions (%d refused), %d customers; %d entries; outcomes %v",
		len(l.confirmed), l.retries.Load(), len(l.orders), len(l.refunds), len(l.redemptions), l.refused.Load(), len(l.accounts), len(entries), t.outcomes)
	for id := range l.confirmed {
		if t.messages[id] == 0 {
			l.t.Errorf("lost: message %s was confirmed and has no entry", id)
		}
	}
	for id := range t.messages {
		if !l.sent[id] {
			l.t.Errorf("from nowhere: message %s was never sent", id)
		}
	}
	each := func(what string, got map[string]int, id string) {
		if got[id] != 1 {
			l.t.Errorf("%s %s counted %d times", what, id, got[id])
		}
	}
	for id := range l.orders {
		each("order", t.orders, id)
	}
	for id := range l.refunds {
		each("refund", t.refunds, id)
	}
	for key := range l.redemptions {
		each("redemption", t.answers, key)
	}
	if len(t.orders) != len(l.orders) || len(t.refunds) != len(l.refunds) || len(t.answers) != len(l.redemptions) {
		l.t.Errorf("the ledger has %d orders, %d refunds, %d redemptions", len(t.orders), len(t.refunds), len(t.answers))
	}
	for id, a := range l.accounts {
		switch s := t.standing[id]; {
		case s == nil:
			l.t.Errorf("customer %s has no standing", id)
		case s.Balance != a.balance() || s.NetSpendMinor != a.netMinor || s.Member != a.member || t.spent[id] != a.redeemed:
			l.t.Errorf("customer %s: the ledger says balance %d, net spend %d, spent %d; the model %d, %d, %d",
				id, s.Balance, s.NetSpendMinor, t.spent[id], a.balance(), a.netMinor, a.redeemed)
		}
	}
}

// checkWarehouse compares the table customers with the model.
func (l *load) checkWarehouse(p *place) {
	l.t.Helper()
	rows := p.sql("SELECT customer_id, toString(balance) AS balance FROM customers")
	if len(rows) != len(l.accounts) {
		l.t.Errorf("ClickHouse has %d customers, the model %d", len(rows), len(l.accounts))
	}
	for _, row := range rows {
		id := fmt.Sprint(row["customer_id"])
		if a := l.accounts[id]; a == nil || fmt.Sprint(a.balance()) != row["balance"] {
			l.t.Errorf("ClickHouse: customer %s has balance %v, the model %+v", id, row["balance"], a)
		}
	}
}

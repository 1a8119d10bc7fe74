package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	redemptionCalls = 1000
	redemptionPairs = 250 // calls that share their key with another one
	redeemBalance   = 3000
)

// decision is a final answer of the door.
type decision struct {
	status int
	answer map[string]any
}

// TestThousandRedemptionsNeverBelowZero sends 1,000 redemptions of one customer at
// once, half of them pairs of one key. What is accepted never exceeds the balance,
// a key has one answer for ever, also after kill -9, and another body under a used
// key is a conflict.
func TestThousandRedemptionsNeverBelowZero(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 0))
	p := newPlace(t)
	p.mustRun("program", "activate", writeBundle(t, loadProgram))
	pr := p.spawn("serve")
	p.awaitReady(pr, time.Minute)
	if got := buyPoints(t, p, "spender", redeemBalance-loadWelcome); got != redeemBalance {
		t.Fatalf("balance %d, want %d", got, redeemBalance)
	}
	calls := thousandRedemptions(rng)
	began := time.Now()
	first := redeemAll(t, p, calls)
	took := time.Since(began)
	accepted, keys := acceptedPoints(t, calls, first)
	if left := balanceOf(t, p, "spender"); left != redeemBalance-accepted || left < 0 {
		t.Errorf("balance %d after %d points of %d", left, accepted, redeemBalance)
	}
	t.Logf("%d calls, %d keys, %d of %d points spent, %.2f s", len(calls), keys, accepted, redeemBalance, took.Seconds())
	conflicts(t, p, calls[:20])
	verified(t, p)
	pr.kill()
	again := p.spawn("serve")
	p.awaitReady(again, time.Minute)
	for i, d := range redeemAll(t, p, calls) {
		if d.status != first[i].status || !maps.Equal(d.answer, first[i].answer) {
			t.Errorf("key %v: first %v, after the restart %v", calls[i]["idempotency_key"], first[i], d)
		}
	}
	conflicts(t, p, calls[:20])
	if left := balanceOf(t, p, "spender"); left != redeemBalance-accepted {
		t.Errorf("balance %d after asking again, was %d", left, redeemBalance-accepted)
	}
	again.interrupt()
	verified(t, p)
}

// buyPoints posts an order of that many pounds and returns the balance after it.
func buyPoints(t *testing.T, p *place, customer string, pounds int) int64 {
	t.Helper()
	order := message{"messageId": "buy-" + customer, "userId": customer, "event": "Order Completed", "properties": map[string]any{
		"order_id": "order-" + customer, "currency": "GBP", "products": []any{product(0, int64(pounds)*100)}}}
	status, answer, err := p.call(context.Background(), "server", "/v1/track", order)
	if err != nil || status != http.StatusOK {
		t.Fatalf("order: %d %v %v", status, answer, err)
	}
	status, answer, err = p.call(context.Background(), "read", "/v1/customers/"+customer+"?after=buy-"+customer, nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("customer: %d %v %v", status, answer, err)
	}
	return balance(t, answer)
}

func balanceOf(t *testing.T, p *place, customer string) int64 {
	t.Helper()
	status, answer, err := p.call(context.Background(), "read", "/v1/customers/"+customer, nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("customer: %d %v %v", status, answer, err)
	}
	return balance(t, answer)
}

// balance reads it from the door's answer.
func balance(t *testing.T, answer map[string]any) int64 {
	t.Helper()
	standing, _ := answer["standing"].(map[string]any)
	points, ok := standing["balance"].(float64)
	if !ok {
		t.Fatalf("no balance in %v", answer)
	}
	return int64(points)
}

// thousandRedemptions are 1,000 bodies in any order; far more points than there
// are.
func thousandRedemptions(rng *rand.Rand) []map[string]any {
	var calls []map[string]any
	for i := range redemptionCalls - redemptionPairs {
		body := map[string]any{"idempotency_key": fmt.Sprintf("key-%d", i), "customer_id": "spender", "points": 1 + rng.IntN(20)}
		calls = append(calls, body)
		if i < redemptionPairs {
			calls = append(calls, body)
		}
	}
	rng.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	return calls
}

// redeemAll makes all calls at once; each is asked again until it is decided.
func redeemAll(t *testing.T, p *place, calls []map[string]any) []decision {
	t.Helper()
	out := make([]decision, len(calls))
	var g errgroup.Group
	start := make(chan struct{})
	for i, body := range calls {
		g.Go(func() error {
			<-start
			for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(retryPause) {
				ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
				status, answer, err := p.call(ctx, "server", "/v1/redemptions", body)
				cancel()
				switch {
				case err != nil:
					return err
				case status == http.StatusAccepted, status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
					continue
				}
				out[i] = decision{status, answer}
				return nil
			}
			return fmt.Errorf("redemption %v was not decided within a minute", body)
		})
	}
	close(start)
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return out
}

// acceptedPoints sums what was accepted, each key once, and checks the answers.
func acceptedPoints(t *testing.T, calls []map[string]any, got []decision) (points int64, keys int) {
	t.Helper()
	byKey := map[any]decision{}
	refused := 0
	for i, d := range got {
		key := calls[i]["idempotency_key"]
		if one, ok := byKey[key]; ok {
			if one.status != d.status || !maps.Equal(one.answer, d.answer) {
				t.Errorf("key %v has two answers: %v and %v", key, one, d)
			}
			continue
		}
		byKey[key] = d
		left, _ := d.answer["balance"].(float64)
		switch {
		case left < 0:
			t.Errorf("key %v: balance %v", key, left)
		case d.status == http.StatusOK && d.answer["accepted"] == true:
			points += int64(calls[i]["points"].(int))
		case d.status == http.StatusUnprocessableEntity && d.answer["code"] == "insufficient_points":
			if refused++; left >= float64(calls[i]["points"].(int)) {
				t.Errorf("key %v: %v points refused with a balance of %v", key, calls[i]["points"], left)
			}
		default:
			t.Errorf("key %v: %v", key, d)
		}
	}
	if refused == 0 || points == 0 {
		t.Errorf("%d refused, %d points accepted: nothing was short", refused, points)
	}
	if points > redeemBalance {
		t.Errorf("%d points accepted of %d", points, redeemBalance)
	}
	return points, len(byKey)
}

// conflicts sends other bodies under used keys.
func conflicts(t *testing.T, p *place, calls []map[string]any) {
	t.Helper()
	var wg sync.WaitGroup
	for _, body := range calls {
		other := maps.Clone(body)
		other["points"] = other["points"].(int) + 1
		wg.Go(func() {
			status, answer, err := p.call(context.Background(), "server", "/v1/redemptions", other)
			if err != nil || status != http.StatusConflict {
				t.Errorf("another body under key %v: %d %v %v", body["idempotency_key"], status, answer, err)
			}
		})
	}
	wg.Wait()
}

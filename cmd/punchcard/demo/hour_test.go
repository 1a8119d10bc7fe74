package demo

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// pastOf is a year of orders: trading days Sunday to Friday, 9 to 17 o'clock.
func pastOf(perDay int) []event.Event {
	start := time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
	var out []event.Event
	n := 0
	for d := range 364 {
		day := start.AddDate(0, 0, d)
		if day.Weekday() == time.Saturday {
			continue
		}
		for i := range perDay {
			n++
			customer := fmt.Sprintf("c%d", n%(40*perDay))
			if n%10 == 0 { // one order in ten is somebody's first
				customer = fmt.Sprintf("new%d", n)
			}
			out = append(out, event.Event{
				AccountID: customer, EventTime: event.At(day.Add(9*time.Hour + time.Duration(i)*8*time.Hour/time.Duration(perDay))),
				Order: &event.Order{OrderID: fmt.Sprint(n), Currency: "GBP", Lines: []event.OrderLine{{ProductID: "p", Quantity: 3, AmountMinor: 1000}}},
			})
		}
	}
	return out
}

func TestAnHourIsAPureFunctionOfTheSeed(t *testing.T) {
	shop := Learn(pastOf(60))
	noon := HourOf(event.At(time.Date(2026, 9, 8, 12, 0, 0, 0, time.UTC)))
	if !reflect.DeepEqual(shop.Hour(1, noon), shop.Hour(1, noon)) {
		t.Error("the same seed and hour gave two answers")
	}
	if reflect.DeepEqual(shop.Hour(1, noon), shop.Hour(2, noon)) {
		t.Error("two seeds gave the same hour")
	}
}

// Orders per simulated trading day stay within 0.5 and 2 times history's mean;
// the shop stays closed on Saturdays; ids never repeat.
func TestSimulatedDaysLookLikeHistory(t *testing.T) {
	shop := Learn(pastOf(60))
	ids := map[string]bool{}
	for d := range 63 {
		day := time.Date(2026, 9, 6, 0, 0, 0, 0, time.UTC).AddDate(0, 0, d)
		orders := 0
		for h := range 24 {
			for _, p := range shop.Hour(7, HourOf(event.At(day.Add(time.Duration(h)*time.Hour)))) {
				id, _ := p.Body["messageId"].(string)
				if id == "" {
					id, _ = p.Body["idempotency_key"].(string)
				}
				if ids[id] {
					t.Fatalf("id %s came twice", id)
				}
				ids[id] = true
				if p.Body["event"] == event.NameOrderCompleted {
					orders++
				}
			}
		}
		if day.Weekday() == time.Saturday {
			if orders != 0 {
				t.Errorf("%s is a Saturday with %d orders", day.Format(time.DateOnly), orders)
			}
			continue
		}
		if f := float64(orders); f < shop.OrdersPerTradingDay/2 || f > shop.OrdersPerTradingDay*2 {
			t.Errorf("%s: %d orders, history's mean is %.1f", day.Format(time.DateOnly), orders, shop.OrdersPerTradingDay)
		}
	}
	for _, want := range []string{"-signup", "-refund", "-review", "-survey", "-redeem"} {
		found := false
		for id := range ids {
			found = found || strings.HasSuffix(id, want)
		}
		if !found {
			t.Errorf("nothing with %s in 63 days", want)
		}
	}
}

// Nothing refers to an order that was never posted.
func TestWhatFollowsHasAnOrder(t *testing.T) {
	shop := Learn(pastOf(60))
	posted := map[any]bool{}
	for hour := shop.Since - 200; hour < shop.Since+14*24; hour++ {
		for _, p := range shop.Hour(3, hour) {
			properties, _ := p.Body["properties"].(map[string]any)
			switch p.Body["event"] {
			case event.NameOrderCompleted:
				posted[properties["order_id"]] = true
			case event.NameOrderRefunded, event.NameSurveyAnswered:
				if !posted[properties["order_id"]] {
					t.Errorf("%v of order %v, which nobody placed", p.Body["event"], properties["order_id"])
				}
			}
		}
	}
	if len(posted) == 0 {
		t.Error("no orders at all")
	}
}

func TestMajorIsExact(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency string
		want     string
	}{{1250, "GBP", "12.50"}, {5, "GBP", "0.05"}, {0, "GBP", "0.00"}, {7, "JPY", "7"}, {1234, "KWD", "1.234"}} {
		if got := major(c.minor, c.currency); got != c.want {
			t.Errorf("%d %s: got %s, want %s", c.minor, c.currency, got, c.want)
		}
	}
}

func TestClockWalksToThePresentThenGoesWithIt(t *testing.T) {
	wall := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := NewClock(func() time.Time { return wall }, 3600)
	start := event.At(wall.Add(-10 * time.Hour))
	c.Start(start)
	for _, step := range []struct {
		seconds int
		want    time.Duration // behind the wall's beginning
	}{{0, -10 * time.Hour}, {3, -7 * time.Hour}, {9, -1 * time.Hour}, {20, 20 * time.Second}} {
		base := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		wall = base.Add(time.Duration(step.seconds) * time.Second)
		if got := c.Now(); got != event.At(base.Add(step.want)) {
			t.Errorf("after %d s: %s, want %s", step.seconds, got, event.At(base.Add(step.want)))
		}
	}
}

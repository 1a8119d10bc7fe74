package demo

import (
	"math/rand/v2"
	"sort"
	"time"

	"github.com/punchcard/punchcard/event"
)

const (
	hoursPerWeek = 7 * 24
	// maxBaskets bounds the baskets kept for each customer, the newest first.
	maxBaskets = 20
	// maxBasketLines bounds the lines of a simulated order.
	maxBasketLines = 40
	// firstTimeWeeks is the end of the history from which the share of first-time
	// customers is taken: at its start everyone is new.
	firstTimeWeeks = 13
)

// shopper is a real customer as history shows it.
type shopper struct {
	id      string
	country string // as the data set writes it
	baskets [][]event.OrderLine
	orders  int
	first   event.Time
	last    event.Time
}

// Shop is what history teaches: customers with their baskets and rhythm, orders
// by hour of the week, and how many of them come from someone new.
type Shop struct {
	Currency string
	// OrdersPerTradingDay is history's mean over days with any order.
	OrdersPerTradingDay float64
	// Since is the first hour after history: what follows an earlier order (a
	// refund, a review) belongs to nobody simulated.
	Since int64

	shoppers []shopper
	index    map[string]int // id to shopper
	rhythm   []float64      // cumulative weight: orders a day by the shopper's own mean gap
	hourly   [hoursPerWeek]float64
	newShare float64
}

// Learn reads the orders of a history, sorted by time.
func Learn(events []event.Event) *Shop {
	s := &Shop{index: map[string]int{}}
	days := map[event.Day]bool{}
	var counts [hoursPerWeek]int
	var orders, lateOrders, lateNew int
	var end event.Time
	if len(events) > 0 {
		end = events[len(events)-1].EventTime
	}
	late := end.Add(-firstTimeWeeks * 7 * 24 * time.Hour)
	for i := range events {
		e := &events[i]
		if e.Order == nil {
			continue
		}
		orders++
		s.Currency = e.Order.Currency
		days[event.DayOf(e.EventTime, time.UTC)] = true
		counts[hourOfWeek(e.EventTime)]++
		if !event.Identified(e.AccountID) {
			continue
		}
		at, known := s.index[e.AccountID]
		if !known {
			at = len(s.shoppers)
			s.index[e.AccountID] = at
			s.shoppers = append(s.shoppers, shopper{id: e.AccountID, country: countryOf(e.Context), first: e.EventTime})
		}
		if e.EventTime >= late {
			lateOrders++
			if !known {
				lateNew++
			}
		}
		s.shoppers[at].learn(e)
	}
	s.finish(events, counts, orders, len(days))
	if lateOrders > 0 {
		s.newShare = float64(lateNew) / float64(lateOrders)
	}
	return s
}

func (p *shopper) learn(e *event.Event) {
	p.orders++
	p.last = e.EventTime
	p.baskets = append(p.baskets, e.Order.Lines[:min(len(e.Order.Lines), maxBasketLines)])
	if len(p.baskets) > maxBaskets {
		p.baskets = p.baskets[1:]
	}
}

// finish turns counts into rates.
func (s *Shop) finish(events []event.Event, counts [hoursPerWeek]int, orders, days int) {
	if orders == 0 {
		return
	}
	weeks := float64(events[len(events)-1].EventTime-events[0].EventTime) / (7 * 24 * 3600 * 1000)
	weeks = max(weeks, 1)
	for h := range counts {
		s.hourly[h] = float64(counts[h]) / weeks
	}
	s.Since = HourOf(events[len(events)-1].EventTime) + 1
	s.OrdersPerTradingDay = float64(orders) / float64(days)
	sum := 0.0
	for i := range s.shoppers {
		sum += s.shoppers[i].perDay()
		s.rhythm = append(s.rhythm, sum)
	}
}

// perDay is how many orders a day the shopper's own mean gap means; someone who
// came once is taken to come once a year.
func (p *shopper) perDay() float64 {
	days := float64(p.last-p.first) / (24 * 3600 * 1000)
	if p.orders < 2 || days < 1 {
		return 1.0 / 365
	}
	return float64(p.orders-1) / days
}

// pick draws a real customer by rhythm.
func (s *Shop) pick(r *rand.Rand) *shopper {
	x := r.Float64() * s.rhythm[len(s.rhythm)-1]
	return &s.shoppers[min(sort.SearchFloat64s(s.rhythm, x), len(s.shoppers)-1)]
}

// basket is one of the customer's own, or somebody's for who is new.
func (s *Shop) basket(customer string, r *rand.Rand) []event.OrderLine {
	i, known := s.index[customer]
	if !known {
		i = r.IntN(len(s.shoppers))
	}
	baskets := s.shoppers[i].baskets
	return baskets[r.IntN(len(baskets))]
}

// hourOfWeek counts hours (UTC) from Sunday midnight.
func hourOfWeek(t event.Time) int {
	std := t.Std()
	return int(std.Weekday())*24 + std.Hour()
}

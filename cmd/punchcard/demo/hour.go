package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Shares of orders that something follows, and how many hours later.
const (
	refundShare, refundAfter = 0.04, 90
	reviewShare, reviewAfter = 0.06, 60
	// surveyShare of orders are followed by an answer that no campaign asked for.
	surveyShare, surveyAfter = 0.04, 30
	// redeemShare of orders spend points an hour later; many are refused, as at
	// any till.
	redeemShare, redeemAfter = 0.08, 1
	// returnShare of first-time customers buy again returnAfter hours later.
	returnShare, returnAfter = 0.35, 21 * 24
	// signUpShare of first-time customers become members at once; the others by
	// their second order, or never.
	signUpShare = 0.40
)

// Post is one call to the HTTP door.
type Post struct {
	Time event.Time
	Path string
	Body map[string]any
}

// order is a simulated order.
type order struct {
	time     event.Time
	id       string
	customer string
	country  string // as the data set writes it
	isNew    bool
	signsUp  bool
	lines    []event.OrderLine
}

// hourStart is the first instant of an hour counted from the epoch.
func hourStart(hour int64) event.Time { return event.Time(hour * 3600 * 1000) }

// HourOf is the hour of an instant, counted from the epoch.
func HourOf(t event.Time) int64 { return int64(t) / (3600 * 1000) }

// source makes the random numbers of one hour and purpose.
func source(seed uint64, hour int64, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(hour)*16+purpose))
}

// orders are those of one hour: first ones and the returns of new customers.
func (s *Shop) orders(seed uint64, hour int64) []order {
	return append(s.drawn(seed, hour), s.returns(seed, hour)...)
}

// drawn are orders by the week's rhythm, customers by their own.
func (s *Shop) drawn(seed uint64, hour int64) []order {
	if len(s.shoppers) == 0 || hour < s.Since {
		return nil
	}
	r := source(seed, hour, 0)
	var out []order
	for n := range poisson(r, s.hourly[hourOfWeek(hourStart(hour))]) {
		p := s.pick(r)
		o := order{
			time:     hourStart(hour).Add(time.Duration(r.IntN(3600)) * time.Second),
			id:       fmt.Sprintf("sim-%d-%d", hour, n),
			customer: p.id,
			country:  p.country,
			lines:    p.baskets[r.IntN(len(p.baskets))],
		}
		if r.Float64() < s.newShare {
			o.customer, o.isNew, o.signsUp = fmt.Sprintf("sim-c-%d-%d", hour, n), true, r.Float64() < signUpShare
		}
		out = append(out, o)
	}
	return out
}

// returns are second orders of first-time customers.
func (s *Shop) returns(seed uint64, hour int64) []order {
	r := source(seed, hour, 1)
	var out []order
	for n, o := range s.drawn(seed, hour-returnAfter) {
		if !o.isNew || r.Float64() >= returnShare {
			continue
		}
		p := s.pick(r)
		out = append(out, order{
			time: hourStart(hour).Add(time.Duration(r.IntN(3600)) * time.Second),
			id:   fmt.Sprintf("sim-%d-r%d", hour, n), customer: o.customer, country: o.country, lines: p.baskets[r.IntN(len(p.baskets))],
		})
	}
	return out
}

// Hour is all that simulated shoppers do in one hour, sorted by time.
func (s *Shop) Hour(seed uint64, hour int64) []Post {
	var out []Post
	for _, o := range s.orders(seed, hour) {
		if o.signsUp {
			out = append(out, signUp(o))
		}
		if o.isNew {
			if p := personaOf(seed, o.customer, o.country); p.identified {
				out = append(out, identified(o, &p))
			}
		}
		out = append(out, s.completed(o))
	}
	out = append(out, s.follow(seed, hour, refundAfter, refundShare, 2, s.refunded)...)
	out = append(out, s.follow(seed, hour, reviewAfter, reviewShare, 3, reviewed(seed))...)
	out = append(out, s.follow(seed, hour, surveyAfter, surveyShare, 4, answered(seed))...)
	out = append(out, s.follow(seed, hour, redeemAfter, redeemShare, 5, redeemed)...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Time < out[j].Time })
	return out
}

// follow makes what follows a share of the orders of an earlier hour.
func (s *Shop) follow(seed uint64, hour, after int64, share float64, purpose uint64, make func(order, event.Time, *rand.Rand) Post) []Post {
	r := source(seed, hour, purpose)
	var out []Post
	for _, o := range s.orders(seed, hour-after) {
		if r.Float64() < share {
			out = append(out, make(o, o.time.Add(time.Duration(after)*time.Hour), r))
		}
	}
	return out
}

// poisson draws a count (Knuth's method; rates here are below 30).
func poisson(r *rand.Rand, mean float64) int {
	limit, p, n := math.Exp(-mean), r.Float64(), 0
	for p > limit && n < 1000 {
		p *= r.Float64()
		n++
	}
	return n
}

// track is the body of a Segment track call.
func track(name, id, customer string, t event.Time, properties map[string]any) Post {
	return Post{Time: t, Path: pathTrack, Body: map[string]any{
		"type": "track", "event": name, "messageId": id, "userId": customer, "timestamp": t.String(),
		"properties": properties, "context": map[string]any{"is_simulated": true, "channel": "web"},
	}}
}

func signUp(o order) Post {
	return track(event.NameSignedUp, o.id+"-signup", o.customer, o.time-1000, map[string]any{})
}

func (s *Shop) completed(o order) Post {
	return track(event.NameOrderCompleted, o.id, o.customer, o.time, map[string]any{
		"order_id": o.id, "currency": s.Currency, "products": products(o.lines, s.Currency),
	})
}

// refunded gives back the first line of the order.
func (s *Shop) refunded(o order, t event.Time, _ *rand.Rand) Post {
	return track(event.NameOrderRefunded, o.id+"-refund", o.customer, t, map[string]any{
		"order_id": o.id, "refund_id": o.id + "-refund", "currency": s.Currency, "products": products(o.lines[:1], s.Currency),
	})
}

// identified says who they are, so far as anybody may know.
func identified(o order, p *persona) Post {
	t := o.time - 500
	return Post{Time: t, Path: pathIdentify, Body: map[string]any{
		"type": "identify", "messageId": o.id + "-identify", "userId": o.customer, "timestamp": t.String(),
		"traits": p.traits(), "context": map[string]any{"is_simulated": true, "channel": "web"},
	}}
}

// reviewed is a review of the order's first product.
func reviewed(seed uint64) func(order, event.Time, *rand.Rand) Post {
	return func(o order, t event.Time, r *rand.Rand) Post {
		p := personaOf(seed, o.customer, o.country)
		return track(event.NameReviewed, o.id+"-review", o.customer, t, map[string]any{
			"product_id": o.lines[0].ProductID, "rating": p.rating(r),
		})
	}
}

// answered is a survey answer: mostly NPS, some CES and CSAT.
func answered(seed uint64) func(order, event.Time, *rand.Rand) Post {
	return func(o order, t event.Time, r *rand.Rand) Post {
		p := personaOf(seed, o.customer, o.country)
		s := p.answer(r)
		return track(event.NameSurveyAnswered, o.id+"-survey", o.customer, t, map[string]any{
			"survey_id": s.SurveyID, "kind": s.Kind, "score": s.Score, "order_id": o.id,
		})
	}
}

// redeemed asks for points at the counter; the door answers.
func redeemed(o order, t event.Time, r *rand.Rand) Post {
	return Post{Time: t, Path: pathRedeem, Body: map[string]any{
		"idempotency_key": o.id + "-redeem", "customer_id": o.customer, "points": 100 * (1 + r.IntN(5)),
		"context": map[string]any{"is_simulated": true},
	}}
}

// products writes lines as Segment does: a unit price where it is exact, else
// one unit at the line's amount.
func products(lines []event.OrderLine, currency string) []map[string]any {
	out := make([]map[string]any, 0, len(lines))
	for _, l := range lines {
		quantity, unit := l.Quantity, l.AmountMinor/max(l.Quantity, 1)
		if unit*quantity != l.AmountMinor {
			quantity, unit = 1, l.AmountMinor
		}
		out = append(out, map[string]any{
			"product_id": l.ProductID, "name": l.Name, "quantity": quantity, "price": major(unit, currency),
		})
	}
	return out
}

// major writes minor units as an exact decimal.
func major(minor int64, currency string) string {
	d := event.MinorDigits(currency)
	if d == 0 {
		return strconv.FormatInt(minor, 10)
	}
	s := fmt.Sprintf("%0*d", d+1, minor)
	return s[:len(s)-d] + "." + s[len(s)-d:]
}

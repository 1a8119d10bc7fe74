package models

import "math"

const (
	// HorizonDays is how far predictions reach: 12 months.
	HorizonDays = 365
	months      = 12
	week        = 7.0
	// DefaultDiscountRate is the yearly rate of discounted values.
	DefaultDiscountRate = 0.10
	maxDiscountRate     = 1.0
)

// Value is what a customer is expected to buy in HorizonDays.
type Value struct {
	Alive      float64 // probability that the customer may still buy
	Purchases  float64
	OrderValue float64 // spend per purchase, major units
	Spend      float64 // Purchases · OrderValue
	Discounted float64 // the same, each month discounted from its end
}

// Predictor predicts with one model for each question.
type Predictor struct {
	// Purchases says how often; Alive says who may still buy. Ages are in weeks.
	Purchases, Alive Purchases
	// OrderValue says for how much: the expected spend per purchase of someone with x
	// repeat purchases of this mean.
	OrderValue func(x int, mean float64) float64
	// DiscountRate is yearly: 0.1 is 10 %.
	DiscountRate float64
}

// Predict is a customer's next 12 months:
//
//	Discounted = OrderValue · Σₖ (E[Y(tₖ)] − E[Y(tₖ₋₁)]) / (1+d)^{k/12},  tₖ = k/12 of a year
func (p *Predictor) Predict(c Customer) Value {
	v := p.timing(c)
	v.OrderValue = p.OrderValue(c.X, c.Mean)
	v.Spend, v.Discounted = v.Purchases*v.OrderValue, v.Discounted*v.OrderValue
	return v
}

// timing is what does not depend on money; Discounted counts purchases.
func (p *Predictor) timing(c Customer) Value {
	v := Value{Alive: p.Alive.Alive(c.X, c.Recency, c.Age)}
	for k := 1; k <= months; k++ {
		share := float64(k) / months
		y := p.Purchases.Conditional(HorizonDays/week*share, c.X, c.Recency, c.Age)
		v.Discounted += (y - v.Purchases) * math.Pow(1+p.DiscountRate, -share)
		v.Purchases = y
	}
	return v
}

// PredictAll is Predict of many, who are often alike.
func (p *Predictor) PredictAll(customers []Customer) []Value {
	known := make(map[Customer]Value)
	out := make([]Value, len(customers))
	for i, c := range customers {
		who := c
		who.Mean = 0
		v, ok := known[who]
		if !ok {
			v = p.timing(who)
			known[who] = v
		}
		v.OrderValue = p.OrderValue(c.X, c.Mean)
		v.Spend, v.Discounted = v.Purchases*v.OrderValue, v.Discounted*v.OrderValue
		out[i] = v
	}
	return out
}

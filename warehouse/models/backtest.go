package models

import "math"

// Later is what a customer did after calibration.
type Later struct {
	Purchases int
	Spend     float64 // major units
}

// Backtest compares what was predicted from a calibration with what came.
type Backtest struct {
	Weeks                                  float64 // predicted; 0: no back-test
	Customers                              int
	PredictedPurchases, ActualPurchases    float64
	MeanAbsoluteError, RootMeanSquareError float64 // of purchases, per customer
	PredictedSpend, ActualSpend            float64 // major units
}

// TestPurchases predicts the weeks after calibration for each customer.
func TestPurchases(m Purchases, orderValue func(x int, mean float64) float64, customers []Customer, later []Later, weeks float64) Backtest {
	b := Backtest{Weeks: weeks, Customers: len(customers)}
	for i := range customers {
		c, l := &customers[i], &later[i]
		y := m.Conditional(weeks, c.X, c.Recency, c.Age)
		off := y - float64(l.Purchases)
		b.PredictedPurchases += y
		b.ActualPurchases += float64(l.Purchases)
		b.MeanAbsoluteError += math.Abs(off)
		b.RootMeanSquareError += off * off
		b.PredictedSpend += y * orderValue(c.X, c.Mean)
		b.ActualSpend += l.Spend
	}
	n := float64(max(len(customers), 1))
	b.MeanAbsoluteError /= n
	b.RootMeanSquareError = math.Sqrt(b.RootMeanSquareError / n)
	return b
}

// TestSpend takes the purchases as they were and predicts their spend alone.
func TestSpend(orderValue func(x int, mean float64) float64, customers []Customer, later []Later, weeks float64) Backtest {
	b := Backtest{Weeks: weeks, Customers: len(customers)}
	for i := range customers {
		c, l := &customers[i], &later[i]
		b.PredictedPurchases += float64(l.Purchases)
		b.ActualPurchases += float64(l.Purchases)
		b.PredictedSpend += float64(l.Purchases) * orderValue(c.X, c.Mean)
		b.ActualSpend += l.Spend
	}
	return b
}

package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Customer is what the purchase models need to know of one customer, and what
// the spend model does.
type Customer struct {
	// X counts repeat purchases: days with an order after the first such day.
	X int
	// Recency is the age at the last purchase, weeks (t_x); 0 without a repeat.
	Recency float64
	// Age is the time from the first purchase to the end of observation, weeks (T).
	Age float64
	// Mean is the mean spend of the repeat purchases, major units; 0 without any.
	Mean float64
}

// Cell counts the customers with the same X, Recency and Age.
type Cell struct {
	X            int
	Recency, Age float64
	Customers    float64
}

// Count gathers customers into cells, ascending by X, Recency and Age.
func Count(customers []Customer) []Cell {
	cells := make([]Cell, len(customers))
	for i := range customers {
		c := &customers[i]
		cells[i] = Cell{X: c.X, Recency: c.Recency, Age: c.Age, Customers: 1}
	}
	return merged(cells)
}

func merged(cells []Cell) []Cell {
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Recency, b.Recency), cmp.Compare(a.Age, b.Age))
	})
	out := cells[:0]
	for _, c := range cells {
		if n := len(out); n > 0 && out[n-1].X == c.X && out[n-1].Recency == c.Recency && out[n-1].Age == c.Age {
			out[n-1].Customers += c.Customers
			continue
		}
		out = append(out, c)
	}
	return out
}

// checkCells refuses what no purchase history can be.
func checkCells(cells []Cell) error {
	repeaters := 0.0
	for i := range cells {
		c := &cells[i]
		ok := c.X >= 0 && c.Recency >= 0 && c.Recency <= c.Age && (c.X > 0) == (c.Recency > 0) && c.Customers > 0 && !math.IsInf(c.Age, 0)
		if !ok {
			return fmt.Errorf("models: no customer can have x = %d, t_x = %v, T = %v (count %v): t_x is 0 exactly without repeats and at most T", c.X, c.Recency, c.Age, c.Customers)
		}
		if c.X > 0 {
			repeaters += c.Customers
		}
	}
	if repeaters == 0 {
		return fmt.Errorf("%w: nobody bought again", ErrTooFew)
	}
	return nil
}

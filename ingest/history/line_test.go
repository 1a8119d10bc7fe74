package history

import (
	"fmt"
	"math/big"
	"strconv"
	"testing"

	"github.com/punchcard/punchcard/event"
	"pgregory.net/rapid"
)

// TestAmountsAreExact: integers where they fit give what exact fractions give.
func TestAmountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(0, 8).Draw(t, "digits")
		s := strconv.FormatInt(rapid.Int64Range(0, 1<<40).Draw(t, "whole"), 10)
		if digits > 0 {
			scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil).Int64()
			s += fmt.Sprintf(".%0*d", digits, rapid.Int64Range(0, scale-1).Draw(t, "part"))
		}
		quantity := rapid.Int64Range(1, event.MaxQuantity).Draw(t, "quantity")
		currency := rapid.SampledFrom([]string{"GBP", "JPY", "KWD"}).Draw(t, "currency")
		d, err := parseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err1 := d.times(quantity, currency)
		v, _ := new(big.Rat).SetString(s)
		want, err2 := event.Minor(v.Mul(v, new(big.Rat).SetInt64(quantity)), currency)
		if got != want || (err1 == nil) != (err2 == nil) {
			t.Fatalf("%d × %s %s = %d (%v), want %d (%v)", quantity, s, currency, got, err1, want, err2)
		}
	})
}

// TestHalfUp: a binary float would give 2.67 for 1 × 2.675.
func TestHalfUp(t *testing.T) {
	for _, c := range []struct {
		price    string
		quantity int64
		want     int64
	}{{"2.675", 1, 268}, {"0.001", 1, 0}, {"0.005", 1, 1}, {"0.001", 500, 50}, {"1.005", 3, 302}, {"38970", 1, 3_897_000}, {"1e2", 2, 20_000}} {
		d, err := parseDecimal(c.price)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.times(c.quantity, "GBP"); err != nil || got != c.want {
			t.Errorf("%d × %s = %d, %v, want %d", c.quantity, c.price, got, err, c.want)
		}
	}
	for _, s := range []string{"NaN", "Inf", "", "1,5", "£1", "0x10", "1e999999999"} {
		if _, err := parseDecimal(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

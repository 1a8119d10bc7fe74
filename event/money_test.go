package event

import "testing"

func TestMinorRoundsOnceHalfUp(t *testing.T) {
	for _, c := range []struct {
		amount, currency string
		want             int64
	}{
		{"12.50", "GBP", 1250}, {"0.005", "GBP", 1}, {"0.0049", "GBP", 0}, {"-0.005", "GBP", -1},
		{"2.675", "EUR", 268}, {"1.005", "USD", 101}, {"10", "JPY", 10}, {"10.5", "JPY", 11},
		{"1.0005", "KWD", 1001}, {"1e2", "GBP", 10000}, {" 3 ", "GBP", 300},
	} {
		r, err := ParseDecimal(c.amount)
		if err != nil {
			t.Errorf("%s: %v", c.amount, err)
			continue
		}
		if got, err := Minor(r, c.currency); err != nil || got != c.want {
			t.Errorf("%s %s: got %d (%v), want %d", c.amount, c.currency, got, err, c.want)
		}
	}
}

func TestAmountsThatAreNone(t *testing.T) {
	for _, s := range []string{"", "x", "1/3", "0x10", "1_000", "NaN", "Inf", "1e999999999", "12,50"} {
		if _, err := ParseDecimal(s); err == nil {
			t.Errorf("%q passed", s)
		}
	}
	r, _ := ParseDecimal("99999999999999999")
	if _, err := Minor(r, "GBP"); err == nil {
		t.Error("an amount beyond MaxAmountMinor passed")
	}
}

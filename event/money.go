package event

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// minorDigits lists the ISO 4217 currencies whose minor unit is not 1/100.
var minorDigits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
	"RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// MinorDigits returns how many decimal digits the currency's minor unit has (2
// for most, ISO 4217).
func MinorDigits(currency string) int {
	if d, ok := minorDigits[currency]; ok {
		return d
	}
	return 2
}

// ValidCurrency reports whether the code has the form of ISO 4217: three capital
// letters.
func ValidCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for _, c := range []byte(code) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// ErrAmount says that an amount is not a decimal number or does not fit.
var ErrAmount = errors.New("not an amount")

// ParseDecimal reads an exact decimal number such as 12.50, -3 or 1e-3. No
// binary floating point is involved.
func ParseDecimal(s string) (*big.Rat, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 40 || strings.ContainsAny(s, "/_xXpP") {
		return nil, fmt.Errorf("%w: %.48q", ErrAmount, s)
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 4 {
		return nil, fmt.Errorf("%w: %.48q", ErrAmount, s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("%w: %.48q", ErrAmount, s)
	}
	return r, nil
}

// Minor rounds an exact amount in major units to minor units, once, half away
// from zero (what a till calls "half up"). It fails beyond MaxAmountMinor.
func Minor(amount *big.Rat, currency string) (int64, error) {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(MinorDigits(currency))), nil)
	v := new(big.Rat).Mul(amount, new(big.Rat).SetInt(scale))
	num, den := new(big.Int).Abs(v.Num()), v.Denom()
	// floor((2·num + den) / (2·den)) is half up on the absolute value.
	num.Lsh(num, 1).Add(num, den)
	num.Quo(num, new(big.Int).Lsh(den, 1))
	if !num.IsInt64() || num.Int64() > MaxAmountMinor {
		return 0, fmt.Errorf("%w: larger than %d minor units", ErrAmount, int64(MaxAmountMinor))
	}
	if v.Sign() < 0 {
		return -num.Int64(), nil
	}
	return num.Int64(), nil
}

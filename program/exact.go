package program

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
)

// addMoney adds and stays at the ends of int64 instead of wrapping round. Money
// of one event is bounded by event.MaxAmountMinor, so this takes thousands of
// the largest orders there can be.
func addMoney(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

// fraction returns base × a × num / (b × den), rounded once; false when it does
// not fit. All are ≥ 0, b and den > 0.
func fraction(base, a, num, b, den int64, halfUp bool) (int64, bool) {
	hi, up := bits.Mul64(uint64(a), uint64(num))
	hi2, down := bits.Mul64(uint64(b), uint64(den))
	if hi == 0 && hi2 == 0 {
		hi, lo := bits.Mul64(uint64(base), up)
		if hi < down {
			q, rem := bits.Div64(hi, lo, down)
			if halfUp && rem >= down-rem {
				q++
			}
			return int64(q), q <= math.MaxInt64
		}
		return 0, false
	}
	top := big.NewInt(base)
	top.Mul(top, big.NewInt(a)).Mul(top, big.NewInt(num))
	bottom := new(big.Int).Mul(big.NewInt(b), big.NewInt(den))
	q, rem := top.QuoRem(top, bottom, new(big.Int))
	if halfUp && rem.Lsh(rem, 1).Cmp(bottom) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	return q.Int64(), q.IsInt64()
}

// spread divides amount over weights in proportion: each share is rounded down,
// and the units left over go one each to the largest remainders, earlier ones
// first among equals. No share is larger than its weight while amount ≤ Σ
// weights. Weights that are all 0 get nothing.
func spread(amount int64, weights []int64) []int64 {
	shares := make([]int64, len(weights))
	var total int64
	for _, w := range weights {
		total += w
	}
	if amount <= 0 || total <= 0 {
		return shares
	}
	rest := amount
	remainders := make([]uint64, len(weights))
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(amount), uint64(w))
		q, rem := bits.Div64(hi, lo, uint64(total))
		shares[i], remainders[i] = int64(q), rem
		rest -= int64(q)
	}
	if rest == 0 {
		return shares
	}
	byRemainder := make([]int, len(weights))
	for i := range byRemainder {
		byRemainder[i] = i
	}
	slices.SortStableFunc(byRemainder, func(i, j int) int {
		switch {
		case remainders[i] > remainders[j]:
			return -1
		case remainders[i] < remainders[j]:
			return 1
		}
		return 0
	})
	for _, i := range byRemainder[:rest] {
		shares[i]++
	}
	return shares
}

// portion returns what of amount belongs to the first taken of quantity units,
// rounded half up; taken steps add up to the whole.
func portion(amount, taken, quantity int64) int64 {
	if taken >= quantity {
		return amount
	}
	v, _ := fraction(amount, taken, 1, quantity, 1, true)
	return v
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

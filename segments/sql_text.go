package segments

import (
	"strconv"
	"strings"
)

// quote writes a text as a ClickHouse literal. Every text of a file goes through
// it: whatever it holds, the literal is that text and ends where it ends.
func quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('\'')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20 || c == 0x7f:
			const hex = "0123456789ABCDEF"
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// quoteAll writes texts as the inside of a list.
func quoteAll(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quote(w)
	}
	return strings.Join(out, ", ")
}

// number writes a constant.
func sqlNumber(n int64) string { return "toInt64(" + strconv.FormatInt(n, 10) + ")" }

func sqlNumbers(list []int64) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = strconv.FormatInt(n, 10)
	}
	return "CAST([" + strings.Join(out, ", ") + "], 'Array(Int64)')"
}

// ValueText writes a value that SQLReasons gave of a clause as a person reads it.
func (s *Set) ValueText(leaf int, value string) string {
	v, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return value
	}
	switch s.Quantities[s.Leaves[leaf].Quantity].Kind {
	case Member:
		return strconv.FormatBool(v != 0)
	case Spend, SumOrders, SpendToNextTier, SpendToKeepTier:
		return money(v, s.Book.Currency) + " " + s.Book.Currency
	case GapPercent:
		return money(v, "EUR") + " mean gaps" // hundredths, as cents are
	case TierRank:
		if levels := s.Book.Tiers.Levels; v >= 1 && v <= int64(len(levels)) {
			return levels[v-1].ID
		}
	}
	return value
}

package history

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/punchcard/punchcard/event"
)

// line is one line of a file, as conditions see it. Price is a float there, for
// comparing; amounts are computed from the exact decimal.
type line struct {
	Invoice  string    `expr:"invoice"`
	Product  string    `expr:"product"`
	Name     string    `expr:"name"`
	Category string    `expr:"category"`
	Brand    string    `expr:"brand"`
	Quantity int       `expr:"quantity"`
	Price    float64   `expr:"price"`
	Amount   float64   `expr:"amount"`
	Time     time.Time `expr:"time"`
	Customer string    `expr:"customer"`
	Country  string    `expr:"country"`
	Channel  string    `expr:"channel"`

	at    event.Time
	money decimal // price or amount
}

// bad says why a row cannot be used.
type bad struct{ code, field, message, hint string }

func invalid(r role, hint, format string, args ...any) *bad {
	return &bad{code: event.RejectInvalidField, field: roleNames[r], message: fmt.Sprintf(format, args...), hint: hint}
}

// cell is one value of a row: text, or what Parquet holds.
type cell struct {
	kind cellKind
	s    string
	i    int64
	f    float64
	t    time.Time
}

type cellKind uint8

const (
	cellMissing cellKind = iota
	cellText
	cellInt
	cellFloat
	cellTime
)

// text returns the cell as text without surrounding space, "" when missing.
func (c *cell) text() string {
	switch c.kind {
	case cellText:
		return strings.TrimSpace(c.s)
	case cellInt:
		return strconv.FormatInt(c.i, 10)
	case cellFloat:
		return strconv.FormatFloat(c.f, 'f', -1, 64)
	case cellTime:
		return c.t.UTC().Format(time.RFC3339Nano)
	}
	return ""
}

// lineReader turns cells into lines. It keeps one copy of each text.
type lineReader struct {
	m        *Mapping
	texts    [roles]map[string]string
	decimals map[string]decimal
	floats   map[float64]decimal
}

// maxInterned bounds each table of known texts and decimals; beyond it, values
// are kept one by one.
const maxInterned = 1 << 18

func newLineReader(m *Mapping) *lineReader {
	r := &lineReader{m: m, decimals: map[string]decimal{}, floats: map[float64]decimal{}}
	for i := range r.texts {
		r.texts[i] = map[string]string{}
	}
	return r
}

// parse reads the cells of one row.
func (r *lineReader) parse(cells *[roles]cell) (l line, b *bad) {
	for i := range cells {
		if r.m.hasConst[i] {
			cells[i] = cell{kind: cellText, s: r.m.constants[i]}
		}
	}
	l.Invoice = r.text(cells, roleInvoice)
	l.Product = r.text(cells, roleProduct)
	l.Name = r.text(cells, roleName)
	l.Category = r.text(cells, roleCategory)
	l.Brand = r.text(cells, roleBrand)
	l.Customer = r.text(cells, roleCustomer)
	l.Country = r.text(cells, roleCountry)
	l.Channel = r.text(cells, roleChannel)
	if l.at, b = r.time(&cells[roleTime]); b != nil {
		return l, b
	}
	l.Time = l.at.Std()
	if l.Quantity, b = r.quantity(&cells[roleQuantity]); b != nil {
		return l, b
	}
	money := rolePrice
	if r.m.has(roleAmount) {
		money = roleAmount
	}
	if l.money, b = r.decimal(money, &cells[money]); b != nil {
		return l, b
	}
	if money == rolePrice {
		l.Price = l.money.float
	} else {
		l.Amount = l.money.float
	}
	return l, nil
}

// text returns a copy of the cell's text that outlives the reader's buffer.
func (r *lineReader) text(cells *[roles]cell, which role) string {
	c := &cells[which]
	if c.kind == cellMissing {
		return ""
	}
	s := c.text()
	if len(s) > event.MaxNameBytes && (which == roleName || which == roleCategory || which == roleBrand) {
		s = cut(s, event.MaxNameBytes)
	}
	known := r.texts[which]
	if v, ok := known[s]; ok {
		return v
	}
	s = strings.Clone(strings.ToValidUTF8(s, "\ufffd"))
	if len(s) > event.MaxNameBytes && (which == roleName || which == roleCategory || which == roleBrand) {
		s = cut(s, event.MaxNameBytes) // mending may lengthen
	}
	if len(known) < maxInterned {
		known[s] = s
	}
	return s
}

// cut shortens s to at most n bytes, not within a letter.
func cut(s string, n int) string {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:min(n, len(s))]
}

func (r *lineReader) quantity(c *cell) (int, *bad) {
	if c.kind == cellInt {
		if c.i > event.MaxQuantity || c.i < -event.MaxQuantity {
			return 0, invalid(roleQuantity, "", "%d is beyond %d", c.i, int64(event.MaxQuantity))
		}
		return int(c.i), nil
	}
	return wholeNumber(c.text())
}

func wholeNumber(s string) (int, *bad) {
	if s == "" {
		return 0, &bad{code: event.RejectMissingField, field: roleNames[roleQuantity], message: "is missing"}
	}
	v, err := event.ParseDecimal(s)
	if err != nil || !v.IsInt() {
		return 0, invalid(roleQuantity, "for weights use quantity 1 and amount", "%.60q is not a whole number", s)
	}
	if new(big.Int).Abs(v.Num()).Cmp(big.NewInt(event.MaxQuantity)) > 0 {
		return 0, invalid(roleQuantity, "", "%.60s is beyond %d", s, int64(event.MaxQuantity))
	}
	return int(v.Num().Int64()), nil
}

// decimal reads an exact decimal; a binary float means the shortest decimal
// that has its value, which is what its writer wrote.
func (r *lineReader) decimal(which role, c *cell) (decimal, *bad) {
	if c.kind == cellFloat {
		if d, ok := r.floats[c.f]; ok {
			return d, nil
		}
	}
	s := c.text()
	if s == "" {
		return decimal{}, &bad{code: event.RejectMissingField, field: roleNames[which], message: "is missing"}
	}
	if d, ok := r.decimals[s]; ok {
		return d, nil
	}
	d, err := parseDecimal(s)
	if err != nil {
		return decimal{}, invalid(which, "a decimal such as 12.50, without currency sign or thousands", "%.60q is not an amount", s)
	}
	switch {
	case c.kind == cellFloat && len(r.floats) < maxInterned:
		r.floats[c.f] = d
	case c.kind == cellText && len(r.decimals) < maxInterned:
		r.decimals[strings.Clone(s)] = d
	}
	return d, nil
}

// timeLayouts are the forms that are known without time_format.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04", time.DateOnly}

func (r *lineReader) time(c *cell) (event.Time, *bad) {
	if c.kind == cellTime {
		return checkTime(c.t, c)
	}
	s := c.text()
	if s == "" {
		return 0, &bad{code: event.RejectMissingField, field: roleNames[roleTime], message: "is missing"}
	}
	if r.m.timeLayout != "" {
		if t, err := time.ParseInLocation(r.m.timeLayout, s, r.m.zone); err == nil {
			return checkTime(t, c)
		}
		return 0, invalid(roleTime, "see time_format in the mapping", "%.60q is not of the time's form", s)
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, r.m.zone); err == nil {
			return checkTime(t, c)
		}
	}
	return 0, invalid(roleTime, "say the form in time_format, such as DD/MM/YYYY hh:mm", "%.60q is not a time", s)
}

// Years outside of these are mistakes of a file; the first keeps 0 (not set) and
// negative times out.
const firstYear, lastYear = 1971, 2200

func checkTime(t time.Time, c *cell) (event.Time, *bad) {
	if y := t.UTC().Year(); y < firstYear || y > lastYear {
		return 0, invalid(roleTime, "", "%.60q is not between the years %d and %d", c.text(), firstYear, lastYear)
	}
	return event.At(t), nil
}

// decimal is an exact number: mantissa / 10^scale where that fits, else rat.
type decimal struct {
	rat      *big.Rat
	float    float64
	mantissa int64
	scale    int // -1: only rat
}

// maxScale bounds the decimals that are computed with integers.
const maxScale = 6

func parseDecimal(s string) (decimal, error) {
	rat, err := event.ParseDecimal(s)
	if err != nil {
		return decimal{}, err
	}
	d := decimal{rat: rat, scale: -1}
	d.float, _ = rat.Float64()
	num, scaled := new(big.Rat).Set(rat), int64(1)
	for scale := 0; scale <= maxScale; scale++ {
		num.Mul(rat, big.NewRat(scaled, 1))
		if num.IsInt() {
			if num.Num().IsInt64() && num.Num().Int64() != math.MinInt64 {
				d.mantissa, d.scale = num.Num().Int64(), scale
			}
			return d, nil
		}
		scaled *= 10
	}
	return d, nil
}

var powers = [...]int64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}

// times returns quantity × d in minor units, rounded once, half up. Both must
// not be negative.
func (d decimal) times(quantity int64, currency string) (int64, error) {
	digits := event.MinorDigits(currency)
	if d.scale >= 0 && digits <= maxScale && quantity <= math.MaxInt32 && d.mantissa < math.MaxInt64/math.MaxInt32/(4*powers[digits]) {
		n, by := d.mantissa*quantity*powers[digits], powers[d.scale]
		n = (2*n + by) / (2 * by)
		if n > event.MaxAmountMinor {
			return 0, fmt.Errorf("%w: larger than %d minor units", event.ErrAmount, int64(event.MaxAmountMinor))
		}
		return n, nil
	}
	return event.Minor(new(big.Rat).Mul(d.rat, new(big.Rat).SetInt64(quantity)), currency)
}

func (d decimal) negated() decimal {
	d.rat = new(big.Rat).Neg(d.rat)
	d.float, d.mantissa = -d.float, -d.mantissa
	return d
}

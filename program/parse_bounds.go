package program

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

var perDayForm = regexp.MustCompile(`^([0-9]{1,6}) +per +day$`)

// perDay reads "3 per day".
func perDay(p rulefile.Place) int64 {
	s := p.Text()
	if s == "" {
		return 0
	}
	m := perDayForm.FindStringSubmatch(s)
	if m == nil || strings.Trim(m[1], "0") == "" {
		p.Problem("such as 3 per day", "%q is not a bound", rulefile.Clip(s))
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // six digits fit
	return n
}

// percent reads what a multiplier multiplies by: 2, x2, 2.5x, 250%.
func percent(p rulefile.Place) int64 {
	s, ok := p.Scalar()
	if !ok {
		p.Problem("such as 2, 1.5 or 150%", "is %s, not a multiple", p.Kind())
		return 0
	}
	digits, hundredth := strings.TrimSpace(s), int64(1)
	switch {
	case strings.HasSuffix(digits, "%"):
		digits, hundredth = digits[:len(digits)-1], 100
	case strings.HasSuffix(digits, "x"):
		digits = digits[:len(digits)-1]
	case strings.HasPrefix(digits, "x"):
		digits = digits[1:]
	}
	r, err := event.ParseDecimal(digits)
	if err != nil {
		p.Problem("such as 2, 1.5 or 150%", "%q is not a multiple", rulefile.Clip(s))
		return 0
	}
	r.Mul(r, big.NewRat(100, hundredth))
	if !r.IsInt() || r.Cmp(big.NewRat(101, 1)) < 0 || r.Cmp(big.NewRat(MaxMultiplierPercent, 1)) > 0 {
		p.Problem("at most two decimals; 2 doubles, 1.5 gives half as much again", "%q is not between 1.01 and %d times", rulefile.Clip(s), MaxMultiplierPercent/100)
		return 0
	}
	return r.Num().Int64()
}

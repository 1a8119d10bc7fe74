package program

import (
	"slices"
	"time"

	"github.com/punchcard/punchcard/event"
)

const (
	// maxBalance bounds a balance, so that adding points cannot wrap round: an
	// earning that would pass it gives nothing and says so.
	maxBalance = 1000 * event.MaxPoints
	// maxMultipliers bounds how many multipliers raise one order's points; more
	// are ignored, in the order of the file.
	maxMultipliers = 8
)

// Reasons of decisions that gave nothing, or less.
const (
	whyBelowMinimum = "below_minimum_spend"
	whyNoBase       = "nothing_eligible"
	whyTier         = "not_for_this_tier"
	whyMaxPerDay    = "max_per_day"
	whyLimit        = "limit"
)

// formula is how a spend rule turns money into points:
//
//	points = round(base × perPoints × num / (perMinor × den)), 0 below minimum
//
// with exact integers, rounded once per order and rule. num/den is the product
// of the multipliers.
type formula struct {
	perPoints, perMinor, minimum, num, den int64
	halfUp                                 bool
}

// points grows with base, so a smaller base never gives more. limited says that
// the result was cut at event.MaxPoints.
func (f *formula) points(base int64) (n int64, limited bool) {
	if base <= 0 || base < f.minimum || f.perMinor <= 0 || f.den <= 0 || f.perPoints <= 0 || f.num <= 0 {
		return 0, false
	}
	n, fits := fraction(base, f.perPoints, f.num, f.perMinor, f.den, f.halfUp)
	if !fits || n > event.MaxPoints {
		return event.MaxPoints, true
	}
	return n, false
}

// takeLines fills the order record's lines: what each earns on. The discount is
// spread over all lines in proportion to their amounts (see spread); shipping
// and tax never earn. Excluded products and categories bear their share of the
// discount too.
func takeLines(ed *edition, in *event.Order, out []orderLine) []orderLine {
	var discounts []int64
	if in.DiscountMinor > 0 {
		weights := make([]int64, len(in.Lines))
		for i := range in.Lines {
			weights[i] = in.Lines[i].AmountMinor
		}
		discounts = spread(in.DiscountMinor, weights)
	}
	for i := range in.Lines {
		l := &in.Lines[i]
		net := l.AmountMinor
		if discounts != nil {
			net -= discounts[i]
		}
		out = append(out, orderLine{
			product: l.ProductID, category: l.Category, brand: l.Brand, eligible: ed == nil || !ed.excludes(l),
			quantity: l.Quantity, net: net, leftQuantity: l.Quantity, left: net,
		})
	}
	return out
}

// earnOrder applies every spend rule to an order of a member. tier is the tier
// before the order.
func (d *decision) earnOrder(o *order, orderID, tier string) {
	base := o.base()
	weekday := weekdayOf(o.day)
	for i := range d.book.Rules {
		r := &d.book.Rules[i]
		if r.Kind != RuleSpend {
			continue
		}
		made := event.Decision{RuleID: r.ID, BaseMinor: base, Percent: 100}
		if len(r.Tiers) > 0 && !slices.Contains(r.Tiers, tier) {
			made.Reason = whyTier
			d.e.Decisions = append(d.e.Decisions, made)
			continue
		}
		f := formula{perPoints: r.Points, perMinor: r.PerMinor, minimum: r.MinimumMinor, halfUp: r.Rounding == RoundHalfUp, num: 1, den: 1}
		made.Multipliers = d.multiply(&f, r, o.time, weekday, tier)
		if made.Multipliers != nil {
			made.Percent, _ = fraction(100, f.num, 1, f.den, 1, false)
		}
		points, limited := f.points(base)
		if points > 0 && !d.roomFor(points) {
			points, limited = 0, true
		}
		made.Points = points
		switch {
		case limited:
			made.Reason = whyLimit
		case points == 0 && base == 0:
			made.Reason = whyNoBase
		case points == 0 && base < r.MinimumMinor:
			made.Reason = whyBelowMinimum
		}
		d.e.Decisions = append(d.e.Decisions, made)
		if points > 0 {
			g := grant{formula: f, rule: r.ID, points: points}
			g.expiresOn, g.expired = d.addLot(orderID+"/"+r.ID, orderID, r.ID, o.day, points)
			o.grants = append(o.grants, g)
		}
	}
}

// multiply sets the formula's factor from the multipliers that apply, and
// returns their ids.
func (d *decision) multiply(f *formula, r *Rule, at event.Time, weekday time.Weekday, tier string) []string {
	var ids []string
	var percents [maxMultipliers]int64
	for i := range d.book.Multipliers {
		m := &d.book.Multipliers[i]
		if len(ids) < maxMultipliers && m.applies(r.ID, at, weekday, tier) {
			percents[len(ids)] = m.Percent
			ids = append(ids, m.ID)
		}
	}
	if ids == nil {
		return nil
	}
	f.num, f.den = stack(d.book.Stacking, percents[:len(ids)])
	return ids
}

func (m *Multiplier) applies(ruleID string, at event.Time, weekday time.Weekday, tier string) bool {
	return (m.From == 0 || at >= m.From) && (m.Until == 0 || at < m.Until) &&
		(len(m.Weekdays) == 0 || slices.Contains(m.Weekdays, weekday)) &&
		(len(m.Tiers) == 0 || slices.Contains(m.Tiers, tier)) &&
		(len(m.Rules) == 0 || slices.Contains(m.Rules, ruleID))
}

// stack joins percents into one factor num/den in lowest terms; a factor that
// does not fit is the largest there is (the points then meet their limit).
func stack(how Stacking, percents []int64) (num, den int64) {
	switch how {
	case StackHighest:
		return lowest(slices.Max(percents), 100)
	case StackAdd:
		sum := int64(100)
		for _, p := range percents {
			sum += p - 100
		}
		return lowest(max(sum, 0), 100)
	}
	num, den = 1, 1
	for _, p := range percents {
		next, fits := fraction(num, p, 1, 1, 1, false)
		if !fits {
			return 1<<63 - 1, 1
		}
		num, den = lowest(next, den*100)
	}
	return num, den
}

func lowest(num, den int64) (int64, int64) {
	if g := gcd(num, den); g > 1 {
		return num / g, den / g
	}
	return num, den
}

// weekdayOf knows that 1970-01-01 was a Thursday.
func weekdayOf(day event.Day) time.Weekday {
	return time.Weekday(((int64(day)+4)%7 + 7) % 7)
}

// earnFixed gives a rule's fixed points for the message.
func (d *decision) earnFixed(r *Rule, messageID string, day event.Day) {
	made := event.Decision{RuleID: r.ID, Points: r.Points}
	switch {
	case len(r.Tiers) > 0 && !slices.Contains(r.Tiers, d.c.tier):
		made.Points, made.Reason = 0, whyTier
	case r.Kind == RuleAction && r.MaxPerDay > 0 && d.countAction(r.ID, day) >= r.MaxPerDay:
		made.Points, made.Reason = 0, whyMaxPerDay
	case !d.roomFor(r.Points):
		made.Points, made.Reason = 0, whyLimit
	}
	d.e.Decisions = append(d.e.Decisions, made)
	if made.Points <= 0 {
		return
	}
	if r.Kind == RuleAction && r.MaxPerDay > 0 {
		d.addAction(r.ID, day)
	}
	d.addLot(messageID+"/"+r.ID, "", r.ID, day, made.Points)
}

func (d *decision) roomFor(points int64) bool {
	return points <= event.MaxPoints && d.c.balance <= maxBalance-points
}

func (d *decision) countAction(rule string, day event.Day) int64 {
	for i := range d.c.actions {
		if a := &d.c.actions[i]; a.day == day && a.rule == rule {
			return a.count
		}
	}
	return 0
}

func (d *decision) addAction(rule string, day event.Day) {
	for i := range d.c.actions {
		if a := &d.c.actions[i]; a.day == day && a.rule == rule {
			a.count++
			return
		}
	}
	d.c.actions = append(d.c.actions, actionDay{rule: rule, day: day, count: 1})
}

package program

import (
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
)

// The second model of the ledger: slow and obvious. It keeps every input, walks
// day by day, sums everything anew, and shares nothing with the evaluator but the
// Book and the vocabulary. Fractions are big.Rat; nothing is cached.

type modelLine struct {
	product    string
	eligible   bool
	units      int64
	left       int64 // minor units of the order's own value not given back
	unitsWhole int64
}

type modelGrant struct {
	rule   Rule
	factor *big.Rat
	points int64
	taken  int64 // reversed by refunds
	gone   int64 // expired with the lot
	waived int64 // of gone: claimed by refunds, owed by nobody
}

type modelOrder struct {
	id     string
	time   event.Time
	day    event.Day
	lines  []modelLine
	extra  int64
	net    int64 // what it counts as spend now
	grants []*modelGrant
	body   string
}

func (o *modelOrder) units() (n int64) {
	for _, l := range o.lines {
		n += l.units
	}
	return n
}

func (o *modelOrder) goods() (n int64) {
	for _, l := range o.lines {
		n += l.left
	}
	return n
}

func (o *modelOrder) base() (n int64) {
	for _, l := range o.lines {
		if l.eligible {
			n += l.left
		}
	}
	return n
}

type modelLot struct {
	id, order, rule string
	expires         event.Day
	points          int64
}

// looseRefund is money given back that belongs to no order.
type looseRefund struct {
	day   event.Day
	money int64
}

type model struct {
	b       *Book // the version that decides: set by apply
	first   *Book
	later   *Book
	from    event.Time // of later
	clock   event.Time
	today   event.Day
	member  bool
	tier    int // index of the level
	ground  event.Day
	orders  []*modelOrder
	loose   []looseRefund
	lots    []modelLot
	debt    int64
	refunds map[string]string
	redeems map[string]string
	actions map[string]int64 // rule and day: how often it gave points
}

func newModel(b *Book, clock event.Time) *model {
	return &model{b: b, first: b, later: b, clock: clock, today: event.DayOf(clock, b.Zone), refunds: map[string]string{}, redeems: map[string]string{}, actions: map[string]int64{}}
}

func (m *model) balance() (n int64) {
	for _, l := range m.lots {
		n += l.points
	}
	return n - m.debt
}

// spend is the net spend of the days after ... through.
func (m *model) spend(after, through event.Day) (n int64) {
	for _, o := range m.orders {
		if o.day > after && o.day <= through {
			n += o.net
		}
	}
	for _, r := range m.loose {
		if r.day > after && r.day <= through {
			n -= r.money
		}
	}
	return n
}

const forEver = event.Day(1 << 20)

func (m *model) windowSpend(days int) int64 { return m.spend(m.today-event.Day(days), forEver) }

// lacking is what the window that ends on the day of the review lacks by now.
func (m *model) lacking() int64 {
	if !m.member || m.tier == 0 || m.b.Tiers.ReviewDays == 0 {
		return 0
	}
	review := m.ground + event.Day(m.b.Tiers.ReviewDays)
	return max(0, m.b.Tiers.Levels[m.tier].SpendMinor-m.spend(review-event.Day(m.b.Tiers.WindowDays), forEver))
}

func (m *model) reaches(spend int64) (level int) {
	for i, l := range m.b.Tiers.Levels {
		if i > 0 && spend >= l.SpendMinor {
			level = i
		}
	}
	return level
}

// pass lets the days go by, one after the other.
func (m *model) pass(to event.Time) {
	m.clock = max(m.clock, to)
	for end := event.DayOf(m.clock, m.b.Zone); m.today < end; {
		m.today++
		var kept []modelLot
		for _, l := range m.lots {
			if l.expires == 0 || l.expires >= m.today {
				kept = append(kept, l)
				continue
			}
			if g := m.grant(l.order, l.rule); g != nil {
				g.gone += l.points
			}
		}
		m.lots = kept
		if m.member && m.tier > 0 && m.today >= m.ground+event.Day(m.b.Tiers.ReviewDays) {
			m.tier = min(m.tier, m.reaches(m.windowSpend(m.b.Tiers.WindowDays)))
			m.ground = m.today
		}
	}
}

func (m *model) order(id string) *modelOrder {
	for _, o := range m.orders {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (m *model) grant(order, rule string) *modelGrant {
	if o := m.order(order); o != nil {
		for _, g := range o.grants {
			if g.rule.ID == rule {
				return g
			}
		}
	}
	return nil
}

// apply returns the outcome that is expected.
func (m *model) apply(ev *event.Event) (event.Outcome, string) {
	at := ev.EventTime
	if ev.Redeem != nil {
		at = m.clock
	}
	if m.b = m.first; at >= m.from {
		m.b = m.later
	}
	switch {
	case ev.Order != nil:
		return m.buy(ev)
	case ev.Refund != nil:
		return m.giveBack(ev)
	case ev.Redeem != nil:
		return m.redeem(ev.Redeem)
	}
	return m.act(ev)
}

func (m *model) tooOld(ev *event.Event) bool {
	return ev.EventTime < m.clock.Add(-time.Duration(m.b.MaxAgeDays)*24*time.Hour)
}

func (m *model) enrol(messageID string, day event.Day) {
	if m.member {
		return
	}
	m.member = true
	m.rise(day)
	for _, r := range m.b.Rules {
		if r.Kind == RuleSignUp {
			m.give(modelLot{id: messageID + "/" + r.ID, rule: r.ID, points: r.Points}, day, nil)
		}
	}
}

func (m *model) rise(day event.Day) {
	if to := m.reaches(m.windowSpend(m.b.Tiers.WindowDays)); m.member && to > m.tier {
		m.tier, m.ground = to, max(m.today, day)
	}
}

// expiry: so many months later, on the same day of the month or its last.
func (m *model) expiry(day event.Day) event.Day {
	if m.b.ExpiryDays > 0 {
		return day + event.Day(m.b.ExpiryDays)
	}
	if m.b.ExpiryMonths == 0 {
		return 0
	}
	y, month, d := day.Date()
	for ; ; d-- {
		t := time.Date(y, month+time.Month(m.b.ExpiryMonths), d, 0, 0, 0, 0, time.UTC)
		if t.Day() == d {
			return event.DayOn(t.Date())
		}
	}
}

// give adds points: first into the debt, then as a lot, unless it is past its day.
func (m *model) give(l modelLot, day event.Day, g *modelGrant) {
	l.expires = m.expiry(day)
	fill := min(m.debt, l.points)
	m.debt -= fill
	l.points -= fill
	switch {
	case l.points == 0:
	case l.expires != 0 && l.expires < m.today:
		if g != nil {
			g.gone = l.points
		}
	default:
		m.lots = append(m.lots, l)
	}
	sort.SliceStable(m.lots, func(i, j int) bool {
		a, b := m.lots[i], m.lots[j]
		if (a.expires == 0) != (b.expires == 0) {
			return b.expires == 0
		}
		if a.expires != b.expires {
			return a.expires < b.expires
		}
		return a.id < b.id
	})
}

// use takes points from the lots in their order.
func (m *model) use(points int64) {
	for i := range m.lots {
		n := min(points, m.lots[i].points)
		m.lots[i].points -= n
		points -= n
	}
	m.sweep()
}

func (m *model) sweep() {
	m.lots = slices.DeleteFunc(m.lots, func(l modelLot) bool { return l.points == 0 })
}

// shares divides by largest remainder.
func shares(amount int64, weights []int64) []int64 {
	out := make([]int64, len(weights))
	var total int64
	for _, w := range weights {
		total += w
	}
	if total == 0 || amount == 0 {
		return out
	}
	rest := amount
	fractions := make([]*big.Rat, len(weights))
	for i, w := range weights {
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(amount), big.NewInt(w)), big.NewInt(total))
		out[i] = new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
		fractions[i] = exact.Sub(exact, new(big.Rat).SetInt64(out[i]))
		rest -= out[i]
	}
	for ; rest > 0; rest-- {
		best := 0
		for i := range fractions {
			if fractions[i].Cmp(fractions[best]) > 0 {
				best = i
			}
		}
		out[best]++
		fractions[best] = new(big.Rat).SetInt64(-1)
	}
	return out
}

func roundHalfUp(r *big.Rat) int64 {
	twice := new(big.Rat).Add(r, big.NewRat(1, 2))
	return new(big.Int).Quo(twice.Num(), twice.Denom()).Int64()
}

func pointsOf(r Rule, base int64, factor *big.Rat) int64 {
	if base <= 0 || base < r.MinimumMinor {
		return 0
	}
	exact := new(big.Rat).Mul(big.NewRat(base*r.Points, r.PerMinor), factor)
	if r.Rounding == RoundHalfUp {
		return roundHalfUp(exact)
	}
	return new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
}

func (m *model) factor(r Rule, at event.Time, tier string) *big.Rat {
	product, sum, highest, any := big.NewRat(1, 1), int64(100), int64(0), false
	for _, x := range m.b.Multipliers {
		local := at.Std().In(m.b.Zone)
		switch {
		case x.From != 0 && at < x.From, x.Until != 0 && at >= x.Until,
			len(x.Weekdays) > 0 && !slices.Contains(x.Weekdays, local.Weekday()),
			len(x.Tiers) > 0 && !slices.Contains(x.Tiers, tier),
			len(x.Rules) > 0 && !slices.Contains(x.Rules, r.ID):
			continue
		}
		any = true
		product.Mul(product, big.NewRat(x.Percent, 100))
		sum += x.Percent - 100
		highest = max(highest, x.Percent)
	}
	switch {
	case !any:
		return big.NewRat(1, 1)
	case m.b.Stacking == StackAdd:
		return big.NewRat(sum, 100)
	case m.b.Stacking == StackHighest:
		return big.NewRat(highest, 100)
	}
	return product
}

func (m *model) tierID() string {
	if !m.member {
		return ""
	}
	return m.b.Tiers.Levels[m.tier].ID
}

func (m *model) standingOrders() (n int64) {
	for _, o := range m.orders {
		if o.units() > 0 {
			n++
		}
	}
	return n
}

func (m *model) buy(ev *event.Event) (event.Outcome, string) {
	in := ev.Order
	body := fmt.Sprint(*in)
	if known := m.order(in.OrderID); known != nil {
		if known.body == body {
			return event.OutcomeDuplicateOrder, ""
		}
		return event.OutcomeConflict, ""
	}
	if in.Currency != m.b.Currency {
		return event.OutcomeRejected, event.ReasonWrongCurrency
	}
	if m.tooOld(ev) {
		return event.OutcomeRejected, event.ReasonTooOld
	}
	o := &modelOrder{id: in.OrderID, time: ev.EventTime, day: event.DayOf(ev.EventTime, m.b.Zone), extra: in.ShippingMinor + in.TaxMinor, body: body}
	weights := make([]int64, len(in.Lines))
	for i, l := range in.Lines {
		weights[i] = l.AmountMinor
	}
	for i, off := range shares(in.DiscountMinor, weights) {
		l := in.Lines[i]
		out := slices.Contains(m.b.Exclude.Products, l.ProductID) || slices.Contains(m.b.Exclude.Categories, l.Category)
		o.lines = append(o.lines, modelLine{product: l.ProductID, eligible: !out, units: l.Quantity, unitsWhole: l.Quantity, left: l.AmountMinor - off})
		o.net += l.AmountMinor - off
	}
	for _, r := range m.b.Enrolment {
		if r.Order > 0 && m.standingOrders()+1 >= r.Order {
			m.enrol(ev.MessageID, o.day)
		}
	}
	if m.member {
		tier := m.tierID()
		for _, r := range m.b.Rules {
			if r.Kind != RuleSpend || (len(r.Tiers) > 0 && !slices.Contains(r.Tiers, tier)) {
				continue
			}
			g := &modelGrant{rule: r, factor: m.factor(r, ev.EventTime, tier)}
			if g.points = pointsOf(r, o.base(), g.factor); g.points > 0 {
				o.grants = append(o.grants, g)
				m.give(modelLot{id: o.id + "/" + r.ID, order: o.id, rule: r.ID, points: g.points}, o.day, g)
			}
		}
	}
	m.orders = append(m.orders, o)
	m.rise(o.day)
	return event.OutcomeApplied, ""
}

func (m *model) redeem(in *event.Redeem) (event.Outcome, string) {
	body := fmt.Sprint(*in)
	if known, ok := m.redeems[in.RedemptionID]; ok {
		if strings.HasPrefix(known, body) {
			return event.OutcomeDuplicate, strings.TrimPrefix(known, body)
		}
		return event.OutcomeConflict, ""
	}
	reason := ""
	switch {
	case !m.member:
		reason = event.ReasonNotMember
	case in.Points < m.b.Redemption.MinimumPoints:
		reason = event.ReasonMinimumPoints
	case in.Points > m.balance():
		reason = event.ReasonInsufficientPoints
	}
	m.redeems[in.RedemptionID] = body + reason
	if reason != "" {
		return event.OutcomeRejected, reason
	}
	m.use(in.Points)
	return event.OutcomeApplied, ""
}

func (m *model) act(ev *event.Event) (event.Outcome, string) {
	signUp, rules := false, []Rule{}
	for _, r := range m.b.Enrolment {
		signUp = signUp || (r.SignUp && ev.Name == event.NameSignedUp)
	}
	for _, r := range m.b.Rules {
		if r.Kind == RuleAction && r.Event == ev.Name {
			rules = append(rules, r)
		}
	}
	day := event.DayOf(ev.EventTime, m.b.Zone)
	switch before := m.member; {
	case !signUp && len(rules) == 0:
		return event.OutcomeKept, event.ReasonNoRule
	case m.tooOld(ev):
		return event.OutcomeRejected, event.ReasonTooOld
	case signUp && before && len(rules) == 0:
		return event.OutcomeKept, event.ReasonNoRule
	case signUp:
		m.enrol(ev.MessageID, day)
	case !before:
		return event.OutcomeKept, event.ReasonNotMember
	}
	for _, r := range rules {
		key := fmt.Sprint(r.ID, " ", day)
		if len(r.Tiers) > 0 && !slices.Contains(r.Tiers, m.tierID()) || r.MaxPerDay > 0 && m.actions[key] >= r.MaxPerDay {
			continue
		}
		if r.MaxPerDay > 0 {
			m.actions[key]++
		}
		m.give(modelLot{id: ev.MessageID + "/" + r.ID, rule: r.ID, points: r.Points}, day, nil)
	}
	return event.OutcomeApplied, ""
}

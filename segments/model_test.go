package segments

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// model is the slow, obvious truth about one customer: it keeps everything that
// ever happened and works out memberships by their definition, as of any day. It
// asks the program for what the program decides (tier, scores, balance).
type model struct {
	book    *program.Book
	set     *Set
	orders  []*modelOrder
	extra   []modelRefund // money given back of no order
	doings  []modelDoing
	facts   map[string]modelFact
	account program.Account
	has     bool
}

type modelOrder struct {
	id               string
	time             event.Time
	net, given       int64
	wholly           bool
	channel, country string
	lines            []event.LineFact
}

type modelRefund struct {
	time event.Time
	net  int64
}

type modelDoing struct {
	name  string
	time  event.Time
	props map[string]string
}

type modelFact struct {
	time  event.Time
	value string // "": forgotten
}

func newModel(b *program.Book, s *Set) *model {
	return &model{book: b, set: s, facts: map[string]modelFact{}}
}

// take learns from an entry and the event behind it.
func (m *model) take(ev *event.Event, e *event.Entry) {
	if e.Outcome != event.OutcomeApplied && e.Outcome != event.OutcomeKept {
		return
	}
	for name, raw := range ev.Traits {
		m.learn(name, ev.EventTime, text(raw))
	}
	switch {
	case e.Order != nil:
		m.orders = append(m.orders, &modelOrder{id: e.Order.OrderID, time: ev.EventTime, net: e.Order.NetMinor, channel: e.Order.Channel, country: e.Order.Country, lines: e.Order.Lines})
	case e.Refund != nil:
		rest := e.Refund.NetMinor
		for _, a := range e.Refund.Allocations {
			for _, o := range m.orders {
				if o.id == a.OrderID {
					o.given += a.AmountMinor
					o.wholly = o.wholly || a.Wholly
				}
			}
			rest -= a.AmountMinor
		}
		if e.Refund.OrderID == "" && e.Outcome == event.OutcomeApplied {
			m.extra = append(m.extra, modelRefund{ev.EventTime, rest})
		}
	case ev.Type == event.TypeTrack:
		d := modelDoing{name: ev.Name, time: ev.EventTime, props: map[string]string{}}
		for name, raw := range ev.Properties {
			if s := text(raw); s != "" {
				d.props[name] = s
			}
		}
		if s := ev.Survey; s != nil {
			d.props["kind"], d.props["score"] = s.Kind, strconv.FormatInt(s.Score, 10)
		}
		m.doings = append(m.doings, d)
		if ev.Name == "Unsubscribed" {
			m.withdraw(ev)
		}
	}
}

func (m *model) learn(name string, at event.Time, value string) {
	if old, known := m.facts[name]; !known || at >= old.time {
		m.facts[name] = modelFact{at, value}
	}
}

func (m *model) withdraw(ev *event.Event) {
	whole := "consent.email"
	if c := text(ev.Properties["channel"]); c != "" {
		whole = "consent." + c
	}
	m.learn(whole, ev.EventTime, "false")
	for name, f := range m.facts {
		if strings.HasPrefix(name, whole+".") && f.value != "" {
			m.learn(name, ev.EventTime, "false")
		}
	}
}

// text is a JSON scalar's text, "" for null.
func text(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil || v == nil {
		return ""
	}
	if s, ok := v.(string); ok {
		return s
	}
	return string(raw)
}

func (m *model) day(t event.Time) event.Day { return event.DayOf(t, m.book.Zone) }

// members are the segments that the customer is in on a day, by definition.
func (m *model) members(today event.Day) []string {
	in := make([]bool, len(m.set.Segments))
	var out []string
	for i := range m.set.Segments {
		g := &m.set.Segments[i]
		if in[i] = m.is(&g.Who, in, today); in[i] && !strings.HasPrefix(g.ID, "trigger:") {
			out = append(out, g.ID)
		}
	}
	slices.Sort(out)
	return out
}

func (m *model) is(n *Node, in []bool, today event.Day) bool {
	switch n.Op {
	case OpAll:
		for i := range n.Children {
			if !m.is(&n.Children[i], in, today) {
				return false
			}
		}
		return true
	case OpAny:
		for i := range n.Children {
			if m.is(&n.Children[i], in, today) {
				return true
			}
		}
		return false
	case OpNot:
		return !m.is(&n.Children[0], in, today)
	case OpSegment:
		return in[n.Index]
	}
	return m.holds(&m.set.Leaves[n.Index], today)
}

func (m *model) holds(l *Leaf, today event.Day) bool {
	q := &m.set.Quantities[l.Quantity]
	n, word, number, known := m.value(q, today)
	if !known {
		return false
	}
	switch l.Form {
	case FormKnown:
		return true
	case FormWords:
		return slices.Contains(l.Words, word)
	case FormTruth:
		return word == strconv.FormatBool(l.Truth)
	}
	return number && (!l.HasMin || n >= l.Min) && (!l.HasMax || n <= l.Max)
}

// value is a quantity by its definition: as a number if it is one, or a word.
func (m *model) value(q *Quantity, today event.Day) (n int64, word string, number, known bool) {
	num := func(n int64, known bool) (int64, string, bool, bool) { return n, "", true, known }
	ofText := func(s string) (int64, string, bool, bool) {
		whole, _, _ := strings.Cut(s, ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		return n, s, err == nil, s != ""
	}
	switch q.Kind {
	case Member:
		return 0, strconv.FormatBool(m.has && m.account.Member()), false, true
	case Fact:
		return ofText(m.facts[q.Fact].value)
	case LatestEvent:
		var last *modelDoing
		for i := range m.doings {
			if d := &m.doings[i]; m.selected(q, d) && (last == nil || d.time >= last.time) {
				last = d
			}
		}
		if last == nil {
			return 0, "", false, false
		}
		return ofText(last.props[q.Property])
	case Tier:
		if !m.has {
			return 0, "", false, false
		}
		return 0, m.account.Tier(), false, m.account.Tier() != ""
	case DaysToBirthday:
		return num(m.birthday(today))
	case CountEvents, SumEvents, DaysSinceFirstEvent, DaysSinceLastEvent:
		return num(m.ofEvents(q, today))
	case CountOrders, SumOrders, Orders, Spend, DaysSinceFirst, DaysSinceLast, GapPercent:
		return num(m.ofOrders(q, today))
	}
	return num(m.ofStanding(q.Kind, today))
}

func (m *model) selected(q *Quantity, d *modelDoing) bool {
	if d.name != q.Event {
		return false
	}
	for _, f := range q.Where {
		v, ok := d.props[f.Property]
		n, err := strconv.ParseInt(strings.Split(v, ".")[0], 10, 64)
		switch {
		case !ok,
			f.Form == FormWords && !slices.Contains(f.Words, v),
			f.Form == FormTruth && v != strconv.FormatBool(f.Truth),
			f.Form == FormRange && (err != nil || f.HasMin && n < f.Min || f.HasMax && n > f.Max):
			return false
		}
	}
	return true
}

func (m *model) ofEvents(q *Quantity, today event.Day) (n int64, known bool) {
	first, last := event.Day(1<<30), event.Day(0)
	for i := range m.doings {
		d := &m.doings[i]
		if !m.selected(q, d) {
			continue
		}
		day := m.day(d.time)
		first, last = min(first, day), max(last, day)
		if !inWindow(q.Window, day, today) {
			continue
		}
		if q.Kind == CountEvents {
			n++
		} else if v, err := strconv.ParseInt(strings.Split(d.props[q.Property], ".")[0], 10, 64); err == nil {
			n += v
		}
	}
	switch q.Kind {
	case DaysSinceFirstEvent:
		return int64(max(0, today-first)), last > 0
	case DaysSinceLastEvent:
		return int64(max(0, today-last)), last > 0
	}
	return n, true
}

func (m *model) ofOrders(q *Quantity, today event.Day) (n int64, known bool) {
	var count, sum int64
	var first, last event.Day
	for _, o := range m.orders {
		day := m.day(o.time)
		if first == 0 || day < first {
			first = day
		}
		if !o.wholly {
			last = max(last, day)
		}
		if !inWindow(q.Window, day, today) || !o.matches(q.Where) {
			continue
		}
		sum += o.net - o.given
		if !o.wholly {
			count++
		}
	}
	for _, r := range m.extra {
		if len(q.Where) == 0 && inWindow(q.Window, m.day(r.time), today) {
			sum -= r.net
		}
	}
	switch q.Kind {
	case CountOrders, Orders:
		return count, true
	case SumOrders, Spend:
		return sum, true
	case DaysSinceFirst:
		return int64(max(0, today-first)), first > 0
	case DaysSinceLast:
		return int64(max(0, today-last)), last > 0
	}
	span, since := int64(last-first), int64(max(0, today-last))
	if last == 0 || count < q.MinOrders || span <= 0 {
		return 0, false
	}
	for n = 0; n*span < 100*since*(count-1); n++ { // rounded up
	}
	return n, true
}

// spendAfter is the net spend of the days after one.
func (m *model) spendAfter(day event.Day) (n int64) {
	for _, o := range m.orders {
		if m.day(o.time) > day {
			n += o.net - o.given
		}
	}
	for _, r := range m.extra {
		if m.day(r.time) > day {
			n -= r.net
		}
	}
	return n
}

func (o *modelOrder) matches(where []Filter) bool {
	for _, f := range where {
		values := map[string][]string{"channel": {o.channel}, "country": {o.country}}
		for _, l := range o.lines {
			values["product"] = append(values["product"], l.ProductID)
			values["category"] = append(values["category"], l.Category)
			values["brand"] = append(values["brand"], l.Brand)
		}
		if !slices.ContainsFunc(values[f.Property], func(v string) bool { return slices.Contains(f.Words, v) }) {
			return false
		}
	}
	return true
}

// inWindow says by the calendar whether a day counts.
func inWindow(w Window, day, today event.Day) bool {
	date := func(d event.Day) time.Time { y, m, dd := d.Date(); return time.Date(y, m, dd, 0, 0, 0, 0, time.UTC) }
	monday := func(d event.Day) time.Time {
		t := date(d)
		for t.Weekday() != time.Monday {
			t = t.AddDate(0, 0, -1)
		}
		return t
	}
	quarter := func(t time.Time) int { return t.Year()*4 + (int(t.Month())-1)/3 }
	month := func(t time.Time) int { return t.Year()*12 + int(t.Month()) }
	d, t := date(day), date(today)
	switch {
	case w.Days > 0:
		return day <= today && today-day < event.Day(w.Days)
	case w.Calendar == NoCalendar:
		return true
	case day > today:
		return false
	}
	switch w.Calendar {
	case ThisWeek:
		return monday(day).Equal(monday(today))
	case LastWeek:
		return monday(day).AddDate(0, 0, 7).Equal(monday(today))
	case ThisMonth:
		return month(d) == month(t)
	case LastMonth:
		return month(d) == month(t)-1
	case ThisQuarter:
		return quarter(d) == quarter(t)
	case LastQuarter:
		return quarter(d) == quarter(t)-1
	}
	return d.Year() == t.Year()
}

func (m *model) birthday(today event.Day) (int64, bool) {
	month, err := strconv.Atoi(m.facts["birth_month"].value)
	day, err2 := strconv.Atoi(m.facts["birth_day"].value)
	if err != nil || err2 != nil || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	if leap := time.Date(2024, time.Month(month), day, 0, 0, 0, 0, time.UTC); leap.Day() != day {
		return 0, false
	}
	for n := int64(0); ; n++ {
		y, mm, dd := (today + event.Day(n)).Date()
		is := int(mm) == month && dd == day
		common := time.Date(y, time.February, 29, 0, 0, 0, 0, time.UTC).Month() == time.March
		if is || month == 2 && day == 29 && common && mm == time.March && dd == 1 {
			return n, true
		}
	}
}

// ofStanding reads what the program decided.
func (m *model) ofStanding(k Kind, today event.Day) (int64, bool) {
	if !m.has {
		return 0, k == Balance
	}
	a, levels := m.account, m.book.Tiers.Levels
	at := slices.IndexFunc(levels, func(l program.TierLevel) bool { return l.ID == a.Tier() })
	on, points := a.NextExpiry()
	ago := func(t event.Time) (int64, bool) { return int64(max(0, today-m.day(t))), t != 0 }
	ahead := func(d event.Day) (int64, bool) { return int64(d - today), d >= today && d != 0 }
	lacks := func(i int) int64 { return max(0, levels[i].SpendMinor-a.TierSpendMinor()) }
	switch k {
	case TierRank:
		return int64(at + 1), at >= 0
	case Recency:
		return int64(a.Scores().R), a.Scores().R > 0
	case Frequency:
		return int64(a.Scores().F), a.Scores().F > 0
	case Monetary:
		return int64(a.Scores().M), a.Scores().M > 0
	case Balance:
		return a.Balance(), true
	case ExpiringPoints:
		return points, on != 0
	case SpendToNextTier:
		if at < 0 || at+1 == len(levels) {
			return 0, false
		}
		return lacks(at + 1), true
	case SpendToKeepTier:
		if at < 0 || a.TierReviewOn() == 0 {
			return 0, false
		}
		// The window will end on the day of the review: what is in it by now stays.
		return max(0, levels[at].SpendMinor-m.spendAfter(a.TierReviewOn()-event.Day(cmp.Or(m.book.Tiers.WindowDays, 365)))), true
	case DaysSinceEnrolled:
		return ago(a.EnrolledTime())
	case DaysSinceTier:
		return ago(a.TierSince())
	case DaysToReview:
		return ahead(a.TierReviewOn())
	}
	return ahead(on)
}

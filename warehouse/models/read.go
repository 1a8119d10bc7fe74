package models

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/punchcard/punchcard/warehouse"
)

// What a fit needs. Below, parameters mean little and back-tests nothing.
const (
	MinCustomers = 200 // with a real order
	MinRepeaters = 50  // who bought on two days or more
	MinDays      = 56  // from the first order to the last
	// testShare of the time is held out.
	testShare = 4
	// maxCustomers bounds what is read.
	maxCustomers = 20_000_000
)

// scope is which orders count.
type scope struct {
	currency, zone   string
	minorPerMajor    int64
	first, asOf, cut time.Time // days
	real, simulated  int64     // orders
}

// population is what was read: calibration, later and held are of the customers
// who had bought by the cut.
type population struct {
	scope       scope
	ids         []string
	customers   []Customer
	calibration []Customer
	later       []Later
}

// Orders count in the program's currency; without a program, in that of most
// orders. Time ends at the newest tick, but not after the day of the last real
// order: where the clock goes on without real orders (a demo, a feed that has
// ended), silence is not churn.
const scopeStatement = `WITH base AS
(
    SELECT currency, minor_per_major, is_simulated, toDate32(toTimeZone(event_time, (SELECT p.time_zone FROM program AS p))) AS day
    FROM orders WHERE is_identified
),
(SELECT p.currency FROM program AS p) AS named,
(SELECT argMax(currency, n) FROM (SELECT currency, count() AS n FROM base WHERE NOT is_simulated GROUP BY currency)) AS usual
SELECT
    if(named != '', named, usual) AS unit,
    (SELECT p.time_zone FROM program AS p) AS zone,
    toInt64(anyIf(minor_per_major, currency = unit)) AS minor_per_major,
    toString(minIf(day, NOT is_simulated AND currency = unit)) AS first,
    toString(least(maxIf(day, NOT is_simulated AND currency = unit), toDate32((SELECT a.day FROM as_of AS a)))) AS last,
    toInt64(countIf(NOT is_simulated AND currency = unit)) AS real,
    toInt64(countIf(is_simulated)) AS simulated
FROM base`

// One row a customer. Orders of one day are one purchase; a wholly refunded order
// is none, whenever it was refunded.
const populationStatement = `WITH returned AS
(
    SELECT account_id, order_id, sum(amount_minor) AS minor, max(is_wholly) AS wholly
    FROM refund_allocations WHERE NOT is_simulated GROUP BY account_id, order_id
),
days AS
(
    SELECT o.account_id AS id, toDate32(toTimeZone(o.event_time, {zone:String})) AS day, sum(o.net_minor - ifNull(r.minor, 0)) AS minor
    FROM orders AS o LEFT JOIN returned AS r ON r.account_id = o.account_id AND r.order_id = o.order_id
    WHERE o.is_identified AND NOT o.is_simulated AND o.currency = {currency:String} AND NOT ifNull(r.wholly, false)
    GROUP BY id, day HAVING day <= {as_of:Date32}
)
SELECT
    id,
    toInt32(count() - 1) AS x,
    toInt32(dateDiff('day', min(day), max(day))) AS recency,
    toInt32(dateDiff('day', min(day), {as_of:Date32})) AS age,
    toInt64(sum(minor) - argMin(minor, day)) AS repeat_minor,
    toInt32(countIf(day <= {cut:Date32})) AS early,
    toInt32(if(early = 0, 0, dateDiff('day', min(day), maxIf(day, day <= {cut:Date32})))) AS early_recency,
    toInt64(sumIf(minor, day <= {cut:Date32}) - if(early = 0, 0, argMin(minor, day))) AS early_repeat_minor,
    toInt64(sumIf(minor, day > {cut:Date32})) AS later_minor
FROM days GROUP BY id ORDER BY id`

// read fetches the customers as of the newest tick.
func read(ctx context.Context, w *warehouse.Warehouse) (*population, error) {
	s, err := readScope(ctx, w)
	if err != nil {
		return nil, err
	}
	p := &population{scope: s}
	parameters := map[string]string{"zone": s.zone, "currency": s.currency, "as_of": s.asOf.Format(time.DateOnly), "cut": s.cut.Format(time.DateOnly)}
	err = w.Arrow(ctx, populationStatement, parameters, p.take)
	if errors.Is(err, warehouse.ErrNoArrow) {
		err = p.readRows(ctx, w, parameters)
	}
	if err != nil {
		return nil, err
	}
	repeaters := 0
	for i := range p.customers {
		if p.customers[i].X > 0 {
			repeaters++
		}
	}
	if len(p.ids) < MinCustomers || repeaters < MinRepeaters {
		return nil, fmt.Errorf("%w: %d customers with real orders, of whom %d bought again; a fit needs %d and %d: import more history, or wait", ErrTooFew, len(p.ids), repeaters, MinCustomers, MinRepeaters)
	}
	return p, nil
}

func readScope(ctx context.Context, w *warehouse.Warehouse) (s scope, err error) {
	_, rows, err := w.Ask(ctx, scopeStatement, nil)
	if err != nil {
		return s, err
	}
	if len(rows) != 1 || len(rows[0]) != 7 {
		return s, fmt.Errorf("models: asking for the orders' scope gave %d rows", len(rows))
	}
	text := func(i int) string { return fmt.Sprint(rows[0][i]) }
	number := func(i int) int64 {
		n, nerr := strconv.ParseInt(text(i), 10, 64)
		err = errors.Join(err, nerr)
		return n
	}
	s.currency, s.zone, s.minorPerMajor, s.real, s.simulated = text(0), text(1), number(2), number(5), number(6)
	if err != nil {
		return s, fmt.Errorf("models: the orders' scope: %w", err)
	}
	if s.real == 0 {
		if s.simulated > 0 {
			return s, fmt.Errorf("%w: all %d orders are simulated: models are fitted on real ones only, for of simulated customers they would find what the simulation was told", ErrTooFew, s.simulated)
		}
		return s, fmt.Errorf("%w: there are no real orders of identified customers yet", ErrTooFew)
	}
	if s.first, err = time.Parse(time.DateOnly, text(3)); err != nil {
		return s, fmt.Errorf("models: the first order's day: %w", err)
	}
	if s.asOf, err = time.Parse(time.DateOnly, text(4)); err != nil {
		return s, fmt.Errorf("models: the last day: %w", err)
	}
	span := days(s.first, s.asOf)
	if span < MinDays {
		return s, fmt.Errorf("%w: real orders reach over %d days; a fit needs %d", ErrTooFew, span, MinDays)
	}
	s.cut = s.asOf.AddDate(0, 0, -span/testShare)
	return s, nil
}

func days(from, to time.Time) int { return int(to.Sub(from) / (24 * time.Hour)) }

// row is one customer as the statement has it.
type row struct {
	x, recency, age, early, earlyRecency      int32
	repeatMinor, earlyRepeatMinor, laterMinor int64
}

func (p *population) add(id string, r row) error {
	if len(p.ids) == maxCustomers {
		return fmt.Errorf("models: more than %d customers", maxCustomers)
	}
	major := float64(max(p.scope.minorPerMajor, 1))
	mean := func(minor int64, x int32) float64 {
		if x == 0 {
			return 0
		}
		return float64(minor) / major / float64(x)
	}
	p.ids = append(p.ids, id)
	p.customers = append(p.customers, Customer{X: int(r.x), Recency: float64(r.recency) / week, Age: float64(r.age) / week, Mean: mean(r.repeatMinor, r.x)})
	if r.early == 0 {
		return nil
	}
	held := int32(days(p.scope.cut, p.scope.asOf))
	p.calibration = append(p.calibration, Customer{X: int(r.early - 1), Recency: float64(r.earlyRecency) / week, Age: float64(r.age-held) / week, Mean: mean(r.earlyRepeatMinor, r.early-1)})
	p.later = append(p.later, Later{Purchases: int(r.x + 1 - r.early), Spend: float64(r.laterMinor) / major})
	return nil
}

// take adds the customers of one Arrow record.
func (p *population) take(r arrow.Record) error {
	n := int(r.NumRows())
	names, ok := r.Column(0).(interface{ ValueStr(int) string })
	var small [5]*array.Int32
	var large [3]*array.Int64
	for i, column := range []int{1, 2, 3, 5, 6} {
		var is bool
		small[i], is = r.Column(column).(*array.Int32)
		ok = ok && is
	}
	for i, column := range []int{4, 7, 8} {
		var is bool
		large[i], is = r.Column(column).(*array.Int64)
		ok = ok && is
	}
	if !ok {
		return fmt.Errorf("models: the customers came with other columns than asked for: %s", r.Schema())
	}
	for i := range n {
		err := p.add(names.ValueStr(i), row{small[0].Value(i), small[1].Value(i), small[2].Value(i), small[3].Value(i), small[4].Value(i), large[0].Value(i), large[1].Value(i), large[2].Value(i)})
		if err != nil {
			return err
		}
	}
	return nil
}

// readRows is for ClickHouse's native port, which has no Arrow.
func (p *population) readRows(ctx context.Context, w *warehouse.Warehouse, parameters map[string]string) error {
	_, rows, err := w.Ask(ctx, populationStatement, parameters)
	if err != nil {
		return err
	}
	for _, v := range rows {
		var r row
		id, ok := v[0].(string)
		for i, into := range []*int32{&r.x, &r.recency, &r.age, nil, &r.early, &r.earlyRecency} {
			if into != nil && ok {
				*into, ok = v[i+1].(int32)
			}
		}
		for i, into := range map[int]*int64{4: &r.repeatMinor, 7: &r.earlyRepeatMinor, 8: &r.laterMinor} {
			if ok {
				*into, ok = v[i].(int64)
			}
		}
		if !ok {
			return fmt.Errorf("models: a customer came with other columns than asked for: %v", v)
		}
		if err := p.add(id, r); err != nil {
			return err
		}
	}
	return nil
}

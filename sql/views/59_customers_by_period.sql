-- customers_by_period: new, retained, reactivated and lost customers, and the churn of the period.
--
-- Meaning: active = new (first order) + retained (active in the period before too) + reactivated (before that, but not in the period
--          before). lost: active in the period before, not in this one.
-- Formula: period_churn = lost / active_before. Null where the period has not fully passed.
-- Base:    identified customers, orders before refunds; base = real: real orders only; all: simulated ones too.
-- Unit:    customers; rate 0-1; weeks (from Monday) and months in the program's time zone.
-- Source:  orders, as_of, program.
-- Caveat:  lost for a period is not gone: customers who buy twice a year are "lost" in most months. See churn.
CREATE OR REPLACE VIEW customers_by_period
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    grain String COMMENT 'week or month',
    period Date COMMENT 'First day of the week or month, program''s time zone',
    is_passed Bool COMMENT 'It has fully passed',
    active UInt64 COMMENT 'Customers with an order in the period',
    new UInt64 COMMENT 'Of them: with their first order',
    retained UInt64 COMMENT 'Of them: with an order in the period before too',
    reactivated UInt64 COMMENT 'Of them: with an order earlier, but not in the period before',
    active_before UInt64 COMMENT 'Customers with an order in the period before: the base of the churn',
    lost Nullable(UInt64) COMMENT 'Of active_before: without an order in this one; null: not fully passed',
    period_churn Nullable(Float64) COMMENT 'lost / active_before, 0-1; null: not fully passed, or nobody before'
)
AS WITH periods AS
(
    SELECT
        x.base AS base,
        x.account_id AS account_id,
        arrayJoin([('week', arraySort(arrayDistinct(arrayMap(d -> toInt32(intDiv(toUInt32(toMonday(d)) - 4, 7)), x.days)))), ('month', arraySort(arrayDistinct(arrayMap(d -> toInt32(toRelativeMonthNum(d)), x.days))))]) AS cut
    FROM
    (
        SELECT arrayJoin(if(o.is_simulated, ['all'], ['real', 'all'])) AS base, o.account_id AS account_id, groupUniqArray(toDate(o.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))) AS days
        FROM orders AS o
        WHERE o.is_identified
        GROUP BY base, o.account_id
    ) AS x
),
steps AS
(
    SELECT
        p.base AS base,
        p.cut.1 AS grain,
        -- Each period with an order, and the one after it: there the customer is lost if nothing follows.
        arrayJoin(arrayDistinct(arrayConcat(p.cut.2, arrayMap(n -> n + 1, p.cut.2)))) AS number,
        has(p.cut.2, number) AS is_active,
        has(p.cut.2, number - 1) AS was_active,
        p.cut.2[1] = number AS is_new
    FROM periods AS p
)
SELECT
    s.base AS base,
    s.grain AS grain,
    if(s.grain = 'week', toDate(toUInt32(s.number * 7 + 4)), addMonths(toDate('1970-01-01'), s.number - toRelativeMonthNum(toDate('1970-01-01')))) AS period,
    toBool(if(s.grain = 'week', addDays(period, 7), addMonths(period, 1)) <= assumeNotNull((SELECT a.day FROM as_of AS a))) AS is_passed,
    countIf(s.is_active) AS active,
    countIf(s.is_new) AS new,
    countIf(s.is_active AND s.was_active) AS retained,
    countIf(s.is_active AND NOT s.was_active AND NOT s.is_new) AS reactivated,
    countIf(s.was_active) AS active_before,
    if(is_passed, countIf(s.was_active AND NOT s.is_active), NULL) AS lost,
    lost / nullIf(active_before, 0) AS period_churn
FROM steps AS s
GROUP BY s.base, s.grain, s.number
HAVING period <= assumeNotNull((SELECT a.day FROM as_of AS a)) OR active > 0
COMMENT 'New, retained, reactivated and lost customers by period. Base: identified customers. Unit: customers. Source: orders'

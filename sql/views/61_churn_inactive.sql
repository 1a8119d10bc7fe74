-- churn_inactive: first definition of churn: no order for N days, at the end of each month.
--
-- Meaning: inactive: customers whose last order lay more than N days back at the end of the month (the newest row: at the newest tick).
--          N is lapse_days of order_gaps.
-- Formula: inactive_rate = inactive / customers.
-- Base:    identified customers with an order up to that day (orders before refunds); base = real: real orders only; all: simulated ones too.
-- Unit:    customers; rate 0-1; months in the program's time zone.
-- Source:  orders, order_gaps, as_of, program.
-- Caveat:  a level, not a flow: it only grows while nobody comes back, and is 0 until N days after the data begin.
CREATE OR REPLACE VIEW churn_inactive
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    month Date COMMENT 'First day of the month, program''s time zone',
    on_day Date COMMENT 'Day at whose end it is counted: last of the month; newest row: the newest tick''s',
    lapse_days UInt32 COMMENT 'N: days without an order after which a customer counts as inactive',
    customers UInt64 COMMENT 'Customers with an order up to that day: the base',
    inactive UInt64 COMMENT 'Of them: last order more than N days before',
    inactive_rate Float64 COMMENT 'inactive / customers, 0-1'
)
AS WITH bought AS
(
    SELECT
        arrayJoin(if(o.is_simulated, ['all'], ['real', 'all'])) AS base,
        o.account_id AS account_id,
        arraySort(groupUniqArray(toDate(o.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g))))) AS days
    FROM orders AS o
    WHERE o.is_identified
    GROUP BY base, o.account_id
),
each AS
(
    SELECT
        b.base AS base,
        arrayJoin(arrayMap(k -> addMonths(toStartOfMonth(b.days[1]), k), range(toUInt32(greatest(dateDiff('month', b.days[1], t.day), 0)) + 1))) AS month,
        least(toLastDayOfMonth(month), t.day) AS on_day,
        arrayLast(d -> d <= on_day, b.days) AS last_day
    FROM bought AS b
    CROSS JOIN (SELECT a.day AS day FROM as_of AS a) AS t
)
SELECT
    e.base AS base,
    e.month AS month,
    e.on_day AS on_day,
    any(n.lapse_days) AS lapse_days,
    count() AS customers,
    countIf(dateDiff('day', e.last_day, e.on_day) > n.lapse_days) AS inactive,
    inactive / customers AS inactive_rate
FROM each AS e
INNER JOIN order_gaps AS n ON n.base = e.base
WHERE e.last_day > toDate('1970-01-01')
GROUP BY e.base, e.month, e.on_day
COMMENT 'Churn as no order for N days, at the end of each month. Base: identified customers with an order. Unit: customers. Source: orders, order_gaps'

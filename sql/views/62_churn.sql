-- churn: three definitions of churn side by side, which must not be mixed up.
--
-- Meaning: inactive: no order for N days, as of the newest tick (a level). period: of the customers of the month before the last passed
--          one, those without an order in that one (a flow). model: expected share of those who will never buy again, 1 − P(alive).
-- Formula: rate = churned / customers; model: churned = Σ (1 − P(alive)).
-- Base:    differs by definition: column base_text says it, customers counts it. base = real: real orders only; all: simulated ones too
--          (the model knows real orders only). A definition without figures is missing: no gaps, no passed month, no model fitted.
-- Unit:    customers; rate 0-1.
-- Source:  churn_inactive, customers_by_period, customer_value.
-- Caveat:  none of them is seen: nobody in a shop without contracts says goodbye.
CREATE OR REPLACE VIEW churn
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    definition String COMMENT 'inactive, period or model',
    detail String COMMENT 'What exactly: N, the month, or the model',
    base_text String COMMENT 'Of whom, in words',
    on_day Date COMMENT 'As of which day (period: last day of the month)',
    customers UInt64 COMMENT 'Customers: the base',
    churned Float64 COMMENT 'Churned of them; model: expected',
    rate Float64 COMMENT 'churned / customers, 0-1'
)
AS SELECT
    i.base AS base,
    'inactive' AS definition,
    concat('no order for ', toString(argMax(i.lapse_days, i.on_day)), ' days') AS detail,
    'customers who ever ordered' AS base_text,
    max(i.on_day) AS on_day,
    argMax(i.customers, i.on_day) AS customers,
    toFloat64(argMax(i.inactive, i.on_day)) AS churned,
    churned / customers AS rate
FROM churn_inactive AS i
GROUP BY i.base
UNION ALL
SELECT
    p.base,
    'period',
    concat('no order in ', formatDateTime(max(p.period), '%Y-%m')),
    concat('customers with an order in ', formatDateTime(addMonths(max(p.period), -1), '%Y-%m')),
    toLastDayOfMonth(max(p.period)),
    argMax(p.active_before, p.period) AS c,
    toFloat64(assumeNotNull(argMax(p.lost, p.period))) AS l,
    l / c
FROM customers_by_period AS p
WHERE p.grain = 'month' AND p.is_passed AND p.active_before > 0
GROUP BY p.base
UNION ALL
SELECT
    'real',
    'model',
    concat('1 - P(alive) by ', any(v.alive_model)),
    'customers with a real order in the program''s currency',
    toDate(any(v.as_of)),
    count() AS n,
    sum(v.p_churned) AS s,
    s / n
FROM customer_value AS v
HAVING n > 0
COMMENT 'Three definitions of churn, kept apart. Base: differs, see base_text. Unit: customers. Source: churn_inactive, customers_by_period, customer_value'

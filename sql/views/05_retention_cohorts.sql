-- retention_cohorts: who comes back, by month of the first order.
--
-- Meaning: of the customers whose first order fell in cohort_month, how many ordered in the month that lies month_number
--          months later (active), and how many in that month or any later one (active_in_or_after). Month 0 is all of them.
-- Base:    identified customers, orders before refunds. base = real: real orders only; base = all: simulated ones too.
--          Months up to the newest tick (or the newest order, if later).
-- Unit:    customers; share of size, 0-1; months in the program's time zone.
-- Source:  orders, as_of, program.
-- Caveat:  the newest month is not over, its cells are too low; view retention has null there, and weeks, tiers, segments and channels.
CREATE OR REPLACE VIEW retention_cohorts
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    cohort_month Date COMMENT 'First day of the month of the first order, program''s time zone',
    month_number UInt16 COMMENT 'Months since then, 0 = the month of the first order',
    size UInt64 COMMENT 'Customers of the cohort',
    active UInt64 COMMENT 'Customers with an order in that month',
    active_in_or_after UInt64 COMMENT 'Customers with an order in that month or later',
    active_share Float64 COMMENT 'active / size, 0-1',
    active_in_or_after_share Float64 COMMENT 'active_in_or_after / size, 0-1'
)
AS WITH months AS
(
    SELECT
        arrayJoin(if(is_simulated, ['all'], ['real', 'all'])) AS base,
        account_id,
        groupUniqArray(toStartOfMonth(toTimeZone(event_time, (SELECT p.time_zone FROM program AS p)))) AS months
    FROM orders
    WHERE is_identified
    GROUP BY base, account_id
),
cohorts AS
(
    SELECT
        base,
        months,
        arrayMin(months) AS first_month,
        arrayMax(months) AS last_month,
        max(last_month) OVER () AS newest_month
    FROM months
)
SELECT
    c.base AS base,
    c.first_month AS cohort_month,
    toUInt16(k) AS month_number,
    count() AS size,
    countIf(has(c.months, addMonths(c.first_month, k))) AS active,
    countIf(c.last_month >= addMonths(c.first_month, k)) AS active_in_or_after,
    active / size AS active_share,
    active_in_or_after / size AS active_in_or_after_share
FROM cohorts AS c
ARRAY JOIN range(toUInt64(dateDiff('month', c.first_month, greatest(c.newest_month, (SELECT a.month FROM as_of AS a))) + 1)) AS k
GROUP BY base, cohort_month, month_number
COMMENT 'Who comes back, by month of the first order. Base: identified customers, orders before refunds. Unit: customers. Source: orders';

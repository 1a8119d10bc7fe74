-- order_gaps: how long customers take between two orders: where the N of "no order for N days" comes from.
--
-- Meaning: lapse_days is the N of the churn views: nine gaps of ten are no longer, so who is silent for longer is more likely gone than slow.
-- Formula: gap = days between two successive days with an order of one customer; quantiles as R's type 7; lapse_days = p90, rounded up.
-- Base:    all gaps of identified customers with orders on two days or more; base = real: real orders only; all: simulated ones too.
-- Unit:    days.
-- Source:  orders, program.
-- Caveat:  gaps that are still open are not in it, so it is a little short in young data; who bought once has no gap.
CREATE OR REPLACE VIEW order_gaps
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    customers UInt64 COMMENT 'Customers with a gap',
    gaps UInt64 COMMENT 'Gaps: the base of the quantiles',
    mean_days Float64 COMMENT 'Mean gap, days',
    p50 Float64 COMMENT 'Median gap, days',
    p75 Float64 COMMENT '75th percentile, days',
    p90 Float64 COMMENT '90th percentile, days',
    p95 Float64 COMMENT '95th percentile, days',
    lapse_days UInt32 COMMENT 'N: p90, rounded up, days'
)
AS SELECT
    x.base AS base,
    uniqExact(x.account_id) AS customers,
    count() AS gaps,
    avg(x.gap) AS mean_days,
    quantileExactInclusive(0.5)(x.gap) AS p50,
    quantileExactInclusive(0.75)(x.gap) AS p75,
    quantileExactInclusive(0.9)(x.gap) AS p90,
    quantileExactInclusive(0.95)(x.gap) AS p95,
    toUInt32(ceil(p90)) AS lapse_days
FROM
(
    SELECT
        arrayJoin(if(o.is_simulated, ['all'], ['real', 'all'])) AS base,
        o.account_id AS account_id,
        arrayJoin(arrayPopFront(arrayDifference(arraySort(groupUniqArray(toUInt32(toDate(o.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g))))))))) AS gap
    FROM orders AS o
    WHERE o.is_identified
    GROUP BY base, o.account_id
) AS x
GROUP BY x.base
COMMENT 'Days between two orders, and the N of "no order for N days". Base: gaps of identified customers. Unit: days. Source: orders'

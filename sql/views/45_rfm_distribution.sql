-- rfm_distribution: what lies behind the scores: days, orders and spend of those with each score.
--
-- Meaning: measure recency: days since the last order, up to the newest tick; frequency: orders in the RFM window; monetary: net spend
--          in it. Of the customers with each score: how many, the smallest, the median and the largest value.
-- Formula: median as R's type 7.
-- Base:    identified customers with scores whose orders are in the program's currency; base as in rfm_named_grid.
-- Unit:    customers; days, orders, or major units of the program's currency.
-- Source:  customers, as_of, program.
-- Caveat:  cut points are of one day, recency goes on: the days of neighbouring scores may overlap until the next ones.
CREATE OR REPLACE VIEW rfm_distribution
(
    base String COMMENT 'real: without simulated customers; all: with them',
    measure String COMMENT 'recency (days), frequency (orders) or monetary (major units)',
    score Int8 COMMENT 'Score 1-5, 5 is best',
    customers UInt64 COMMENT 'Customers with the score',
    lowest Float64 COMMENT 'Smallest value among them',
    median Float64 COMMENT 'Median value',
    highest Float64 COMMENT 'Largest value'
)
AS SELECT
    x.base AS base,
    x.each.1 AS measure,
    x.each.2 AS score,
    count() AS customers,
    min(x.each.3) AS lowest,
    quantileExactInclusive(0.5)(x.each.3) AS median,
    max(x.each.3) AS highest
FROM
(
    SELECT
        arrayJoin(if(c.is_simulated, ['all'], ['real', 'all'])) AS base,
        arrayJoin([
            ('recency', c.r, toFloat64(dateDiff('day', toDate(assumeNotNull(c.last_order_time), assumeNotNull((SELECT g.time_zone FROM program AS g))), assumeNotNull((SELECT a.day FROM as_of AS a))))),
            ('frequency', c.f, toFloat64(c.window_orders)),
            ('monetary', c.m, toFloat64(c.window_net_spend))]) AS each
    FROM customers AS c
    WHERE c.r > 0 AND c.currency = (SELECT g.currency FROM program AS g)
) AS x
GROUP BY x.base, x.each.1, x.each.2
COMMENT 'Days, orders and spend behind the scores. Base: identified customers with scores. Unit: customers; days, orders, major units. Source: customers'

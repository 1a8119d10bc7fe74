-- rfm_check: the scores worked out again in SQL, from the cut points in force.
--
-- Meaning: does the stream score as rfm_cut_points says it does? expected_* are the scores that follow from the newest cut points and
--          the customer's own figures; agrees: they are the customer's scores.
-- Formula: as in rfm_cut_points; bucket of spend v in minor units: v below 256, otherwise v >> k << k with k = floor(log2 v) − 7.
-- Base:    identified customers with scores, while cut points by population are in force; otherwise no rows.
-- Unit:    one row = one customer; scores 1-5.
-- Source:  customers, customer_standings, rfm_cut_points, program.
-- Caveat:  between new cut points and the sweep that applies them a few customers disagree: look again a tick later.
CREATE OR REPLACE VIEW rfm_check
(
    customer_id String COMMENT 'The shop''s id of the customer',
    r Int8 COMMENT 'Recency score of the stream',
    f Int8 COMMENT 'Frequency score of the stream',
    m Int8 COMMENT 'Monetary score of the stream',
    expected_r Int8 COMMENT 'Recency score worked out here',
    expected_f Int8 COMMENT 'Frequency score worked out here',
    expected_m Int8 COMMENT 'Monetary score worked out here',
    agrees Bool COMMENT 'All three are the same'
)
AS WITH cuts AS
(
    SELECT
        any(c.day) AS day,
        anyIf([c.cut_20, c.cut_40, c.cut_60, c.cut_80], c.measure = 'recency') AS recency,
        anyIf([c.cut_20, c.cut_40, c.cut_60, c.cut_80], c.measure = 'frequency') AS frequency,
        anyIf([c.cut_20, c.cut_40, c.cut_60, c.cut_80], c.measure = 'monetary') AS monetary
    FROM rfm_cut_points AS c
    WHERE c.is_newest AND NOT c.is_fixed
    HAVING count() > 0
)
SELECT
    s.customer_id AS customer_id,
    s.r AS r,
    s.f AS f,
    s.m AS m,
    toInt8(5 - arrayCount(x -> greatest(dateDiff('day', toDate(s.last_order_time, assumeNotNull((SELECT g.time_zone FROM program AS g))), q.day), 0) > x, q.recency)) AS expected_r,
    toInt8(1 + arrayCount(x -> s.window_orders > x, q.frequency)) AS expected_f,
    toInt8(1 + arrayCount(x -> bucket / s.minor_per_major > x, q.monetary)) AS expected_m,
    toBool(r = expected_r AND f = expected_f AND m = expected_m) AS agrees
FROM
(
    SELECT
        k.customer_id AS customer_id, k.r AS r, k.f AS f, k.m AS m, k.last_order_time AS last_order_time, k.window_orders AS window_orders, greatest(k.minor_per_major, 1) AS minor_per_major,
        toUInt64(greatest(k.window_net_spend_minor, 0)) AS v,
        if(v < 256, 0, toUInt8(floor(log2(greatest(v, 1)))) - 7) AS k2,
        bitShiftLeft(bitShiftRight(v, k2), k2) AS bucket
    FROM customer_standings AS k FINAL
    WHERE k.r > 0
) AS s
CROSS JOIN cuts AS q
COMMENT 'The RFM scores worked out again in SQL. Base: identified customers with scores. Unit: one customer. Source: customers, rfm_cut_points'

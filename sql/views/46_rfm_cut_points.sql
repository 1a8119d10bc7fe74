-- rfm_cut_points: the cut points of each day on which they were made anew, those in force today too.
--
-- Meaning: R, F and M by population: a value beyond a cut is in the next bin. is_fixed: too few customers, the fixed thresholds of the
--          program hold instead.
-- Formula: type-7 quantiles (R's default) at 20, 40, 60 and 80 %; bins closed on the right:
--          R = 5 − number of cuts below the days since the last order; F, M = 1 + number of cuts below the value.
--          For M the net spend is taken to the lower bound of its bucket (8 highest bits: less than 1 % wide).
-- Base:    identified customers with an order, not wholly refunded, in the RFM window, at midnight of that day.
-- Unit:    days; orders; Decimal in major units of the program's currency; one row = one day and measure.
-- Source:  entries (control records), orders (for the number of minor units). Hyndman & Fan 1996, definition 7.
CREATE OR REPLACE VIEW rfm_cut_points
(
    day Date COMMENT 'Day at whose first moment customers were counted, program''s time zone',
    is_newest Bool COMMENT 'The newest: those in force',
    is_fixed Bool COMMENT 'Too few customers: the fixed thresholds of the program hold',
    measure String COMMENT 'recency (days), frequency (orders) or monetary (major units)',
    customers Int64 COMMENT 'Customers who were counted',
    cut_20 Float64 COMMENT '20 % quantile',
    cut_40 Float64 COMMENT '40 % quantile',
    cut_60 Float64 COMMENT '60 % quantile',
    cut_80 Float64 COMMENT '80 % quantile'
)
AS WITH found AS
(
    SELECT e.cause_id AS id, any(JSONExtractRaw(e.value, 'control', 'cut_points')) AS value
    FROM entries AS e
    WHERE e.kind = 'control' AND e.cause_type = 'cut_points'
    GROUP BY id
)
SELECT
    toDate(f.id) AS day,
    toBool(f.id = max(f.id) OVER ()) AS is_newest,
    toBool(JSONExtractBool(f.value, 'fixed')) AS is_fixed,
    one.1 AS measure,
    JSONExtractInt(f.value, 'customers') AS customers,
    one.2[1] / one.3 AS cut_20,
    one.2[2] / one.3 AS cut_40,
    one.2[3] / one.3 AS cut_60,
    one.2[4] / one.3 AS cut_80
FROM found AS f
ARRAY JOIN [
    ('recency', JSONExtract(f.value, 'recency_days_x5', 'Array(Int64)'), 5),
    ('frequency', JSONExtract(f.value, 'orders_count_x5', 'Array(Int64)'), 5),
    ('monetary', JSONExtract(f.value, 'spend_minor_x5', 'Array(Int64)'), 5 * greatest(toInt64(assumeNotNull((SELECT max(o.minor_per_major) FROM orders AS o WHERE o.currency = (SELECT g.currency FROM program AS g)))), 1))] AS one
COMMENT 'Cut points of the RFM scores, day by day. Base: customers with an order in the window. Unit: days, orders, major units. Source: entries'

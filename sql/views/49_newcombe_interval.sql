-- newcombe_interval: difference of two shares with its 95 % interval:
-- SELECT * FROM newcombe_interval(converted = 56, customers = 70, held_converted = 48, held_customers = 80).
--
-- Meaning: how much larger the first share is than the second; an interval that holds 0 shows no difference.
-- Formula: Newcombe's method 10: l and u are Wilson's limits of each share; low = d − √((p1 − l1)² + (u2 − p2)²),
--          high = d + √((u1 − p1)² + (p2 − l2)²); z = 1.959964; no correction for continuity.
-- Base:    converted of customers, held_converted of held_customers; two samples that do not overlap.
-- Unit:    shares 0-1.
-- Source:  Newcombe 1998, Statistics in Medicine 17: 873-890: 56/70 v 48/80 → .2 [.0524, .3339]; 9/10 v 3/10 → .6 [.1705, .8090].
-- Caveat:  each customer may count once only.
CREATE OR REPLACE VIEW newcombe_interval
(
    share Float64 COMMENT 'First share, 0-1',
    held_share Float64 COMMENT 'Second share, 0-1',
    difference Float64 COMMENT 'share - held_share',
    low Float64 COMMENT 'Lower limit of the difference, 95 %',
    high Float64 COMMENT 'Upper limit of the difference, 95 %'
)
AS WITH
    1.959963984540054 AS z,
    (x, n) -> ((2 * x + z * z - z * sqrt(z * z + 4 * x * (1 - x / n))) / (2 * (n + z * z))) AS wilson_low,
    (x, n) -> ((2 * x + z * z + z * sqrt(z * z + 4 * x * (1 - x / n))) / (2 * (n + z * z))) AS wilson_high
SELECT
    {converted:Float64} / {customers:Float64} AS share,
    {held_converted:Float64} / {held_customers:Float64} AS held_share,
    share - held_share AS difference,
    difference - sqrt(pow(share - wilson_low({converted:Float64}, {customers:Float64}), 2) + pow(wilson_high({held_converted:Float64}, {held_customers:Float64}) - held_share, 2)) AS low,
    difference + sqrt(pow(wilson_high({converted:Float64}, {customers:Float64}) - share, 2) + pow(held_share - wilson_low({held_converted:Float64}, {held_customers:Float64}), 2)) AS high
COMMENT 'Difference of two shares with its 95 % interval, Newcombe''s method 10 (a helper with parameters). Base: what is given. Unit: shares 0-1. Source: Newcombe 1998'

-- adjusted_wald_interval: a share with its 95 % interval: SELECT * FROM adjusted_wald_interval(successes = 7, trials = 10).
--
-- Meaning: share of the sample, and between which limits that of all lies.
-- Formula: q = (successes + z² / 2) / (trials + z²); q ± z √(q (1 − q) / (trials + z²)), cut to 0-1; z = 1.959964.
-- Base:    trials.
-- Unit:    shares 0-1.
-- Source:  Agresti & Coull 1998, The American Statistician 52(2): 119-126.
CREATE OR REPLACE VIEW adjusted_wald_interval
(
    share Float64 COMMENT 'successes / trials, 0-1',
    low Float64 COMMENT 'Lower limit, 95 %',
    high Float64 COMMENT 'Upper limit, 95 %'
)
AS WITH
    1.959963984540054 AS z,
    ({successes:Float64} + z * z / 2) / ({trials:Float64} + z * z) AS q,
    z * sqrt(q * (1 - q) / ({trials:Float64} + z * z)) AS half
SELECT
    {successes:Float64} / {trials:Float64} AS share,
    greatest(q - half, 0) AS low,
    least(q + half, 1) AS high
COMMENT 'A share with its 95 % interval, adjusted Wald (a helper with parameters). Base: what is given. Unit: shares 0-1. Source: Agresti & Coull 1998'

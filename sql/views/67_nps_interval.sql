-- nps_interval: Net Promoter Score with its 95 % interval: SELECT * FROM nps_interval(promoters = 50, passives = 30, detractors = 20).
--
-- Meaning: score of the answers, and between which limits that of all customers lies.
-- Formula: nps = 100 × (promoters − detractors) / n. Adjusted Wald: three answers are added (3/4, 3/2, 3/4); with the shares p and d of
--          them, p − d ± z √((p + d − (p − d)²) / (n + 3)), times 100; z = 1.959964.
-- Base:    n = promoters + passives + detractors.
-- Unit:    points, −100 to 100.
-- Source:  Rocks 2016, Interval estimation for the net promoter score, The American Statistician 70(4): 50/30/20 → 30, [14.0511, 44.2013].
-- Caveat:  the interval is about chance alone, not about who answers.
CREATE OR REPLACE VIEW nps_interval
(
    answers Float64 COMMENT 'n',
    nps Float64 COMMENT 'Net Promoter Score, -100 to 100',
    low Float64 COMMENT 'Lower limit, 95 %',
    high Float64 COMMENT 'Upper limit, 95 %'
)
AS WITH
    {promoters:Float64} + {passives:Float64} + {detractors:Float64} AS n,
    ({promoters:Float64} + 0.75) / (n + 3) AS p,
    ({detractors:Float64} + 0.75) / (n + 3) AS d,
    1.959963984540054 * sqrt((p + d - (p - d) * (p - d)) / (n + 3)) AS half
SELECT
    n AS answers,
    100 * ({promoters:Float64} - {detractors:Float64}) / n AS nps,
    100 * (p - d - half) AS low,
    100 * (p - d + half) AS high
COMMENT 'Net Promoter Score with its 95 % interval, adjusted Wald (a helper with parameters). Base: what is given. Unit: points. Source: Rocks 2016'

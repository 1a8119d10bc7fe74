-- points_daily: points by the day of the decision.
--
-- Meaning: issued, reversed (by refunds), spent and expired points of a day; outstanding = what is owed at its end =
--          Σ issued − reversed − spent − expired up to it (debts count negative). Points that fill a debt move within the
--          customer and change nothing.
-- Base:    all customers; real and simulated decisions apart (outstanding of both adds up); days without points are missing.
-- Unit:    points, positive; day of entry_time in the program's time zone: a late event counts on the day it was decided.
-- Source:  points, account customer.
CREATE OR REPLACE VIEW points_daily
(
    day Date COMMENT 'Day of the decision, program''s time zone',
    wallet String COMMENT 'Kind of points',
    is_simulated Bool COMMENT 'Decisions caused by simulated events; otherwise by real ones',
    issued Int64 COMMENT 'Points earned',
    reversed Int64 COMMENT 'Points taken back by refunds',
    spent Int64 COMMENT 'Points spent',
    expired Int64 COMMENT 'Points expired',
    outstanding Int64 COMMENT 'Points owed at the end of the day'
)
AS SELECT
    toDate(p.entry_time, (SELECT g.time_zone FROM program AS g)) AS day,
    p.wallet AS wallet,
    p.is_simulated AS is_simulated,
    sumIf(p.points, p.reason = 'earn') AS issued,
    -sumIf(p.points, p.reason = 'reverse') AS reversed,
    -sumIf(p.points, p.reason = 'spend') AS spent,
    -sumIf(p.points, p.reason = 'expire') AS expired,
    sum(sum(p.points)) OVER (PARTITION BY p.wallet, p.is_simulated ORDER BY day) AS outstanding
FROM points AS p
WHERE p.account = 'customer'
GROUP BY day, p.wallet, p.is_simulated
COMMENT 'Points issued, reversed, spent, expired and outstanding by day of the decision. Base: all customers. Unit: points. Source: points';

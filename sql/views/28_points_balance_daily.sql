-- points_balance_daily: points_daily with a row for every day, so that what is owed can be added up over kinds and wallets.
--
-- Meaning: points issued, reversed, spent and expired on a day, and what is owed at its end, also on days when nothing happened.
-- Formula: outstanding = Σ issued − reversed − spent − expired up to the day.
-- Base:    all customers; decisions caused by real and by simulated events apart: only the sum of both is what is owed (a simulated
--          purchase spends points that a real one earned). From the first day with points to the newest tick.
-- Unit:    points; days of the decision in the program's time zone.
-- Source:  points_daily, as_of.
-- Caveat:  outstanding of one kind alone may be negative.
CREATE OR REPLACE VIEW points_balance_daily
(
    day Date COMMENT 'Day of the decision, program''s time zone',
    wallet String COMMENT 'Kind of points',
    is_simulated Bool COMMENT 'Decisions caused by simulated events; otherwise by real ones',
    issued Int64 COMMENT 'Points earned',
    reversed Int64 COMMENT 'Points taken back by refunds',
    spent Int64 COMMENT 'Points spent',
    expired Int64 COMMENT 'Points expired',
    outstanding Int64 COMMENT 'Points owed at the end of the day, of this kind of decisions'
)
AS WITH dense AS
(
    SELECT
        arrayJoin(range(toUInt32(s.first_day), toUInt32(greatest(s.last_day, assumeNotNull((SELECT a.day FROM as_of AS a)))) + 1)) AS number,
        s.wallet AS wallet,
        s.is_simulated AS is_simulated
    FROM (SELECT d.wallet AS wallet, d.is_simulated AS is_simulated, min(d.day) AS first_day, max(d.day) AS last_day FROM points_daily AS d GROUP BY d.wallet, d.is_simulated) AS s
)
SELECT
    toDate(n.number) AS day,
    n.wallet AS wallet,
    n.is_simulated AS is_simulated,
    d.issued AS issued,
    d.reversed AS reversed,
    d.spent AS spent,
    d.expired AS expired,
    sum(d.issued - d.reversed - d.spent - d.expired) OVER (PARTITION BY n.wallet, n.is_simulated ORDER BY n.number) AS outstanding
FROM dense AS n
LEFT JOIN points_daily AS d ON toUInt32(d.day) = n.number AND d.wallet = n.wallet AND d.is_simulated = n.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'Points by day, a row for every day, and what is owed at its end. Base: all customers. Unit: points. Source: points'

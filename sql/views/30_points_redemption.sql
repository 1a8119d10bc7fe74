-- points_redemption: how much of the points is spent, on two bases that must not be mixed up.
--
-- Meaning: of_issued asks: of all points ever given, how many were spent? It is low while points are young. of_ended asks: of the points
--          whose story is over, how many were spent and not lost? It is high while the first points have not yet expired.
-- Formula: of_issued = spent / (issued − reversed); of_ended = spent / (spent + expired).
-- Base:    all lots; by what issued them, real and simulated apart.
-- Unit:    points; rates 0-1; null: the base is 0.
-- Source:  points_lots.
-- Caveat:  the ultimate redemption rate lies between; points_breakage shows it by the month of issue.
CREATE OR REPLACE VIEW points_redemption
(
    wallet String COMMENT 'Kind of points',
    is_simulated Bool COMMENT 'Issued by simulated events; otherwise by real ones',
    issued Int64 COMMENT 'Points earned',
    reversed Int64 COMMENT 'Points taken back by refunds',
    spent Int64 COMMENT 'Points spent',
    expired Int64 COMMENT 'Points expired',
    outstanding Int64 COMMENT 'Points left',
    of_issued Nullable(Float64) COMMENT 'spent / (issued - reversed), 0-1; null: nothing issued',
    of_ended Nullable(Float64) COMMENT 'spent / (spent + expired), 0-1; null: none ended'
)
AS SELECT
    l.wallet AS wallet,
    l.is_simulated AS is_simulated,
    sum(l.issued) AS issued,
    sum(l.reversed) AS reversed,
    sum(l.spent) AS spent,
    sum(l.expired) AS expired,
    sum(l.outstanding) AS outstanding,
    spent / nullIf(issued - reversed, 0) AS of_issued,
    spent / nullIf(spent + expired, 0) AS of_ended
FROM points_lots AS l
GROUP BY l.wallet, l.is_simulated
COMMENT 'Redemption rate on two bases. Base: all lots. Unit: points, rates 0-1. Source: points_lots'

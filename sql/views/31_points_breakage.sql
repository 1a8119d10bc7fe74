-- points_breakage: what became of the points of each month.
--
-- Meaning: breakage is what expires unspent. A month is closed when nothing of it is left: only then is breakage_rate final.
-- Formula: net = issued − reversed; redemption_rate = spent / net; breakage_rate = expired / net; outstanding_rate = outstanding / net.
-- Base:    lots by the month of the event that issued them; real and simulated apart.
-- Unit:    points; rates 0-1 (null: nothing issued, net of refunds); months in the program's time zone.
-- Source:  points_lots.
-- Caveat:  in open months breakage is too low. Do not average over open months.
CREATE OR REPLACE VIEW points_breakage
(
    month Date COMMENT 'First day of the month of issue, program''s time zone',
    wallet String COMMENT 'Kind of points',
    is_simulated Bool COMMENT 'Issued by simulated events; otherwise by real ones',
    lots UInt64 COMMENT 'Lots issued',
    issued Int64 COMMENT 'Points earned',
    reversed Int64 COMMENT 'Points taken back by refunds',
    net Int64 COMMENT 'issued - reversed: the base of the rates',
    spent Int64 COMMENT 'Points spent',
    expired Int64 COMMENT 'Points expired: the breakage',
    outstanding Int64 COMMENT 'Points left',
    is_closed Bool COMMENT 'Nothing is left: the rates are final',
    redemption_rate Nullable(Float64) COMMENT 'spent / net, 0-1',
    breakage_rate Nullable(Float64) COMMENT 'expired / net, 0-1; final when is_closed',
    outstanding_rate Nullable(Float64) COMMENT 'outstanding / net, 0-1'
)
AS SELECT
    toStartOfMonth(l.issued_on) AS month,
    l.wallet AS wallet,
    l.is_simulated AS is_simulated,
    count() AS lots,
    sum(l.issued) AS issued,
    sum(l.reversed) AS reversed,
    issued - reversed AS net,
    sum(l.spent) AS spent,
    sum(l.expired) AS expired,
    sum(l.outstanding) AS outstanding,
    toBool(outstanding = 0) AS is_closed,
    spent / nullIf(net, 0) AS redemption_rate,
    expired / nullIf(net, 0) AS breakage_rate,
    outstanding / nullIf(net, 0) AS outstanding_rate
FROM points_lots AS l
GROUP BY month, l.wallet, l.is_simulated
COMMENT 'What became of the points of each month of issue. Base: all lots. Unit: points, rates 0-1. Source: points_lots'

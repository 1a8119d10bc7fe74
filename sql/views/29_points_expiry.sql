-- points_expiry: the expiry calendar: what will expire on which day if nobody spends it.
--
-- Meaning: points left in lots, by the last day of the lot.
-- Formula: Σ outstanding of lots.
-- Base:    lots with points left, as of the newest tick; by what issued them, real and simulated apart.
-- Unit:    points; customers; days in the program's time zone.
-- Source:  points_lots.
-- Caveat:  an upper bound: what is spent before the day does not expire. Debts are not in it.
CREATE OR REPLACE VIEW points_expiry
(
    expires_on Nullable(Date32) COMMENT 'Day at whose end they expire, program''s time zone; null: never',
    wallet String COMMENT 'Kind of points',
    is_simulated Bool COMMENT 'Issued by simulated events; otherwise by real ones',
    customers UInt64 COMMENT 'Customers who hold them',
    lots UInt64 COMMENT 'Lots',
    points Int64 COMMENT 'Points that expire then'
)
AS SELECT
    l.expires_on AS expires_on,
    l.wallet AS wallet,
    l.is_simulated AS is_simulated,
    uniqExact(l.customer_id) AS customers,
    count() AS lots,
    sum(l.outstanding) AS points
FROM points_lots AS l
WHERE l.outstanding > 0
GROUP BY l.expires_on, l.wallet, l.is_simulated
COMMENT 'The expiry calendar. Base: lots with points left. Unit: points. Source: points_lots'

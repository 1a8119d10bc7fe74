-- points_lots: what became of each lot of points.
--
-- Meaning: a lot is the points of one customer that came of one rule and one order (or event), with one day of expiry. Debts (a balance
--          below zero after a refund) are not lots; settled: points that filled a debt.
-- Formula: outstanding = issued − reversed − spent − expired − settled.
-- Base:    all lots; is_simulated says what issued the lot first.
-- Unit:    points, positive; days in the program's time zone.
-- Source:  points, account customer.
-- Caveat:  reversed also holds what was already spent and became a debt only as far as the lot still had it; the rest is in the debt.
CREATE OR REPLACE VIEW points_lots
(
    customer_id String COMMENT 'The shop''s id of the customer',
    lot_id String COMMENT 'Lot of the points',
    wallet String COMMENT 'Kind of points',
    rule_id String COMMENT 'Rule that gave them',
    order_id String COMMENT 'Order behind them; empty: none',
    is_simulated Bool COMMENT 'Issued by a simulated event; otherwise by a real one',
    issued_time DateTime64(3, 'UTC') COMMENT 'When the event behind it happened, UTC',
    issued_on Date COMMENT 'Its day, program''s time zone',
    expires_on Nullable(Date32) COMMENT 'Last day of the lot, program''s time zone; null: never expires',
    issued Int64 COMMENT 'Points earned',
    reversed Int64 COMMENT 'Points taken back by refunds',
    spent Int64 COMMENT 'Points spent',
    expired Int64 COMMENT 'Points expired',
    settled Int64 COMMENT 'Points that filled a debt',
    outstanding Int64 COMMENT 'Points left'
)
AS SELECT
    p.account_id AS customer_id,
    p.lot_id AS lot_id,
    p.wallet AS wallet,
    argMinIf(p.rule_id, p.sequence, p.reason = 'earn') AS rule_id,
    argMinIf(p.order_id, p.sequence, p.reason = 'earn') AS order_id,
    argMin(p.is_simulated, p.sequence) AS is_simulated,
    min(p.event_time) AS issued_time,
    toDate(issued_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS issued_on,
    nullIf(max(p.expires_on), toDate32('1970-01-01')) AS expires_on,
    sumIf(p.points, p.reason = 'earn') AS issued,
    -sumIf(p.points, p.reason = 'reverse') AS reversed,
    -sumIf(p.points, p.reason = 'spend') AS spent,
    -sumIf(p.points, p.reason = 'expire') AS expired,
    -sumIf(p.points, p.reason = 'settle') AS settled,
    sum(p.points) AS outstanding
FROM points AS p
WHERE p.account = 'customer' AND p.lot_id != 'debt'
GROUP BY p.account_id, p.lot_id, p.wallet
COMMENT 'What became of each lot of points. Base: all lots, debts apart. Unit: points. Source: points'

-- earnings_monthly: which rule gave how many points, by month.
--
-- Meaning: decisions of a rule that gave points, with the customers and the money it looked at.
-- Formula: points_per_unit = points / base_spend.
-- Base:    decisions that gave points; caused by real and by simulated events apart; before any refund.
-- Unit:    points; Decimal in major units of the program's currency; months of the event in the program's time zone.
-- Source:  decisions, program, orders (for the number of minor units).
-- Caveat:  several rules may look at the same order: base_spend adds up within a rule only.
CREATE OR REPLACE VIEW earnings_monthly
(
    month Date COMMENT 'First day of the month of the event, program''s time zone',
    rule_id String COMMENT 'Rule, as the program names it',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones',
    times UInt64 COMMENT 'Decisions that gave points',
    customers UInt64 COMMENT 'Customers who got them',
    points Int64 COMMENT 'Points given',
    currency String COMMENT 'ISO 4217 code of base_spend',
    base_spend Decimal(38, 3) COMMENT 'Money that the rule looked at, major units; 0: it looks at none',
    points_per_unit Nullable(Float64) COMMENT 'Points per major unit of base_spend; null: no money'
)
AS SELECT
    toStartOfMonth(toDate(d.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))) AS month,
    d.rule_id AS rule_id,
    d.is_simulated AS is_simulated,
    count() AS times,
    uniqExact(d.account_id) AS customers,
    sum(d.points) AS points,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency,
    toDecimal128(sum(d.base_minor), 3) / greatest(toInt64(assumeNotNull((SELECT max(o.minor_per_major) FROM orders AS o WHERE o.currency = (SELECT g.currency FROM program AS g)))), 1) AS base_spend,
    points / nullIf(toFloat64(base_spend), 0) AS points_per_unit
FROM decisions AS d
WHERE d.points > 0
GROUP BY month, d.rule_id, d.is_simulated
COMMENT 'Which rule gave how many points, by month. Base: decisions that gave points. Unit: points, major units. Source: decisions'

-- campaign_conversions: who ordered after being assigned to an arm, within a window: SELECT * FROM campaign_conversions(conversion_days = 14).
--
-- Meaning: a run converts when its customer orders within conversion_days × 24 hours after the assignment, by assignment and not by
--          opening, so that the holdout is measured in the same way; conversion_rate = converted / assigned.
-- Base:    runs with an arm; runs caused by simulated events apart; orders of any kind, before refunds. One order may lie in the
--          windows of several runs. assigned counts windows that are not over yet too: closed says how many are.
-- Unit:    runs; orders; Decimal in major units of the program's currency (orders in other currencies count without their money).
-- Source:  campaign_runs, orders, program, as_of; the parameter is the campaign's own (key conversion of its file).
CREATE OR REPLACE VIEW campaign_conversions
(
    campaign_id String COMMENT 'Campaign: name of its file',
    arm String COMMENT 'Variant, holdout or global_holdout',
    is_simulated Bool COMMENT 'Runs caused by simulated events; otherwise by real ones, or by time',
    assigned UInt64 COMMENT 'Runs with this arm',
    closed UInt64 COMMENT 'Of them: runs whose window is over',
    converted UInt64 COMMENT 'Runs with an order within the window',
    conversion_rate Float64 COMMENT 'converted / assigned, 0-1',
    orders UInt64 COMMENT 'Orders within the windows',
    spend Decimal(38, 3) COMMENT 'Their spend before refunds, major units of the program''s currency'
)
AS WITH bought AS
(
    SELECT
        r.run_id AS run_id,
        count() AS orders,
        sum(if(o.currency = (SELECT g.currency FROM program AS g), toDecimal128(o.net_minor, 3) / toInt64(greatest(o.minor_per_major, 1)), toDecimal128(0, 3))) AS spend
    FROM campaign_runs AS r
    INNER JOIN orders AS o ON o.account_id = r.customer_id
    WHERE o.is_identified AND r.arm != '' AND o.event_time > r.assigned_time AND o.event_time <= r.assigned_time + toIntervalDay({conversion_days:UInt32})
    GROUP BY r.run_id
)
SELECT
    r.campaign_id AS campaign_id,
    r.arm AS arm,
    r.is_simulated AS is_simulated,
    count() AS assigned,
    countIf(r.assigned_time + toIntervalDay({conversion_days:UInt32}) <= (SELECT a.time FROM as_of AS a)) AS closed,
    countIf(b.orders > 0) AS converted,
    converted / assigned AS conversion_rate,
    sum(b.orders) AS orders,
    sum(b.spend) AS spend
FROM campaign_runs AS r
LEFT JOIN bought AS b ON b.run_id = r.run_id
WHERE r.arm != ''
GROUP BY r.campaign_id, r.arm, r.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'Who ordered after being assigned to an arm, within conversion_days (a parameter). Base: runs with an arm. Unit: runs. Source: campaign_log, orders';

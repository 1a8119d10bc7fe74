-- campaign_funnel: from the trigger to the order, by campaign and arm.
--
-- Meaning: runs with an arm are assigned; of them some were held back, some sent; delivered, opened, … are messages with at least
--          one such report; converted_n_days are runs whose customer ordered within n × 24 hours after the assignment, whether or not
--          anything was opened. Compare the converted share of a variant with the holdout's: that, and not opening, is the effect.
-- Base:    all runs; arm empty: never assigned (not in the audience, no consent, …), nothing of it is sent; runs caused by simulated
--          events apart; orders of any kind, before refunds. Windows that are not over yet count what came so far. One order may
--          lie in the windows of several runs. The campaign's own window: campaign_conversions.
-- Unit:    runs; a message is the run that sent it.
-- Source:  campaign_runs, outcomes (by message and customer), orders.
CREATE OR REPLACE VIEW campaign_funnel
(
    campaign_id String COMMENT 'Campaign: name of its file',
    arm String COMMENT 'Variant, holdout or global_holdout; empty: not assigned',
    is_simulated Bool COMMENT 'Runs caused by simulated events; otherwise by real ones, or by time',
    runs UInt64 COMMENT 'Runs of the arm: all assigned, unless arm is empty',
    customers UInt64 COMMENT 'Customers of these runs',
    waiting UInt64 COMMENT 'Postponed, not ended yet',
    held UInt64 COMMENT 'Held back, holdouts too',
    held_reasons Map(String, UInt64) COMMENT 'Held back, by reason',
    sent UInt64 COMMENT 'Sent',
    delivered UInt64 COMMENT 'Messages reported as delivered',
    opened UInt64 COMMENT 'Messages reported as opened',
    clicked UInt64 COMMENT 'Messages with a link clicked',
    bounced UInt64 COMMENT 'Messages that came back',
    complained UInt64 COMMENT 'Messages marked as spam',
    unsubscribed UInt64 COMMENT 'Messages after which the customer unsubscribed',
    converted_7_days UInt64 COMMENT 'Runs with an order within 7 × 24 hours after the assignment',
    converted_14_days UInt64 COMMENT 'Runs with an order within 14 × 24 hours after the assignment',
    converted_30_days UInt64 COMMENT 'Runs with an order within 30 × 24 hours after the assignment'
)
AS WITH reports AS
(
    SELECT o.message_id AS message_id, o.account_id AS account_id, groupUniqArray(toString(o.outcome)) AS reported
    FROM outcomes AS o
    WHERE o.message_id != ''
    GROUP BY o.message_id, o.account_id
),
bought AS
(
    SELECT r.run_id AS run_id, min(b.event_time) AS first_time
    FROM campaign_runs AS r
    INNER JOIN orders AS b ON b.account_id = r.customer_id
    WHERE b.is_identified AND r.arm != '' AND b.event_time > r.assigned_time
    GROUP BY r.run_id
)
SELECT
    r.campaign_id AS campaign_id,
    r.arm AS arm,
    r.is_simulated AS is_simulated,
    count() AS runs,
    uniqExact(r.customer_id) AS customers,
    countIf(r.outcome = 'postponed') AS waiting,
    countIf(r.outcome = 'held') AS held,
    sumMapIf(map(r.reason, toUInt64(1)), r.outcome = 'held') AS held_reasons,
    countIf(r.outcome = 'sent') AS sent,
    countIf(has(p.reported, 'delivered')) AS delivered,
    countIf(has(p.reported, 'opened')) AS opened,
    countIf(has(p.reported, 'clicked')) AS clicked,
    countIf(has(p.reported, 'bounced')) AS bounced,
    countIf(has(p.reported, 'complained')) AS complained,
    countIf(has(p.reported, 'unsubscribed')) AS unsubscribed,
    countIf(b.run_id != '' AND b.first_time <= r.assigned_time + INTERVAL 7 DAY) AS converted_7_days,
    countIf(b.run_id != '' AND b.first_time <= r.assigned_time + INTERVAL 14 DAY) AS converted_14_days,
    countIf(b.run_id != '' AND b.first_time <= r.assigned_time + INTERVAL 30 DAY) AS converted_30_days
FROM campaign_runs AS r
LEFT JOIN reports AS p ON p.message_id = r.run_id AND p.account_id = r.customer_id
LEFT JOIN bought AS b ON b.run_id = r.run_id
GROUP BY r.campaign_id, r.arm, r.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'From the trigger to the order, by campaign and arm. Base: all runs. Unit: runs. Source: campaign_log, outcomes, orders';

-- campaign_steps: the funnel as steps, one a row: sent, delivered, opened, clicked, converted.
--
-- Meaning: of the messages sent how many were reported as delivered, opened, clicked, and how many of their customers ordered within the
--          campaign's own window after the assignment (opened or not: an order needs no click).
-- Formula: share_of_sent = messages / sent; share_of_step_before = messages / messages of the step before.
-- Base:    sent messages; by what caused them, real events (or time) and simulated ones apart; orders before refunds.
-- Unit:    messages; shares 0-1 (null: nothing to divide by).
-- Source:  campaign_runs, outcomes, orders, campaign_settings.
-- Caveat:  converted is not caused by the message: campaign_lift says what is. Opens are under-reported by mail programs, or over.
CREATE OR REPLACE VIEW campaign_steps
(
    campaign_id String COMMENT 'Campaign: name of its file',
    arm String COMMENT 'Variant',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones, or by time',
    number UInt8 COMMENT 'Number of the step, 1-5',
    step String COMMENT 'sent, delivered, opened, clicked or converted',
    messages UInt64 COMMENT 'Messages that came so far',
    sent UInt64 COMMENT 'Messages sent: the base',
    share_of_sent Nullable(Float64) COMMENT 'messages / sent, 0-1',
    share_of_step_before Nullable(Float64) COMMENT 'messages / messages of the step before, 0-1; null: sent, and converted, which needs no click'
)
AS WITH reports AS
(
    SELECT o.message_id AS message_id, o.account_id AS account_id, groupUniqArray(toString(o.outcome)) AS reported
    FROM outcomes AS o
    WHERE o.message_id != ''
    GROUP BY o.message_id, o.account_id
),
runs AS
(
    SELECT r.run_id AS run_id, r.campaign_id AS campaign_id, r.arm AS arm, r.is_simulated AS is_simulated, r.customer_id AS customer_id, assumeNotNull(r.assigned_time) AS assigned_time,
        toIntervalDay(if(s.conversion_days > 0, s.conversion_days, 14)) AS days
    FROM campaign_runs AS r
    LEFT JOIN campaign_settings AS s ON s.campaign_id = r.campaign_id
    WHERE r.outcome = 'sent'
),
bought AS
(
    SELECT DISTINCT r.run_id AS run_id
    FROM runs AS r
    INNER JOIN orders AS o ON o.account_id = r.customer_id
    WHERE o.is_identified AND o.event_time > (SELECT min(greatest(l.event_time, l.entry_time)) FROM campaign_log AS l) AND o.event_time > r.assigned_time AND o.event_time <= r.assigned_time + r.days
),
counted AS
(
    SELECT
        r.campaign_id AS campaign_id,
        r.arm AS arm,
        r.is_simulated AS is_simulated,
        [count(), countIf(has(p.reported, 'delivered')), countIf(has(p.reported, 'opened')), countIf(has(p.reported, 'clicked')), countIf(b.run_id != '')] AS steps
    FROM runs AS r
    LEFT JOIN reports AS p ON p.message_id = r.run_id AND p.account_id = r.customer_id
    LEFT JOIN bought AS b ON b.run_id = r.run_id
    GROUP BY r.campaign_id, r.arm, r.is_simulated
)
SELECT
    c.campaign_id AS campaign_id,
    c.arm AS arm,
    c.is_simulated AS is_simulated,
    toUInt8(k) AS number,
    ['sent', 'delivered', 'opened', 'clicked', 'converted'][k] AS step,
    c.steps[k] AS messages,
    c.steps[1] AS sent,
    messages / nullIf(sent, 0) AS share_of_sent,
    if(k = 5, NULL, messages / nullIf(c.steps[k - 1], 0)) AS share_of_step_before
FROM counted AS c
ARRAY JOIN [1, 2, 3, 4, 5] AS k
SETTINGS join_use_nulls = 0
COMMENT 'The funnel of sent messages as steps. Base: sent messages. Unit: messages. Source: campaign_runs, outcomes, orders'

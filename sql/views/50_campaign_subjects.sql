-- campaign_subjects: the customers of each campaign as subjects of its experiment: assigned once, measured once.
--
-- Meaning: of a customer only the first assignment to an arm counts, so subjects are independent and arms can be compared. What follows
--          is by assignment, sent or not (caps, quiet hours): that is what was drawn by lot.
-- Formula: converted = an order after the assignment, within the window; spend = Σ these orders before refunds.
-- Base:    customers ever given an arm or held out of the campaign (customers of the global holdout are not here: they get no campaign
--          at all). base = real: assignments caused by real events or by time, and real orders; all: simulated ones too.
-- Unit:    one row = one customer of one campaign; Decimal in major units of the program's currency (other currencies: no money).
-- Source:  campaign_runs, campaign_settings, orders, as_of, program. Parameter conversion_days: 0 = the campaign's own.
-- Caveat:  a customer may be a subject of several campaigns at once; lots are independent, so effects mix evenly into all arms.
CREATE OR REPLACE VIEW campaign_subjects
(
    base String COMMENT 'real or all',
    campaign_id String COMMENT 'Campaign: name of its file',
    arm String COMMENT 'Variant, or holdout',
    customer_id String COMMENT 'The shop''s id of the customer',
    assigned_time DateTime64(3, 'UTC') COMMENT 'When first assigned, UTC',
    was_sent Bool COMMENT 'The message of this run was sent',
    is_closed Bool COMMENT 'The window is over',
    orders UInt64 COMMENT 'Orders within the window',
    spend Decimal(38, 3) COMMENT 'Their spend before refunds, major units'
)
AS WITH firsts AS
(
    SELECT
        arrayJoin(if(r.is_simulated, ['all'], ['real', 'all'])) AS base,
        r.campaign_id AS campaign_id,
        r.customer_id AS customer_id,
        argMin(r.arm, (r.assigned_time, r.run_id)) AS arm,
        argMin(r.outcome, (r.assigned_time, r.run_id)) AS outcome,
        assumeNotNull(min(r.assigned_time)) AS assigned_time
    FROM campaign_runs AS r
    WHERE r.arm NOT IN ('', 'global_holdout')
    GROUP BY base, r.campaign_id, r.customer_id
),
windows AS
(
    SELECT f.base AS base, f.campaign_id AS campaign_id, f.customer_id AS customer_id, f.arm AS arm, f.outcome AS outcome, f.assigned_time AS assigned_time,
        f.assigned_time + toIntervalDay(multiIf({conversion_days:UInt32} > 0, {conversion_days:UInt32}, s.conversion_days > 0, s.conversion_days, 14)) AS until
    FROM firsts AS f
    LEFT JOIN campaign_settings AS s ON s.campaign_id = f.campaign_id
)
SELECT
    w.base AS base,
    w.campaign_id AS campaign_id,
    any(w.arm) AS arm,
    w.customer_id AS customer_id,
    any(w.assigned_time) AS assigned_time,
    toBool(any(w.outcome) = 'sent') AS was_sent,
    toBool(any(w.until) <= assumeNotNull((SELECT a.time FROM as_of AS a))) AS is_closed,
    countIf(o.is_identified AND (w.base = 'all' OR NOT o.is_simulated) AND o.event_time > w.assigned_time AND o.event_time <= w.until) AS orders,
    sumIf(toDecimal128(o.net_minor, 3) / toInt64(greatest(o.minor_per_major, 1)), o.is_identified AND (w.base = 'all' OR NOT o.is_simulated) AND o.event_time > w.assigned_time
        AND o.event_time <= w.until AND o.currency = (SELECT g.currency FROM program AS g)) AS spend
FROM windows AS w
LEFT JOIN
(
    -- Nothing before the first decision of any campaign can be in a window.
    SELECT b.account_id AS account_id, b.event_time AS event_time, b.is_identified AS is_identified, b.is_simulated AS is_simulated, b.net_minor AS net_minor, b.minor_per_major AS minor_per_major, b.currency AS currency
    FROM orders AS b
    WHERE b.event_time > (SELECT min(greatest(l.event_time, l.entry_time)) FROM campaign_log AS l)
) AS o ON o.account_id = w.customer_id
GROUP BY w.base, w.campaign_id, w.customer_id
SETTINGS join_use_nulls = 0
COMMENT 'Customers as subjects of campaigns'' experiments, first assignment (conversion_days is a parameter, 0 = the campaign''s own). Base: assigned customers. Unit: one customer of one campaign. Source: campaign_runs, orders'

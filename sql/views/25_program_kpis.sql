-- program_kpis: how many take part in the program, and how many of them are active, as of the newest tick.
--
-- Meaning: participation_rate: share of customers who are members. A member is active in n days with an order, or points spent, in the
--          n × 24 hours up to the newest tick.
-- Formula: participation_rate = members / customers; active_rate_90 = active_90 / members; redeemer_rate = redeemers / members.
-- Base:    customers = identified customers who ever ordered or are members. base = real: only what real events did (orders,
--          enrolments, points spent); all: simulated ones too.
-- Unit:    one row per base; customers; rates 0-1.
-- Source:  orders, entries (enrolments), redemptions, as_of.
-- Caveat:  after the last real event, base real only fades: time goes on, nobody real buys.
CREATE OR REPLACE VIEW program_kpis
(
    base String COMMENT 'real: what real events did; all: simulated ones too',
    as_of DateTime64(3, 'UTC') COMMENT 'The newest tick, UTC',
    customers UInt64 COMMENT 'Identified customers who ever ordered or are members',
    members UInt64 COMMENT 'Of them: members',
    participation_rate Float64 COMMENT 'members / customers, 0-1',
    new_members_30 UInt64 COMMENT 'Members enrolled in the last 30 days',
    active_30 UInt64 COMMENT 'Members with an order or points spent in the last 30 days',
    active_90 UInt64 COMMENT 'The same in the last 90 days',
    active_365 UInt64 COMMENT 'The same in the last 365 days',
    active_rate_90 Float64 COMMENT 'active_90 / members, 0-1',
    redeemers UInt64 COMMENT 'Members who ever spent points',
    redeemer_rate Float64 COMMENT 'redeemers / members, 0-1'
)
AS WITH acts AS
(
    SELECT o.account_id AS account_id, o.is_simulated AS is_simulated, o.event_time AS time, 'order' AS what
    FROM orders AS o
    WHERE o.is_identified
    UNION ALL
    SELECT r.account_id, r.is_simulated, r.event_time, 'spent'
    FROM redemptions AS r
    WHERE r.is_accepted
    UNION ALL
    SELECT e.account_id, e.is_simulated, e.event_time, 'enrolled'
    FROM entries AS e
    WHERE e.enrolment_rule_id != ''
),
each AS
(
    SELECT
        arrayJoin(if(a.is_simulated, ['all'], ['real', 'all'])) AS base,
        a.account_id AS account_id,
        countIf(a.what = 'enrolled') > 0 AS is_member,
        countIf(a.what = 'spent') > 0 AS spends,
        maxIf(a.time, a.what = 'enrolled') AS enrolled_time,
        maxIf(a.time, a.what != 'enrolled') AS last_time
    FROM acts AS a
    GROUP BY base, a.account_id
)
SELECT
    e.base AS base,
    assumeNotNull((SELECT t.time FROM as_of AS t)) AS as_of,
    count() AS customers,
    countIf(e.is_member) AS members,
    members / customers AS participation_rate,
    countIf(e.is_member AND e.enrolled_time > as_of - INTERVAL 30 DAY) AS new_members_30,
    countIf(e.is_member AND e.last_time > as_of - INTERVAL 30 DAY) AS active_30,
    countIf(e.is_member AND e.last_time > as_of - INTERVAL 90 DAY) AS active_90,
    countIf(e.is_member AND e.last_time > as_of - INTERVAL 365 DAY) AS active_365,
    if(members = 0, 0, active_90 / members) AS active_rate_90,
    countIf(e.is_member AND e.spends) AS redeemers,
    if(members = 0, 0, redeemers / members) AS redeemer_rate
FROM each AS e
GROUP BY e.base
COMMENT 'Participation and active members, as of the newest tick. Base: identified customers. Unit: customers. Source: orders, entries, redemptions';

-- tier_mix_daily: how many members held which tier at the end of each day.
--
-- Meaning: members who came to the tier up to the day, less those who left it.
-- Formula: members = running sum of (moves to − moves from).
-- Base:    members; is_simulated as in customers: customers whom a simulated event has changed by now, apart from the others for all
--          days. A row for every tier and day from the tier's first member to the newest tick.
-- Unit:    members; days of the decision in the program's time zone.
-- Source:  tier_changes, customers, as_of, program.
CREATE OR REPLACE VIEW tier_mix_daily
(
    day Date COMMENT 'Day, program''s time zone',
    tier String COMMENT 'Tier',
    is_simulated Bool COMMENT 'Customers whom a simulated event has changed by now; otherwise real ones',
    came UInt64 COMMENT 'Members who came to the tier on the day',
    went UInt64 COMMENT 'Members who left it on the day',
    members Int64 COMMENT 'Members who hold it at the end of the day'
)
AS WITH flow AS
(
    SELECT
        toDate(t.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
        c.is_simulated AS is_simulated,
        arrayJoin([(toString(t.to_tier), 1), (toString(t.from_tier), -1)]) AS step,
        countIf(step.2 > 0) AS came,
        countIf(step.2 < 0) AS went
    FROM tier_changes AS t
    INNER JOIN (SELECT k.customer_id AS customer_id, k.is_simulated AS is_simulated FROM customer_standings AS k FINAL) AS c ON c.customer_id = t.account_id
    GROUP BY day, is_simulated, step
),
daily AS
(
    SELECT f.day AS day, f.is_simulated AS is_simulated, f.step.1 AS tier, sum(f.came) AS came, sum(f.went) AS went
    FROM flow AS f
    WHERE tier != ''
    GROUP BY f.day, f.is_simulated, tier
),
dense AS
(
    SELECT
        arrayJoin(range(toUInt32(s.first_day), toUInt32(greatest(s.last_day, assumeNotNull((SELECT a.day FROM as_of AS a)))) + 1)) AS number,
        s.tier AS tier,
        s.is_simulated AS is_simulated
    FROM (SELECT d.tier AS tier, d.is_simulated AS is_simulated, min(d.day) AS first_day, max(d.day) AS last_day FROM daily AS d GROUP BY d.tier, d.is_simulated) AS s
)
SELECT
    toDate(n.number) AS day,
    n.tier AS tier,
    n.is_simulated AS is_simulated,
    d.came AS came,
    d.went AS went,
    toInt64(sum(toInt64(d.came) - toInt64(d.went)) OVER (PARTITION BY n.tier, n.is_simulated ORDER BY n.number)) AS members
FROM dense AS n
LEFT JOIN daily AS d ON toUInt32(d.day) = n.number AND d.tier = n.tier AND d.is_simulated = n.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'Members by tier at the end of each day. Base: members. Unit: members. Source: tier_changes, customers'

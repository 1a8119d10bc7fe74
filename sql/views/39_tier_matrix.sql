-- tier_matrix: from which tier to which, month by month, those who stayed too.
--
-- Meaning: members by the tier at the end of the month before (from_tier) and at the end of the month (to_tier); the diagonal stayed,
--          also those who went and came back within the month.
-- Formula: share = members / all members with that from_tier.
-- Base:    members; is_simulated as in tier_mix_daily. New members have from_tier empty.
-- Unit:    members; share 0-1; months of the decision in the program's time zone. The newest month is not over yet.
-- Source:  tier_changes, tier_mix_daily.
CREATE OR REPLACE VIEW tier_matrix
(
    month Date COMMENT 'First day of the month, program''s time zone',
    from_tier String COMMENT 'Tier at the end of the month before; empty: not a member then',
    to_tier String COMMENT 'Tier at the end of the month; empty: none',
    is_simulated Bool COMMENT 'Customers whom a simulated event has changed by now; otherwise real ones',
    members Int64 COMMENT 'Members who went this way, or stayed',
    share Float64 COMMENT 'Share of the members with this from_tier, 0-1'
)
AS WITH moved AS
(
    SELECT
        toStartOfMonth(toDate(t.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))) AS month,
        t.account_id AS account_id,
        any(c.is_simulated) AS is_simulated,
        argMin(t.from_tier, (t.sequence, t.index)) AS from_tier,
        argMax(t.to_tier, (t.sequence, t.index)) AS to_tier
    FROM tier_changes AS t
    INNER JOIN (SELECT k.customer_id AS customer_id, k.is_simulated AS is_simulated FROM customer_standings AS k FINAL) AS c ON c.customer_id = t.account_id
    GROUP BY month, t.account_id
),
ways AS
(
    SELECT m.month AS month, toString(m.from_tier) AS from_tier, toString(m.to_tier) AS to_tier, m.is_simulated AS is_simulated, toInt64(count()) AS members
    FROM moved AS m
    GROUP BY m.month, m.from_tier, m.to_tier, m.is_simulated
    UNION ALL
    -- Who was there when the month began, and did not move, stayed.
    SELECT addMonths(toStartOfMonth(d.day), 1), d.tier, d.tier, d.is_simulated, d.members
    FROM tier_mix_daily AS d
    WHERE d.day = toLastDayOfMonth(d.day) AND addDays(d.day, 1) <= (SELECT a.day FROM as_of AS a)
    UNION ALL
    SELECT m.month, toString(m.from_tier), toString(m.from_tier), m.is_simulated, -toInt64(count())
    FROM moved AS m
    WHERE m.from_tier != ''
    GROUP BY m.month, m.from_tier, m.is_simulated
)
SELECT
    w.month AS month,
    w.from_tier AS from_tier,
    w.to_tier AS to_tier,
    w.is_simulated AS is_simulated,
    sum(w.members) AS members,
    members / sum(sum(w.members)) OVER (PARTITION BY w.month, w.from_tier, w.is_simulated) AS share
FROM ways AS w
GROUP BY w.month, w.from_tier, w.to_tier, w.is_simulated
HAVING members != 0
COMMENT 'From which tier to which, month by month. Base: members. Unit: members. Source: tier_changes'

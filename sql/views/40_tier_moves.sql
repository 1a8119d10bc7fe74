-- tier_moves: moves between tiers by month, with the reason and how long it took.
--
-- Meaning: every move; days_in_tier: how long the tier before had been held. For moves up that is how long the next tier took.
-- Formula: median_days and p90_days over the moves whose tier before has a known beginning.
-- Base:    all moves of members, also several of one member; caused by real and by simulated events apart (time alone counts as real).
-- Unit:    moves; days; months of the decision in the program's time zone.
-- Source:  tier_changes, program.
-- Caveat:  only those who moved are in it: who is still waiting would make the time to the next tier longer (tier_standing).
CREATE OR REPLACE VIEW tier_moves
(
    month Date COMMENT 'First day of the month, program''s time zone',
    from_tier String COMMENT 'Tier before; empty: none',
    to_tier String COMMENT 'Tier after; empty: none',
    reason String COMMENT 'enrolled, reached, review, refund or program',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones, or by time',
    moves UInt64 COMMENT 'Moves',
    members UInt64 COMMENT 'Members who made them',
    median_days Nullable(Float64) COMMENT 'Median days in the tier before; null: none had a beginning',
    p90_days Nullable(Float64) COMMENT '90th percentile of the days in the tier before'
)
AS WITH each AS
(
    SELECT
        t.account_id AS account_id,
        t.entry_time AS entry_time,
        t.from_tier AS from_tier,
        t.to_tier AS to_tier,
        t.reason AS reason,
        t.is_simulated AS is_simulated,
        if(t.from_tier = '', NULL, dateDiff('day', lagInFrame(t.event_time, 1, t.event_time) OVER one, t.event_time)) AS days
    FROM tier_changes AS t
    WINDOW one AS (PARTITION BY t.account_id ORDER BY t.sequence, t.index ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT
    toStartOfMonth(toDate(e.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))) AS month,
    e.from_tier AS from_tier,
    e.to_tier AS to_tier,
    e.reason AS reason,
    e.is_simulated AS is_simulated,
    count() AS moves,
    uniqExact(e.account_id) AS members,
    quantileExactInclusiveOrNull(0.5)(e.days) AS median_days,
    quantileExactInclusiveOrNull(0.9)(e.days) AS p90_days
FROM each AS e
GROUP BY month, e.from_tier, e.to_tier, e.reason, e.is_simulated
COMMENT 'Moves between tiers, with reason and how long they took. Base: members. Unit: moves, days. Source: tier_changes'

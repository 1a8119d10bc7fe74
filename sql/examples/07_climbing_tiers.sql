-- How long do members take from one tier to the next?
--
-- Answer:
--   from_tier     tier that they left; empty: none
--   to_tier       tier that they reached
--   moves         moves from the one to the other
--   median_days   half of them took at most so many days in from_tier
--   slowest_days  the longest took so many
--
-- Mind: Only those who got there: members who are still waiting are not in the answer, so the true time is longer.
WITH moves AS
(
    SELECT
        t.account_id AS customer_id,
        t.from_tier AS from_tier,
        t.to_tier AS to_tier,
        t.reason AS reason,
        t.event_time AS event_time,
        lagInFrame(t.event_time, 1, t.event_time) OVER (PARTITION BY t.account_id ORDER BY t.sequence, t.index ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS since
    FROM tier_changes AS t
)
SELECT
    m.from_tier AS from_tier,
    m.to_tier AS to_tier,
    count() AS moves,
    round(quantileExact(0.5)(dateDiff('hour', m.since, m.event_time)) / 24, 1) AS median_days,
    round(max(dateDiff('hour', m.since, m.event_time)) / 24, 1) AS slowest_days
FROM moves AS m
WHERE m.reason = 'reached' AND m.from_tier != ''
GROUP BY m.from_tier, m.to_tier
ORDER BY moves DESC, from_tier, to_tier;

-- Did people order because of the campaign, or would they have ordered anyway?
--
-- Answer:
--   campaign_id   campaign
--   arm           variant, holdout or global_holdout
--   is_simulated  runs caused by simulated events
--   assigned      runs with this arm, sent or not
--   converted     those whose customer ordered within 14 days
--   rate          converted / assigned, 0-1
--   low           lower end of rate's 95 % interval (Wilson)
--   high          upper end
--   lift          rate less the campaign's own holdout's; null: that is the holdout, or there is none
--
-- Mind: Compare a variant with the holdout, not with nothing, and by assignment, not by who opened. Overlapping intervals:
--       nothing is shown yet. Windows that are not over count as no order so far.
WITH rates AS
(
    SELECT
        c.campaign_id AS campaign_id,
        c.arm AS arm,
        c.is_simulated AS is_simulated,
        c.assigned AS assigned,
        c.converted AS converted,
        c.conversion_rate AS rate,
        1.959964 AS z,
        (rate + z * z / (2 * assigned)) / (1 + z * z / assigned) AS middle,
        z * sqrt(rate * (1 - rate) / assigned + z * z / (4 * assigned * assigned)) / (1 + z * z / assigned) AS half
    FROM campaign_conversions(conversion_days = 14) AS c
),
holdouts AS
(
    SELECT r.campaign_id AS campaign_id, r.is_simulated AS is_simulated, toNullable(r.rate) AS rate
    FROM rates AS r
    WHERE r.arm = 'holdout'
)
SELECT
    r.campaign_id AS campaign_id,
    r.arm AS arm,
    r.is_simulated AS is_simulated,
    r.assigned AS assigned,
    r.converted AS converted,
    round(r.rate, 4) AS rate,
    round(r.middle - r.half, 4) AS low,
    round(r.middle + r.half, 4) AS high,
    if(r.arm IN ('holdout', 'global_holdout'), NULL, round(r.rate - h.rate, 4)) AS lift
FROM rates AS r
LEFT JOIN holdouts AS h ON h.campaign_id = r.campaign_id AND h.is_simulated = r.is_simulated
ORDER BY campaign_id, is_simulated, arm;

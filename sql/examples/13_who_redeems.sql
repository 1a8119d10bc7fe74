-- What share of the members of each tier has ever spent points?
--
-- Answer:
--   tier          tier now; empty: none
--   is_simulated  simulated customers
--   members       members of the tier
--   redeemers     those who spent points at least once
--   share         redeemers / members, 0-1
--   points_spent  points that they spent
--
-- Mind: Tier as it is now, not when they spent. A member who never earned enough to spend counts as one who did not.
SELECT
    c.tier AS tier,
    c.is_simulated AS is_simulated,
    count() AS members,
    countIf(s.points > 0) AS redeemers,
    round(redeemers / members, 4) AS share,
    sum(s.points) AS points_spent
FROM customers AS c
LEFT JOIN
(
    SELECT r.account_id AS customer_id, sum(r.points) AS points
    FROM redemptions AS r
    WHERE r.is_accepted
    GROUP BY r.account_id
) AS s ON s.customer_id = c.customer_id
WHERE c.is_member
GROUP BY c.tier, c.is_simulated
ORDER BY c.is_simulated, members DESC, tier;

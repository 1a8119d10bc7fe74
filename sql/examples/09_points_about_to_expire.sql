-- How many points expire in the coming months, and whose are they?
--
-- Answer:
--   month             month in which they expire
--   members           members whose next expiry is in the month
--   points            points of these next expiries
--   largest           the most that one member loses
--   example_customer  who that is
--
-- Mind: Only each member's next expiry: later ones of the same member are not counted. Points still to be spent before
--       then will not expire.
SELECT
    toStartOfMonth(c.next_expiry_on) AS month,
    count() AS members,
    sum(c.next_expiry_points) AS points,
    max(c.next_expiry_points) AS largest,
    argMax(c.customer_id, (c.next_expiry_points, c.customer_id)) AS example_customer
FROM customers AS c
WHERE c.next_expiry_on IS NOT NULL
GROUP BY month
ORDER BY month
LIMIT 12;

-- Whose tier is reviewed within 60 days, and what did they spend in the time that counts?
--
-- Answer:
--   customer_id     the shop's id
--   tier            tier that is at stake
--   tier_review_on  day of the review
--   days_left       days until then
--   tier_spend      net spend in the tier's window so far, major units
--
-- Mind: What a tier asks for is in the program, not here: compare tier_spend with punchcard program show. The hundred that
--       come first.
SELECT
    c.customer_id AS customer_id,
    c.tier AS tier,
    c.tier_review_on AS tier_review_on,
    dateDiff('day', (SELECT a.day FROM as_of AS a), c.tier_review_on) AS days_left,
    c.tier_spend AS tier_spend
FROM customers AS c
WHERE c.is_member AND c.tier != '' AND days_left BETWEEN 0 AND 60
ORDER BY c.tier_review_on, c.tier_spend DESC, c.customer_id
LIMIT 100;

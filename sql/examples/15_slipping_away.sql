-- Which good customers stopped coming in the last 90 days?
--
-- Answer:
--   customer_id  the shop's id
--   was_r        highest recency score that fell in that time
--   r            recency score now
--   m            monetary score now
--   net_spend    spend of the whole life, net of refunds, major units
--   last_order   time of the newest order, UTC
--
-- Mind: Good means a recency score of 4 or 5 then, and a monetary score of 3 or more now. A score also falls when others
--       order more (quantile cuts). The fifty that spent most.
WITH fallen AS
(
    SELECT s.account_id AS customer_id, max(s.from_r) AS was_r
    FROM score_changes AS s
    WHERE s.from_r >= 4 AND s.to_r < s.from_r AND s.to_r > 0
        AND s.entry_time > (SELECT a.time FROM as_of AS a) - INTERVAL 90 DAY
    GROUP BY s.account_id
)
SELECT
    c.customer_id AS customer_id,
    x.was_r AS was_r,
    c.r AS r,
    c.m AS m,
    c.net_spend AS net_spend,
    c.last_order_time AS last_order
FROM fallen AS x
INNER JOIN customers AS c ON c.customer_id = x.customer_id
WHERE c.r <= 3 AND c.r > 0 AND c.m >= 3
ORDER BY c.net_spend DESC, c.customer_id
LIMIT 50;

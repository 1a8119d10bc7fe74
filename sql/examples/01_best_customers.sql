-- Who are our ten best customers, once everything they sent back is taken off?
--
-- Answer:
--   customer_id  the shop's id
--   tier         tier now; empty: none
--   orders       orders of the whole life
--   net_spend    spend less refunds, major units
--   last_order   day of the newest order
--   share        part of all customers' net spend, 0-1
--
-- Mind: Real customers in the program's currency only. A customer whose orders came in without an id is never here.
SELECT
    c.customer_id AS customer_id,
    c.tier AS tier,
    c.orders AS orders,
    c.net_spend AS net_spend,
    toDate(c.last_order_time, (SELECT p.time_zone FROM program AS p)) AS last_order,
    round(toFloat64(c.net_spend) / sum(toFloat64(c.net_spend)) OVER (), 4) AS share
FROM customers AS c
WHERE NOT c.is_simulated AND c.currency = (SELECT p.currency FROM program AS p)
ORDER BY c.net_spend DESC, c.customer_id
LIMIT 10;

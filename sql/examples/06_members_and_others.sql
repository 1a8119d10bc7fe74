-- Do members of the program order more often than the other customers?
--
-- Answer:
--   is_member      enrolled now
--   customers      customers with an order
--   orders_each    orders per customer
--   spend_each     net spend per customer, major units
--   average_order  net spend per order, major units
--
-- Mind: Not the program's effect: those who order more are more likely to enrol. For an effect, compare a campaign with
--       its holdout (example 17). Orders without a customer id are in neither row.
SELECT
    c.is_member AS is_member,
    count() AS customers,
    round(sum(c.orders) / count(), 2) AS orders_each,
    round(sum(toFloat64(c.net_spend)) / count(), 2) AS spend_each,
    round(sum(toFloat64(c.net_spend)) / sum(c.orders), 2) AS average_order
FROM customers AS c
WHERE NOT c.is_simulated AND c.orders > 0 AND c.currency = (SELECT p.currency FROM program AS p)
GROUP BY c.is_member
ORDER BY c.is_member DESC;

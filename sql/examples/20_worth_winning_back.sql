-- Which customers are probably leaving, and would be worth a word?
--
-- Answer:
--   customer_id     the shop's id
--   tier            tier now; empty: none
--   p_churned       probability that the customer will not buy again, 0-1
--   order_value     expected spend per order, major units
--   expected_spend  expected spend in 12 months, major units
--   last_order      time of the newest order, UTC
--   alive_model     the model that says so
--
-- Mind: Predictions of the newest punchcard model fit, for customers between half and nine tenths sure to be gone: of the
--       others, one part needs no word and the other will not hear it. expected_spend allows for their being gone already. See
--       model_runs for back-test and caveats.
SELECT
    v.customer_id AS customer_id,
    c.tier AS tier,
    round(v.p_churned, 3) AS p_churned,
    round(v.order_value, 2) AS order_value,
    round(v.expected_spend, 2) AS expected_spend,
    c.last_order_time AS last_order,
    v.alive_model AS alive_model
FROM customer_value AS v
INNER JOIN customers AS c ON c.customer_id = v.customer_id
WHERE v.p_churned BETWEEN 0.5 AND 0.9
ORDER BY v.expected_spend DESC, customer_id
LIMIT 50;

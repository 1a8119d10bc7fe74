-- Which recency and frequency scores bring the money?
--
-- Answer:
--   r                recency score, 5 is most recent
--   f                frequency score, 5 is most often
--   customers        customers with these scores
--   customers_share  part of all scored customers, 0-1
--   spend            net spend in the RFM window, major units
--   spend_share      part of all scored customers' spend, 0-1
--
-- Mind: Real customers in the program's currency. Scores with quantile cuts have about a fifth of the customers each by
--       design: look at spend_share beside customers_share.
SELECT
    g.r AS r,
    g.f AS f,
    g.customers AS customers,
    round(g.customers / sum(g.customers) OVER (), 4) AS customers_share,
    g.window_net_spend AS spend,
    round(toFloat64(g.window_net_spend) / sum(toFloat64(g.window_net_spend)) OVER (), 4) AS spend_share
FROM rfm_grid AS g
WHERE NOT g.is_simulated AND g.currency = (SELECT p.currency FROM program AS p)
ORDER BY g.window_net_spend DESC, g.r DESC, g.f DESC;

-- How much of each month's money comes from new customers, and how much from those who come back?
--
-- Answer:
--   month                month of the order
--   new_customers        customers with their first order in the month
--   returning_customers  customers who had ordered before the month
--   new_spend            spend of the new ones in the month, major units
--   returning_spend      spend of the returning ones, major units
--   average_order        spend per order of both, major units
--
-- Mind: Spend is before refunds, of identified customers, in the program's currency. The newest month is not over.
WITH bought AS
(
    SELECT
        o.account_id AS customer_id,
        toStartOfMonth(toTimeZone(o.event_time, (SELECT p.time_zone FROM program AS p))) AS month,
        min(month) OVER (PARTITION BY o.account_id) AS first_month,
        toDecimal128(o.net_minor, 3) / toInt64(o.minor_per_major) AS spend
    FROM orders AS o
    WHERE o.is_identified AND NOT o.is_simulated AND o.currency = (SELECT p.currency FROM program AS p)
)
SELECT
    b.month AS month,
    uniqExactIf(b.customer_id, b.month = b.first_month) AS new_customers,
    uniqExactIf(b.customer_id, b.month > b.first_month) AS returning_customers,
    sumIf(b.spend, b.month = b.first_month) AS new_spend,
    sumIf(b.spend, b.month > b.first_month) AS returning_spend,
    round(avg(toFloat64(b.spend)), 2) AS average_order
FROM bought AS b
GROUP BY b.month
ORDER BY b.month;

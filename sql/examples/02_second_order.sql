-- How many new customers order a second time within 30 and 90 days?
--
-- Answer:
--   first_month  month of the first order
--   customers    customers who came then
--   within_30    share with a second order within 30 days
--   within_90    share with a second order within 90 days
--   ever         share with a second order at all
--
-- Mind: Shares are null while some customers of the month have not had their 30 or 90 days: too young is not low. Two
--       orders at the same instant are two orders.
WITH firsts AS
(
    SELECT
        o.account_id AS customer_id,
        arraySort(groupArray(o.event_time)) AS times
    FROM orders AS o
    WHERE o.is_identified AND NOT o.is_simulated
    GROUP BY o.account_id
)
SELECT
    toStartOfMonth(toTimeZone(f.times[1], (SELECT p.time_zone FROM program AS p))) AS first_month,
    count() AS customers,
    if(max(f.times[1]) + INTERVAL 30 DAY <= (SELECT a.time FROM as_of AS a), round(countIf(length(f.times) > 1 AND f.times[2] <= f.times[1] + INTERVAL 30 DAY) / count(), 4), NULL) AS within_30,
    if(max(f.times[1]) + INTERVAL 90 DAY <= (SELECT a.time FROM as_of AS a), round(countIf(length(f.times) > 1 AND f.times[2] <= f.times[1] + INTERVAL 90 DAY) / count(), 4), NULL) AS within_90,
    round(countIf(length(f.times) > 1) / count(), 4) AS ever
FROM firsts AS f
GROUP BY first_month
ORDER BY first_month;

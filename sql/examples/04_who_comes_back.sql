-- Of the customers who first came in a month, what share ordered again one, two and three months later?
--
-- Answer:
--   cohort_month  month of the first order
--   size          customers who came then
--   month_1       share with an order in the next month
--   month_2       share with an order two months later
--   month_3       share with an order three months later
--   ever_after    share with an order in any later month
--
-- Mind: A month counts when it has begun: the newest one is not over and looks low; months that have not begun are null.
SELECT
    r.cohort_month AS cohort_month,
    any(r.size) AS size,
    anyIf(toNullable(round(r.active_share, 4)), r.month_number = 1) AS month_1,
    anyIf(toNullable(round(r.active_share, 4)), r.month_number = 2) AS month_2,
    anyIf(toNullable(round(r.active_share, 4)), r.month_number = 3) AS month_3,
    anyIf(toNullable(round(r.active_in_or_after_share, 4)), r.month_number = 1) AS ever_after
FROM retention_cohorts AS r
WHERE r.base = 'real'
GROUP BY r.cohort_month
ORDER BY r.cohort_month;

-- How many points did we owe at the end of each month, and what moved them?
--
-- Answer:
--   month     month of the decision
--   issued    points earned
--   reversed  points taken back by refunds
--   spent     points spent
--   expired   points expired
--   owed      points owed at the end of the month
--
-- Mind: Points, not money; debts of members (points spent and then reversed) count negative. By the day of the decision: a
--       late event counts when it came. Simulated ones are in it.
SELECT
    toStartOfMonth(d.day) AS month,
    sum(d.issued) AS issued,
    sum(d.reversed) AS reversed,
    sum(d.spent) AS spent,
    sum(d.expired) AS expired,
    sum(sum(d.issued - d.reversed - d.spent - d.expired)) OVER (ORDER BY month) AS owed
FROM points_daily AS d
GROUP BY month
ORDER BY month;

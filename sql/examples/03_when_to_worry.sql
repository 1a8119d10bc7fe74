-- After how many days without an order should we start to worry about a customer?
--
-- Answer:
--   gaps            gaps between two orders of one customer
--   half            half of the gaps are at most so many days
--   three_quarters  three quarters are
--   nine_tenths     nine tenths are: later than that is late
--   late_customers  customers whose newest order is longer ago than nine_tenths
--
-- Mind: Only finished gaps count, so that customers with many orders weigh more, and those who never came back not at all.
--       Orders of one day are one.
WITH days AS
(
    SELECT DISTINCT
        o.account_id AS customer_id,
        toDate(o.event_time, (SELECT p.time_zone FROM program AS p)) AS day
    FROM orders AS o
    WHERE o.is_identified AND NOT o.is_simulated
),
gaps AS
(
    SELECT
        d.customer_id AS customer_id,
        d.day AS day,
        lagInFrame(d.day, 1, d.day) OVER (PARTITION BY d.customer_id ORDER BY d.day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM days AS d
),
cut AS
(
    SELECT count() AS gaps, quantilesExact(0.5, 0.75, 0.9)(dateDiff('day', g.before, g.day)) AS q
    FROM gaps AS g
    WHERE g.day > g.before
),
newest AS
(
    SELECT d.customer_id AS customer_id, max(d.day) AS day
    FROM days AS d
    GROUP BY d.customer_id
)
SELECT
    c.gaps AS gaps,
    c.q[1] AS half,
    c.q[2] AS three_quarters,
    c.q[3] AS nine_tenths,
    (SELECT countIf(dateDiff('day', n.day, (SELECT a.day FROM as_of AS a)) > (SELECT x.q[3] FROM cut AS x)) FROM newest AS n) AS late_customers
FROM cut AS c;

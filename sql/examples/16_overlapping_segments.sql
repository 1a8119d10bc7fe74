-- Which segments share the most customers?
--
-- Answer:
--   segment_1  a segment
--   segment_2  another one
--   both       customers in both
--   of_1       part of segment_1 that is in segment_2 too, 0-1
--   of_2       part of segment_2 that is in segment_1 too, 0-1
--
-- Mind: As customers stand now, real and simulated. Two segments that share nearly all their customers are one question
--       asked twice.
WITH sizes AS
(
    SELECT arrayJoin(c.segments) AS segment_id, count() AS members
    FROM customers AS c
    GROUP BY segment_id
),
pairs AS
(
    SELECT arrayJoin(arrayFlatten(arrayMap(a -> arrayMap(b -> (a, b), arrayFilter(b -> b > a, c.segments)), c.segments))) AS pair, count() AS both
    FROM customers AS c
    GROUP BY pair
)
SELECT
    p.pair.1 AS segment_1,
    p.pair.2 AS segment_2,
    p.both AS both,
    round(p.both / a.members, 4) AS of_1,
    round(p.both / b.members, 4) AS of_2
FROM pairs AS p
INNER JOIN sizes AS a ON a.segment_id = p.pair.1
INNER JOIN sizes AS b ON b.segment_id = p.pair.2
ORDER BY both DESC, segment_1, segment_2
LIMIT 20;

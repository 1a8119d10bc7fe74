-- segment_overlap: which segments hold the same customers.
--
-- Meaning: customers in both segments as they stand; a segment with itself is its size.
-- Formula: share_of_a = both / customers in a; jaccard = both / customers in a or b.
-- Base:    identified customers in at least one segment; base = real: without customers whom a simulated event has changed; all: with them.
-- Unit:    customers; shares 0-1.
-- Source:  customers.
CREATE OR REPLACE VIEW segment_overlap
(
    base String COMMENT 'real: without simulated customers; all: with them',
    a String COMMENT 'One segment',
    b String COMMENT 'The other segment, or the same',
    both UInt64 COMMENT 'Customers in both',
    in_a UInt64 COMMENT 'Customers in a',
    in_b UInt64 COMMENT 'Customers in b',
    share_of_a Float64 COMMENT 'both / in_a, 0-1',
    jaccard Float64 COMMENT 'both / customers in a or b, 0-1'
)
AS WITH held AS
(
    SELECT arrayJoin(if(c.is_simulated, ['all'], ['real', 'all'])) AS base, c.segments AS segments, count() AS customers
    FROM customers AS c
    WHERE notEmpty(c.segments)
    GROUP BY base, c.segments
),
sizes AS
(
    SELECT h.base AS base, x AS segment, sum(h.customers) AS customers
    FROM held AS h
    ARRAY JOIN h.segments AS x
    GROUP BY h.base, x
),
pairs AS
(
    SELECT p.base AS base, p.a AS a, arrayJoin(p.segments) AS b, sum(p.customers) AS customers
    FROM (SELECT h.base AS base, h.segments AS segments, h.customers AS customers, arrayJoin(h.segments) AS a FROM held AS h) AS p
    GROUP BY p.base, p.a, b
)
SELECT
    x.base AS base,
    x.segment AS a,
    y.segment AS b,
    p.customers AS both,
    x.customers AS in_a,
    y.customers AS in_b,
    both / in_a AS share_of_a,
    both / (in_a + in_b - both) AS jaccard
FROM sizes AS x
INNER JOIN sizes AS y ON y.base = x.base
LEFT JOIN pairs AS p ON p.base = x.base AND p.a = x.segment AND p.b = y.segment
SETTINGS join_use_nulls = 0
COMMENT 'Which segments hold the same customers. Base: customers in a segment. Unit: customers. Source: customers'

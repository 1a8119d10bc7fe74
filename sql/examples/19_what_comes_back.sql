-- Which products come back most often?
--
-- Answer:
--   product_id   the shop's id of the product
--   product      its name as last sold
--   sold         pieces sold
--   returned     pieces given back and found in orders
--   return_rate  returned / sold, 0-1
--   refunded     money given back for them, major units
--
-- Mind: Products with ten pieces sold or more, real orders, guests too. Pieces sold lately can still come back.
WITH sold AS
(
    SELECT i.product_id AS product_id, argMax(i.product_name, i.event_time) AS product, sum(i.quantity) AS pieces
    FROM order_items AS i
    WHERE NOT i.is_simulated AND i.product_id != ''
    GROUP BY i.product_id
),
returned AS
(
    SELECT l.product_id AS product_id, sum(l.matched_quantity) AS pieces, sum(toDecimal128(l.matched_minor, 3) / toInt64(l.minor_per_major)) AS money
    FROM refund_lines AS l
    WHERE NOT l.is_simulated AND l.currency = (SELECT p.currency FROM program AS p)
    GROUP BY l.product_id
)
SELECT
    s.product_id AS product_id,
    s.product AS product,
    s.pieces AS sold,
    r.pieces AS returned,
    round(r.pieces / s.pieces, 4) AS return_rate,
    r.money AS refunded
FROM sold AS s
INNER JOIN returned AS r ON r.product_id = s.product_id
WHERE s.pieces >= 10 AND r.pieces > 0
ORDER BY return_rate DESC, returned DESC, product_id
LIMIT 20;

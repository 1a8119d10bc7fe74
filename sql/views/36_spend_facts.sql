-- spend_facts: net spend, piece by piece, as the program counts it.
--
-- Meaning: what an order adds (kind order), what a refund takes from an order it was found in (refund, on the order's day), and what of a
--          refund was found in no order (unmatched, on the refund's own day). Their sum is a customer's net spend.
-- Formula: amount = + orders, − refunds.
-- Base:    identified customers; is_simulated is that of the order, or of the refund.
-- Unit:    Decimal in major units of currency; days in the program's time zone.
-- Source:  orders, refund_allocations, refunds, program.
-- Caveat:  a refund changes the past: the day of its order. Money by the day it went back: refunds_daily.
CREATE OR REPLACE VIEW spend_facts
(
    customer_id String COMMENT 'The shop''s id of the customer',
    kind String COMMENT 'order, refund (found in the order) or unmatched (found in none)',
    order_id String COMMENT 'Order that it belongs to; empty: none',
    is_simulated Bool COMMENT 'Simulated; otherwise real',
    event_time DateTime64(3, 'UTC') COMMENT 'Time of the order (unmatched: of the refund), UTC',
    day Date COMMENT 'Its day, program''s time zone',
    currency String COMMENT 'ISO 4217 code of the amount',
    amount Decimal(38, 3) COMMENT 'Added to net spend, major units; refunds are negative'
)
AS SELECT
    x.account_id AS customer_id,
    x.kind AS kind,
    x.order_id AS order_id,
    x.is_simulated AS is_simulated,
    x.event_time AS event_time,
    toDate(x.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    x.currency AS currency,
    toDecimal128(x.minor, 3) / toInt64(greatest(x.minor_per_major, 1)) AS amount
FROM
(
    SELECT o.account_id AS account_id, 'order' AS kind, o.order_id AS order_id, o.is_simulated AS is_simulated, o.event_time AS event_time, o.currency AS currency, o.net_minor AS minor, o.minor_per_major AS minor_per_major
    FROM orders AS o
    WHERE o.is_identified
    UNION ALL
    SELECT a.account_id, 'refund', a.order_id, a.is_simulated, o.event_time, a.currency, -a.amount_minor, a.minor_per_major
    FROM refund_allocations AS a
    INNER JOIN (SELECT b.account_id AS account_id, b.order_id AS order_id, b.event_time AS event_time FROM orders AS b WHERE b.is_identified) AS o ON o.account_id = a.account_id AND o.order_id = a.order_id
    UNION ALL
    SELECT r.account_id, 'unmatched', '', r.is_simulated, r.event_time, r.currency, r.matched_minor - r.net_minor, r.minor_per_major
    FROM refunds AS r
    WHERE r.is_identified AND r.net_minor != r.matched_minor
) AS x
COMMENT 'Net spend piece by piece, as the program counts it. Base: identified customers. Unit: major units of currency. Source: orders, refund_allocations, refunds'

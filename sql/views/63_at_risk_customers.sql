-- at_risk_customers: who is silent for longer than usual, and what is expected of them.
--
-- Meaning: state: active (silent no longer than three gaps of four are), about to lapse (longer, but not longer than N), lapsed (longer).
-- Formula: days_silent = days since the last order; bounds: p75 and lapse_days of order_gaps; lapses_in = lapse_days − days_silent.
-- Base:    identified customers with an order not wholly refunded; gaps of all orders, simulated ones too.
-- Unit:    one row = one customer; days; Decimal in major units of currency; expected_* of the newest model run, null: not in it.
-- Source:  customers, order_gaps, customer_value, rfm_cells, as_of, program.
-- Caveat:  the model knows real orders only; what it expects already takes the chance of having left into account.
CREATE OR REPLACE VIEW at_risk_customers
(
    customer_id String COMMENT 'The shop''s id of the customer',
    is_simulated Bool COMMENT 'Customer whom a simulated event has changed by now; otherwise a real one',
    state String COMMENT 'active, about to lapse or lapsed',
    days_silent Int64 COMMENT 'Days since the last order, up to the newest tick',
    lapses_in Int64 COMMENT 'Days until the customer counts as lapsed; negative: lapsed so long ago',
    tier String COMMENT 'Tier; empty: none',
    rfm_name String COMMENT 'Name of the cell of the RFM grid; empty: not scored',
    orders Int64 COMMENT 'Orders of the whole life',
    window_net_spend Decimal(38, 3) COMMENT 'Net spend in the RFM window, major units',
    p_alive Nullable(Float64) COMMENT 'Probability that the customer may still buy, 0-1; null: not modelled',
    expected_spend Nullable(Float64) COMMENT 'Expected spend in the next 12 months, major units; null: not modelled',
    currency String COMMENT 'ISO 4217 code of the amounts'
)
AS SELECT
    c.customer_id AS customer_id,
    c.is_simulated AS is_simulated,
    multiIf(days_silent <= n.p75, 'active', days_silent <= n.lapse_days, 'about to lapse', 'lapsed') AS state,
    dateDiff('day', toDate(assumeNotNull(c.last_order_time), assumeNotNull((SELECT g.time_zone FROM program AS g))), assumeNotNull((SELECT a.day FROM as_of AS a))) AS days_silent,
    toInt64(n.lapse_days) - days_silent AS lapses_in,
    c.tier AS tier,
    cell.name AS rfm_name,
    c.orders AS orders,
    c.window_net_spend AS window_net_spend,
    if(v.customer_id = '', NULL, v.p_alive) AS p_alive,
    if(v.customer_id = '', NULL, v.expected_spend) AS expected_spend,
    c.currency AS currency
FROM customers AS c
CROSS JOIN (SELECT q.p75 AS p75, q.lapse_days AS lapse_days FROM order_gaps AS q WHERE q.base = 'all') AS n
LEFT JOIN rfm_cells AS cell ON cell.r = c.r AND cell.f = c.f
LEFT JOIN customer_value AS v ON v.customer_id = c.customer_id
WHERE c.orders > 0
SETTINGS join_use_nulls = 0
COMMENT 'Who is silent for longer than usual, and what is expected of them. Base: identified customers with an order. Unit: one customer. Source: customers, order_gaps, customer_value'

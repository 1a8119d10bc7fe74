-- buyer_kpis: order value, frequency and repeat rate of members and of others, by period.
--
-- Meaning: the same figures for each kind of buyer side by side. NOT CAUSAL: who buys more is likelier to join, so members
--          would differ without any program.
-- Formula: average_order = spend / orders; orders_per_customer = orders / customers; repeat_rate = customers with two orders or more
--          of that kind in the period / customers.
-- Base:    all orders before refunds; base = real: real orders only; all: simulated ones too. Orders without a customer's id are
--          their own kind (not identified): they have no customers, frequency or repeat rate, and are never "not a member".
-- Unit:    customers; orders; Decimal in major units of currency; rates 0-1; periods in the program's time zone.
-- Source:  order_facts.
-- Caveat:  a customer who joins within a period is in both kinds, each with the orders of that time.
CREATE OR REPLACE VIEW buyer_kpis
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    grain String COMMENT 'week, month, or all (the whole data)',
    period Date COMMENT 'First day of the week or month, program''s time zone; all: 1970-01-01',
    buyer String COMMENT 'member, not a member, or not identified',
    currency String COMMENT 'ISO 4217 code of the amounts',
    customers Nullable(UInt64) COMMENT 'Customers with an order; null: not identified',
    orders UInt64 COMMENT 'Orders',
    spend Decimal(38, 3) COMMENT 'Spend before refunds, major units',
    average_order Decimal(38, 3) COMMENT 'Spend per order (AOV), major units, rounded half up',
    orders_per_customer Nullable(Float64) COMMENT 'Orders per customer; null: not identified',
    repeat_customers Nullable(UInt64) COMMENT 'Customers with two orders or more in the period; null: not identified',
    repeat_rate Nullable(Float64) COMMENT 'repeat_customers / customers, 0-1, not causal; null: not identified'
)
AS WITH each AS
(
    SELECT
        arrayJoin(if(o.is_simulated, ['all'], ['real', 'all'])) AS base,
        arrayJoin([('week', o.week), ('month', o.month), ('all', toDate('1970-01-01'))]) AS cut,
        o.buyer AS buyer,
        o.currency AS currency,
        o.customer_id AS customer_id,
        count() AS orders,
        sum(o.amount) AS spend
    FROM order_facts AS o
    GROUP BY base, cut, o.buyer, o.currency, o.customer_id
)
SELECT
    e.base AS base,
    e.cut.1 AS grain,
    e.cut.2 AS period,
    e.buyer AS buyer,
    e.currency AS currency,
    if(e.buyer = 'not identified', NULL, count()) AS customers,
    sum(e.orders) AS orders,
    sum(e.spend) AS spend,
    floor(toDecimal128(sum(e.spend), 6) / toInt64(sum(e.orders)) + toDecimal128('0.0005', 6), 3) AS average_order,
    orders / customers AS orders_per_customer,
    if(e.buyer = 'not identified', NULL, countIf(e.orders >= 2)) AS repeat_customers,
    repeat_customers / customers AS repeat_rate
FROM each AS e
GROUP BY e.base, e.cut, e.buyer, e.currency
COMMENT 'Order value, frequency and repeat rate of members and others, not causal. Base: all orders before refunds. Unit: customers, orders, major units. Source: order_facts';

-- purchase_kpis: the purchase figures of the whole data.
--
-- Meaning: gross_spend = Σ orders (lines less discount) before any refund; refund_spend = Σ refunds, found in orders or not;
--          net_spend = gross_spend − refund_spend; average_order = gross_spend / orders; orders_per_customer = orders / customers;
--          repeat_rate = customers with two orders or more / customers. A refunded order still counts as an order here.
-- Base:    orders and refunds of identified customers; real and simulated orders apart (a real customer's simulated orders count
--          among the simulated), each currency apart.
-- Unit:    Decimal in major units of currency, rates between 0 and 1.
-- Source:  orders, refunds.
CREATE OR REPLACE VIEW purchase_kpis
(
    is_simulated Bool COMMENT 'Figures of simulated orders; otherwise of real ones',
    currency String COMMENT 'ISO 4217 code of the amounts',
    customers UInt64 COMMENT 'Identified customers with an order',
    orders UInt64 COMMENT 'Orders of identified customers',
    lines Int64 COMMENT 'Lines of these orders',
    gross_spend Decimal(38, 3) COMMENT 'Spend before refunds, major units',
    refunds UInt64 COMMENT 'Refunds of identified customers',
    refund_spend Decimal(38, 3) COMMENT 'Money given back, major units',
    net_spend Decimal(38, 3) COMMENT 'Spend less refunds, major units',
    average_order Decimal(38, 3) COMMENT 'Gross spend per order (AOV), major units, rounded half up',
    orders_per_customer Float64 COMMENT 'Orders per customer',
    repeat_customers UInt64 COMMENT 'Customers with two orders or more',
    repeat_rate Float64 COMMENT 'Customers with two orders or more, share of customers, 0-1'
)
AS WITH buyers AS
(
    SELECT
        is_simulated,
        currency,
        account_id,
        count() AS orders,
        sum(lines) AS lines,
        sum(net_minor) AS net_minor,
        any(minor_per_major) AS minor_per_major
    FROM orders
    WHERE is_identified
    GROUP BY is_simulated, currency, account_id
),
bought AS
(
    SELECT
        b.is_simulated AS is_simulated,
        b.currency AS currency,
        count() AS customers,
        sum(b.orders) AS orders,
        sum(b.lines) AS lines,
        sum(b.net_minor) AS net_minor,
        countIf(b.orders >= 2) AS repeat_customers,
        toInt64(any(b.minor_per_major)) AS minor_per_major
    FROM buyers AS b
    GROUP BY is_simulated, currency
),
returned AS
(
    SELECT
        is_simulated,
        currency,
        count() AS refunds,
        sum(net_minor) AS net_minor
    FROM refunds
    WHERE is_identified
    GROUP BY is_simulated, currency
)
SELECT
    b.is_simulated AS is_simulated,
    b.currency AS currency,
    b.customers AS customers,
    b.orders AS orders,
    b.lines AS lines,
    toDecimal128(b.net_minor, 3) / b.minor_per_major AS gross_spend,
    r.refunds AS refunds,
    toDecimal128(r.net_minor, 3) / b.minor_per_major AS refund_spend,
    toDecimal128(b.net_minor - r.net_minor, 3) / b.minor_per_major AS net_spend,
    floor(toDecimal128(b.net_minor, 6) / (b.minor_per_major * toInt64(b.orders)) + toDecimal128('0.0005', 6), 3) AS average_order,
    b.orders / b.customers AS orders_per_customer,
    b.repeat_customers AS repeat_customers,
    b.repeat_customers / b.customers AS repeat_rate
FROM bought AS b
LEFT JOIN returned AS r ON r.is_simulated = b.is_simulated AND r.currency = b.currency
SETTINGS join_use_nulls = 0
COMMENT 'Purchase figures of the whole data, gross before refunds. Base: identified customers, real and simulated apart. Unit: major units of currency. Source: orders, refunds';

-- orders_daily: orders and spend by day.
--
-- Meaning: what was bought on a day, by channel, tier and kind of buyer.
-- Formula: average_order = spend / orders.
-- Base:    all orders, of guests too (buyer = not identified), before refunds; real and simulated orders apart; days without orders are missing.
-- Unit:    orders; Decimal in major units of currency; days in the program's time zone.
-- Source:  order_facts.
-- Caveat:  customers add up neither over days nor over rows of one day: a customer may be in several.
CREATE OR REPLACE VIEW orders_daily
(
    day Date COMMENT 'Day of the orders, program''s time zone',
    is_simulated Bool COMMENT 'Simulated orders; otherwise real ones',
    currency String COMMENT 'ISO 4217 code of the amounts',
    channel String COMMENT 'Where it was bought; empty: not said',
    tier String COMMENT 'Tier before the order; empty: none',
    buyer String COMMENT 'member, not a member, or not identified',
    customers Nullable(UInt64) COMMENT 'Different customers of these orders; null: not identified',
    orders UInt64 COMMENT 'Orders',
    spend Decimal(38, 3) COMMENT 'Spend before refunds, major units',
    average_order Decimal(38, 3) COMMENT 'Spend per order (AOV), major units, rounded half up'
)
AS SELECT
    o.day AS day,
    o.is_simulated AS is_simulated,
    o.currency AS currency,
    o.channel AS channel,
    o.tier AS tier,
    o.buyer AS buyer,
    if(o.buyer = 'not identified', NULL, uniqExact(o.customer_id)) AS customers,
    count() AS orders,
    sum(o.amount) AS spend,
    floor(toDecimal128(sum(o.amount), 6) / toInt64(count()) + toDecimal128('0.0005', 6), 3) AS average_order
FROM order_facts AS o
GROUP BY o.day, o.is_simulated, o.currency, o.channel, o.tier, o.buyer
COMMENT 'Orders and spend by day. Base: all orders, before refunds, guests too. Unit: orders, major units of currency. Source: order_facts';

-- customers: how each customer stands.
--
-- Meaning: the standing after the newest entry that changed it, at the clock entry_time of its partition.
-- Base:    identified customers, exactly one row each; guests and anonymous visitors are never here.
-- Unit:    points; money as Decimal in major units of currency, net of refunds; days in the program's time zone.
-- Source:  customer_standings, newest sequence of each customer.
CREATE OR REPLACE VIEW customers
(
    customer_id String COMMENT 'The shop''s id of the customer',
    is_simulated Bool COMMENT 'The customer is simulated',
    is_member Bool COMMENT 'Enrolled in the program',
    enrolled_time Nullable(DateTime64(3, 'UTC')) COMMENT 'When enrolled, UTC; null: not',
    balance Int64 COMMENT 'Points that can be spent; negative: a debt',
    next_expiry_on Nullable(Date32) COMMENT 'Day at whose end the next points expire; null: none',
    next_expiry_points Int64 COMMENT 'Points that expire then',
    tier String COMMENT 'Tier; empty: none',
    tier_since Nullable(DateTime64(3, 'UTC')) COMMENT 'When the tier was reached, UTC; null: no tier',
    tier_review_on Nullable(Date32) COMMENT 'Day of the next review of the tier; null: none',
    tier_spend Decimal(38, 3) COMMENT 'Net spend in the tier''s window, major units',
    tier_lacking Decimal(38, 3) COMMENT 'Spend missing to keep the tier at its review if nothing more is bought until then, major units; 0: nothing, or no review',
    r Int8 COMMENT 'Recency score 1-5; 0: not scored',
    f Int8 COMMENT 'Frequency score 1-5; 0: not scored',
    m Int8 COMMENT 'Monetary score 1-5; 0: not scored',
    orders Int64 COMMENT 'Orders of the whole life, net of wholly refunded ones',
    net_spend Decimal(38, 3) COMMENT 'Spend of the whole life, net of refunds, major units',
    window_orders Int64 COMMENT 'Orders in the RFM window',
    window_net_spend Decimal(38, 3) COMMENT 'Net spend in the RFM window, major units',
    currency String COMMENT 'ISO 4217 code of the amounts; empty: no order yet',
    first_order_time Nullable(DateTime64(3, 'UTC')) COMMENT 'Time of the first order, UTC; null: none',
    last_order_time Nullable(DateTime64(3, 'UTC')) COMMENT 'Time of the last order, UTC; null: none',
    segments Array(String) COMMENT 'Segments that the customer is in, ascending',
    entry_time DateTime64(3, 'UTC') COMMENT 'Clock of the partition when the standing last changed, UTC',
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of the entry that the standing is of'
)
AS SELECT
    s.customer_id AS customer_id,
    s.is_simulated AS is_simulated,
    s.is_member AS is_member,
    nullIf(s.enrolled_time, toDateTime64(0, 3, 'UTC')) AS enrolled_time,
    s.balance AS balance,
    nullIf(s.next_expiry_on, toDate32('1970-01-01')) AS next_expiry_on,
    s.next_expiry_points AS next_expiry_points,
    s.tier AS tier,
    nullIf(s.tier_since, toDateTime64(0, 3, 'UTC')) AS tier_since,
    nullIf(s.tier_review_on, toDate32('1970-01-01')) AS tier_review_on,
    toDecimal128(s.tier_spend_minor, 3) / s.minor_per_major AS tier_spend,
    toDecimal128(s.tier_lacking_minor, 3) / s.minor_per_major AS tier_lacking,
    s.r AS r,
    s.f AS f,
    s.m AS m,
    s.orders AS orders,
    toDecimal128(s.net_spend_minor, 3) / s.minor_per_major AS net_spend,
    s.window_orders AS window_orders,
    toDecimal128(s.window_net_spend_minor, 3) / s.minor_per_major AS window_net_spend,
    s.currency AS currency,
    nullIf(s.first_order_time, toDateTime64(0, 3, 'UTC')) AS first_order_time,
    nullIf(s.last_order_time, toDateTime64(0, 3, 'UTC')) AS last_order_time,
    s.segments AS segments,
    s.entry_time AS entry_time,
    s.partition AS `partition`,
    s.sequence AS `sequence`
FROM customer_standings AS s FINAL
COMMENT 'How each customer stands. Base: identified customers, one row each. Unit: points, major units of currency. Source: customer_standings';

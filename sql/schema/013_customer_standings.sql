-- customer_standings: how customers stand, newest row wins; read the view customers instead.
--
-- Meaning: the standing after an entry; the row with the highest sequence of a customer is how things stand.
-- Base:    identified customers; guests and anonymous visitors are never here.
-- Unit:    points; *_minor in minor units of currency; days in the program's time zone.
-- Source:  standing of entries; of several entries of one customer in one batch only the newest.
CREATE TABLE IF NOT EXISTS customer_standings
(
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of the entry that the row is of',
    `index` Int32 COMMENT 'Always 0: an entry has one standing',
    `event_time` DateTime64(3, 'UTC') COMMENT 'Own time of the event or timer that changed it, UTC',
    `entry_time` DateTime64(3, 'UTC') COMMENT 'Clock of the partition when it changed, UTC; 1970: before the first tick',
    `is_history` Bool COMMENT 'Changed while history was imported',
    `is_simulated` Bool COMMENT 'The customer is simulated',
    `customer_id` String COMMENT 'The shop''s id of the customer',
    `bundle_id` LowCardinality(String) COMMENT 'Version of the rules that decided; empty: none was active',
    `is_member` Bool COMMENT 'Enrolled in the program',
    `enrolled_time` DateTime64(3, 'UTC') COMMENT 'When the customer was enrolled, UTC; 1970: not enrolled',
    `balance` Int64 COMMENT 'Points that can be spent; negative: a debt',
    `next_expiry_on` Date32 COMMENT 'Day at whose end the next points expire; 1970-01-01: none',
    `next_expiry_points` Int64 COMMENT 'Points that expire then',
    `tier` LowCardinality(String) COMMENT 'Tier; empty: none',
    `tier_since` DateTime64(3, 'UTC') COMMENT 'When the tier was reached, UTC; 1970: no tier',
    `tier_review_on` Date32 COMMENT 'Day of the next review of the tier; 1970-01-01: none',
    `tier_spend_minor` Int64 COMMENT 'Net spend in the tier''s window, minor units',
    `tier_lacking_minor` Int64 COMMENT 'Spend missing to keep the tier at its review if nothing more is bought until then, minor units; 0: nothing, or no review',
    `r` Int8 COMMENT 'Recency score 1-5; 0: not scored',
    `f` Int8 COMMENT 'Frequency score 1-5; 0: not scored',
    `m` Int8 COMMENT 'Monetary score 1-5; 0: not scored',
    `orders` Int64 COMMENT 'Orders of the whole life, net of wholly refunded ones',
    `net_spend_minor` Int64 COMMENT 'Spend of the whole life, net of refunds, minor units',
    `window_orders` Int64 COMMENT 'Orders in the RFM window',
    `window_net_spend_minor` Int64 COMMENT 'Net spend in the RFM window, minor units',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts; empty: no order yet',
    `minor_per_major` UInt16 COMMENT 'Minor units in one major unit of the currency',
    `first_order_time` DateTime64(3, 'UTC') COMMENT 'Time of the first order, UTC; 1970: none',
    `last_order_time` DateTime64(3, 'UTC') COMMENT 'Time of the last order, UTC; 1970: none',
    `segments` Array(String) COMMENT 'Segments that the customer is in, ascending'
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY customer_id
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Standings of customers, newest sequence wins: read the view customers. Base: identified customers. Unit: one standing. Source: topic ledger';

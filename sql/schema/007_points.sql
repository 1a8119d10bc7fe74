-- points: the ledger of points, one row per posting.
--
-- Meaning: points move from account to account; the postings of one entry (and wallet) sum to zero.
--          account customer is what is owed to account_id: Σ points over it = balance. The others are counterparts.
-- Base:    every posting of every entry.
-- Unit:    points, an integer; the sign is that of the account's balance.
-- Source:  postings of entries.
CREATE TABLE IF NOT EXISTS points
(
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of the entry in its partition',
    `index` Int32 COMMENT 'Number of the row among those of its entry in this table, from 0',
    `event_time` DateTime64(3, 'UTC') COMMENT 'When it happened, by the event''s (or timer''s) own time, UTC',
    `entry_time` DateTime64(3, 'UTC') COMMENT 'Clock of the partition when it was decided, UTC; 1970: before the first tick',
    `is_history` Bool COMMENT 'Decided while history was imported',
    `is_simulated` Bool COMMENT 'Caused by a simulated event',
    `account_id` String COMMENT 'Customer, anon:… or guest:… whom it concerns',
    `bundle_id` LowCardinality(String) COMMENT 'Version of the rules that decided; empty: none was active',
    `account` LowCardinality(String) COMMENT 'customer, earned, spent, expired',
    `wallet` LowCardinality(String) COMMENT 'Kind of points',
    `points` Int64 COMMENT 'Points added to the account; negative: taken',
    `reason` LowCardinality(String) COMMENT 'earn, reverse, spend, expire, settle (new points fill a debt)',
    `rule_id` LowCardinality(String) COMMENT 'Rule that gave the points; empty: no rule',
    `lot_id` String COMMENT 'Lot of the points, of account customer; debt: a negative balance',
    `expires_on` Date32 COMMENT 'Last day of the lot, program''s time zone; 1970-01-01: never',
    `order_id` String COMMENT 'Order behind it; empty: none',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The ledger of points. Base: every posting; those of one entry sum to zero. Unit: points. Source: topic ledger';

-- tier_changes: moves between tiers.
--
-- Meaning: up at once, down at review, back at once when a refund removes the ground.
-- Base:    members; the first tier too (from_tier empty).
-- Unit:    one row = one move; spend_minor in minor units of currency.
-- Source:  tier of entries.
CREATE TABLE IF NOT EXISTS tier_changes
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
    `from_tier` LowCardinality(String) COMMENT 'Tier before; empty: none',
    `to_tier` LowCardinality(String) COMMENT 'Tier after; empty: none',
    `reason` LowCardinality(String) COMMENT 'enrolled, reached, review, refund',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    `minor_per_major` UInt16 COMMENT 'Minor units in one major unit of the currency: 100 pence in a pound',
    `spend_minor` Int64 COMMENT 'Net spend in the tier''s window that decided, minor units',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Moves between tiers. Base: members. Unit: one move. Source: topic ledger';

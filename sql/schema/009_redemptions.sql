-- redemptions: points spent, or refused to be.
--
-- Meaning: the answer to a request to spend points.
-- Base:    first arrival of each redemption id, refused ones too (is_accepted = false).
-- Unit:    points.
-- Source:  entries with a redemption, outcome applied or rejected.
CREATE TABLE IF NOT EXISTS redemptions
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
    `redemption_id` String COMMENT 'The sender''s idempotency key, known for ever',
    `points` Int64 COMMENT 'Points asked for',
    `order_id` String COMMENT 'Order they pay; empty: none',
    `is_accepted` Bool COMMENT 'They were spent',
    `reason` LowCardinality(String) COMMENT 'Why it was refused; empty: accepted',
    `balance` Int64 COMMENT 'Balance after it, points',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Answers to redemptions. Base: accepted and refused ones. Unit: one redemption. Source: topic ledger';

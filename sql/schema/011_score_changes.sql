-- score_changes: moves of the RFM scores.
--
-- Meaning: R days since the last order, F orders, M net spend, each 1–5 (5 is best), 0: not scored.
-- Base:    identified customers.
-- Unit:    scores.
-- Source:  scores of entries.
CREATE TABLE IF NOT EXISTS score_changes
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
    `from_r` Int8 COMMENT 'Recency score before',
    `from_f` Int8 COMMENT 'Frequency score before',
    `from_m` Int8 COMMENT 'Monetary score before',
    `to_r` Int8 COMMENT 'Recency score after',
    `to_f` Int8 COMMENT 'Frequency score after',
    `to_m` Int8 COMMENT 'Monetary score after',
    `cut_points_day` Date32 COMMENT 'Day of the cut points that decided; 1970-01-01: fixed thresholds',
    `reason` LowCardinality(String) COMMENT 'order, refund, time, cut_points',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Moves of RFM scores. Base: scored customers. Unit: one move. Source: topic ledger';

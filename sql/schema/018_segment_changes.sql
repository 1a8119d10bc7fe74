-- segment_changes: who entered or left which segment, and why.
--
-- Meaning: one row for each change of membership, with the clause that flipped; of a customer and segment the row with the highest
--          sequence is how things stand.
-- Base:    segments of the active bundle and identified customers; conditions that only a campaign asks for are not here.
-- Unit:    one row = one customer entered or left one segment.
-- Source:  segments of entries.
CREATE TABLE IF NOT EXISTS segment_changes
(
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of the entry in its partition',
    `index` Int32 COMMENT 'Number of the row among those of its entry in this table, from 0',
    `event_time` DateTime64(3, 'UTC') COMMENT 'When it happened, by the event''s (or timer''s) own time, UTC',
    `entry_time` DateTime64(3, 'UTC') COMMENT 'Clock of the partition when it was decided, UTC; 1970: before the first tick',
    `is_history` Bool COMMENT 'Decided while history was imported',
    `is_simulated` Bool COMMENT 'Caused by a simulated event',
    `account_id` String COMMENT 'The customer',
    `bundle_id` LowCardinality(String) COMMENT 'Version of the rules that decided; empty: none was active',
    `segment_id` LowCardinality(String) COMMENT 'Segment: name of its file',
    `version` LowCardinality(String) COMMENT 'Content hash of the segment''s file; empty: the segment was removed',
    `change` LowCardinality(String) COMMENT 'entered or left',
    `clause` String COMMENT 'The condition that flipped, as the file has it in one line',
    `cause` LowCardinality(String) COMMENT 'event, time, cut_points or activation (the segment or the rules changed)',
    `cause_id` String COMMENT 'Message id of the event behind it, or id of the control record; empty: time alone',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Who entered or left which segment, and why. Base: identified customers. Unit: one change of membership. Source: topic ledger';

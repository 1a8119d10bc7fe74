-- entries: the ledger, one row per entry.
--
-- Meaning: what was decided for one account (or for a whole partition), and why; value is the entry's own JSON.
-- Base:    every entry of topic ledger, of guests, ticks, control records and duplicates too.
-- Unit:    one row = one entry; (partition, sequence) is dense from 1, which proves that nothing is lost or double.
-- Source:  topic ledger, written by the sink after the facts of the same entries: what is here is in every table.
CREATE TABLE IF NOT EXISTS entries
(
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Number of the entry in its partition, dense from 1',
    `index` Int32 COMMENT 'Always 0: an entry is one row',
    `event_time` DateTime64(3, 'UTC') COMMENT 'When it happened, by the event''s (or timer''s) own time, UTC; 1970: none',
    `entry_time` DateTime64(3, 'UTC') COMMENT 'Clock of the partition when it was decided, UTC; 1970: before the first tick',
    `is_history` Bool COMMENT 'Decided while history was imported',
    `is_simulated` Bool COMMENT 'Caused by a simulated event',
    `account_id` String COMMENT 'Customer, anon:…, guest:…; empty: the whole partition',
    `bundle_id` LowCardinality(String) COMMENT 'Version of the rules that decided; empty: none was active',
    `ledger_offset` Int64 COMMENT 'Offset of the entry in topic ledger: the sink reads on after the newest',
    `source_offset` Int64 COMMENT 'Offset of the input in topic events; -1: none',
    `source_index` Int32 COMMENT 'Number of the entry among those of the same input, from 0',
    `kind` LowCardinality(String) COMMENT 'event, timer, sweep, tick, control, takeover',
    `outcome` LowCardinality(String) COMMENT 'applied, kept, duplicate, duplicate_order, duplicate_refund, conflict, rejected',
    `reason` LowCardinality(String) COMMENT 'Why it was kept or rejected; empty: applied',
    `cause_type` LowCardinality(String) COMMENT 'Type of the input: track, identify, redeem, tick, …',
    `cause_name` LowCardinality(String) COMMENT 'Name of the event or timer',
    `cause_id` String COMMENT 'Message id of the event, bundle id, or day of the cut points',
    `enrolment_rule_id` LowCardinality(String) COMMENT 'Rule that made a member of the customer; empty: not here',
    `value` String COMMENT 'The entry as JSON, as it is in topic ledger' CODEC(ZSTD(1)),
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The ledger: one row per entry. Base: every entry. Unit: one decision. Source: topic ledger';

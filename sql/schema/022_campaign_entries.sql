-- campaign_entries: the campaigns' log, one row per entry.
--
-- Meaning: what the campaign processor took from the ledger and decided; value is the entry's own JSON.
-- Base:    every entry of topic campaign-log: decisions, what was learned of customers, ticks, control records, takeovers.
-- Unit:    one row = one entry; (partition, sequence) is dense from 1, which proves that nothing is lost or double.
-- Source:  topic campaign-log, written by the sink after campaign_log and messages of the same entries: what is here is in both.
CREATE TABLE IF NOT EXISTS campaign_entries
(
    `partition` Int32 COMMENT 'Partition of topic campaign-log',
    `sequence` Int64 COMMENT 'Number of the entry in its partition, dense from 1',
    `index` Int32 COMMENT 'Always 0: an entry is one row',
    `event_time` DateTime64(3, 'UTC') COMMENT 'Own time of the trigger or timer, UTC',
    `entry_time` DateTime64(3, 'UTC') COMMENT 'Clock of the partition when it was decided, UTC; 1970: before the first tick',
    `is_history` Bool COMMENT 'Decided while history was imported',
    `is_simulated` Bool COMMENT 'Caused by a simulated event',
    `account_id` String COMMENT 'The customer; empty: the whole partition',
    `bundle_id` LowCardinality(String) COMMENT 'Version of the rules that decided; empty: none was active',
    `log_offset` Int64 COMMENT 'Offset of the entry in topic campaign-log: the sink reads on after the newest',
    `source_offset` Int64 COMMENT 'Offset in topic ledger of the entry that was taken; -1: none yet',
    `source_index` Int32 COMMENT 'Number of the entry among those of the same ledger entry, from 0',
    `ledger_sequence` Int64 COMMENT 'Sequence of the ledger entry (same partition) that was taken',
    `kind` LowCardinality(String) COMMENT 'standing, decision, tick, control, takeover',
    `value` String COMMENT 'The entry as JSON, as it is in topic campaign-log' CODEC(ZSTD(1)),
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The campaigns'' log: one row per entry. Base: every entry. Unit: one entry. Source: topic campaign-log';

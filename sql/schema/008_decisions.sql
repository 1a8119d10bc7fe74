-- decisions: why points (or none) came of a rule.
--
-- Meaning: one row for each rule that looked at an input, with the money it looked at and the multipliers that took part.
-- Base:    every decision of every entry, those that gave nothing too (points = 0, with a reason).
-- Unit:    points; base_minor in minor units of the program's currency; percent 100 = ×1.
-- Source:  decisions of entries.
CREATE TABLE IF NOT EXISTS decisions
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
    `rule_id` LowCardinality(String) COMMENT 'Rule that decided',
    `points` Int64 COMMENT 'Points that came of it',
    `base_minor` Int64 COMMENT 'Money that the rule looked at, minor units; 0: none',
    `percent` Int64 COMMENT 'Product of the multipliers, percent; 0: the rule takes none',
    `multipliers` Array(LowCardinality(String)) COMMENT 'Multipliers that took part',
    `reason` LowCardinality(String) COMMENT 'Why it gave nothing; empty: it gave',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Why points came, or did not, of a rule. Base: rules that looked at an input. Unit: one rule. Source: topic ledger';

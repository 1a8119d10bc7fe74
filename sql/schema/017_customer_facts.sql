-- customer_facts: what is known of customers, change by change.
--
-- Meaning: one row for each fact that changed; of a customer and name the row with the highest sequence (then index) is what is known.
-- Base:    declared traits of identified customers, flattened with dots (consent.email), and consent that was withdrawn.
-- Unit:    one row = one change of one fact; value is JSON: "DE", 7, true, ["a"]; null: the fact is forgotten.
-- Source:  facts of entries.
CREATE TABLE IF NOT EXISTS customer_facts
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
    `name` LowCardinality(String) COMMENT 'Name of the fact, flattened with dots: country, consent.email, …',
    `value` String COMMENT 'Value as JSON, a scalar or a list; null: forgotten',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What is known of customers, change by change: the newest row of a name counts. Base: declared traits of identified customers. Unit: one change. Source: topic ledger';

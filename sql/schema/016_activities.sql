-- activities: what customers did that is neither an order nor a refund.
--
-- Meaning: one row for each track event that segments count, with its declared properties.
-- Base:    track events of identified customers, applied or kept; orders, refunds, guests, duplicates and rejected events are not
--          here. Surveys are, with kind, score and survey_id among their properties.
-- Unit:    one row = one event; properties as text: strings and numbers as they were sent, true or false, lists as JSON.
-- Source:  entries caused by a track event that has no order and no refund.
CREATE TABLE IF NOT EXISTS activities
(
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of the entry in its partition',
    `index` Int32 COMMENT 'Always 0: an entry makes one row at most',
    `event_time` DateTime64(3, 'UTC') COMMENT 'When it happened, by the event''s (or timer''s) own time, UTC',
    `entry_time` DateTime64(3, 'UTC') COMMENT 'Clock of the partition when it was decided, UTC; 1970: before the first tick',
    `is_history` Bool COMMENT 'Decided while history was imported',
    `is_simulated` Bool COMMENT 'Caused by a simulated event',
    `account_id` String COMMENT 'The customer',
    `bundle_id` LowCardinality(String) COMMENT 'Version of the rules that decided; empty: none was active',
    `name` LowCardinality(String) COMMENT 'Name of the event, as sent',
    `properties` Map(String, String) COMMENT 'Declared properties: name → value as text, a list as JSON; a property that is null is missing',
    `message_id` String COMMENT 'The sender''s message id of the event',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What customers did that is neither an order nor a refund. Base: counted track events of identified customers. Unit: one event. Source: topic ledger';

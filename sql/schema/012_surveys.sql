-- surveys: answered surveys.
--
-- Meaning: one answer; kind nps is 0–10, ces 1–7, csat 1–5.
-- Base:    every answer that was applied or kept, of guests too.
-- Unit:    score on the kind's own scale.
-- Source:  entries with a survey.
CREATE TABLE IF NOT EXISTS surveys
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
    `survey_id` String COMMENT 'The sender''s id of the survey; empty: none',
    `kind` LowCardinality(String) COMMENT 'nps, ces or csat',
    `score` Int64 COMMENT 'The answer, on the scale of the kind',
    `order_id` String COMMENT 'Order it is about; empty: none',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Answered surveys. Base: every answer, guests too. Unit: one answer. Source: topic ledger';

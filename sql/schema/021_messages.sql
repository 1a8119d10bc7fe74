-- messages: the messages that campaigns sent.
--
-- Meaning: what a campaign tool was told to send, as it is on topic campaigns.<channel>.
-- Base:    every decision sent in campaign_log, exactly one row each; text is without personal traits: the tool fills {{first_name}}.
-- Unit:    one row = one message; message_id is the run's id.
-- Source:  topic campaign-log, entries with a message; partition and sequence are that log's.
CREATE TABLE IF NOT EXISTS messages
(
    `partition` Int32 COMMENT 'Partition of topic campaign-log',
    `sequence` Int64 COMMENT 'Sequence of the entry in its partition',
    `index` Int32 COMMENT 'Always 0: an entry makes one row at most',
    `event_time` DateTime64(3, 'UTC') COMMENT 'Own time of the trigger (or of the timer that looked again), UTC',
    `entry_time` DateTime64(3, 'UTC') COMMENT 'Clock of the partition when it was decided, UTC; 1970: before the first tick',
    `is_history` Bool COMMENT 'Decided while history was imported',
    `is_simulated` Bool COMMENT 'Caused by a simulated event',
    `account_id` String COMMENT 'The customer',
    `bundle_id` LowCardinality(String) COMMENT 'Version of the rules that decided; empty: none was active',
    `message_id` String COMMENT 'Id of the message: the run''s id',
    `campaign_id` LowCardinality(String) COMMENT 'Campaign: name of its file',
    `version` LowCardinality(String) COMMENT 'Content hash of the campaign''s file',
    `arm` LowCardinality(String) COMMENT 'Variant of the message',
    `channel` LowCardinality(String) COMMENT 'email, sms, push, in_app or mail',
    `purpose` LowCardinality(String) COMMENT 'marketing, service or survey',
    `template` LowCardinality(String) COMMENT 'Template, as the campaign tool names it',
    `locale` LowCardinality(String) COMMENT 'Language of the text; empty: the campaign has one only',
    `variables` Map(String, String) COMMENT 'Values that the template used, as rendered',
    `subject` String COMMENT 'Subject as rendered; empty: the channel has none',
    `text` String COMMENT 'Text as rendered' CODEC(ZSTD(1)),
    `trigger` LowCardinality(String) COMMENT 'Kind of trigger: enters, leaves, tier, event, schedule, …',
    `detail` LowCardinality(String) COMMENT 'What of it: the segment, the tier, …; empty: nothing more to say',
    `not_before` DateTime64(3, 'UTC') COMMENT 'Not to go out before, UTC',
    `expires_time` DateTime64(3, 'UTC') COMMENT 'Not to go out after, UTC',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Messages that campaigns sent. Base: decisions sent. Unit: one message. Source: topic campaign-log';

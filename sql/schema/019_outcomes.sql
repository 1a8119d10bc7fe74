-- outcomes: what became of messages, as campaign tools report it.
--
-- Meaning: one row for each reported outcome; the message is in messages under the same message_id (view outcomes_unmatched: those
--          without one).
-- Base:    activities named Delivered, Opened, Link Clicked, Bounced, Marked as Spam or Unsubscribed after the name of a channel
--          (Email, SMS, Push, In-App, Mail), and plain Unsubscribed, whose channel is its property channel (email without one).
-- Unit:    one row = one report; a message may be opened and clicked any number of times.
-- Source:  entries caused by these events; their properties must be declared (message_id, channel).
CREATE TABLE IF NOT EXISTS outcomes
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
    `outcome` LowCardinality(String) COMMENT 'delivered, opened, clicked, bounced, complained or unsubscribed',
    `channel` LowCardinality(String) COMMENT 'Channel that the event''s name says, or its property channel: email, sms, push, in_app, mail',
    `message_id` String COMMENT 'Message it is about: property message_id; empty: the event names none',
    `cause_id` String COMMENT 'The sender''s message id of the report itself',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What became of messages, as campaign tools report it. Base: outcome events of identified customers. Unit: one report. Source: topic ledger';

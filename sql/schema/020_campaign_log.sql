-- campaign_log: every decision on every run of a campaign, and why.
--
-- Meaning: what was decided on a run (one trigger of one campaign for one customer): sent, held back or postponed, with the reason.
-- Base:    all decisions, holdouts and held-back runs too. A run ends with exactly one sent or held; postponed may come before it.
-- Unit:    one row = one decision.
-- Source:  topic campaign-log, entries of kind decision; partition and sequence are that log's.
CREATE TABLE IF NOT EXISTS campaign_log
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
    `ledger_sequence` Int64 COMMENT 'Sequence of the ledger entry (same partition) that was taken',
    `campaign_id` LowCardinality(String) COMMENT 'Campaign: name of its file',
    `version` LowCardinality(String) COMMENT 'Content hash of the campaign''s file',
    `run_id` String COMMENT 'Name of the run for ever; the message id, if one is sent',
    `trigger` LowCardinality(String) COMMENT 'Kind of trigger: enters, leaves, tier, event, schedule, …',
    `detail` LowCardinality(String) COMMENT 'What of it: the segment, the tier, …; empty: nothing more to say',
    `trigger_time` DateTime64(3, 'UTC') COMMENT 'When the trigger happened, UTC',
    `cause_type` LowCardinality(String) COMMENT 'Type of the input behind the trigger: track, identify, tick, …',
    `cause_name` LowCardinality(String) COMMENT 'Name of the event or timer behind it',
    `cause_id` String COMMENT 'Message id of the event behind it; empty: time alone',
    `outcome` LowCardinality(String) COMMENT 'sent, held or postponed',
    `reason` LowCardinality(String) COMMENT 'Why it was held or postponed, of a closed list; empty: sent',
    `until` DateTime64(3, 'UTC') COMMENT 'When a postponed run is looked at again, UTC; 1970: not postponed',
    `arm` LowCardinality(String) COMMENT 'Variant, holdout or global_holdout; empty: the customer was not assigned yet',
    `channel` LowCardinality(String) COMMENT 'email, sms, push, in_app or mail',
    `purpose` LowCardinality(String) COMMENT 'marketing, service or survey',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every decision on every run of a campaign, and why. Base: all decisions, holdouts too. Unit: one decision. Source: topic campaign-log';

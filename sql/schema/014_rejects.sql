-- rejects: what was refused at a door, and why.
--
-- Meaning: the original bytes (up to 4 KB), a code, the field, a hint.
-- Base:    everything refused before it entered the log; kept for 30 days.
-- Unit:    one row = one refused event, request or line of a file.
-- Source:  topic rejects; (partition, record_offset) identifies a row.
CREATE TABLE IF NOT EXISTS rejects
(
    `partition` Int32 COMMENT 'Partition of topic rejects (not of the ledger)',
    `record_offset` Int64 COMMENT 'Offset in topic rejects: the sink reads on after the newest',
    `received_time` DateTime64(3, 'UTC') COMMENT 'When the door took it, wall clock, UTC',
    `is_history` Bool COMMENT 'Refused while history was imported',
    `code` LowCardinality(String) COMMENT 'Why: invalid_json, missing_field, too_old, key_not_allowed, …',
    `field` LowCardinality(String) COMMENT 'Field that is wrong; empty: the whole',
    `message` String COMMENT 'What is wrong, in words',
    `hint` String COMMENT 'What to do about it',
    `source` LowCardinality(String) COMMENT 'Where it came from: name of the key, or file and row',
    `message_id` String COMMENT 'The sender''s message id, when it could be read',
    `original` String COMMENT 'What came, at most 4 KB; base64 when is_base64' CODEC(ZSTD(1)),
    `original_bytes` Int64 COMMENT 'Bytes of what came',
    `is_base64` Bool COMMENT 'original is base64, because what came is not UTF-8'
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, record_offset)
TTL toDateTime(received_time) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What was refused at a door, 30 days. Base: all refused inputs. Unit: one refused input. Source: topic rejects';

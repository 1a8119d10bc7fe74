-- refund_lines: the lines of the refunds, and how much of each was found in orders.
--
-- Meaning: match is matched (all of it), partly, or unmatched.
-- Base:    every line of every row of refunds; index is the line.
-- Unit:    one row = one line; quantities and *_minor are positive.
-- Source:  entries with a refund.
CREATE TABLE IF NOT EXISTS refund_lines
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
    `is_identified` Bool COMMENT 'The account is a customer known by a user id, not a guest',
    `refund_id` String COMMENT 'The shop''s id of the refund',
    `product_id` String COMMENT 'The shop''s id of the product',
    `product_name` String COMMENT 'Name of the product as sent with the refund',
    `category` LowCardinality(String) COMMENT 'Category of the product',
    `brand` LowCardinality(String) COMMENT 'Brand of the product',
    `match` LowCardinality(String) COMMENT 'matched, partly, unmatched',
    `quantity` Int64 COMMENT 'Pieces given back',
    `matched_quantity` Int64 COMMENT 'Pieces of them found in orders',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    `minor_per_major` UInt16 COMMENT 'Minor units in one major unit of the currency: 100 pence in a pound',
    `amount_minor` Int64 COMMENT 'Money given back for the line, minor units',
    `matched_minor` Int64 COMMENT 'The part of amount_minor found in orders, minor units',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Lines of refunds and how they matched. Base: lines of the rows of refunds. Unit: one line. Source: topic ledger';

-- refund_allocations: which order bears how much of a refund.
--
-- Meaning: the share of a refund that was taken from one order, and the points that went back with it.
-- Base:    the matched part of the rows of refunds.
-- Unit:    one row = one order's share of one refund line; amounts are positive.
-- Source:  entries with a refund.
CREATE TABLE IF NOT EXISTS refund_allocations
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
    `refund_id` String COMMENT 'The shop''s id of the refund',
    `order_id` String COMMENT 'Order that bears it',
    `line` Int32 COMMENT 'Line of the refund, from 0; -1: the whole refund',
    `quantity` Int64 COMMENT 'Pieces of the order given back',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    `minor_per_major` UInt16 COMMENT 'Minor units in one major unit of the currency: 100 pence in a pound',
    `amount_minor` Int64 COMMENT 'Money of the order given back, minor units',
    `points_reversed` Int64 COMMENT 'Points of the order''s own lots that went back',
    `is_wholly` Bool COMMENT 'With it nothing of the order is left: the order counts no more',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Which order bears how much of a refund. Base: matched refunds. Unit: one order of one refund line. Source: topic ledger';

-- refunds: money given back, one row per refund.
--
-- Meaning: the whole refund, and the part of it that was found in the customer's orders.
-- Base:    first arrival of each refund id, of guests too (is_identified = false); duplicates and rejected refunds are not here.
-- Unit:    one row = one refund; *_minor are positive minor units of currency.
-- Source:  entries with a refund and outcome applied or kept.
CREATE TABLE IF NOT EXISTS refunds
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
    `order_id` String COMMENT 'Order that the sender named; empty: the program looked for it',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    `minor_per_major` UInt16 COMMENT 'Minor units in one major unit of the currency: 100 pence in a pound',
    `lines` Int32 COMMENT 'Lines of the refund; 0: by amount or whole',
    `net_minor` Int64 COMMENT 'Money given back, minor units, positive',
    `matched_minor` Int64 COMMENT 'The part of net_minor found in orders, minor units',
    `outcome` LowCardinality(String) COMMENT 'applied, or kept (a fact without effect)',
    `reason` LowCardinality(String) COMMENT 'Why it was only kept; empty: applied',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Refunds as counted. Base: refunds, matched or not. Unit: one refund. Source: topic ledger';

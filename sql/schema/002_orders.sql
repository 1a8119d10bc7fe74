-- orders: completed orders, as they were counted.
--
-- Meaning: one row per order that entered the ledger; refunds do not change it.
-- Base:    first arrival of each order id, also before a program was active and of guests (is_identified = false);
--          duplicates, conflicts and rejected orders are not here.
-- Unit:    one row = one order; *_minor are minor units (pence) of currency.
-- Source:  entries with an order and outcome applied or kept.
CREATE TABLE IF NOT EXISTS orders
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
    `order_id` String COMMENT 'The shop''s id of the order',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    `minor_per_major` UInt16 COMMENT 'Minor units in one major unit of the currency: 100 pence in a pound',
    `number` Int64 COMMENT 'Number of the order among the customer''s own, from 1; 0: not counted',
    `lines` Int32 COMMENT 'Lines of the order',
    `discount_minor` Int64 COMMENT 'Discount on the whole order, minor units',
    `shipping_minor` Int64 COMMENT 'Shipping, minor units; never part of spend',
    `tax_minor` Int64 COMMENT 'Tax on top, minor units; never part of spend',
    `net_minor` Int64 COMMENT 'Spend: sum of lines less discount, before refunds, minor units',
    `base_minor` Int64 COMMENT 'The part of net_minor that can earn points, minor units',
    `channel` LowCardinality(String) COMMENT 'Where it was bought: web, app, store, …',
    `country` LowCardinality(String) COMMENT 'Country of the order, as the sender names it',
    `outcome` LowCardinality(String) COMMENT 'applied, or kept (a fact without effect)',
    `reason` LowCardinality(String) COMMENT 'Why it was only kept; empty: applied',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Orders as counted. Base: completed orders, before refunds, guests too. Unit: one order. Source: topic ledger';

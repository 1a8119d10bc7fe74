-- order_items: the lines of the orders.
--
-- Meaning: what was bought.
-- Base:    every line of every row of orders; index is the line.
-- Unit:    one row = one line; amount_minor = quantity × unit price, rounded once, half up, minor units of currency.
-- Source:  entries with an order.
CREATE TABLE IF NOT EXISTS order_items
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
    `product_id` String COMMENT 'The shop''s id of the product',
    `product_name` String COMMENT 'Name of the product as sent with the order',
    `category` LowCardinality(String) COMMENT 'Category of the product',
    `brand` LowCardinality(String) COMMENT 'Brand of the product',
    `quantity` Int64 COMMENT 'Pieces bought',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    `minor_per_major` UInt16 COMMENT 'Minor units in one major unit of the currency: 100 pence in a pound',
    `amount_minor` Int64 COMMENT 'Price of the line before the order''s discount, minor units',
    `is_excluded` Bool COMMENT 'The rules exclude the line from earning',
    INDEX by_account account_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (partition, sequence, index)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Lines of orders. Base: lines of the rows of orders. Unit: one line. Source: topic ledger';

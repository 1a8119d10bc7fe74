-- model_predictions: what each customer is expected to buy in 12 months.
--
-- Meaning: one row for each customer of a run, written before the run's rows in model_runs, which vouch for them; only the
--          newest runs are kept. x, t_x and T are repeat_purchases, recency_weeks and age_weeks.
-- Base:    identified customers with a real order in the program's currency, up to the run's as_of.
-- Unit:    one row = one customer in one run; 12 months are 365 days; money in major units of the run's currency.
-- Source:  the job "punchcard model fit".
CREATE TABLE IF NOT EXISTS model_predictions
(
    `run_id` String COMMENT 'The run, as in model_runs',
    `customer_id` String COMMENT 'The shop''s id of the customer',
    `repeat_purchases` Int32 COMMENT 'Days with an order after the first such day (x)',
    `recency_weeks` Float64 COMMENT 'From the first purchase to the last, weeks (t_x)',
    `age_weeks` Float64 COMMENT 'From the first purchase to the run''s as_of, weeks (T)',
    `mean_spend` Float64 COMMENT 'Mean spend of the repeat purchases, net of refunds, major units; 0: none',
    `p_alive` Float64 COMMENT 'Probability that the customer may still buy, 0-1, by alive_model',
    `alive_model` LowCardinality(String) COMMENT 'Model of p_alive',
    `expected_purchases` Float64 COMMENT 'Expected purchases in 12 months, by purchases_model',
    `purchases_model` LowCardinality(String) COMMENT 'Model of expected_purchases',
    `order_value` Float64 COMMENT 'Expected spend per purchase, major units, by spend_model',
    `spend_model` LowCardinality(String) COMMENT 'Model of order_value',
    `expected_spend` Float64 COMMENT 'expected_purchases times order_value, major units',
    `discounted_value` Float64 COMMENT 'The same, each month discounted from its end at the run''s discount_rate, major units'
)
ENGINE = ReplacingMergeTree
ORDER BY (run_id, customer_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What each customer is expected to buy in 12 months. Base: identified customers with real orders. Unit: one customer in one run. Source: punchcard model fit';

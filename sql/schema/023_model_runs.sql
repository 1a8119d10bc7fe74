-- model_runs: what was fitted, and how well it fits.
--
-- Meaning: one row for each model of each run; the run with the newest run_time counts. Parameters, in the order of the papers, are
--          three arrays of one length (view model_parameters has them as rows); standard errors are from the observed information.
--          test_* is the back-test: fitted up to test_from, the last quarter of the time predicted and compared.
-- Base:    identified customers with a real order in the program's currency, up to as_of; orders of one day are one purchase, wholly
--          refunded ones none.
-- Unit:    one row = one model of one run; times of parameters in weeks, money in major units of currency.
-- Source:  the job "punchcard model fit".
CREATE TABLE IF NOT EXISTS model_runs
(
    `run_id` String COMMENT 'The run: its time',
    `model` LowCardinality(String) COMMENT 'BG/NBD, MBG/NBD, Pareto/NBD, NBD (nobody leaves) or Gamma-Gamma',
    `run_time` DateTime64(3, 'UTC') COMMENT 'When it was fitted, wall clock, UTC',
    `as_of` Date32 COMMENT 'Last day that it knows, program''s time zone',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the amounts',
    `used_for` LowCardinality(String) COMMENT 'What model_predictions takes from it: expected_purchases, p_alive, order_value; empty: nothing, it is there to compare',
    `is_converged` Bool COMMENT 'A maximum was found; otherwise problem says what happened and there are no parameters',
    `problem` String COMMENT 'Why there is no fit; empty: there is',
    `parameters` Array(String) COMMENT 'Names of the parameters',
    `estimates` Array(Float64) COMMENT 'Their values at the maximum; times in weeks, money in major units',
    `standard_errors` Array(Float64) COMMENT 'Their standard errors, same units',
    `log_likelihood` Float64 COMMENT 'Log-likelihood at the maximum',
    `customers` Int64 COMMENT 'Customers fitted; Gamma-Gamma: those who bought again for money',
    `distinct_customers` Int64 COMMENT 'How many of these differ: distinct (x, t_x, T), or (x, mean spend)',
    `iterations` Int32 COMMENT 'Steps on all data',
    `starts` Int32 COMMENT 'Starts tried',
    `agreeing_starts` Int32 COMMENT 'How many of them came to the maximum',
    `test_from` Date32 COMMENT 'Last day of the back-test''s calibration; 1970: no back-test',
    `test_days` Int32 COMMENT 'Days predicted after it; 0: no back-test',
    `test_customers` Int64 COMMENT 'Customers with a purchase up to test_from',
    `test_predicted_purchases` Float64 COMMENT 'Their purchases in these days as predicted; Gamma-Gamma: as they were',
    `test_actual_purchases` Float64 COMMENT 'Their purchases in these days',
    `test_mean_absolute_error` Float64 COMMENT 'Mean over customers of |predicted - actual| purchases; Gamma-Gamma: 0',
    `test_root_mean_square_error` Float64 COMMENT 'Root of the mean squared difference of purchases; Gamma-Gamma: 0',
    `test_predicted_spend` Float64 COMMENT 'Their spend in these days as predicted: purchases times Gamma-Gamma''s value of an order, major units',
    `test_actual_spend` Float64 COMMENT 'Their spend in these days, net of refunds, major units',
    `discount_rate` Float64 COMMENT 'Of discounted values, a year: 0.1 is 10 percent',
    `caveat` String COMMENT 'What must stand beside its figures'
)
ENGINE = ReplacingMergeTree
ORDER BY (run_id, model)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What was fitted, and how well it fits. Base: identified customers with real orders. Unit: one model of one run. Source: punchcard model fit';

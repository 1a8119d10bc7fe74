-- customer_value: what each customer is expected to be worth in the next 12 months, by the newest run.
--
-- Meaning: expected_spend = expected_purchases × order_value; discounted_value = Σ of 12 months of it, each discounted from its end.
--          p_churned = 1 − p_alive. Every figure names its model; parameters and back-tests are in model_runs.
--          Caveat: BG/NBD lets nobody leave before a second purchase, so p_alive is never taken from it; its expected purchases of
--          one-time buyers are high for the same reason. Gamma-Gamma takes spend to be independent of frequency.
-- Base:    identified customers with a real order in the program's currency, up to as_of; no run: no rows.
-- Unit:    one row = one customer; 12 months are 365 days; money in major units of currency; probabilities 0-1.
-- Source:  model_predictions, model_runs. Fader, Hardie & Lee 2005 (BG/NBD; RFM and CLV); Schmittlein et al. 1987 (Pareto/NBD).
CREATE OR REPLACE VIEW customer_value
(
    customer_id String COMMENT 'The shop''s id of the customer',
    p_alive Float64 COMMENT 'Probability that the customer may still buy, 0-1',
    p_churned Float64 COMMENT '1 - p_alive',
    alive_model String COMMENT 'Model of p_alive',
    expected_purchases Float64 COMMENT 'Expected purchases in 12 months',
    purchases_model String COMMENT 'Model of expected_purchases',
    order_value Float64 COMMENT 'Expected spend per purchase, major units',
    spend_model String COMMENT 'Model of order_value',
    expected_spend Float64 COMMENT 'Expected spend in 12 months, major units',
    discounted_value Float64 COMMENT 'Expected spend in 12 months, discounted, major units',
    discount_rate Float64 COMMENT 'Discount rate, a year',
    currency String COMMENT 'ISO 4217 code of the amounts',
    repeat_purchases Int32 COMMENT 'Days with an order after the first such day (x)',
    recency_weeks Float64 COMMENT 'From the first purchase to the last, weeks (t_x)',
    age_weeks Float64 COMMENT 'From the first purchase to as_of, weeks (T)',
    mean_spend Float64 COMMENT 'Mean spend of the repeat purchases, major units; 0: none',
    as_of Date32 COMMENT 'Last day that the run knows, program''s time zone',
    run_id String COMMENT 'The run that predicts'
)
AS SELECT
    p.customer_id AS customer_id,
    p.p_alive AS p_alive,
    1 - p.p_alive AS p_churned,
    p.alive_model AS alive_model,
    p.expected_purchases AS expected_purchases,
    p.purchases_model AS purchases_model,
    p.order_value AS order_value,
    p.spend_model AS spend_model,
    p.expected_spend AS expected_spend,
    p.discounted_value AS discounted_value,
    r.discount_rate AS discount_rate,
    r.currency AS currency,
    p.repeat_purchases AS repeat_purchases,
    p.recency_weeks AS recency_weeks,
    p.age_weeks AS age_weeks,
    p.mean_spend AS mean_spend,
    r.as_of AS as_of,
    p.run_id AS run_id
FROM model_predictions AS p
INNER JOIN
(
    SELECT
        m.run_id AS run_id,
        any(m.discount_rate) AS discount_rate,
        any(m.currency) AS currency,
        any(m.as_of) AS as_of
    FROM model_runs AS m
    WHERE m.run_id = (SELECT argMax(n.run_id, (n.run_time, n.run_id)) FROM model_runs AS n)
    GROUP BY m.run_id
) AS r ON r.run_id = p.run_id
WHERE p.run_id = (SELECT argMax(n.run_id, (n.run_time, n.run_id)) FROM model_runs AS n)
COMMENT 'What each customer is expected to be worth in 12 months, by the newest run. Base: identified customers with real orders. Unit: one customer, major units. Source: model_predictions, model_runs';

-- rfm_grid: how many customers have which recency and frequency score.
--
-- Meaning: one cell for each R and F, with the mean monetary score and what the customers spent in the RFM window.
-- Base:    identified customers with scores (an order not wholly refunded); simulated customers apart; cells without customers are missing.
-- Unit:    customers; share of the scored customers of the same kind, 0-1; Decimal in major units of currency, net of refunds.
-- Source:  customers.
CREATE OR REPLACE VIEW rfm_grid
(
    is_simulated Bool COMMENT 'Simulated customers; otherwise real ones',
    r Int8 COMMENT 'Recency score 1-5, 5 = most recent',
    f Int8 COMMENT 'Frequency score 1-5, 5 = most orders',
    currency String COMMENT 'ISO 4217 code of the amounts',
    customers UInt64 COMMENT 'Customers with these scores',
    customers_share Float64 COMMENT 'Share of all scored customers, 0-1',
    mean_m Float64 COMMENT 'Mean monetary score, 1-5',
    window_net_spend Decimal(38, 3) COMMENT 'Net spend in the RFM window, major units'
)
AS SELECT
    c.is_simulated AS is_simulated,
    c.r AS r,
    c.f AS f,
    c.currency AS currency,
    count() AS customers,
    customers / sum(count()) OVER (PARTITION BY c.is_simulated) AS customers_share,
    avg(c.m) AS mean_m,
    sum(c.window_net_spend) AS window_net_spend
FROM customers AS c
WHERE c.r > 0
GROUP BY c.is_simulated, c.r, c.f, c.currency
COMMENT 'Customers by recency and frequency score. Base: identified customers with scores. Unit: customers. Source: customers';

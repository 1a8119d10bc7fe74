-- rfm_named_grid: the 5 × 5 grid with names, all 25 cells, those without customers too.
--
-- Meaning: customers by recency and frequency score as they stand, with the name of the cell.
-- Formula: customers_share = customers / all scored customers of the same base; mean_spend = window_net_spend / customers.
-- Base:    identified customers with scores whose orders are in the program's currency; base = real: without customers whom a simulated
--          event has changed; all: with them.
-- Unit:    customers; share 0-1; Decimal in major units of the program's currency, net of refunds, in the RFM window.
-- Source:  customers, rfm_cells, program.
CREATE OR REPLACE VIEW rfm_named_grid
(
    base String COMMENT 'real: without simulated customers; all: with them',
    r Int8 COMMENT 'Recency score 1-5, 5 = most recent',
    f Int8 COMMENT 'Frequency score 1-5, 5 = most orders',
    name String COMMENT 'Name of the cell',
    sort_order UInt8 COMMENT 'Order of the names, 1 = best',
    customers UInt64 COMMENT 'Customers with these scores',
    customers_share Nullable(Float64) COMMENT 'Share of all scored customers, 0-1; null: nobody is scored',
    mean_m Nullable(Float64) COMMENT 'Mean monetary score, 1-5; null: nobody',
    window_net_spend Decimal(38, 3) COMMENT 'Net spend in the RFM window, major units',
    mean_spend Nullable(Decimal(38, 3)) COMMENT 'The same per customer, major units; null: nobody',
    currency String COMMENT 'ISO 4217 code of the amounts'
)
AS WITH scored AS
(
    SELECT arrayJoin(if(c.is_simulated, ['all'], ['real', 'all'])) AS base, c.r AS r, c.f AS f, count() AS customers, sum(c.m) AS m, sum(c.window_net_spend) AS spend
    FROM customers AS c
    WHERE c.r > 0 AND c.currency = (SELECT g.currency FROM program AS g)
    GROUP BY base, c.r, c.f
)
SELECT
    cell.base AS base,
    cell.r AS r,
    cell.f AS f,
    cell.name AS name,
    cell.sort_order AS sort_order,
    s.customers AS customers,
    s.customers / nullIf(sum(s.customers) OVER (PARTITION BY cell.base), 0) AS customers_share,
    s.m / nullIf(s.customers, 0) AS mean_m,
    s.spend AS window_net_spend,
    if(s.customers = 0, NULL, s.spend / toInt64(greatest(s.customers, 1))) AS mean_spend,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency
FROM (SELECT arrayJoin(['real', 'all']) AS base, c.r AS r, c.f AS f, c.name AS name, c.sort_order AS sort_order FROM rfm_cells AS c) AS cell
LEFT JOIN scored AS s ON s.base = cell.base AND s.r = cell.r AND s.f = cell.f
SETTINGS join_use_nulls = 0
COMMENT 'The 5 x 5 grid with names, all 25 cells. Base: identified customers with scores. Unit: customers, major units. Source: customers'

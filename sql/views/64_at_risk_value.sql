-- at_risk_value: what is at stake with those who are about to lapse.
--
-- Meaning: customers by state, with what they spent and what the model expects of them in 12 months.
-- Formula: sums over at_risk_customers; modelled: those whom the newest model run knows, the base of expected_spend and mean_p_alive.
-- Base:    identified customers with an order; base = real: without customers whom a simulated event has changed; all: with them.
-- Unit:    customers; Decimal and Float64 in major units of the program's currency (other currencies are left out).
-- Source:  at_risk_customers, program.
CREATE OR REPLACE VIEW at_risk_value
(
    base String COMMENT 'real: without simulated customers; all: with them',
    state String COMMENT 'active, about to lapse or lapsed',
    customers UInt64 COMMENT 'Customers in the state',
    window_net_spend Decimal(38, 3) COMMENT 'Their net spend in the RFM window, major units',
    modelled UInt64 COMMENT 'Of them: known to the newest model run',
    mean_p_alive Nullable(Float64) COMMENT 'Mean probability that they may still buy, of modelled; null: none',
    expected_spend Nullable(Float64) COMMENT 'Expected spend of modelled in 12 months, major units; null: none',
    currency String COMMENT 'ISO 4217 code of the amounts'
)
AS SELECT
    arrayJoin(if(x.is_simulated, ['all'], ['real', 'all'])) AS base,
    x.state AS state,
    count() AS customers,
    sum(x.window_net_spend) AS window_net_spend,
    count(x.p_alive) AS modelled,
    avg(x.p_alive) AS mean_p_alive,
    sum(x.expected_spend) AS expected_spend,
    x.currency AS currency
FROM at_risk_customers AS x
WHERE x.currency = (SELECT g.currency FROM program AS g)
GROUP BY base, x.state, x.currency
COMMENT 'What is at stake with those who are about to lapse. Base: identified customers with an order. Unit: customers, major units. Source: at_risk_customers'

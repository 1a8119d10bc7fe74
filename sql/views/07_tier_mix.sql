-- tier_mix: how many members hold which tier.
--
-- Meaning: members by tier, what they hold and what they spent in the tier's window.
-- Base:    members; simulated customers apart; tiers without members are missing.
-- Unit:    members; share of the members of the same kind, 0-1; points; Decimal in major units of currency, net of refunds.
-- Source:  customers.
CREATE OR REPLACE VIEW tier_mix
(
    is_simulated Bool COMMENT 'Simulated customers; otherwise real ones',
    tier String COMMENT 'Tier; empty: none',
    members UInt64 COMMENT 'Members that hold the tier',
    members_share Float64 COMMENT 'Share of all members, 0-1',
    balance Int64 COMMENT 'Points that they hold',
    tier_spend Decimal(38, 3) COMMENT 'Their net spend in the tier''s window, major units of the program''s currency'
)
AS SELECT
    c.is_simulated AS is_simulated,
    c.tier AS tier,
    count() AS members,
    members / sum(count()) OVER (PARTITION BY c.is_simulated) AS members_share,
    sum(c.balance) AS balance,
    sum(c.tier_spend) AS tier_spend
FROM customers AS c
WHERE c.is_member
GROUP BY c.is_simulated, c.tier
COMMENT 'Members by tier. Base: members. Unit: members. Source: customers';

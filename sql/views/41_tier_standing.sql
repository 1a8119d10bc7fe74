-- tier_standing: each member's way to the next tier, and what is lacking to keep the tier.
--
-- Meaning: to_next: spend that is lacking today. counts_at_review: what of the spend so far still lies in the window on the day of the
--          review; to_keep: what must be bought until then to keep the tier.
-- Formula: to_next = next tier's spend − tier_spend; counts_at_review = Σ net spend of the days in (review − window, review];
--          to_keep = max(0, the tier's spend − counts_at_review).
-- Base:    members with a tier of the newest program.
-- Unit:    Decimal in major units of the program's currency; days in the program's time zone.
-- Source:  customers, tiers, spend_facts, as_of.
-- Caveat:  a tier without a review (the lowest one) is never lost: to_keep is null.
CREATE OR REPLACE VIEW tier_standing
(
    customer_id String COMMENT 'The shop''s id of the customer',
    is_simulated Bool COMMENT 'Customer whom a simulated event has changed by now; otherwise a real one',
    tier String COMMENT 'Tier',
    days_in_tier Int64 COMMENT 'Days since the tier was reached, up to the newest tick',
    tier_spend Decimal(38, 3) COMMENT 'Net spend in the tier''s window, major units',
    next_tier String COMMENT 'The next tier; empty: it is the highest',
    to_next Nullable(Decimal(38, 3)) COMMENT 'Spend lacking to the next tier, major units; null: it is the highest',
    review_on Nullable(Date32) COMMENT 'Day of the review; null: none',
    days_to_review Nullable(Int64) COMMENT 'Days until then',
    counts_at_review Nullable(Decimal(38, 3)) COMMENT 'Spend so far that still counts on that day, major units',
    to_keep Nullable(Decimal(38, 3)) COMMENT 'Spend lacking to keep the tier on that day, major units; 0: it is kept',
    currency String COMMENT 'ISO 4217 code of the amounts'
)
AS WITH held AS
(
    SELECT c.customer_id AS customer_id, c.is_simulated AS is_simulated, c.tier AS tier, c.tier_since AS tier_since, c.tier_spend AS tier_spend, c.tier_review_on AS review_on,
        t.level AS level, t.spend AS spend, t.currency AS currency, t.window_days AS window_days
    FROM customers AS c
    INNER JOIN tiers AS t ON t.tier = c.tier
    WHERE c.is_member
),
still AS
(
    SELECT h.customer_id AS customer_id, sum(o.amount) AS amount
    FROM held AS h
    INNER JOIN spend_facts AS o ON o.customer_id = h.customer_id
    WHERE h.review_on IS NOT NULL AND o.currency = h.currency AND toDate32(o.day) > subtractDays(assumeNotNull(h.review_on), h.window_days)
    GROUP BY h.customer_id
)
SELECT
    h.customer_id AS customer_id,
    h.is_simulated AS is_simulated,
    h.tier AS tier,
    dateDiff('day', assumeNotNull(h.tier_since), assumeNotNull((SELECT a.time FROM as_of AS a))) AS days_in_tier,
    h.tier_spend AS tier_spend,
    n.tier AS next_tier,
    if(n.tier = '', NULL, greatest(n.spend - h.tier_spend, toDecimal128(0, 3))) AS to_next,
    h.review_on AS review_on,
    dateDiff('day', assumeNotNull((SELECT a.day FROM as_of AS a)), h.review_on) AS days_to_review,
    if(h.review_on IS NULL, NULL, s.amount) AS counts_at_review,
    if(h.review_on IS NULL, NULL, greatest(h.spend - s.amount, toDecimal128(0, 3))) AS to_keep,
    h.currency AS currency
FROM held AS h
LEFT JOIN tiers AS n ON n.level = h.level + 1
LEFT JOIN still AS s ON s.customer_id = h.customer_id
SETTINGS join_use_nulls = 0
COMMENT 'The way to the next tier, and what is lacking to keep the tier. Base: members with a tier. Unit: one member, major units. Source: customers, tiers, spend_facts'

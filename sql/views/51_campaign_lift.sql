-- campaign_lift: what each message did, against those who were held out by lot:
-- SELECT * FROM campaign_lift(conversion_days = 0, message_cost = 0.02, margin = 0.3).
--
-- Meaning: lift: how much larger the share that ordered is with the message than in the holdout; an interval that holds 0 shows nothing.
--          The money likewise: difference of mean spend, times the customers: incremental revenue.
-- Formula: lift = converted / customers − held_converted / held_customers, Newcombe's method 10; spend_lift = difference of the means,
--          Welch's t interval (t quantile by its
--          expansion in 1 / degrees of freedom, good to 0.003 from 5 on); incremental_spend = spend_lift × customers; cost = sent × message_cost;
--          roi = (incremental_spend × margin − cost) / cost.
-- Base:    campaign_subjects whose window is over (open: how many are not). Assigned, sent or not. base as there.
-- Unit:    customers; shares 0-1; Decimal in major units of the program's currency. Parameters: days (0: the campaign's own), major
--          units a message, share of revenue that is left as margin.
-- Source:  campaign_subjects, program. Newcombe 1998; Welch 1947; Abramowitz & Stegun 26.7.5.
-- Caveat:  95 % intervals, one by one: of twenty campaigns without any effect one will show one. Orders before refunds. Check campaign_sample_ratio first.
CREATE OR REPLACE VIEW campaign_lift
(
    base String COMMENT 'real or all',
    campaign_id String COMMENT 'Campaign: name of its file',
    arm String COMMENT 'Variant',
    customers UInt64 COMMENT 'Customers assigned to it, window over',
    open UInt64 COMMENT 'Customers assigned to it or to the holdout, window not over: not counted',
    sent UInt64 COMMENT 'Of customers: got the message',
    converted UInt64 COMMENT 'Of customers: ordered within the window',
    rate Nullable(Float64) COMMENT 'converted / customers, 0-1',
    held_customers UInt64 COMMENT 'Customers of the holdout, window over',
    held_converted UInt64 COMMENT 'Of them: ordered within the window',
    held_rate Nullable(Float64) COMMENT 'held_converted / held_customers, 0-1',
    lift Nullable(Float64) COMMENT 'rate - held_rate; null: nobody to compare',
    lift_low Nullable(Float64) COMMENT 'Lower limit, 95 % (Newcombe)',
    lift_high Nullable(Float64) COMMENT 'Upper limit, 95 % (Newcombe)',
    verdict String COMMENT 'works, harms, or cannot tell: the interval holds 0',
    mean_spend Nullable(Float64) COMMENT 'Mean spend of customers, those without an order too, major units',
    held_mean_spend Nullable(Float64) COMMENT 'The same of the holdout, major units',
    spend_lift Nullable(Float64) COMMENT 'mean_spend - held_mean_spend, major units',
    spend_low Nullable(Float64) COMMENT 'Lower limit, 95 % (Welch); null: too few, or all the same',
    spend_high Nullable(Float64) COMMENT 'Upper limit, 95 % (Welch); null: too few, or all the same',
    incremental_spend Nullable(Decimal(38, 3)) COMMENT 'spend_lift × customers, major units',
    cost Decimal(38, 3) COMMENT 'sent × message_cost, major units',
    roi Nullable(Float64) COMMENT '(incremental_spend × margin - cost) / cost; null: no cost',
    currency String COMMENT 'ISO 4217 code of the amounts'
)
AS WITH
    1.959963984540054 AS z,
    (x, n) -> ((2 * x + z * z - z * sqrt(z * z + 4 * x * (1 - x / n))) / (2 * (n + z * z))) AS wilson_low,
    (x, n) -> ((2 * x + z * z + z * sqrt(z * z + 4 * x * (1 - x / n))) / (2 * (n + z * z))) AS wilson_high,
    v -> (z + (pow(z, 3) + z) / (4 * v) + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * v * v)
        + (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / (384 * pow(v, 3))
        + (79 * pow(z, 9) + 776 * pow(z, 7) + 1482 * pow(z, 5) - 1920 * pow(z, 3) - 945 * z) / (92160 * pow(v, 4))) AS student,
    x -> if(isFinite(x), x, NULL) AS finite,
subjects AS
(
    SELECT s.base AS base, s.campaign_id AS campaign_id, s.arm AS arm, s.was_sent AS was_sent, s.is_closed AS is_closed, s.orders AS orders, toFloat64(s.spend) AS spend,
        groupUniqArray(s.arm) OVER (PARTITION BY s.base, s.campaign_id) AS arms
    FROM campaign_subjects(conversion_days = {conversion_days:UInt32}) AS s
),
pairs AS
(
    SELECT
        p.base AS base,
        p.campaign_id AS campaign_id,
        arrayJoin(if(p.arm = 'holdout', arrayFilter(a -> a != 'holdout', p.arms), [p.arm])) AS variant,
        countIf(p.is_closed AND p.arm != 'holdout') AS customers,
        countIf(NOT p.is_closed) AS open,
        countIf(p.is_closed AND p.arm != 'holdout' AND p.was_sent) AS sent,
        countIf(p.is_closed AND p.arm != 'holdout' AND p.orders > 0) AS converted,
        countIf(p.is_closed AND p.arm = 'holdout') AS held_customers,
        countIf(p.is_closed AND p.arm = 'holdout' AND p.orders > 0) AS held_converted,
        sumIf(p.spend, p.is_closed AND p.arm != 'holdout') AS spend,
        sumIf(p.spend, p.is_closed AND p.arm = 'holdout') AS held_spend,
        varSampIf(p.spend, p.is_closed AND p.arm != 'holdout') / customers AS error2,
        varSampIf(p.spend, p.is_closed AND p.arm = 'holdout') / held_customers AS held_error2,
        pow(error2 + held_error2, 2) / (pow(error2, 2) / (customers - 1) + pow(held_error2, 2) / (held_customers - 1)) AS freedom
    FROM subjects AS p
    GROUP BY p.base, p.campaign_id, variant
)
SELECT
    p.base AS base,
    p.campaign_id AS campaign_id,
    p.variant AS arm,
    p.customers AS customers,
    p.open AS open,
    p.sent AS sent,
    p.converted AS converted,
    p.converted / nullIf(p.customers, 0) AS rate,
    p.held_customers AS held_customers,
    p.held_converted AS held_converted,
    p.held_converted / nullIf(p.held_customers, 0) AS held_rate,
    rate - held_rate AS lift,
    lift - sqrt(pow(rate - wilson_low(p.converted, p.customers), 2) + pow(wilson_high(p.held_converted, p.held_customers) - held_rate, 2)) AS lift_low,
    lift + sqrt(pow(wilson_high(p.converted, p.customers) - rate, 2) + pow(held_rate - wilson_low(p.held_converted, p.held_customers), 2)) AS lift_high,
    multiIf(lift_low > 0, 'works', lift_high < 0, 'harms', 'cannot tell') AS verdict,
    p.spend / nullIf(p.customers, 0) AS mean_spend,
    p.held_spend / nullIf(p.held_customers, 0) AS held_mean_spend,
    mean_spend - held_mean_spend AS spend_lift,
    finite(spend_lift - student(p.freedom) * sqrt(p.error2 + p.held_error2)) AS spend_low,
    finite(spend_lift + student(p.freedom) * sqrt(p.error2 + p.held_error2)) AS spend_high,
    toDecimal128OrNull(toString(round(spend_lift * p.customers, 3)), 3) AS incremental_spend,
    toDecimal128(round(p.sent * {message_cost:Float64}, 3), 3) AS cost,
    (toFloat64(incremental_spend) * {margin:Float64} - toFloat64(cost)) / nullIf(toFloat64(cost), 0) AS roi,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency
FROM pairs AS p
COMMENT 'What each message did, against the holdout (conversion_days, message_cost, margin are parameters). Base: assigned customers whose window is over. Unit: customers, major units. Source: campaign_subjects'

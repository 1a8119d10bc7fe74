-- global_lift: what all campaigns together did, against those who never get any (global holdout):
-- SELECT * FROM global_lift(conversion_days = 30, message_cost = 0.02, margin = 0.3).
--
-- Meaning: share that ordered, and spend, within conversion_days after the first assignment by any campaign; of customers who get
--          campaigns and of those drawn into the global holdout, who would have got them. An interval that holds 0 shows nothing.
-- Formula: as in campaign_lift; cost = messages to these customers within the window × message_cost.
-- Base:    customers ever assigned by a campaign, each once, window over (open: how many are not). base = real: assignments caused by
--          real events or by time, and real orders; all: simulated ones too.
-- Unit:    customers; shares 0-1; Decimal in major units of the program's currency. Parameters as in campaign_lift.
-- Source:  campaign_runs, messages, orders, as_of, program. Newcombe 1998; Welch 1947.
-- Caveat:  a small holdout sees only large effects. Customers held out of one campaign are here among those who get campaigns.
CREATE OR REPLACE VIEW global_lift
(
    base String COMMENT 'real or all',
    customers UInt64 COMMENT 'Customers who get campaigns, window over',
    open UInt64 COMMENT 'Customers whose window is not over: not counted',
    messages UInt64 COMMENT 'Messages that customers got within their windows',
    converted UInt64 COMMENT 'Of customers: ordered within the window',
    rate Nullable(Float64) COMMENT 'converted / customers, 0-1',
    held_customers UInt64 COMMENT 'Customers of the global holdout, window over',
    held_converted UInt64 COMMENT 'Of them: ordered within the window',
    held_rate Nullable(Float64) COMMENT 'held_converted / held_customers, 0-1',
    lift Nullable(Float64) COMMENT 'rate - held_rate; null: nobody to compare',
    lift_low Nullable(Float64) COMMENT 'Lower limit, 95 % (Newcombe)',
    lift_high Nullable(Float64) COMMENT 'Upper limit, 95 % (Newcombe)',
    verdict String COMMENT 'works, harms, or cannot tell: the interval holds 0',
    spend_lift Nullable(Float64) COMMENT 'Difference of mean spend, major units',
    spend_low Nullable(Float64) COMMENT 'Lower limit, 95 % (Welch); null: too few, or all the same',
    spend_high Nullable(Float64) COMMENT 'Upper limit, 95 % (Welch); null: too few, or all the same',
    incremental_spend Nullable(Decimal(38, 3)) COMMENT 'spend_lift × customers, major units',
    cost Decimal(38, 3) COMMENT 'messages × message_cost, major units',
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
firsts AS
(
    SELECT
        arrayJoin(if(r.is_simulated, ['all'], ['real', 'all'])) AS base,
        r.customer_id AS customer_id,
        countIf(r.arm = 'global_holdout') > 0 AS is_held,
        assumeNotNull(min(r.assigned_time)) AS assigned_time,
        assigned_time + toIntervalDay({conversion_days:UInt32}) AS until
    FROM campaign_runs AS r
    WHERE r.arm != ''
    GROUP BY base, r.customer_id
),
happened AS
(
    SELECT b.account_id AS customer_id, b.event_time AS time, b.is_simulated AS is_simulated, toUInt64(1) AS orders, toUInt64(0) AS messages,
        if(b.currency = (SELECT g.currency FROM program AS g), toDecimal128(b.net_minor, 3) / toInt64(greatest(b.minor_per_major, 1)), toDecimal128(0, 3)) AS spend
    FROM orders AS b
    WHERE b.is_identified AND b.event_time > (SELECT min(greatest(l.event_time, l.entry_time)) FROM campaign_log AS l)
    UNION ALL
    SELECT m.account_id, greatest(m.event_time, m.entry_time), m.is_simulated, 0, 1, toDecimal128(0, 3)
    FROM messages AS m
),
subjects AS
(
    SELECT
        f.base AS base,
        f.customer_id AS customer_id,
        any(f.is_held) AS is_held,
        any(f.until) <= assumeNotNull((SELECT a.time FROM as_of AS a)) AS is_closed,
        sumIf(h.orders, (f.base = 'all' OR NOT h.is_simulated) AND h.time > f.assigned_time AND h.time <= f.until) AS orders,
        sumIf(h.messages, (f.base = 'all' OR NOT h.is_simulated) AND h.time >= f.assigned_time AND h.time <= f.until) AS messages,
        toFloat64(sumIf(h.spend, (f.base = 'all' OR NOT h.is_simulated) AND h.time > f.assigned_time AND h.time <= f.until)) AS spend
    FROM firsts AS f
    LEFT JOIN happened AS h ON h.customer_id = f.customer_id
    GROUP BY f.base, f.customer_id
),
counted AS
(
    SELECT
        s.base AS base,
        countIf(s.is_closed AND NOT s.is_held) AS customers,
        countIf(NOT s.is_closed) AS open,
        sumIf(s.messages, s.is_closed AND NOT s.is_held) AS messages,
        countIf(s.is_closed AND NOT s.is_held AND s.orders > 0) AS converted,
        countIf(s.is_closed AND s.is_held) AS held_customers,
        countIf(s.is_closed AND s.is_held AND s.orders > 0) AS held_converted,
        avgIf(s.spend, s.is_closed AND NOT s.is_held) AS mean,
        avgIf(s.spend, s.is_closed AND s.is_held) AS held_mean,
        varSampIf(s.spend, s.is_closed AND NOT s.is_held) / customers AS error2,
        varSampIf(s.spend, s.is_closed AND s.is_held) / held_customers AS held_error2,
        pow(error2 + held_error2, 2) / (pow(error2, 2) / (customers - 1) + pow(held_error2, 2) / (held_customers - 1)) AS freedom
    FROM subjects AS s
    GROUP BY s.base
)
SELECT
    c.base AS base,
    c.customers AS customers,
    c.open AS open,
    c.messages AS messages,
    c.converted AS converted,
    c.converted / nullIf(c.customers, 0) AS rate,
    c.held_customers AS held_customers,
    c.held_converted AS held_converted,
    c.held_converted / nullIf(c.held_customers, 0) AS held_rate,
    rate - held_rate AS lift,
    lift - sqrt(pow(rate - wilson_low(c.converted, c.customers), 2) + pow(wilson_high(c.held_converted, c.held_customers) - held_rate, 2)) AS lift_low,
    lift + sqrt(pow(wilson_high(c.converted, c.customers) - rate, 2) + pow(held_rate - wilson_low(c.held_converted, c.held_customers), 2)) AS lift_high,
    multiIf(lift_low > 0, 'works', lift_high < 0, 'harms', 'cannot tell') AS verdict,
    finite(c.mean - c.held_mean) AS spend_lift,
    finite(c.mean - c.held_mean - student(c.freedom) * sqrt(c.error2 + c.held_error2)) AS spend_low,
    finite(c.mean - c.held_mean + student(c.freedom) * sqrt(c.error2 + c.held_error2)) AS spend_high,
    toDecimal128OrNull(toString(round((c.mean - c.held_mean) * c.customers, 3)), 3) AS incremental_spend,
    toDecimal128(round(c.messages * {message_cost:Float64}, 3), 3) AS cost,
    (toFloat64(incremental_spend) * {margin:Float64} - toFloat64(cost)) / nullIf(toFloat64(cost), 0) AS roi,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency
FROM counted AS c
SETTINGS join_use_nulls = 0
COMMENT 'What all campaigns together did, against the global holdout (conversion_days, message_cost, margin are parameters). Base: assigned customers whose window is over. Unit: customers, major units. Source: campaign_runs, orders'

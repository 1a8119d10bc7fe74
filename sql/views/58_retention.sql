-- retention: who comes back, by cohort of the first order, week by week and month by month.
--
-- Meaning: of the customers whose first order fell in the cohort's interval: how many ordered in the interval that lies number intervals
--          later (active), and how many in that one or any later one (active_in_or_after, "unbounded": not lost yet). An interval that has
--          not fully passed is null, not low. by = all, tier, segment (as they are now) or channel (of the first order).
-- Formula: active_share = active / size; active_in_or_after_share = active_in_or_after / size.
-- Base:    identified customers, orders before refunds. base = real: real orders only; all: simulated ones too. Guests are never here.
-- Unit:    customers; shares 0-1; weeks (from Monday) and months in the program's time zone.
-- Source:  orders, customers, as_of, program.
-- Caveat:  by tier and segment compares what customers became: who came back reached a tier for that very reason. The newest intervals of
--          active_in_or_after are low, as who comes back later is not known yet. A customer in several segments is in each.
CREATE OR REPLACE VIEW retention
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    grain String COMMENT 'week or month',
    `by` String COMMENT 'all, tier, segment or channel',
    value String COMMENT 'The tier, the segment or the channel; empty: none, or by = all',
    cohort Date COMMENT 'First day of the interval of the first order, program''s time zone',
    number UInt16 COMMENT 'Intervals since then, 0 = that of the first order',
    size UInt64 COMMENT 'Customers of the cohort: the base',
    active Nullable(UInt64) COMMENT 'Customers with an order in the interval; null: not fully passed',
    active_in_or_after Nullable(UInt64) COMMENT 'Customers with an order in it or later; null: not fully passed',
    active_share Nullable(Float64) COMMENT 'active / size, 0-1',
    active_in_or_after_share Nullable(Float64) COMMENT 'active_in_or_after / size, 0-1'
)
AS WITH bought AS
(
    SELECT
        arrayJoin(if(o.is_simulated, ['all'], ['real', 'all'])) AS base,
        o.account_id AS account_id,
        groupUniqArray(toDate(o.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))) AS days,
        argMin(o.channel, (o.event_time, o.sequence)) AS channel
    FROM orders AS o
    WHERE o.is_identified
    GROUP BY base, o.account_id
),
cuts AS
(
    SELECT
        b.base AS base,
        arrayConcat([('all', ''), ('tier', c.tier), ('channel', toString(b.channel))], arrayMap(s -> ('segment', s), c.segments)) AS groups,
        arrayJoin([
            ('week', arrayDistinct(arrayMap(d -> toInt32(intDiv(toUInt32(toMonday(d)) - 4, 7)), b.days))),
            ('month', arrayDistinct(arrayMap(d -> toInt32(toRelativeMonthNum(d)), b.days)))]) AS cut
    FROM bought AS b
    LEFT JOIN (SELECT k.customer_id AS customer_id, toString(k.tier) AS tier, k.segments AS segments FROM customer_standings AS k FINAL) AS c ON c.customer_id = b.account_id
),
flags AS
(
    SELECT
        x.base AS base,
        x.cut.1 AS grain,
        x.groups AS groups,
        arrayMin(x.cut.2) AS first,
        arrayMax(x.cut.2) AS last,
        if(grain = 'week', toInt32(intDiv(toUInt32(toMonday(t.day)) - 4, 7)), toInt32(toRelativeMonthNum(t.day))) AS running,
        range(toUInt32(greatest(running - first, 0)) + 1) AS numbers,
        arrayMap(k -> toUInt64(has(x.cut.2, first + k)), numbers) AS active,
        arrayMap(k -> toUInt64(last >= first + k), numbers) AS or_after
    FROM cuts AS x
    CROSS JOIN (SELECT a.day AS day FROM as_of AS a) AS t
),
counted AS
(
    SELECT
        f.base AS base,
        f.grain AS grain,
        arrayJoin(f.groups) AS one,
        f.first AS first,
        any(f.running) AS running,
        count() AS size,
        sumForEach(f.active) AS active,
        sumForEach(f.or_after) AS or_after
    FROM flags AS f
    GROUP BY f.base, f.grain, one, f.first
)
SELECT
    c.base AS base,
    c.grain AS grain,
    c.one.1 AS `by`,
    c.one.2 AS value,
    if(c.grain = 'week', toDate(toUInt32(c.first * 7 + 4)), addMonths(toDate('1970-01-01'), c.first - toRelativeMonthNum(toDate('1970-01-01')))) AS cohort,
    toUInt16(k - 1) AS number,
    c.size AS size,
    if(c.first + number < c.running, here, NULL) AS active,
    if(c.first + number < c.running, here_or_after, NULL) AS active_in_or_after,
    active / size AS active_share,
    active_in_or_after / size AS active_in_or_after_share
FROM counted AS c
ARRAY JOIN c.active AS here, c.or_after AS here_or_after, arrayEnumerate(c.active) AS k
SETTINGS join_use_nulls = 0
COMMENT 'Who comes back, by cohort of the first order, by week and month. Base: identified customers, orders before refunds. Unit: customers. Source: orders, customers'

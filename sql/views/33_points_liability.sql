-- points_liability: what the points owed are worth, at face value and as IFRS 15 has it:
-- SELECT * FROM points_liability(point_value = 0.01, breakage = 0.2).
--
-- Meaning: face_value is every point left times point_value. Fair value by IFRS 15's proportional method, for the points and sales of each
--          month: the sales' price is shared between goods and points by stand-alone price; the points' part becomes revenue as points
--          are redeemed, in proportion to all that are expected to be.
-- Formula: expected = net × (1 − breakage); stand_alone = expected × point_value; deferred = sales × stand_alone / (sales + stand_alone);
--          recognised = deferred × min(1, spent / expected), all of it once nothing is left; fair_value = deferred − recognised.
--          Without sales in the month deferred = 0: points were a gift and cost nothing that was received.
-- Base:    lots by month of issue (bonus points too); sales: orders of members in the program's currency in that month, less what was
--          refunded of them. base = real: real lots and sales; all: simulated ones too.
-- Unit:    points; Decimal in major units of the program's currency; parameters: point_value in major units a point, breakage 0-1.
-- Source:  IFRS 15, paragraphs 74-76 and B39-B46, example 52; points_lots, order_facts, refund_allocations, program.
-- Caveat:  breakage is an estimate of the reader's (points_breakage of closed months says what it was). Debts (negative balances) are not set off.
CREATE OR REPLACE VIEW points_liability
(
    base String COMMENT 'real: real lots and sales; all: simulated ones too',
    month Date COMMENT 'First day of the month of issue, program''s time zone',
    wallet String COMMENT 'Kind of points',
    currency String COMMENT 'ISO 4217 code of the amounts',
    sales Decimal(38, 3) COMMENT 'Members'' orders of the month less their refunds, major units',
    net Int64 COMMENT 'Points issued less reversed',
    expected Float64 COMMENT 'Points of them expected ever to be redeemed',
    spent Int64 COMMENT 'Points spent so far',
    outstanding Int64 COMMENT 'Points left',
    face_value Decimal(38, 3) COMMENT 'outstanding × point_value, major units',
    stand_alone Decimal(38, 3) COMMENT 'Stand-alone price of the points: expected × point_value, major units',
    deferred Decimal(38, 3) COMMENT 'Part of sales that was for the points, major units',
    recognised Decimal(38, 3) COMMENT 'Of it, revenue so far, major units',
    fair_value Decimal(38, 3) COMMENT 'Of it, still a liability (IFRS 15), major units'
)
AS WITH lots AS
(
    SELECT
        arrayJoin(if(l.is_simulated, ['all'], ['real', 'all'])) AS base,
        toStartOfMonth(l.issued_on) AS month,
        l.wallet AS wallet,
        sum(l.issued - l.reversed) AS net,
        sum(l.spent) AS spent,
        sum(l.outstanding) AS outstanding
    FROM points_lots AS l
    GROUP BY base, month, wallet
),
back AS
(
    SELECT a.account_id AS customer_id, a.order_id AS order_id, sum(toDecimal128(a.amount_minor, 3) / toInt64(greatest(a.minor_per_major, 1))) AS amount
    FROM refund_allocations AS a
    GROUP BY customer_id, order_id
),
sold AS
(
    SELECT
        arrayJoin(if(o.is_simulated, ['all'], ['real', 'all'])) AS base,
        o.month AS month,
        greatest(toFloat64(sum(o.amount - b.amount)), 0) AS sales
    FROM order_facts AS o
    LEFT JOIN back AS b ON b.customer_id = o.customer_id AND b.order_id = o.order_id
    WHERE o.buyer = 'member' AND o.currency = (SELECT g.currency FROM program AS g)
    GROUP BY base, month
)
SELECT
    x.base AS base,
    x.month AS month,
    x.wallet AS wallet,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency,
    toDecimal128(round(x.sales, 3), 3) AS sales,
    x.net AS net,
    x.expected AS expected,
    x.spent AS spent,
    x.outstanding AS outstanding,
    toDecimal128(round(x.outstanding * {point_value:Float64}, 3), 3) AS face_value,
    toDecimal128(round(x.stand_alone, 3), 3) AS stand_alone,
    toDecimal128(round(x.deferred, 3), 3) AS deferred,
    toDecimal128(round(x.recognised, 3), 3) AS recognised,
    toDecimal128(round(x.deferred - x.recognised, 3), 3) AS fair_value
FROM
(
    SELECT
        l.base AS base,
        l.month AS month,
        l.wallet AS wallet,
        s.sales AS sales,
        l.net AS net,
        l.spent AS spent,
        l.outstanding AS outstanding,
        greatest(l.net, 0) * (1 - least(greatest({breakage:Float64}, 0), 1)) AS expected,
        expected * {point_value:Float64} AS stand_alone,
        if(sales + stand_alone > 0, sales * stand_alone / (sales + stand_alone), 0) AS deferred,
        deferred * if(expected > 0 AND l.outstanding > 0, least(1, l.spent / expected), 1) AS recognised
    FROM lots AS l
    LEFT JOIN sold AS s ON s.base = l.base AND s.month = l.month
) AS x
SETTINGS join_use_nulls = 0
COMMENT 'What the points owed are worth, at face value and by IFRS 15 (point_value, breakage are parameters). Base: lots by month of issue. Unit: points, major units. Source: points_lots, order_facts'

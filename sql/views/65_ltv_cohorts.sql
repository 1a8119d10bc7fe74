-- ltv_cohorts: what a customer of each cohort has brought by age: the historic lifetime value.
--
-- Meaning: net spend of the cohort within the first n days of each customer, per customer of the cohort (also those who never came
--          back). Null until the youngest customer of the cohort can have reached the age.
-- Formula: ltv = Σ net spend with day − first day < age_days / size; age 1 is the first day alone.
-- Base:    identified customers by the month of the first order in the program's currency; net of refunds (spend_facts). base = real:
--          real orders and refunds only; all: simulated ones too.
-- Unit:    customers; Decimal in major units of the program's currency; months and days in the program's time zone.
-- Source:  spend_facts, as_of, program.
-- Caveat:  revenue, not margin; history, not a forecast (customer_value is).
CREATE OR REPLACE VIEW ltv_cohorts
(
    base String COMMENT 'real: real orders only; all: simulated orders too',
    cohort Date COMMENT 'First day of the month of the first order, program''s time zone',
    age_days UInt16 COMMENT 'Age: 1, 7, 30, 60, 90, 120, 180, 270 or 365 days',
    size UInt64 COMMENT 'Customers of the cohort: the base',
    spend Nullable(Decimal(38, 3)) COMMENT 'Their net spend up to that age, major units; null: not all are so old',
    ltv Nullable(Decimal(38, 3)) COMMENT 'spend / size, major units; null: not all are so old',
    currency String COMMENT 'ISO 4217 code of the amounts'
)
AS WITH each AS
(
    SELECT
        arrayJoin(if(s.is_simulated, ['all'], ['real', 'all'])) AS base,
        s.customer_id AS customer_id,
        minIf(s.day, s.kind = 'order') AS first_day,
        groupArray((s.day, s.amount)) AS pieces
    FROM spend_facts AS s
    WHERE s.currency = (SELECT g.currency FROM program AS g)
    GROUP BY base, s.customer_id
    HAVING countIf(s.kind = 'order') > 0
),
ages AS
(
    SELECT
        e.base AS base,
        toStartOfMonth(e.first_day) AS cohort,
        count() AS size,
        sumForEach(arrayMap(n -> arraySum(arrayMap(p -> if(p.1 < addDays(e.first_day, n), p.2, toDecimal128(0, 3)), e.pieces)), [1, 7, 30, 60, 90, 120, 180, 270, 365])) AS sums
    FROM each AS e
    GROUP BY e.base, cohort
)
SELECT
    a.base AS base,
    a.cohort AS cohort,
    toUInt16(age) AS age_days,
    a.size AS size,
    if(addDays(addMonths(a.cohort, 1), age - 1) <= assumeNotNull((SELECT t.day FROM as_of AS t)), total, NULL) AS spend,
    spend / toInt64(a.size) AS ltv,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency
FROM ages AS a
ARRAY JOIN [1, 7, 30, 60, 90, 120, 180, 270, 365] AS age, a.sums AS total
COMMENT 'What a customer of each cohort has brought by age. Base: identified customers, net of refunds. Unit: major units. Source: spend_facts'

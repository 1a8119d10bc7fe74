-- campaign_sample_ratio: were the lots fair? The check to look at before any lift.
--
-- Meaning: customers assigned to each arm and to the holdout, beside what their shares promise. A p below .001 means that the arms are not
--          what was drawn: customers got lost on the way, and no lift of this campaign can be believed.
-- Formula: expected = customers × share; share of the holdout = holdout_percent, the rest by weight; chi_square = Σ (customers −
--          expected)² / expected over the arms, degrees of freedom = arms − 1, p as in chi_square.
-- Base:    customers ever assigned in the campaign, each in the first arm; base real or all as in campaign_subjects.
-- Unit:    customers; share 0-1; probability 0-1.
-- Source:  campaign_runs, campaign_settings. Fabijan et al. 2019 (sample ratio mismatch).
-- Caveat:  by the newest file: a campaign whose shares were changed fails rightly. Below five expected customers p is rough.
CREATE OR REPLACE VIEW campaign_sample_ratio
(
    base String COMMENT 'real or all',
    campaign_id String COMMENT 'Campaign: name of its file',
    arm String COMMENT 'Variant, or holdout',
    customers UInt64 COMMENT 'Customers assigned to it',
    share Float64 COMMENT 'Share that they should be, 0-1',
    expected Float64 COMMENT 'Customers that they should be',
    assigned UInt64 COMMENT 'Customers assigned in the campaign',
    chi_square Float64 COMMENT 'Statistic of the campaign',
    p Nullable(Float64) COMMENT 'Probability of it by chance, 0-1; null: nothing to compare',
    verdict String COMMENT 'fair, or mismatch: p < .001'
)
AS WITH
    (x, v) -> if(v % 2 = 0,
        exp(-x / 2) * arraySum(i -> pow(x / 2, i) / exp(lgamma(i + 1)), range(toUInt32(intDiv(v, 2)))),
        erfc(sqrt(x / 2)) + exp(-x / 2) * arraySum(i -> pow(x / 2, i + 0.5) / exp(lgamma(i + 1.5)), range(toUInt32(intDiv(v, 2))))) AS tail,
firsts AS
(
    SELECT
        arrayJoin(if(r.is_simulated, ['all'], ['real', 'all'])) AS base,
        r.campaign_id AS campaign_id,
        r.customer_id AS customer_id,
        argMin(r.arm, (r.assigned_time, r.run_id)) AS arm
    FROM campaign_runs AS r
    WHERE r.arm NOT IN ('', 'global_holdout')
    GROUP BY base, r.campaign_id, r.customer_id
),
counted AS
(
    SELECT f.base AS base, f.campaign_id AS campaign_id, f.arm AS arm, count() AS customers
    FROM firsts AS f
    GROUP BY f.base, f.campaign_id, f.arm
),
promised AS
(
    SELECT
        b AS base,
        s.campaign_id AS campaign_id,
        one.1 AS arm,
        one.2 AS share
    FROM campaign_settings AS s
    ARRAY JOIN arrayConcat([('holdout', s.holdout_percent / 100)], arrayMap((a, w) -> (a, (1 - s.holdout_percent / 100) * w / arraySum(s.weights)), s.arms, s.weights)) AS one
    ARRAY JOIN ['real', 'all'] AS b
    WHERE one.2 > 0
)
SELECT
    x.base AS base,
    x.campaign_id AS campaign_id,
    x.arm AS arm,
    x.customers AS customers,
    x.share AS share,
    x.assigned * x.share AS expected,
    x.assigned AS assigned,
    sum(if(x.share = 0, 1e9, pow(x.customers - x.assigned * x.share, 2) / (x.assigned * x.share))) OVER (PARTITION BY x.base, x.campaign_id) AS chi_square,
    if(x.kinds < 2, NULL, tail(chi_square, x.kinds - 1)) AS p,
    if(p < 0.001, 'mismatch', 'fair') AS verdict
FROM
(
    SELECT p.base AS base, p.campaign_id AS campaign_id, p.arm AS arm, c.customers AS customers, p.share AS share,
        sum(c.customers) OVER (PARTITION BY p.base, p.campaign_id) AS assigned, count() OVER (PARTITION BY p.base, p.campaign_id) AS kinds
    FROM promised AS p
    FULL JOIN counted AS c USING (base, campaign_id, arm)
) AS x
WHERE x.assigned > 0
SETTINGS join_use_nulls = 0
COMMENT 'Were the lots fair: customers by arm beside what their shares promise. Base: assigned customers. Unit: customers. Source: campaign_runs, campaign_settings'

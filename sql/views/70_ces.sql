-- ces: Customer Effort Score (and csat) with intervals, by month, tier, segment, R, and after points spent or money given back.
--
-- Meaning: "it was easy", 1-7: the mean, and the share that found it easy (5 or more). kind = csat, 1-5: satisfied is 4 or more.
--          by and value as in nps; standing as it was when the answer came.
-- Formula: mean ± 1.959964 s / √n; easy_share = easy / answers with the adjusted Wald interval (adjusted_wald_interval).
-- Base:    answers, a customer as often as they answered; base = real: real answers only; all: simulated ones too.
-- Unit:    score on the kind's own scale; shares 0-1.
-- Source:  survey_answers. Dixon, Freeman & Toman 2010 (effort); Agresti & Coull 1998.
-- Caveat:  the interval of the mean is rough below thirty answers, null below two.
CREATE OR REPLACE VIEW ces
(
    base String COMMENT 'real: real answers only; all: simulated ones too',
    kind String COMMENT 'ces (1-7) or csat (1-5)',
    `by` String COMMENT 'all, month, tier, segment, r, after_redemption or after_refund',
    value String COMMENT 'Which of them',
    answers UInt64 COMMENT 'Answers: the base',
    mean Float64 COMMENT 'Mean score',
    mean_low Nullable(Float64) COMMENT 'Lower limit of the mean, 95 %; null: one answer',
    mean_high Nullable(Float64) COMMENT 'Upper limit of the mean, 95 %; null: one answer',
    easy UInt64 COMMENT 'Answers 5-7 (csat: 4-5)',
    easy_share Float64 COMMENT 'easy / answers, 0-1',
    low Float64 COMMENT 'Lower limit of the share, 95 %',
    high Float64 COMMENT 'Upper limit of the share, 95 %'
)
AS WITH 1.959963984540054 AS z
SELECT
    x.base AS base,
    x.kind AS kind,
    x.one.1 AS `by`,
    x.one.2 AS value,
    count() AS answers,
    avg(x.score) AS mean,
    if(answers < 2, NULL, mean - z * stddevSamp(x.score) / sqrt(answers)) AS mean_low,
    if(answers < 2, NULL, mean + z * stddevSamp(x.score) / sqrt(answers)) AS mean_high,
    countIf(x.opinion IN ('easy', 'satisfied')) AS easy,
    easy / answers AS easy_share,
    greatest((easy + z * z / 2) / (answers + z * z) - z * sqrt((easy + z * z / 2) / (answers + z * z) * (1 - (easy + z * z / 2) / (answers + z * z)) / (answers + z * z)), 0) AS low,
    least((easy + z * z / 2) / (answers + z * z) + z * sqrt((easy + z * z / 2) / (answers + z * z) * (1 - (easy + z * z / 2) / (answers + z * z)) / (answers + z * z)), 1) AS high
FROM
(
    SELECT
        arrayJoin(if(a.is_simulated, ['all'], ['real', 'all'])) AS base,
        arrayJoin(arrayConcat(
            [('all', ''), ('month', toString(a.month)), ('tier', a.tier), ('r', toString(a.r)), ('after_redemption', if(a.after_redemption, 'yes', 'no')), ('after_refund', if(a.after_refund, 'yes', 'no'))],
            arrayMap(s -> ('segment', s), if(empty(a.segments), [''], a.segments)))) AS one,
        a.kind AS kind,
        a.score AS score,
        a.opinion AS opinion
    FROM survey_answers AS a
    WHERE a.kind != 'nps'
) AS x
GROUP BY x.base, x.kind, x.one
COMMENT 'Customer Effort Score and csat with intervals, by month, tier, segment, R, after redemption and refund. Base: answers. Unit: score, shares. Source: survey_answers'

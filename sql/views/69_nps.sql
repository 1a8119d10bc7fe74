-- nps: Net Promoter Score with intervals, by month, tier, segment, R, and after points spent or money given back.
--
-- Meaning: of answers to "would you recommend us", 0-10: promoters 9-10, passives 7-8, detractors 0-6. Standing as it was when the answer
--          came. by = all, month (value: its first day), tier, segment, r, after_redemption or after_refund (value: yes or no, 30 days).
-- Formula: nps = 100 × (promoters − detractors) / answers; low, high: adjusted Wald as in nps_interval.
-- Base:    answers, a customer as often as they answered; base = real: real answers only; all: simulated ones too. Guests are in all and
--          month; by tier, segment and r they have an empty value, or 0.
-- Unit:    answers; points −100 to 100.
-- Source:  survey_answers. Rocks 2016.
-- Caveat:  read the intervals: where two of them overlap widely nothing is shown. A customer in several segments is in each.
CREATE OR REPLACE VIEW nps
(
    base String COMMENT 'real: real answers only; all: simulated ones too',
    `by` String COMMENT 'all, month, tier, segment, r, after_redemption or after_refund',
    value String COMMENT 'Which of them',
    answers UInt64 COMMENT 'Answers: the base',
    promoters UInt64 COMMENT 'Answers 9-10',
    passives UInt64 COMMENT 'Answers 7-8',
    detractors UInt64 COMMENT 'Answers 0-6',
    nps Float64 COMMENT 'Net Promoter Score, -100 to 100',
    low Float64 COMMENT 'Lower limit, 95 %',
    high Float64 COMMENT 'Upper limit, 95 %'
)
AS SELECT
    x.base AS base,
    x.one.1 AS `by`,
    x.one.2 AS value,
    count() AS answers,
    countIf(x.opinion = 'promoter') AS promoters,
    countIf(x.opinion = 'passive') AS passives,
    countIf(x.opinion = 'detractor') AS detractors,
    100 * (toInt64(promoters) - toInt64(detractors)) / answers AS nps,
    100 * ((toInt64(promoters) - toInt64(detractors)) / (answers + 3) - 1.959963984540054 * sqrt(((promoters + detractors + 1.5) / (answers + 3) - pow((toInt64(promoters) - toInt64(detractors)) / (answers + 3), 2)) / (answers + 3))) AS low,
    100 * ((toInt64(promoters) - toInt64(detractors)) / (answers + 3) + 1.959963984540054 * sqrt(((promoters + detractors + 1.5) / (answers + 3) - pow((toInt64(promoters) - toInt64(detractors)) / (answers + 3), 2)) / (answers + 3))) AS high
FROM
(
    SELECT
        arrayJoin(if(a.is_simulated, ['all'], ['real', 'all'])) AS base,
        arrayJoin(arrayConcat(
            [('all', ''), ('month', toString(a.month)), ('tier', a.tier), ('r', toString(a.r)), ('after_redemption', if(a.after_redemption, 'yes', 'no')), ('after_refund', if(a.after_refund, 'yes', 'no'))],
            arrayMap(s -> ('segment', s), if(empty(a.segments), [''], a.segments)))) AS one,
        a.opinion AS opinion
    FROM survey_answers AS a
    WHERE a.kind = 'nps'
) AS x
GROUP BY x.base, x.one
COMMENT 'Net Promoter Score with intervals, by month, tier, segment, R, after redemption and refund. Base: answers. Unit: points. Source: survey_answers'

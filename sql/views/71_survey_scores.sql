-- survey_scores: how often each score was given.
--
-- Meaning: answers by kind and score, each month: what lies behind a mean or an NPS.
-- Formula: count of answers.
-- Base:    all answers; real and simulated answers apart; scores that nobody gave are missing.
-- Unit:    answers; months in the program's time zone.
-- Source:  survey_answers.
CREATE OR REPLACE VIEW survey_scores
(
    month Date COMMENT 'First day of the month, program''s time zone',
    kind String COMMENT 'nps (0-10), ces (1-7) or csat (1-5)',
    score Int64 COMMENT 'The answer',
    opinion String COMMENT 'promoter, passive, detractor; easy, hard; satisfied, not satisfied',
    is_simulated Bool COMMENT 'Simulated answers; otherwise real ones',
    answers UInt64 COMMENT 'Answers'
)
AS SELECT a.month AS month, a.kind AS kind, a.score AS score, a.opinion AS opinion, a.is_simulated AS is_simulated, count() AS answers
FROM survey_answers AS a
GROUP BY a.month, a.kind, a.score, a.opinion, a.is_simulated
COMMENT 'How often each score was given. Base: all answers. Unit: answers. Source: survey_answers'

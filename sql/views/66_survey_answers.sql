-- survey_answers: each answer with how the customer stood when it came.
--
-- Meaning: tier, R and segments after the customer's last entry before the answer, so the answer's own effect (a detractor enters a
--          segment) is not in it. after_redemption, after_refund: points spent, or money given back, in the 30 days before.
-- Formula: opinion of nps: promoter 9-10, passive 7-8, detractor 0-6; of ces: easy 5-7, otherwise hard; of csat: satisfied 4-5, otherwise not.
-- Base:    all answers, of guests too (they have no standing).
-- Unit:    one row = one answer; score on the kind's own scale; months in the program's time zone.
-- Source:  surveys, tier_changes, score_changes, segment_changes, redemptions, refunds, program.
CREATE OR REPLACE VIEW survey_answers
(
    customer_id String COMMENT 'Customer; guests: guest:… or anon:…',
    is_simulated Bool COMMENT 'Simulated answer; otherwise a real one',
    kind String COMMENT 'nps (0-10), ces (1-7) or csat (1-5)',
    survey_id String COMMENT 'The sender''s id of the survey; empty: none',
    event_time DateTime64(3, 'UTC') COMMENT 'When it was answered, UTC',
    day Date COMMENT 'Its day, program''s time zone',
    month Date COMMENT 'First day of its month, program''s time zone',
    score Int64 COMMENT 'The answer',
    opinion String COMMENT 'promoter, passive, detractor; easy, hard; satisfied, not satisfied',
    tier String COMMENT 'Tier when it came; empty: none',
    r Int8 COMMENT 'Recency score when it came; 0: not scored',
    segments Array(String) COMMENT 'Segments that the customer was in when it came, ascending',
    after_redemption Bool COMMENT 'Points spent in the 30 days before',
    after_refund Bool COMMENT 'Money given back in the 30 days before',
    order_id String COMMENT 'Order it is about; empty: none',
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of its entry'
)
AS WITH inside AS
(
    SELECT x.p AS p, x.s AS s, arraySort(groupArray(x.segment_id)) AS segments
    FROM
    (
        SELECT a.partition AS p, a.sequence AS s, toString(c.segment_id) AS segment_id
        FROM surveys AS a
        INNER JOIN segment_changes AS c ON c.account_id = a.account_id
        WHERE c.sequence < a.sequence
        GROUP BY p, s, segment_id
        HAVING argMax(c.change, (c.sequence, c.index)) = 'entered'
    ) AS x
    GROUP BY x.p, x.s
)
SELECT
    a.account_id AS customer_id,
    a.is_simulated AS is_simulated,
    a.kind AS kind,
    a.survey_id AS survey_id,
    a.event_time AS event_time,
    toDate(a.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    toStartOfMonth(day) AS month,
    a.score AS score,
    multiIf(a.kind = 'nps', multiIf(a.score >= 9, 'promoter', a.score >= 7, 'passive', 'detractor'), a.kind = 'ces', if(a.score >= 5, 'easy', 'hard'), if(a.score >= 4, 'satisfied', 'not satisfied')) AS opinion,
    t.to_tier AS tier,
    r.to_r AS r,
    i.segments AS segments,
    toBool(d.redemption_id != '' AND d.event_time > a.event_time - INTERVAL 30 DAY) AS after_redemption,
    toBool(b.refund_id != '' AND b.event_time > a.event_time - INTERVAL 30 DAY) AS after_refund,
    a.order_id AS order_id,
    a.partition AS `partition`,
    a.sequence AS `sequence`
FROM surveys AS a
ASOF LEFT JOIN tier_changes AS t ON t.account_id = a.account_id AND t.sequence < a.sequence
ASOF LEFT JOIN score_changes AS r ON r.account_id = a.account_id AND r.sequence < a.sequence
ASOF LEFT JOIN (SELECT e.account_id AS account_id, e.redemption_id AS redemption_id, e.event_time AS event_time, e.sequence AS seq FROM redemptions AS e WHERE e.is_accepted) AS d ON d.account_id = a.account_id AND d.seq < a.sequence
ASOF LEFT JOIN (SELECT f.account_id AS account_id, f.refund_id AS refund_id, f.event_time AS event_time, f.sequence AS seq FROM refunds AS f) AS b ON b.account_id = a.account_id AND b.seq < a.sequence
LEFT JOIN inside AS i ON i.p = a.partition AND i.s = a.sequence
SETTINGS join_use_nulls = 0
COMMENT 'Each survey answer with how the customer stood when it came. Base: all answers. Unit: one answer. Source: surveys, tier_changes, score_changes, segment_changes'

-- rules_fired: how often each rule fired, and what it gave.
--
-- Meaning: kind = earning: decisions of the rule that gave points; multiplier: decisions it took part in, with their points
--          (which the earning rule counts too); enrolment: customers it enrolled.
-- Base:    all entries; rules that never fired are missing; real and simulated causes apart.
-- Unit:    times; points as given, before any refund.
-- Source:  decisions, entries.
CREATE OR REPLACE VIEW rules_fired
(
    kind String COMMENT 'earning, multiplier or enrolment',
    rule_id String COMMENT 'Rule, as the program names it',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones',
    times UInt64 COMMENT 'Times fired',
    points Int64 COMMENT 'Points given; multipliers: of the decisions they took part in'
)
AS SELECT 'earning' AS kind, d.rule_id AS rule_id, d.is_simulated AS is_simulated, count() AS times, sum(d.points) AS points
FROM decisions AS d
WHERE d.points != 0
GROUP BY d.rule_id, d.is_simulated
UNION ALL
SELECT 'multiplier', x.multiplier, x.is_simulated, count(), sum(x.points)
FROM (SELECT is_simulated, points, arrayJoin(multipliers) AS multiplier FROM decisions WHERE points != 0) AS x
GROUP BY x.multiplier, x.is_simulated
UNION ALL
SELECT 'enrolment', e.enrolment_rule_id, e.is_simulated, count(), toInt64(0)
FROM entries AS e
WHERE e.enrolment_rule_id != ''
GROUP BY e.enrolment_rule_id, e.is_simulated
COMMENT 'How often each rule fired, and what it gave. Base: all entries. Unit: times, points. Source: decisions, entries';

-- membership_daily: enrolments by day, and members so far.
--
-- Meaning: enrolled: customers that a rule made a member on that day; members: Σ enrolled up to its end.
-- Formula: members = running sum of enrolled of the same rule and kind; add up rows for more.
-- Base:    all enrolments; by real and by simulated events apart; a row for every day from the first enrolment to the newest tick.
-- Unit:    customers; day of entry_time in the program's time zone.
-- Source:  entries, as_of, program.
CREATE OR REPLACE VIEW membership_daily
(
    day Date COMMENT 'Day of the decision, program''s time zone',
    rule_id String COMMENT 'Enrolment rule',
    is_simulated Bool COMMENT 'Enrolled by simulated events; otherwise by real ones',
    enrolled UInt64 COMMENT 'Customers enrolled on the day',
    members UInt64 COMMENT 'Customers enrolled up to its end'
)
AS WITH flow AS
(
    SELECT
        toDate(e.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
        e.enrolment_rule_id AS rule_id,
        e.is_simulated AS is_simulated,
        uniqExact(e.account_id) AS enrolled
    FROM entries AS e
    WHERE e.enrolment_rule_id != ''
    GROUP BY day, rule_id, is_simulated
),
dense AS
(
    SELECT
        arrayJoin(range(toUInt32(s.first_day), toUInt32(greatest(s.last_day, assumeNotNull((SELECT a.day FROM as_of AS a)))) + 1)) AS number,
        s.rule_id AS rule_id,
        s.is_simulated AS is_simulated
    FROM (SELECT f.rule_id AS rule_id, f.is_simulated AS is_simulated, min(f.day) AS first_day, max(f.day) AS last_day FROM flow AS f GROUP BY f.rule_id, f.is_simulated) AS s
)
SELECT
    toDate(d.number) AS day,
    d.rule_id AS rule_id,
    d.is_simulated AS is_simulated,
    f.enrolled AS enrolled,
    sum(f.enrolled) OVER (PARTITION BY d.rule_id, d.is_simulated ORDER BY d.number) AS members
FROM dense AS d
LEFT JOIN flow AS f ON toUInt32(f.day) = d.number AND f.rule_id = d.rule_id AND f.is_simulated = d.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'Enrolments by day, and members so far. Base: all enrolments. Unit: customers. Source: entries';

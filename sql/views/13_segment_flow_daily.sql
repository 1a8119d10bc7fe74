-- segment_flow_daily: who entered and left segments, by day and by the clause that flipped.
--
-- Meaning: changes of membership of a day; entered − left, summed over all days and clauses, is the segment's size.
-- Base:    identified customers; changes caused by real and by simulated events apart; days without changes are missing.
-- Unit:    changes (a customer may come and go on one day); day of entry_time in the program's time zone.
-- Source:  segment_changes.
CREATE OR REPLACE VIEW segment_flow_daily
(
    day Date COMMENT 'Day of the change, program''s time zone',
    segment_id String COMMENT 'Segment: name of its file',
    clause String COMMENT 'The condition that flipped, as the file has it in one line',
    cause String COMMENT 'event, time, cut_points or activation',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones',
    entered UInt64 COMMENT 'Customers that entered',
    `left` UInt64 COMMENT 'Customers that left'
)
AS SELECT
    toDate(c.entry_time, (SELECT g.time_zone FROM program AS g)) AS day,
    c.segment_id AS segment_id,
    c.clause AS clause,
    c.cause AS cause,
    c.is_simulated AS is_simulated,
    countIf(c.change = 'entered') AS entered,
    countIf(c.change = 'left') AS `left`
FROM segment_changes AS c
GROUP BY day, c.segment_id, c.clause, c.cause, c.is_simulated
COMMENT 'Who entered and left segments, by day and clause. Base: identified customers. Unit: changes. Source: segment_changes';

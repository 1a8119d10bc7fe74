-- rfm_movements: from which name to which, by month.
--
-- Meaning: changes of scores that led to another name of the grid; Not scored: no order in the window (any more).
-- Formula: moves counts every change of name, customers each customer once.
-- Base:    changes of scores of identified customers; caused by real and by simulated events apart (time and cut points alone count
--          as real).
-- Unit:    moves; customers; months of the decision in the program's time zone.
-- Source:  score_changes, rfm_cells, program.
-- Caveat:  new cut points move many at once: reason says what moved them.
CREATE OR REPLACE VIEW rfm_movements
(
    month Date COMMENT 'First day of the month, program''s time zone',
    from_name String COMMENT 'Name of the cell before',
    to_name String COMMENT 'Name of the cell after',
    reason String COMMENT 'order, refund, time, cut_points or program',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones, or by time',
    moves UInt64 COMMENT 'Moves from the one to the other',
    customers UInt64 COMMENT 'Customers who made them'
)
AS SELECT
    toStartOfMonth(toDate(s.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))) AS month,
    if(a.name = '', 'Not scored', a.name) AS from_name,
    if(b.name = '', 'Not scored', b.name) AS to_name,
    s.reason AS reason,
    s.is_simulated AS is_simulated,
    count() AS moves,
    uniqExact(s.account_id) AS customers
FROM score_changes AS s
LEFT JOIN rfm_cells AS a ON a.r = s.from_r AND a.f = s.from_f
LEFT JOIN rfm_cells AS b ON b.r = s.to_r AND b.f = s.to_f
WHERE a.name != b.name
GROUP BY month, from_name, to_name, s.reason, s.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'From which name of the RFM grid to which, by month. Base: changes of scores. Unit: moves. Source: score_changes'

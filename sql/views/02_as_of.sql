-- as_of: up to when the warehouse knows. Views use it instead of now(), so they answer the same for the same facts.
--
-- Meaning: the newest tick: the highest clock of all partitions.
-- Base:    all entries.
-- Unit:    always one row; UTC, and the day and month in the program's time zone.
-- Source:  entries, program.
CREATE OR REPLACE VIEW as_of
(
    time DateTime64(3, 'UTC') COMMENT 'Highest clock of all partitions, UTC; 1970: no tick yet',
    day Date COMMENT 'Its day, program''s time zone',
    month Date COMMENT 'First day of its month, program''s time zone'
)
AS SELECT
    max(e.entry_time) AS time,
    toDate(max(e.entry_time), (SELECT p.time_zone FROM program AS p)) AS day,
    toStartOfMonth(toTimeZone(max(e.entry_time), (SELECT p.time_zone FROM program AS p))) AS month
FROM entries AS e
COMMENT 'Up to when the warehouse knows: the newest tick. Unit: one row. Source: entries';

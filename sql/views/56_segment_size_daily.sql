-- segment_size_daily: how many customers were in each segment at the end of each day.
--
-- Meaning: customers who entered the segment up to the day, less those who left it.
-- Formula: members = running sum of (entered − left).
-- Base:    identified customers; is_simulated as in customers: those whom a simulated event has changed by now, apart for all days.
--          A row for every day from the first change of the segment to the newest tick.
-- Unit:    customers; days of the decision in the program's time zone.
-- Source:  segment_changes, customers, as_of, program.
CREATE OR REPLACE VIEW segment_size_daily
(
    day Date COMMENT 'Day, program''s time zone',
    segment_id String COMMENT 'Segment: name of its file',
    is_simulated Bool COMMENT 'Customers whom a simulated event has changed by now; otherwise real ones',
    entered UInt64 COMMENT 'Customers who entered on the day',
    `left` UInt64 COMMENT 'Customers who left on the day',
    members Int64 COMMENT 'Customers in the segment at the end of the day'
)
AS WITH flow AS
(
    SELECT
        toDate(s.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
        s.segment_id AS segment_id,
        c.is_simulated AS is_simulated,
        countIf(s.change = 'entered') AS came,
        countIf(s.change = 'left') AS went
    FROM segment_changes AS s
    INNER JOIN (SELECT k.customer_id AS customer_id, k.is_simulated AS is_simulated FROM customer_standings AS k FINAL) AS c ON c.customer_id = s.account_id
    GROUP BY day, s.segment_id, c.is_simulated
),
dense AS
(
    SELECT
        arrayJoin(range(toUInt32(s.first_day), toUInt32(greatest(s.last_day, assumeNotNull((SELECT a.day FROM as_of AS a)))) + 1)) AS number,
        s.segment_id AS segment_id,
        s.is_simulated AS is_simulated
    FROM (SELECT f.segment_id AS segment_id, f.is_simulated AS is_simulated, min(f.day) AS first_day, max(f.day) AS last_day FROM flow AS f GROUP BY f.segment_id, f.is_simulated) AS s
)
SELECT
    toDate(n.number) AS day,
    n.segment_id AS segment_id,
    n.is_simulated AS is_simulated,
    f.came AS entered,
    f.went AS `left`,
    toInt64(sum(toInt64(f.came) - toInt64(f.went)) OVER (PARTITION BY n.segment_id, n.is_simulated ORDER BY n.number)) AS members
FROM dense AS n
LEFT JOIN flow AS f ON toUInt32(f.day) = n.number AND f.segment_id = n.segment_id AND f.is_simulated = n.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'Customers in each segment at the end of each day. Base: identified customers. Unit: customers. Source: segment_changes'

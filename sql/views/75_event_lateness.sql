-- event_lateness: how late events come, by day.
--
-- Meaning: time from when something happened (the event's own time) to when it was decided (the partition's clock).
-- Formula: lateness = entry_time − event_time, at least 0; quantiles as R's type 7.
-- Base:    entries of kind event, live ones only (not imported history); real and simulated events apart; days without events are missing.
-- Unit:    events; seconds; days of the decision in the program's time zone.
-- Source:  entries, program.
-- Caveat:  the clock moves in ticks (5 seconds by default): that is the resolution. Late events are normal; they land on their own day.
CREATE OR REPLACE VIEW event_lateness
(
    day Date COMMENT 'Day of the decision, program''s time zone',
    is_simulated Bool COMMENT 'Simulated events; otherwise real ones',
    events UInt64 COMMENT 'Events: the base',
    p50_seconds Float64 COMMENT 'Median lateness, seconds',
    p95_seconds Float64 COMMENT '95th percentile, seconds',
    p99_seconds Float64 COMMENT '99th percentile, seconds',
    max_seconds Float64 COMMENT 'Largest lateness, seconds',
    over_minute UInt64 COMMENT 'Events later than a minute',
    over_hour UInt64 COMMENT 'Of them: later than an hour',
    over_day UInt64 COMMENT 'Of them: later than 24 hours'
)
AS SELECT
    toDate(x.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    x.is_simulated AS is_simulated,
    count() AS events,
    quantileExactInclusive(0.5)(x.late) AS p50_seconds,
    quantileExactInclusive(0.95)(x.late) AS p95_seconds,
    quantileExactInclusive(0.99)(x.late) AS p99_seconds,
    toFloat64(max(x.late)) AS max_seconds,
    countIf(x.late > 60) AS over_minute,
    countIf(x.late > 3600) AS over_hour,
    countIf(x.late > 86400) AS over_day
FROM
(
    SELECT e.entry_time AS entry_time, e.is_simulated AS is_simulated, greatest(dateDiff('millisecond', e.event_time, e.entry_time), 0) / 1000 AS late
    FROM entries AS e
    WHERE e.kind = 'event' AND NOT e.is_history AND e.entry_time > toDateTime64(0, 3, 'UTC')
) AS x
GROUP BY day, x.is_simulated
COMMENT 'How late events come, by day. Base: live events. Unit: events, seconds. Source: entries'

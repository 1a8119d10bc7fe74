-- rejects_daily: what was refused at a door, by day, reason and sender, with the newest case of each.
--
-- Meaning: what senders must repair, and how.
-- Formula: count of rejects.
-- Base:    everything refused before it entered the log, kept for 30 days; days without rejects are missing.
-- Unit:    refused inputs; days in the program's time zone.
-- Source:  rejects, program.
-- Caveat:  entries with outcome rejected were refused later, by the rules: they are in entries_daily.
CREATE OR REPLACE VIEW rejects_daily
(
    day Date COMMENT 'Day when the door took it, program''s time zone',
    code String COMMENT 'Why: invalid_json, missing_field, too_old, …',
    field String COMMENT 'Field that is wrong; empty: the whole',
    source String COMMENT 'Sender: name of the key, or file',
    rejects UInt64 COMMENT 'Refused inputs',
    newest_time DateTime64(3, 'UTC') COMMENT 'When the newest came, wall clock, UTC',
    newest_message String COMMENT 'What was wrong with it, in words',
    newest_hint String COMMENT 'What to do about it'
)
AS SELECT
    toDate(r.received_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    r.code AS code,
    r.field AS field,
    replaceRegexpOne(r.source, '(:|, row |, line )\\d+$', '') AS source,
    count() AS rejects,
    max(r.received_time) AS newest_time,
    argMax(r.message, r.received_time) AS newest_message,
    argMax(r.hint, r.received_time) AS newest_hint
FROM rejects AS r
GROUP BY day, r.code, r.field, source
COMMENT 'What was refused at a door, by day, reason and sender. Base: rejects of 30 days. Unit: refused inputs. Source: rejects'

-- entries_daily: what came through the ledger, by day.
--
-- Meaning: entries by kind and outcome: what was applied, kept without effect, recognised as a duplicate, in conflict or rejected.
-- Formula: count of entries.
-- Base:    every entry of topic ledger, ticks and sweeps too.
-- Unit:    entries; days of the decision in the program's time zone.
-- Source:  entries, program.
CREATE OR REPLACE VIEW entries_daily
(
    day Date COMMENT 'Day of the decision, program''s time zone; 1970: before the first tick',
    kind String COMMENT 'event, timer, sweep, tick, control, takeover',
    outcome String COMMENT 'applied, kept, duplicate, duplicate_order, duplicate_refund, conflict, rejected',
    reason String COMMENT 'Why it was kept or rejected; empty: applied',
    is_history Bool COMMENT 'Decided while history was imported',
    is_simulated Bool COMMENT 'Caused by a simulated event',
    entries UInt64 COMMENT 'Entries'
)
AS SELECT
    toDate(e.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    e.kind AS kind,
    e.outcome AS outcome,
    e.reason AS reason,
    e.is_history AS is_history,
    e.is_simulated AS is_simulated,
    count() AS entries
FROM entries AS e
GROUP BY day, e.kind, e.outcome, e.reason, e.is_history, e.is_simulated
COMMENT 'What came through the ledger, by day. Base: every entry. Unit: entries. Source: entries'

-- freshness: what each table holds, and how fresh it is.
--
-- Meaning: rows, the newest decision in the table, and in how many parts they lie: the sink writes one part per batch, ClickHouse merges
--          them later; a number that keeps growing says that merges do not keep up.
-- Formula: behind_seconds = newest clock of all partitions − newest entry_time of the table.
-- Base:    the tables that the sink fills; a table without rows has behind_seconds null.
-- Unit:    rows; parts; seconds.
-- Source:  all fact tables, as_of.
-- Caveat:  a table is old when nothing of its kind happened: only entries and campaign_entries must be fresh.
CREATE OR REPLACE VIEW freshness
(
    table_name String COMMENT 'Table',
    rows UInt64 COMMENT 'Rows',
    parts UInt64 COMMENT 'Parts that hold them',
    newest_event_time Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest own time of an event, UTC; null: no rows',
    newest_entry_time Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest clock of a decision, UTC; null: no rows',
    behind_seconds Nullable(Int64) COMMENT 'Seconds behind the newest clock of all partitions; null: no rows'
)
AS SELECT
    x.table_name AS table_name,
    x.rows AS rows,
    x.parts AS parts,
    if(x.rows = 0, NULL, x.event_time) AS newest_event_time,
    if(x.rows = 0, NULL, x.entry_time) AS newest_entry_time,
    if(x.rows = 0, NULL, dateDiff('second', x.entry_time, assumeNotNull((SELECT a.time FROM as_of AS a)))) AS behind_seconds
FROM
(
    SELECT 'entries' AS table_name, count() AS rows, uniq(t._part) AS parts, max(t.event_time) AS event_time, max(t.entry_time) AS entry_time FROM entries AS t
    UNION ALL SELECT 'campaign_entries', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM campaign_entries AS t
    UNION ALL SELECT 'orders', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM orders AS t
    UNION ALL SELECT 'order_items', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM order_items AS t
    UNION ALL SELECT 'refunds', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM refunds AS t
    UNION ALL SELECT 'refund_lines', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM refund_lines AS t
    UNION ALL SELECT 'refund_allocations', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM refund_allocations AS t
    UNION ALL SELECT 'points', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM points AS t
    UNION ALL SELECT 'decisions', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM decisions AS t
    UNION ALL SELECT 'redemptions', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM redemptions AS t
    UNION ALL SELECT 'tier_changes', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM tier_changes AS t
    UNION ALL SELECT 'score_changes', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM score_changes AS t
    UNION ALL SELECT 'surveys', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM surveys AS t
    UNION ALL SELECT 'activities', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM activities AS t
    UNION ALL SELECT 'customer_facts', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM customer_facts AS t
    UNION ALL SELECT 'segment_changes', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM segment_changes AS t
    UNION ALL SELECT 'outcomes', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM outcomes AS t
    UNION ALL SELECT 'campaign_log', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM campaign_log AS t
    UNION ALL SELECT 'messages', count(), uniq(t._part), max(t.event_time), max(t.entry_time) FROM messages AS t
) AS x
COMMENT 'What each table holds, and how fresh it is. Base: fact tables. Unit: rows, parts, seconds. Source: all fact tables'

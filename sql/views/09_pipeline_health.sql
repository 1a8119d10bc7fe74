-- pipeline_health: is anything lost, double or late on the way here.
--
-- Meaning: entries that came, holes and doubles in their dense numbers, and how far the partition's clock lies behind the newest one;
--          the same of the campaigns' log (campaign_*).
-- Base:    every partition that has entries or rejects.
-- Unit:    entries; seconds; rejects of the partition of topic rejects with the same number, kept for 30 days.
-- Source:  entries, campaign_entries, rejects, as_of.
CREATE OR REPLACE VIEW pipeline_health
(
    `partition` Int32 COMMENT 'Partition of topic ledger, of campaign-log, and of topic rejects',
    entries UInt64 COMMENT 'Entries',
    max_sequence Int64 COMMENT 'Number of the newest entry',
    gaps Int64 COMMENT 'Missing entries: must be 0',
    doubles UInt64 COMMENT 'Entries that are here twice: must be 0',
    newest_time DateTime64(3, 'UTC') COMMENT 'Clock of the newest entry, UTC',
    behind_seconds Int64 COMMENT 'Seconds behind the newest clock of all partitions',
    history_entries UInt64 COMMENT 'Entries of imported history',
    simulated_entries UInt64 COMMENT 'Entries caused by simulated events',
    rejects UInt64 COMMENT 'Rejects of the last 30 days',
    campaign_entries UInt64 COMMENT 'Entries of campaign-log',
    campaign_max_sequence Int64 COMMENT 'Number of the newest of them',
    campaign_gaps Int64 COMMENT 'Missing entries of campaign-log: must be 0',
    campaign_doubles UInt64 COMMENT 'Entries of campaign-log that are here twice: must be 0',
    campaign_behind_seconds Int64 COMMENT 'Seconds that the newest of them is behind the newest clock of all partitions'
)
AS SELECT
    x.p AS `partition`,
    sum(x.entries) AS entries,
    max(x.max_sequence) AS max_sequence,
    max_sequence - toInt64(sum(x.numbers)) AS gaps,
    sum(x.entries) - sum(x.numbers) AS doubles,
    max(x.newest_time) AS newest_time,
    if(entries = 0, 0, dateDiff('second', max(x.newest_time), assumeNotNull((SELECT a.time FROM as_of AS a)))) AS behind_seconds,
    sum(x.history_entries) AS history_entries,
    sum(x.simulated_entries) AS simulated_entries,
    sum(x.rejects) AS rejects,
    sum(x.campaign_entries) AS campaign_entries,
    max(x.campaign_max_sequence) AS campaign_max_sequence,
    campaign_max_sequence - toInt64(sum(x.campaign_numbers)) AS campaign_gaps,
    sum(x.campaign_entries) - sum(x.campaign_numbers) AS campaign_doubles,
    if(campaign_entries = 0, 0, dateDiff('second', max(x.campaign_time), assumeNotNull((SELECT a.time FROM as_of AS a)))) AS campaign_behind_seconds
FROM
(
    SELECT
        e.partition AS p,
        count() AS entries,
        uniqExact(e.sequence) AS numbers,
        max(e.sequence) AS max_sequence,
        max(e.entry_time) AS newest_time,
        countIf(e.is_history) AS history_entries,
        countIf(e.is_simulated) AS simulated_entries,
        toUInt64(0) AS rejects,
        toUInt64(0) AS campaign_entries,
        toUInt64(0) AS campaign_numbers,
        toInt64(0) AS campaign_max_sequence,
        toDateTime64(0, 3, 'UTC') AS campaign_time
    FROM entries AS e
    GROUP BY p
    UNION ALL
    SELECT c.partition, 0, 0, 0, toDateTime64(0, 3, 'UTC'), 0, 0, 0, count(), uniqExact(c.sequence), max(c.sequence), max(c.entry_time)
    FROM campaign_entries AS c
    GROUP BY c.partition
    UNION ALL
    SELECT r.partition, 0, 0, 0, toDateTime64(0, 3, 'UTC'), 0, 0, count(), 0, 0, 0, toDateTime64(0, 3, 'UTC')
    FROM rejects AS r
    GROUP BY r.partition
) AS x
GROUP BY x.p
COMMENT 'Is anything lost, double or late. Base: every partition. Unit: entries. Source: entries, campaign_entries, rejects';

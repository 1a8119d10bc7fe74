-- program: the program whose time zone and currency the views use.
--
-- Meaning: the newest activated version (highest effective_from), also for days before it.
-- Base:    program_versions; without any: UTC, no currency.
-- Unit:    always one row.
-- Source:  program_versions.
CREATE OR REPLACE VIEW program
(
    name String COMMENT 'Name of the program; empty: none is active',
    currency String COMMENT 'ISO 4217 code of the only currency that counts',
    time_zone String COMMENT 'IANA name of the zone of days and months in all views; UTC: no program yet',
    bundle_id String COMMENT 'Content hash of the newest bundle',
    effective_from DateTime64(3, 'UTC') COMMENT 'From when it counts, UTC; 1970: always',
    versions UInt64 COMMENT 'Versions activated so far'
)
AS SELECT
    argMax(v.name, (v.effective_from, v.bundle_id)) AS name,
    argMax(v.currency, (v.effective_from, v.bundle_id)) AS currency,
    if(count() = 0, 'UTC', argMax(v.time_zone, (v.effective_from, v.bundle_id))) AS time_zone,
    argMax(v.bundle_id, (v.effective_from, v.bundle_id)) AS bundle_id,
    max(v.effective_from) AS effective_from,
    uniqExact(v.bundle_id) AS versions
FROM program_versions AS v
COMMENT 'The program whose time zone and currency the views use. Unit: one row. Source: program_versions';

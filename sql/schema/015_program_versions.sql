-- program_versions: the versions of the program that were activated.
--
-- Meaning: what views need to know of the rules: name, currency, time zone. The newest effective_from counts for all views.
-- Base:    every activated bundle.
-- Unit:    one row = one bundle.
-- Source:  written when a bundle is activated, and again at each start (idempotent).
CREATE TABLE IF NOT EXISTS program_versions
(
    `bundle_id` String COMMENT 'Content hash of the bundle',
    `effective_from` DateTime64(3, 'UTC') COMMENT 'From when the version counts, UTC; 1970: always',
    `name` String COMMENT 'Name of the program',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 code of the only currency that counts',
    `time_zone` LowCardinality(String) COMMENT 'IANA name of the zone of the program''s days and months'
)
ENGINE = ReplacingMergeTree
ORDER BY bundle_id
COMMENT 'Versions of the program. Base: every activated bundle. Unit: one bundle. Source: activation';

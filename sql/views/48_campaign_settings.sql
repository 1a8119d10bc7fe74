-- campaign_settings: what the newest files of campaigns say about measuring them.
--
-- Meaning: share held out, window of conversion, arms with their weights.
-- Formula: read from campaigns/<id>.yaml of the newest bundle, as it was activated; one message without arms is the arm "message".
-- Base:    campaigns of the newest version of the program; none: no rows.
-- Unit:    one row = one campaign; percent; days (a month is 30).
-- Source:  entries (control records of bundles), program.
-- Caveat:  reads the usual ways to write these keys; settings of earlier versions are not here.
CREATE OR REPLACE VIEW campaign_settings
(
    campaign_id String COMMENT 'Campaign: name of its file',
    name String COMMENT 'Name that people see',
    purpose String COMMENT 'marketing, service or survey',
    channel String COMMENT 'email, sms, push, in_app or mail',
    holdout_percent UInt8 COMMENT 'Percent of the customers who are held out to compare with',
    conversion_days UInt32 COMMENT 'Days after the assignment in which an order counts; 14 if the file says nothing',
    arms Array(String) COMMENT 'Variants of the message',
    weights Array(UInt32) COMMENT 'Their weights, in the same order'
)
AS WITH files AS
(
    SELECT arrayJoin(JSONExtractKeysAndValues(e.value, 'control', 'files', 'String')) AS file
    FROM
    (
        SELECT c.value AS value
        FROM entries AS c
        WHERE c.kind = 'control' AND c.cause_type = 'bundle' AND c.cause_id = (SELECT g.bundle_id FROM program AS g)
        LIMIT 1
    ) AS e
),
texts AS
(
    SELECT
        extract(f.file.1, '^campaigns/(.+)\\.yaml$') AS campaign_id,
        f.file.2 AS text,
        extractAllGroupsVertical(extract(text, '(?ms)^arms:[^\\n]*\\n(.*?)(?:^\\S|\\z)'), '\\bid:\\s*["'']?([\\w-]+)["'']?\\s*,?\\s*weight:\\s*(\\d+)') AS found
    FROM files AS f
    WHERE match(f.file.1, '^campaigns/.+\\.yaml$')
)
SELECT
    t.campaign_id AS campaign_id,
    trim(BOTH ' "''' FROM extract(t.text, '(?m)^name:[ \\t]*([^\\n#]+)')) AS name,
    extract(t.text, '(?m)^purpose:\\s*(\\w+)') AS purpose,
    extract(t.text, '(?m)^channel:\\s*(\\w+)') AS channel,
    toUInt8OrZero(extract(t.text, '(?m)^holdout:\\s*(\\d+)')) AS holdout_percent,
    if(match(t.text, '(?m)^conversion:\\s*\\d+'), toUInt32OrZero(extract(t.text, '(?m)^conversion:\\s*(\\d+)')) * multiIf(match(t.text, '(?m)^conversion:\\s*\\d+\\s+week'), 7, match(t.text, '(?m)^conversion:\\s*\\d+\\s+month'), 30, match(t.text, '(?m)^conversion:\\s*\\d+\\s+year'), 365, 1), 14) AS conversion_days,
    if(empty(t.found), ['message'], arrayMap(x -> x[1], t.found)) AS arms,
    if(empty(t.found), [toUInt32(1)], arrayMap(x -> toUInt32OrZero(x[2]), t.found)) AS weights
FROM texts AS t
COMMENT 'Holdout, window of conversion and arms of campaigns. Base: campaigns of the newest program. Unit: one campaign. Source: entries'

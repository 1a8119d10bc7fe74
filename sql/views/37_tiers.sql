-- tiers: the tiers of the newest program, from its file.
--
-- Meaning: the lowest net spend within the window that reaches a tier; level counts from 0, the lowest.
-- Formula: read from section tiers of program.yaml, as it was activated.
-- Base:    the newest version of the program; none: no rows.
-- Unit:    Decimal in major units of the program's currency; days.
-- Source:  entries (control records of bundles), program.
-- Caveat:  reads the usual ways to write the list: {id: …, spend: …} or one key a line. Anything else gives no rows.
CREATE OR REPLACE VIEW tiers
(
    tier String COMMENT 'Tier: its id in the program',
    name String COMMENT 'Name that customers see',
    level UInt8 COMMENT 'Number of the tier, 0 = lowest',
    spend Decimal(38, 3) COMMENT 'Lowest net spend within the window that reaches it, major units',
    currency String COMMENT 'ISO 4217 code of spend',
    window_days UInt32 COMMENT 'Days of spend that count',
    review_days UInt32 COMMENT 'Days after which a tier is looked at again; 0: every day'
)
AS WITH section AS
(
    SELECT extract(replaceRegexpAll(JSONExtractString(e.value, 'control', 'files', 'program.yaml'), '(?m)(^|\\s)#[^\n]*', ''), '(?ms)^tiers:[ \\t]*\\n(.*?)(?:^\\S|\\z)') AS text
    FROM entries AS e
    WHERE e.kind = 'control' AND e.cause_type = 'bundle' AND e.cause_id = (SELECT g.bundle_id FROM program AS g)
    LIMIT 1
),
items AS
(
    SELECT
        s.text AS text,
        if(match(s.text, '\\{[^}]*\\bid:'), extractAll(s.text, '\\{[^}]*\\}'), arrayPopFront(splitByRegexp('\\n\\s*-\\s+', s.text))) AS list
    FROM section AS s
)
SELECT
    extract(item, '\\bid:\\s*["'']?([\\w-]+)') AS tier,
    trim(BOTH ' "''' FROM extract(item, '\\bname:\\s*([^,}\\n]+)')) AS name,
    toUInt8(number - 1) AS level,
    toDecimal128OrZero(extract(item, '\\bspend:\\s*["'']?([0-9.]+)'), 3) AS spend,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency,
    toUInt32OrZero(extract(i.text, '\\bwindow:\\s*(\\d+)')) * if(match(i.text, '\\bwindow:\\s*\\d+\\s+week'), 7, 1) AS window_days,
    toUInt32OrZero(extract(i.text, '\\breview:\\s*(\\d+)')) * if(match(i.text, '\\breview:\\s*\\d+\\s+week'), 7, 1) AS review_days
FROM items AS i
ARRAY JOIN i.list AS item, arrayEnumerate(i.list) AS number
COMMENT 'The tiers of the newest program. Base: its newest version. Unit: one tier. Source: entries'

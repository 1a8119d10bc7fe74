-- rfm_cells: the names of the 25 cells of recency and frequency.
--
-- Meaning: a name for each R and F, the same ten that marketing tools use; sort_order goes from the best to the lost.
-- Formula: Champions R5 F4-5; Loyal R3-4 F4-5; Potential loyalists R4-5 F2-3; New R5 F1; Promising R4 F1; Need attention R3 F3;
--          About to sleep R3 F1-2; Can't lose them R1-2 F5; At risk R1-2 F3-4; Hibernating R1-2 F1-2.
-- Base:    every pair of scores, exactly one name each.
-- Unit:    one row = one cell.
-- Source:  the 25-cell partition of RFM grids in common use (Putler 2015 and many after it); scores after Hughes 1994.
-- Caveat:  the names are a habit, not a finding. Segments of the program may use the same words with other limits.
CREATE OR REPLACE VIEW rfm_cells
(
    r Int8 COMMENT 'Recency score 1-5, 5 = most recent',
    f Int8 COMMENT 'Frequency score 1-5, 5 = most orders',
    name String COMMENT 'Name of the cell',
    sort_order UInt8 COMMENT 'Order of the names, 1 = best'
)
AS SELECT
    toInt8(intDiv(x.number, 5) + 1) AS r,
    toInt8(x.number % 5 + 1) AS f,
    multiIf(
        r = 5 AND f >= 4, 'Champions',
        r >= 3 AND f >= 4, 'Loyal',
        r >= 4 AND f >= 2, 'Potential loyalists',
        r = 5, 'New',
        r = 4, 'Promising',
        r = 3 AND f = 3, 'Need attention',
        r = 3, 'About to sleep',
        f = 5, 'Can''t lose them',
        f >= 3, 'At risk',
        'Hibernating') AS name,
    toUInt8(indexOf(['Champions', 'Loyal', 'Potential loyalists', 'New', 'Promising', 'Need attention', 'About to sleep', 'Can''t lose them', 'At risk', 'Hibernating'], name)) AS sort_order
FROM numbers(25) AS x
COMMENT 'The names of the 25 cells of recency and frequency. Base: every pair of scores. Unit: one cell. Source: the 25-cell partition in common use'

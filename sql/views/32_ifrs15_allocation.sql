-- ifrs15_allocation: how a sale with points is split, and how the points' part becomes revenue:
-- SELECT * FROM ifrs15_allocation(sale = 100000, points_value = 9500, redeemed = 4500, expected = 9500).
--
-- Meaning: points are a promise of their own: the sale is shared between goods and points in proportion to their stand-alone prices
--          (that of the points already less what is expected never to be redeemed), and the points' part becomes revenue as points are
--          redeemed, in proportion to all that are expected to be.
-- Formula: points_part = sale × points_value / (sale + points_value); goods_part = sale − points_part;
--          recognised = points_part × min(1, redeemed / expected); liability = points_part − recognised.
-- Base:    one sale, or the sum of many.
-- Unit:    money in the unit given; points. Round only what is shown.
-- Source:  IFRS 15, paragraphs 74-76 and B39-B46, illustrative example 52 (customer loyalty programme): sale 100,000 and points worth 9,500
--          give 91,324 and 8,676; after 4,500 of 9,500 4,110; after 8,500 of 9,700 another 3,493, and 1,073 are left.
-- Caveat:  recognised is cumulative: revenue of a period is the difference of two answers.
CREATE OR REPLACE VIEW ifrs15_allocation
(
    goods_part Float64 COMMENT 'Part of the sale that is for the goods: revenue at once',
    points_part Float64 COMMENT 'Part of the sale that is for the points: a liability first',
    recognised Float64 COMMENT 'Of points_part, revenue so far',
    liability Float64 COMMENT 'Of points_part, still owed'
)
AS SELECT
    {sale:Float64} - points_part AS goods_part,
    if({sale:Float64} + {points_value:Float64} > 0, {sale:Float64} * {points_value:Float64} / ({sale:Float64} + {points_value:Float64}), 0) AS points_part,
    points_part * if({expected:Float64} > 0, least(1, {redeemed:Float64} / {expected:Float64}), 1) AS recognised,
    points_part - recognised AS liability
COMMENT 'A sale with points, split and recognised by IFRS 15 (a helper with parameters). Base: what is given. Unit: money as given. Source: IFRS 15 B39-B46'

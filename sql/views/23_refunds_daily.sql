-- refunds_daily: refunds by day.
--
-- Meaning: money given back on a day, found in orders or not.
-- Formula: refund_spend = Σ refunds; matched_spend: the part found in the customer's orders.
-- Base:    all refunds; of guests too (is_identified = false); real and simulated refunds apart; days without refunds are missing.
-- Unit:    refunds; Decimal in major units of currency, positive; days in the program's time zone.
-- Source:  refunds, program.
-- Caveat:  the day is that of the refund, not that of the order.
CREATE OR REPLACE VIEW refunds_daily
(
    day Date COMMENT 'Day of the refunds, program''s time zone',
    is_simulated Bool COMMENT 'Simulated refunds; otherwise real ones',
    is_identified Bool COMMENT 'Of customers with an id; otherwise of guests',
    currency String COMMENT 'ISO 4217 code of the amounts',
    refunds UInt64 COMMENT 'Refunds',
    refund_spend Decimal(38, 3) COMMENT 'Money given back, major units',
    matched_spend Decimal(38, 3) COMMENT 'The part of it found in orders, major units'
)
AS SELECT
    toDate(r.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    r.is_simulated AS is_simulated,
    r.is_identified AS is_identified,
    r.currency AS currency,
    count() AS refunds,
    toDecimal128(sum(r.net_minor), 3) / toInt64(greatest(any(r.minor_per_major), 1)) AS refund_spend,
    toDecimal128(sum(r.matched_minor), 3) / toInt64(greatest(any(r.minor_per_major), 1)) AS matched_spend
FROM refunds AS r
GROUP BY day, r.is_simulated, r.is_identified, r.currency
COMMENT 'Refunds by day. Base: all refunds, guests too. Unit: refunds, major units of currency. Source: refunds';

-- refund_matches: how much of what came back was found in orders.
--
-- Meaning: refund lines by match: matched (wholly found in the customer's earlier orders), partly, unmatched.
-- Base:    lines of refunds of identified customers; real and simulated apart.
-- Unit:    lines; Decimal in major units of currency.
-- Source:  refund_lines.
CREATE OR REPLACE VIEW refund_matches
(
    is_simulated Bool COMMENT 'Simulated refunds; otherwise real ones',
    currency String COMMENT 'ISO 4217 code of the amounts',
    match String COMMENT 'matched, partly or unmatched',
    lines UInt64 COMMENT 'Refund lines',
    spend Decimal(38, 3) COMMENT 'Money given back, major units',
    matched_spend Decimal(38, 3) COMMENT 'The part of it found in orders, major units'
)
AS SELECT
    l.is_simulated AS is_simulated,
    l.currency AS currency,
    l.match AS match,
    count() AS lines,
    toDecimal128(sum(l.amount_minor), 3) / toInt64(any(l.minor_per_major)) AS spend,
    toDecimal128(sum(l.matched_minor), 3) / toInt64(any(l.minor_per_major)) AS matched_spend
FROM refund_lines AS l
WHERE l.is_identified
GROUP BY l.is_simulated, l.currency, l.match
COMMENT 'How much of what came back was found in orders. Base: identified customers. Unit: lines, major units of currency. Source: refund_lines';

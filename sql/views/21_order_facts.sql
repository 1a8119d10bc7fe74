-- order_facts: orders with what an analyst groups them by.
--
-- Meaning: every row of orders with its day, week and month, who bought it, and the tier that the customer had before it.
--          buyer = member: enrolled when the order came (the order that enrols too); not a member: a known customer, not enrolled then;
--          not identified: the source gives no id. Who that was nobody knows, so it is never counted as "not a member".
-- Formula: amount = lines less the order's discount, before refunds; tier = to_tier of the customer's newest change before the order's entry.
-- Base:    all rows of orders, of guests too.
-- Unit:    one row = one order; Decimal in major units of currency; days, weeks (from Monday) and months in the program's time zone.
-- Source:  orders, tier_changes, customers, program.
-- Caveat:  membership is dated by the newest enrolment: leaving is not kept.
CREATE OR REPLACE VIEW order_facts
(
    order_id String COMMENT 'The shop''s id of the order',
    customer_id String COMMENT 'Customer; guests: guest:…',
    is_simulated Bool COMMENT 'Simulated order; otherwise a real one',
    event_time DateTime64(3, 'UTC') COMMENT 'When it was bought, UTC',
    day Date COMMENT 'Its day, program''s time zone',
    week Date COMMENT 'Monday of its week, program''s time zone',
    month Date COMMENT 'First day of its month, program''s time zone',
    currency String COMMENT 'ISO 4217 code of the amount',
    amount Decimal(38, 3) COMMENT 'Spend before refunds, major units',
    buyer String COMMENT 'member, not a member, or not identified',
    tier String COMMENT 'Tier before the order; empty: none',
    channel String COMMENT 'Where it was bought: web, app, store, …; empty: not said',
    country String COMMENT 'Country, as the sender names it',
    number Int64 COMMENT 'Number of the order among the customer''s own, from 1; 0: not counted',
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of its entry'
)
AS SELECT
    o.order_id AS order_id,
    o.account_id AS customer_id,
    o.is_simulated AS is_simulated,
    o.event_time AS event_time,
    toDate(o.event_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    toMonday(day) AS week,
    toStartOfMonth(day) AS month,
    o.currency AS currency,
    toDecimal128(o.net_minor, 3) / toInt64(greatest(o.minor_per_major, 1)) AS amount,
    multiIf(NOT o.is_identified, 'not identified', c.customer_id != '' AND c.is_member AND c.enrolled_time <= o.event_time, 'member', 'not a member') AS buyer,
    t.to_tier AS tier,
    o.channel AS channel,
    o.country AS country,
    o.number AS number,
    o.partition AS `partition`,
    o.sequence AS `sequence`
FROM orders AS o
LEFT JOIN (SELECT s.customer_id AS customer_id, s.is_member AS is_member, s.enrolled_time AS enrolled_time FROM customer_standings AS s FINAL) AS c ON c.customer_id = o.account_id
ASOF LEFT JOIN tier_changes AS t ON t.account_id = o.account_id AND t.sequence < o.sequence
SETTINGS join_use_nulls = 0
COMMENT 'Orders with day, buyer and the tier before them. Base: all orders, before refunds, guests too. Unit: one order. Source: orders, tier_changes, customers';

-- program_cost: what the program costs, by month: SELECT * FROM program_cost(point_value = 0.01, message_cost = 0.02).
--
-- Meaning: points when they are spent, and messages when they are sent, beside what members bought.
-- Formula: points_cost = spent × point_value; messages_cost = messages × message_cost; cost = both; cost_share = cost / member_spend.
-- Base:    all customers; what real and simulated events caused apart (messages: what caused the run; time alone counts as real).
-- Unit:    points; messages; Decimal in major units of the program's currency; months of the decision (of the order: member_spend) in
--          the program's time zone. Parameters in major units a point and a message.
-- Source:  points_daily, messages, order_facts, program.
-- Caveat:  cash view: points given but not spent yet are a liability (points_liability), not a cost of the month. No staff, no software.
CREATE OR REPLACE VIEW program_cost
(
    month Date COMMENT 'First day of the month, program''s time zone',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones, or by time',
    currency String COMMENT 'ISO 4217 code of the amounts',
    points_spent Int64 COMMENT 'Points spent',
    points_cost Decimal(38, 3) COMMENT 'Their value, major units',
    messages UInt64 COMMENT 'Messages sent',
    messages_cost Decimal(38, 3) COMMENT 'Their cost, major units',
    cost Decimal(38, 3) COMMENT 'points_cost + messages_cost, major units',
    member_spend Decimal(38, 3) COMMENT 'What members bought, before refunds, major units',
    cost_share Nullable(Float64) COMMENT 'cost / member_spend; null: members bought nothing'
)
AS SELECT
    x.month AS month,
    x.is_simulated AS is_simulated,
    assumeNotNull((SELECT g.currency FROM program AS g)) AS currency,
    sum(x.points) AS points_spent,
    toDecimal128(round(points_spent * {point_value:Float64}, 3), 3) AS points_cost,
    sum(x.messages) AS messages,
    toDecimal128(round(messages * {message_cost:Float64}, 3), 3) AS messages_cost,
    points_cost + messages_cost AS cost,
    sum(x.spend) AS member_spend,
    toFloat64(cost) / nullIf(toFloat64(member_spend), 0) AS cost_share
FROM
(
    SELECT toStartOfMonth(p.day) AS month, p.is_simulated AS is_simulated, p.spent AS points, toUInt64(0) AS messages, toDecimal128(0, 3) AS spend
    FROM points_daily AS p
    UNION ALL
    SELECT toStartOfMonth(toDate(m.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))), m.is_simulated, 0, 1, toDecimal128(0, 3)
    FROM messages AS m
    UNION ALL
    SELECT o.month, o.is_simulated, 0, 0, o.amount
    FROM order_facts AS o
    WHERE o.buyer = 'member' AND o.currency = (SELECT g.currency FROM program AS g)
) AS x
GROUP BY x.month, x.is_simulated
COMMENT 'What the program costs, by month (point_value, message_cost are parameters). Base: all customers. Unit: points, messages, major units. Source: points_daily, messages, order_facts'

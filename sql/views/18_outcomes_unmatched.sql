-- outcomes_unmatched: reports of messages that no campaign sent to that customer.
--
-- Meaning: why = no_message_id: the event names none (or the property is not declared); unknown_message: no such message (yet: the
--          logs do not wait for each other); other_customer: the message was another customer's.
-- Base:    outcomes of identified customers.
-- Unit:    one row = one report; they count in no funnel. An unsubscribe withdraws consent all the same.
-- Source:  outcomes, messages.
CREATE OR REPLACE VIEW outcomes_unmatched
(
    why String COMMENT 'no_message_id, unknown_message or other_customer',
    outcome String COMMENT 'delivered, opened, clicked, bounced, complained or unsubscribed',
    channel String COMMENT 'Channel of the report',
    message_id String COMMENT 'Message that it names; empty: none',
    customer_id String COMMENT 'Customer whose report it is',
    event_time DateTime64(3, 'UTC') COMMENT 'When it happened, UTC',
    is_simulated Bool COMMENT 'Simulated report; otherwise a real one',
    `partition` Int32 COMMENT 'Partition of topic ledger',
    `sequence` Int64 COMMENT 'Sequence of the entry'
)
AS SELECT
    multiIf(o.message_id = '', 'no_message_id', m.message_id = '', 'unknown_message', 'other_customer') AS why,
    o.outcome AS outcome,
    o.channel AS channel,
    o.message_id AS message_id,
    o.account_id AS customer_id,
    o.event_time AS event_time,
    o.is_simulated AS is_simulated,
    o.partition AS `partition`,
    o.sequence AS `sequence`
FROM outcomes AS o
LEFT ANY JOIN messages AS m ON m.message_id = o.message_id
WHERE o.message_id = '' OR m.message_id = '' OR m.account_id != o.account_id
SETTINGS join_use_nulls = 0
COMMENT 'Reports of messages that no campaign sent to that customer. Base: outcomes. Unit: one report. Source: outcomes, messages';

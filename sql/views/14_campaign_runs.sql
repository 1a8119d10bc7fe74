-- campaign_runs: the runs of campaigns, one row each: a trigger of a campaign for a customer, and how it ended.
--
-- Meaning: the decisions of campaign_log put together; assigned_time is when the run was first given an arm (a variant or a
--          holdout), the later of the trigger's own time and the clock: an order that is itself the trigger lies before it.
-- Base:    all runs; is_simulated says what caused the first decision.
-- Unit:    one row = one run; run_id is the message id when a message was sent.
-- Source:  campaign_log.
CREATE OR REPLACE VIEW campaign_runs
(
    run_id String COMMENT 'Name of the run for ever; the message id, if one was sent',
    campaign_id String COMMENT 'Campaign: name of its file',
    version String COMMENT 'Content hash of the campaign''s file at the newest decision',
    customer_id String COMMENT 'The shop''s id of the customer',
    is_simulated Bool COMMENT 'Caused by a simulated event; otherwise by a real one, or by time',
    trigger String COMMENT 'Kind of trigger: enters, leaves, tier, event, schedule, …',
    detail String COMMENT 'What of it: the segment, the tier, …',
    trigger_time DateTime64(3, 'UTC') COMMENT 'When the trigger happened, UTC',
    channel String COMMENT 'email, sms, push, in_app or mail',
    purpose String COMMENT 'marketing, service or survey',
    arm String COMMENT 'Variant, holdout or global_holdout; empty: not assigned',
    assigned_time Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was given the arm, UTC; null: not assigned',
    outcome String COMMENT 'sent or held; postponed: not ended yet',
    reason String COMMENT 'Why it was held, or is postponed; empty: sent',
    postponements UInt64 COMMENT 'Times it was postponed',
    decided_time DateTime64(3, 'UTC') COMMENT 'Clock of the newest decision, UTC',
    `partition` Int32 COMMENT 'Partition of topic campaign-log',
    `sequence` Int64 COMMENT 'Sequence of the newest decision'
)
AS SELECT
    l.run_id AS run_id,
    any(l.campaign_id) AS campaign_id,
    argMax(l.version, l.sequence) AS version,
    any(l.account_id) AS customer_id,
    argMin(l.is_simulated, l.sequence) AS is_simulated,
    argMin(l.trigger, l.sequence) AS trigger,
    argMin(l.detail, l.sequence) AS detail,
    argMin(l.trigger_time, l.sequence) AS trigger_time,
    any(l.channel) AS channel,
    any(l.purpose) AS purpose,
    argMaxIf(l.arm, l.sequence, l.arm != '') AS arm,
    nullIf(minIf(greatest(l.event_time, l.entry_time), l.arm != ''), toDateTime64(0, 3, 'UTC')) AS assigned_time,
    argMax(l.outcome, l.sequence) AS outcome,
    argMax(l.reason, l.sequence) AS reason,
    countIf(l.outcome = 'postponed') AS postponements,
    max(l.entry_time) AS decided_time,
    any(l.partition) AS `partition`,
    max(l.sequence) AS `sequence`
FROM campaign_log AS l
GROUP BY l.run_id
COMMENT 'Runs of campaigns and how they ended. Base: all runs. Unit: one run. Source: campaign_log';

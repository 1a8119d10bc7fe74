-- campaign_decisions_daily: what campaigns decided, by day.
--
-- Meaning: decisions sent, held and postponed with their reasons. A campaign without rows for long has gone quiet.
-- Formula: count of decisions.
-- Base:    all decisions, holdouts too; caused by real events (or time) and by simulated ones apart; days without decisions are missing.
-- Unit:    decisions; customers; days of the decision in the program's time zone.
-- Source:  campaign_log, program.
CREATE OR REPLACE VIEW campaign_decisions_daily
(
    day Date COMMENT 'Day of the decision, program''s time zone',
    campaign_id String COMMENT 'Campaign: name of its file',
    channel String COMMENT 'email, sms, push, in_app or mail',
    purpose String COMMENT 'marketing, service or survey',
    arm String COMMENT 'Variant, holdout or global_holdout; empty: not assigned',
    outcome String COMMENT 'sent, held or postponed',
    reason String COMMENT 'Why, of a closed list; empty: sent',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones, or by time',
    decisions UInt64 COMMENT 'Decisions',
    customers UInt64 COMMENT 'Customers whom they concern'
)
AS SELECT
    toDate(l.entry_time, assumeNotNull((SELECT g.time_zone FROM program AS g))) AS day,
    l.campaign_id AS campaign_id,
    l.channel AS channel,
    l.purpose AS purpose,
    l.arm AS arm,
    l.outcome AS outcome,
    l.reason AS reason,
    l.is_simulated AS is_simulated,
    count() AS decisions,
    uniqExact(l.account_id) AS customers
FROM campaign_log AS l
GROUP BY day, l.campaign_id, l.channel, l.purpose, l.arm, l.outcome, l.reason, l.is_simulated
COMMENT 'What campaigns decided, by day. Base: all decisions. Unit: decisions. Source: campaign_log'

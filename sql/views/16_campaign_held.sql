-- campaign_held: why campaigns held messages back, or put them off.
--
-- Meaning: decisions held and postponed, by reason. Each run is held at most once, and postponed any number of times.
-- Base:    all decisions that sent nothing, holdouts too; caused by real and by simulated events apart.
-- Unit:    decisions.
-- Source:  campaign_log.
CREATE OR REPLACE VIEW campaign_held
(
    campaign_id String COMMENT 'Campaign: name of its file',
    outcome String COMMENT 'held (for good) or postponed',
    reason String COMMENT 'Why, of a closed list: no_consent, quiet_hours, capped, …',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones, or by time',
    decisions UInt64 COMMENT 'Decisions with this reason',
    customers UInt64 COMMENT 'Customers whom they concern',
    newest_time DateTime64(3, 'UTC') COMMENT 'Clock of the newest one, UTC'
)
AS SELECT
    l.campaign_id AS campaign_id,
    l.outcome AS outcome,
    l.reason AS reason,
    l.is_simulated AS is_simulated,
    count() AS decisions,
    uniqExact(l.account_id) AS customers,
    max(l.entry_time) AS newest_time
FROM campaign_log AS l
WHERE l.outcome != 'sent'
GROUP BY l.campaign_id, l.outcome, l.reason, l.is_simulated
COMMENT 'Why campaigns held messages back, or put them off. Base: decisions that sent nothing. Unit: decisions. Source: campaign_log';

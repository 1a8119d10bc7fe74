-- survey_response: of the surveys that campaigns sent, how many were answered.
--
-- Meaning: a survey message is answered when its customer answers any survey within 14 days after it and before the next survey message.
-- Formula: response_rate = answered / sent; low, high: adjusted Wald (adjusted_wald_interval).
-- Base:    messages of purpose survey whose 14 days are over (open: how many are not); by what caused them, real events (or time) and
--          simulated ones apart.
-- Unit:    messages; shares 0-1; months of the message in the program's time zone.
-- Source:  messages, surveys, as_of, program.
-- Caveat:  answers that no campaign asked for (unasked in survey tools of one's own) are in nps and ces, not here.
CREATE OR REPLACE VIEW survey_response
(
    month Date COMMENT 'First day of the month of the message, program''s time zone',
    campaign_id String COMMENT 'Campaign: name of its file',
    channel String COMMENT 'email, sms, push, in_app or mail',
    is_simulated Bool COMMENT 'Caused by simulated events; otherwise by real ones, or by time',
    sent UInt64 COMMENT 'Survey messages, 14 days over: the base',
    open UInt64 COMMENT 'Survey messages, 14 days not over: not counted',
    answered UInt64 COMMENT 'Of sent: answered within 14 days',
    response_rate Nullable(Float64) COMMENT 'answered / sent, 0-1; null: none sent so long ago',
    low Nullable(Float64) COMMENT 'Lower limit, 95 %',
    high Nullable(Float64) COMMENT 'Upper limit, 95 %'
)
AS WITH 1.959963984540054 AS z,
asked AS
(
    SELECT
        m.message_id AS message_id,
        m.account_id AS account_id,
        m.campaign_id AS campaign_id,
        m.channel AS channel,
        m.is_simulated AS is_simulated,
        greatest(m.event_time, m.entry_time) AS sent_time,
        least(sent_time + INTERVAL 14 DAY, leadInFrame(sent_time, 1, toDateTime64('2299-01-01', 3, 'UTC')) OVER (PARTITION BY m.account_id ORDER BY sent_time ASC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) AS until
    FROM messages AS m
    WHERE m.purpose = 'survey'
),
replies AS
(
    SELECT DISTINCT a.message_id AS message_id
    FROM asked AS a
    INNER JOIN surveys AS s ON s.account_id = a.account_id
    WHERE s.event_time > a.sent_time AND s.event_time <= a.until
)
SELECT
    toStartOfMonth(toDate(a.sent_time, assumeNotNull((SELECT g.time_zone FROM program AS g)))) AS month,
    a.campaign_id AS campaign_id,
    a.channel AS channel,
    a.is_simulated AS is_simulated,
    countIf(a.until <= (SELECT t.time FROM as_of AS t)) AS sent,
    count() - sent AS open,
    countIf(r.message_id != '' AND a.until <= (SELECT t.time FROM as_of AS t)) AS answered,
    answered / nullIf(sent, 0) AS response_rate,
    if(sent = 0, NULL, greatest((answered + z * z / 2) / (sent + z * z) - z * sqrt((answered + z * z / 2) / (sent + z * z) * (1 - (answered + z * z / 2) / (sent + z * z)) / (sent + z * z)), 0)) AS low,
    if(sent = 0, NULL, least((answered + z * z / 2) / (sent + z * z) + z * sqrt((answered + z * z / 2) / (sent + z * z) * (1 - (answered + z * z / 2) / (sent + z * z)) / (sent + z * z)), 1)) AS high
FROM asked AS a
LEFT JOIN replies AS r ON r.message_id = a.message_id
GROUP BY month, a.campaign_id, a.channel, a.is_simulated
SETTINGS join_use_nulls = 0
COMMENT 'Of the surveys that campaigns sent, how many were answered. Base: survey messages older than 14 days. Unit: messages. Source: messages, surveys'

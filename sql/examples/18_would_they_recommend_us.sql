-- Would our customers recommend us, and are we getting better?
--
-- Answer:
--   month         month of the answer
--   is_simulated  simulated answers
--   answers       answers to the NPS question
--   promoters     answers of 9 and 10
--   passives      answers of 7 and 8
--   detractors    answers of 0 to 6
--   nps           100 × (promoters - detractors) / answers
--   low           lower end of its 95 % interval (adjusted Wald)
--   high          upper end
--
-- Mind: Those who answer, not all customers. Below some hundred answers the interval is wider than most changes from month
--       to month.
WITH months AS
(
    SELECT
        toStartOfMonth(toTimeZone(s.event_time, (SELECT p.time_zone FROM program AS p))) AS month,
        s.is_simulated AS is_simulated,
        count() AS answers,
        countIf(s.score >= 9) AS promoters,
        countIf(s.score IN (7, 8)) AS passives,
        countIf(s.score <= 6) AS detractors,
        (toInt64(promoters) - toInt64(detractors)) / (answers + 3) AS middle,
        1.959964 * sqrt(((promoters + detractors + 1.5) / (answers + 3) - middle * middle) / (answers + 3)) AS half
    FROM surveys AS s
    WHERE s.kind = 'nps'
    GROUP BY month, s.is_simulated
)
SELECT
    m.month AS month,
    m.is_simulated AS is_simulated,
    m.answers AS answers,
    m.promoters AS promoters,
    m.passives AS passives,
    m.detractors AS detractors,
    round(100 * (toInt64(m.promoters) - toInt64(m.detractors)) / m.answers, 1) AS nps,
    round(greatest(-100, 100 * (m.middle - m.half)), 1) AS low,
    round(least(100, 100 * (m.middle + m.half)), 1) AS high
FROM months AS m
ORDER BY month, is_simulated;

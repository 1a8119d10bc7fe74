-- Which rules give the most points, and how often?
--
-- Answer:
--   kind          earning, multiplier or enrolment
--   rule_id       rule, as the program names it
--   is_simulated  caused by simulated events
--   times         times it fired
--   points        points that it gave
--   points_each   points each time
--
-- Mind: A multiplier's points are those of the decisions it took part in, which the earning rule counts too: do not add
--       the kinds up. Before refunds. Rules that never fired are missing.
SELECT
    r.kind AS kind,
    r.rule_id AS rule_id,
    r.is_simulated AS is_simulated,
    r.times AS times,
    r.points AS points,
    round(r.points / r.times, 1) AS points_each
FROM rules_fired AS r
ORDER BY r.kind, r.points DESC, r.rule_id, r.is_simulated;

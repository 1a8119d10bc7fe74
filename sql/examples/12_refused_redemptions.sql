-- How often do we turn down members who want to spend points, and why?
--
-- Answer:
--   reason        why; empty: the points were spent
--   is_simulated  asked for by simulated events
--   requests      requests, each counted once
--   share         part of all requests of the kind, 0-1
--   points        points asked for
--   customers     customers who asked
--
-- Mind: The same request sent twice is one. A refusal may be followed by a smaller request that is accepted.
SELECT
    r.reason AS reason,
    r.is_simulated AS is_simulated,
    count() AS requests,
    round(count() / sum(count()) OVER (PARTITION BY r.is_simulated), 4) AS share,
    sum(r.points) AS points,
    uniqExact(r.account_id) AS customers
FROM redemptions AS r
GROUP BY r.reason, r.is_simulated
ORDER BY r.is_simulated, requests DESC, reason;

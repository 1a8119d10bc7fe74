-- segment_sizes: how many customers are in each segment now.
--
-- Meaning: customers whose newest change of the segment is entered; members_share = members / customers of the same kind.
-- Base:    identified customers; simulated customers apart; a segment that nobody ever entered, or that was removed, is missing.
-- Unit:    customers; share 0-1; as of the newest tick (leaving by time alone has happened by then).
-- Source:  segment_changes, customers.
CREATE OR REPLACE VIEW segment_sizes
(
    segment_id String COMMENT 'Segment: name of its file',
    is_simulated Bool COMMENT 'Simulated customers; otherwise real ones',
    members UInt64 COMMENT 'Customers in the segment now',
    members_share Float64 COMMENT 'Share of all customers of the same kind, 0-1',
    version String COMMENT 'Content hash of the segment''s file, as of the newest change',
    newest_change DateTime64(3, 'UTC') COMMENT 'Clock of the newest change, UTC'
)
AS WITH newest AS
(
    SELECT
        c.account_id AS account_id,
        c.segment_id AS segment_id,
        argMax(c.change, (c.sequence, c.index)) AS change,
        argMax(c.version, (c.sequence, c.index)) AS version,
        max(c.entry_time) AS entry_time
    FROM segment_changes AS c
    GROUP BY account_id, segment_id
),
kinds AS
(
    SELECT k.customer_id AS customer_id, k.is_simulated AS is_simulated, count() OVER (PARTITION BY k.is_simulated) AS customers
    FROM customers AS k
)
SELECT
    n.segment_id AS segment_id,
    k.is_simulated AS is_simulated,
    countIf(n.change = 'entered') AS members,
    members / max(k.customers) AS members_share,
    argMax(n.version, n.entry_time) AS version,
    max(n.entry_time) AS newest_change
FROM newest AS n
INNER JOIN kinds AS k ON k.customer_id = n.account_id
GROUP BY n.segment_id, k.is_simulated
HAVING version != ''
COMMENT 'How many customers are in each segment now. Base: identified customers. Unit: customers. Source: segment_changes';

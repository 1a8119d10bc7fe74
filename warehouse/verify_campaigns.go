package warehouse

import "context"

// VerifyCampaigns is Verify for topic campaign-log: upTo are its own sequences
// (sink.WaitForCampaigns).
//
// Checked: entries are dense from 1, each there once; each decision and message is
// there once; each message has its decision to send, of the same run, customer and
// campaign, and each such decision its message; a run ends once, and nothing comes
// after; the ledger was taken in order, from where it says (as far as ClickHouse
// has the ledger).
func (w *Warehouse) VerifyCampaigns(ctx context.Context, upTo map[int32]int64) ([]Finding, error) {
	v := &verifier{w: w, upTo: upTo, within: within(upTo)}
	return v.run(ctx, v.campaignEntries, v.campaignFacts, v.messages, v.runs, v.ledgerOrder, v.ledgerEntries)
}

// CampaignDigests is Digests for topic campaign-log.
func (w *Warehouse) CampaignDigests(ctx context.Context, upTo map[int32]int64) (map[int32]uint64, error) {
	return w.digests(ctx, "campaign_entries", upTo)
}

func (v *verifier) campaignEntries(ctx context.Context) error {
	return v.dense(ctx, "campaign_entries")
}

func (v *verifier) campaignFacts(ctx context.Context) error {
	if err := v.eachOnce(ctx, "campaign_log", "campaign_entries", "JSONHas(value, 'decision')"); err != nil {
		return err
	}
	return v.eachOnce(ctx, "messages", "campaign_entries", "JSONHas(value, 'message')")
}

func (v *verifier) messages(ctx context.Context) error {
	return v.list(ctx, "each message has its decision to send", "messages", `SELECT concat('partition ', toString(p), ', entry ', toString(s), ', run ', any(r), ', customer ', any(a), ', campaign ', any(c), ': ', toString(sum(sent)), ' decisions to send, ', toString(sum(messages)), ' messages')
		FROM (
			SELECT partition AS p, sequence AS s, run_id AS r, account_id AS a, toString(campaign_id) AS c, 1 AS sent, 0 AS messages FROM campaign_log WHERE outcome = 'sent' AND `+v.within+`
			UNION ALL
			SELECT partition, sequence, message_id, account_id, toString(campaign_id), 0, 1 FROM messages WHERE `+v.within+`
		) GROUP BY p, s, r, a, c HAVING sum(sent) != 1 OR sum(messages) != 1`)
}

func (v *verifier) runs(ctx context.Context) error {
	return v.list(ctx, "a run ends once", "campaign_log", `SELECT concat('run ', run_id, ': ends ', toString(countIf(outcome != 'postponed')), ' times, the first time in entry ', toString(minIf(sequence, outcome != 'postponed')), ', newest entry ', toString(max(sequence)), ', customers ', toString(uniqExact(account_id)))
		FROM campaign_log WHERE `+v.within+` GROUP BY run_id
		HAVING uniqExact(account_id) != 1 OR uniqExact(partition) != 1 OR countIf(outcome != 'postponed') > 1 OR (countIf(outcome != 'postponed') = 1 AND minIf(sequence, outcome != 'postponed') != max(sequence))`)
}

// ledgerOrder: entries go by the ledger's. A takeover takes none.
func (v *verifier) ledgerOrder(ctx context.Context) error {
	return v.list(ctx, "the ledger in order", "campaign_entries", `SELECT concat('partition ', toString(partition), ', entry ', toString(sequence), ': took ledger entry ', toString(ledger_sequence), ' after ', toString(was))
		FROM (
			SELECT partition, sequence, ledger_sequence, lagInFrame(ledger_sequence) OVER (PARTITION BY partition ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS was
			FROM campaign_entries WHERE kind != 'takeover' AND `+v.within+`
		) WHERE ledger_sequence < was`)
}

func (v *verifier) ledgerEntries(ctx context.Context) error {
	return v.list(ctx, "took the ledger entry that it says", "campaign_entries", `SELECT concat('partition ', toString(c.partition), ', entry ', toString(c.sequence), ': took offset ', toString(c.source_offset), ', ledger entry ', toString(c.ledger_sequence), ' is at ', toString(e.ledger_offset))
		FROM (
			SELECT partition, sequence, source_offset, ledger_sequence FROM campaign_entries
			WHERE kind != 'takeover' AND `+v.within+` AND (partition, ledger_sequence) IN (SELECT partition, sequence FROM entries)
		) AS c
		INNER JOIN (SELECT partition, sequence, ledger_offset FROM entries) AS e ON e.partition = c.partition AND e.sequence = c.ledger_sequence
		WHERE e.ledger_offset != c.source_offset`)
}

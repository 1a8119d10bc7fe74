package event

// Append encodes the campaign entry as JSON after dst.
func (e *CampaignEntry) Append(dst []byte) []byte {
	o := open(dst)
	o.int("v", Version)
	o.int("partition", int64(e.Partition))
	o.int("sequence", e.Sequence)
	o.int("source_offset", e.SourceOffset)
	o.int("source_index", int64(e.SourceIndex))
	o.int("semantics", int64(e.Semantics))
	o.strOpt("bundle_id", e.BundleID)
	o.strOpt("customer_id", e.CustomerID)
	o.str("kind", string(e.Kind))
	o.int("ledger_sequence", e.LedgerSequence)
	o.time("event_time", e.EventTime)
	o.time("entry_time", e.EntryTime)
	o.boolOpt("is_history", e.IsHistory)
	o.boolOpt("is_simulated", e.IsSimulated)
	valueOpt(&o, "decision", e.Decision, appendCampaignDecision)
	valueOpt(&o, "message", e.Message, appendMessage)
	valueOpt(&o, "tick", e.Tick, appendTickFact)
	return o.close()
}

func appendCampaignDecision(dst []byte, d *CampaignDecision) []byte {
	o := open(dst)
	o.str("campaign_id", d.CampaignID)
	o.str("version", d.Version)
	o.str("run_id", d.RunID)
	o.str("trigger", d.Trigger)
	o.strOpt("detail", d.Detail)
	o.time("trigger_time", d.TriggerTime)
	o.key("cause")
	o.b = appendCause(o.b, &d.Cause)
	o.str("outcome", string(d.Outcome))
	o.strOpt("reason", d.Reason)
	o.timeOpt("until", d.Until)
	o.strOpt("arm", d.Arm)
	o.str("channel", d.Channel)
	o.str("purpose", d.Purpose)
	return o.close()
}

func appendMessage(dst []byte, m *Message) []byte {
	o := open(dst)
	m.fields(&o)
	return o.close()
}

func (m *Message) fields(o *object) {
	o.str("message_id", m.MessageID)
	o.str("customer_id", m.CustomerID)
	o.str("campaign_id", m.CampaignID)
	o.str("version", m.Version)
	o.str("arm", m.Arm)
	o.str("channel", m.Channel)
	o.str("purpose", m.Purpose)
	o.str("template", m.Template)
	o.strOpt("locale", m.Locale)
	o.stringMapOpt("variables", m.Variables)
	o.strOpt("subject", m.Subject)
	o.str("text", m.Text)
	o.str("trigger", m.Trigger)
	o.strOpt("detail", m.Detail)
	o.key("cause")
	o.b = appendCause(o.b, &m.Cause)
	o.time("not_before", m.NotBefore)
	o.time("expires_time", m.ExpiresTime)
	o.boolOpt("is_simulated", m.IsSimulated)
}

// AppendCampaignMessage encodes the value of topic campaigns.<channel>.
func (m *Message) AppendCampaignMessage(dst []byte, partition int32, sequence int64, entryTime Time) []byte {
	o := open(dst)
	o.int("v", Version)
	o.int("partition", int64(partition))
	o.int("sequence", sequence)
	o.time("entry_time", entryTime)
	m.fields(&o)
	return o.close()
}

// Append encodes the value of topic segments.
func (r *SegmentRecord) Append(dst []byte) []byte {
	o := open(dst)
	o.int("v", Version)
	o.int("partition", int64(r.Partition))
	o.int("sequence", r.Sequence)
	o.str("customer_id", r.CustomerID)
	o.time("event_time", r.EventTime)
	o.time("entry_time", r.EntryTime)
	o.strOpt("cause_id", r.CauseID)
	o.boolOpt("is_history", r.IsHistory)
	o.boolOpt("is_simulated", r.IsSimulated)
	o.str("segment_id", r.SegmentID)
	o.str("version", r.Version)
	o.str("change", r.Change)
	o.str("clause", r.Clause)
	o.str("cause", r.Cause)
	return o.close()
}

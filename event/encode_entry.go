package event

import "strconv"

// Append encodes the entry as JSON after dst.
func (e *Entry) Append(dst []byte) []byte {
	o := open(dst)
	o.int("v", Version)
	o.int("partition", int64(e.Partition))
	o.int("sequence", e.Sequence)
	o.int("source_offset", e.SourceOffset)
	o.int("source_index", int64(e.SourceIndex))
	o.int("semantics", int64(e.Semantics))
	o.strOpt("bundle_id", e.BundleID)
	o.strOpt("account_id", e.AccountID)
	o.str("kind", string(e.Kind))
	o.str("outcome", string(e.Outcome))
	o.strOpt("reason", e.Reason)
	o.key("cause")
	o.b = appendCause(o.b, &e.Cause)
	o.time("event_time", e.EventTime)
	o.time("entry_time", e.EntryTime)
	o.boolOpt("is_history", e.IsHistory)
	o.boolOpt("is_simulated", e.IsSimulated)
	o.boolOpt("answer", e.Answer)
	valueOpt(&o, "enrolment", e.Enrolment, appendEnrolment)
	valueOpt(&o, "order", e.Order, appendOrderFact)
	valueOpt(&o, "refund", e.Refund, appendRefundFact)
	valueOpt(&o, "survey", e.Survey, appendSurvey)
	valueOpt(&o, "redemption", e.Redemption, appendRedemption)
	listOpt(&o, "decisions", e.Decisions, appendDecision)
	listOpt(&o, "postings", e.Postings, appendPosting)
	valueOpt(&o, "tier", e.Tier, appendTierChange)
	valueOpt(&o, "scores", e.Scores, appendScoreChange)
	listOpt(&o, "commands", e.Commands, appendCommand)
	listOpt(&o, "facts", e.Facts, appendFactChange)
	o.rawMapOpt("properties", e.Properties)
	listOpt(&o, "segments", e.Segments, appendSegmentChange)
	valueOpt(&o, "standing", e.Standing, appendStanding)
	valueOpt(&o, "tick", e.Tick, appendTickFact)
	valueOpt(&o, "counts", e.Counts, appendCounts)
	valueOpt(&o, "control", e.Control, appendControlFact)
	return o.close()
}

func appendCause(dst []byte, c *Cause) []byte {
	o := open(dst)
	o.str("type", string(c.Type))
	o.strOpt("name", c.Name)
	o.strOpt("id", c.ID)
	return o.close()
}

func appendEnrolment(dst []byte, v *Enrolment) []byte {
	o := open(dst)
	o.str("rule_id", v.RuleID)
	return o.close()
}

func (o *object) line(l *OrderLine) {
	o.str("product_id", l.ProductID)
	o.strOpt("name", l.Name)
	o.strOpt("category", l.Category)
	o.strOpt("brand", l.Brand)
	o.int("quantity", l.Quantity)
	o.int("amount_minor", l.AmountMinor)
}

func appendLineFact(dst []byte, l *LineFact) []byte {
	o := open(dst)
	o.line(&l.OrderLine)
	o.boolOpt("excluded", l.Excluded)
	return o.close()
}

func appendOrderFact(dst []byte, f *OrderFact) []byte {
	o := open(dst)
	o.str("order_id", f.OrderID)
	o.str("currency", f.Currency)
	o.intOpt("number", f.Number)
	listOpt(&o, "lines", f.Lines, appendLineFact)
	o.intOpt("discount_minor", f.DiscountMinor)
	o.intOpt("shipping_minor", f.ShippingMinor)
	o.intOpt("tax_minor", f.TaxMinor)
	o.int("net_minor", f.NetMinor)
	o.int("base_minor", f.BaseMinor)
	o.strOpt("channel", f.Channel)
	o.strOpt("country", f.Country)
	return o.close()
}

func appendRefundLine(dst []byte, l *RefundLine) []byte {
	o := open(dst)
	o.line(&l.OrderLine)
	o.str("match", string(l.Match))
	o.intOpt("matched_quantity", l.MatchedQuantity)
	o.intOpt("matched_minor", l.MatchedMinor)
	return o.close()
}

func appendAllocation(dst []byte, a *Allocation) []byte {
	o := open(dst)
	o.str("order_id", a.OrderID)
	o.int("line", int64(a.Line))
	o.intOpt("quantity", a.Quantity)
	o.int("amount_minor", a.AmountMinor)
	o.intOpt("points_reversed", a.PointsReversed)
	o.boolOpt("wholly", a.Wholly)
	return o.close()
}

func appendRefundFact(dst []byte, f *RefundFact) []byte {
	o := open(dst)
	o.str("refund_id", f.RefundID)
	o.strOpt("order_id", f.OrderID)
	o.str("currency", f.Currency)
	o.int("net_minor", f.NetMinor)
	o.int("matched_minor", f.MatchedMinor)
	listOpt(&o, "lines", f.Lines, appendRefundLine)
	listOpt(&o, "allocations", f.Allocations, appendAllocation)
	return o.close()
}

func appendSurvey(dst []byte, s *Survey) []byte {
	o := open(dst)
	o.strOpt("survey_id", s.SurveyID)
	o.str("kind", s.Kind)
	o.int("score", s.Score)
	o.strOpt("order_id", s.OrderID)
	return o.close()
}

func appendRedemption(dst []byte, r *Redemption) []byte {
	o := open(dst)
	o.str("redemption_id", r.RedemptionID)
	o.int("points", r.Points)
	o.strOpt("order_id", r.OrderID)
	o.bool("accepted", r.Accepted)
	o.int("balance", r.Balance)
	return o.close()
}

func appendDecision(dst []byte, d *Decision) []byte {
	o := open(dst)
	o.str("rule_id", d.RuleID)
	o.int("points", d.Points)
	o.intOpt("base_minor", d.BaseMinor)
	o.intOpt("percent", d.Percent)
	listOpt(&o, "multipliers", d.Multipliers, appendStringValue)
	o.strOpt("reason", d.Reason)
	return o.close()
}

func appendPosting(dst []byte, p *Posting) []byte {
	o := open(dst)
	o.str("account", p.Account)
	o.str("wallet", p.Wallet)
	o.int("points", p.Points)
	o.strOpt("lot_id", p.LotID)
	o.dayOpt("expires_on", p.ExpiresOn)
	o.str("reason", p.Reason)
	o.strOpt("rule_id", p.RuleID)
	o.strOpt("order_id", p.OrderID)
	return o.close()
}

func appendTierChange(dst []byte, t *TierChange) []byte {
	o := open(dst)
	o.str("from", t.From)
	o.str("to", t.To)
	o.str("reason", t.Reason)
	o.int("spend_minor", t.SpendMinor)
	return o.close()
}

func appendScores(dst []byte, s *Scores) []byte {
	o := open(dst)
	o.int("r", int64(s.R))
	o.int("f", int64(s.F))
	o.int("m", int64(s.M))
	return o.close()
}

func appendScoreChange(dst []byte, s *ScoreChange) []byte {
	o := open(dst)
	o.key("from")
	o.b = appendScores(o.b, &s.From)
	o.key("to")
	o.b = appendScores(o.b, &s.To)
	o.dayOpt("cut_points_day", s.Day)
	o.str("reason", s.Reason)
	return o.close()
}

func appendCommand(dst []byte, c *Command) []byte {
	o := open(dst)
	o.int("from", int64(c.From))
	o.int("to", int64(c.To))
	o.int("n", c.N)
	o.str("account_id", c.AccountID)
	o.str("name", c.Name)
	o.str("root_id", c.RootID)
	o.int("hops", int64(c.Hops))
	o.intOpt("points", c.Points)
	return o.close()
}

func appendStanding(dst []byte, s *Standing) []byte {
	o := open(dst)
	s.fields(&o)
	return o.close()
}

func (s *Standing) fields(o *object) {
	o.str("customer_id", s.CustomerID)
	o.bool("member", s.Member)
	o.timeOpt("enrolled_time", s.EnrolledTime)
	o.int("balance", s.Balance)
	o.dayOpt("next_expiry_on", s.NextExpiryOn)
	o.intOpt("next_expiry_points", s.NextExpiryPoints)
	o.strOpt("tier", s.Tier)
	o.timeOpt("tier_since", s.TierSince)
	o.dayOpt("tier_review_on", s.TierReviewOn)
	o.int("tier_spend_minor", s.TierSpendMinor)
	o.intOpt("tier_lacking_minor", s.TierLackingMinor)
	o.key("scores")
	o.b = appendScores(o.b, &s.Scores)
	o.int("orders", s.Orders)
	o.int("net_spend_minor", s.NetSpendMinor)
	o.int("window_orders", s.WindowOrders)
	o.int("window_net_spend_minor", s.WindowNetSpendMinor)
	o.strOpt("currency", s.Currency)
	o.timeOpt("first_order_time", s.FirstOrderTime)
	o.timeOpt("last_order_time", s.LastOrderTime)
	listOpt(o, "segments", s.Segments, appendStringValue)
	o.boolOpt("is_simulated", s.IsSimulated)
}

// AppendCustomer encodes the value of topic customers: "v", the position that it
// is of, and the standing.
func (s *Standing) AppendCustomer(dst []byte, partition int32, sequence int64, entryTime Time) []byte {
	o := open(dst)
	o.int("v", Version)
	o.int("partition", int64(partition))
	o.int("sequence", sequence)
	o.time("entry_time", entryTime)
	s.fields(&o)
	return o.close()
}

func appendStringValue(dst []byte, s *string) []byte { return appendString(dst, *s) }

func appendFactChange(dst []byte, f *FactChange) []byte {
	o := open(dst)
	o.str("name", f.Name)
	o.raw("value", f.Value)
	return o.close()
}

func appendSegmentChange(dst []byte, c *SegmentChange) []byte {
	o := open(dst)
	o.str("segment_id", c.SegmentID)
	o.str("version", c.Version)
	o.str("change", c.Change)
	o.str("clause", c.Clause)
	o.str("cause", c.Cause)
	return o.close()
}

func appendTickFact(dst []byte, t *TickFact) []byte {
	o := open(dst)
	o.int("slice", t.Slice)
	o.int("fired", t.Fired)
	o.bool("more_due", t.MoreDue)
	return o.close()
}

func appendCount(dst []byte, c *Count) []byte {
	o := open(dst)
	o.int("value", c.Value)
	o.int("customers", c.Customers)
	return o.close()
}

func appendCounts(dst []byte, c *Counts) []byte {
	o := open(dst)
	o.str("day", c.Day.String())
	o.int("minimum_customers", c.MinimumCustomers)
	o.key("last_order_days")
	o.b = appendList(o.b, c.LastOrder, appendCount)
	o.key("orders_counts")
	o.b = appendList(o.b, c.Orders, appendCount)
	o.key("spend_log_minors")
	o.b = appendList(o.b, c.SpendBucket, appendCount)
	return o.close()
}

func appendFour(dst []byte, v *[4]int64) []byte {
	return appendList(dst, v[:], func(dst []byte, n *int64) []byte { return strconv.AppendInt(dst, *n, 10) })
}

func appendCutPoints(dst []byte, c *CutPoints) []byte {
	o := open(dst)
	o.str("day", c.Day.String())
	o.int("customers", c.Customers)
	o.boolOpt("fixed", c.Fixed)
	o.key("recency_days_x5")
	o.b = appendFour(o.b, &c.RecencyDays5)
	o.key("orders_count_x5")
	o.b = appendFour(o.b, &c.OrdersCount5)
	o.key("spend_minor_x5")
	o.b = appendFour(o.b, &c.SpendMinor5)
	return o.close()
}

func appendControlFact(dst []byte, c *ControlFact) []byte {
	o := open(dst)
	o.strOpt("bundle_id", c.BundleID)
	o.timeOpt("effective_from", c.EffectiveFrom)
	valueOpt(&o, "cut_points", c.CutPoints, appendCutPoints)
	o.strOpt("history_source", c.HistorySource)
	o.boolOpt("late", c.Late)
	o.stringMapOpt("files", c.Files)
	return o.close()
}

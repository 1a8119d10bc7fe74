package sink

import (
	"time"

	"github.com/punchcard/punchcard/event"
)

// date is a day as ClickHouse's Date32 wants it.
func date(d event.Day) time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

type pointRows struct {
	rows
	account, wallet, reason, ruleID, lotID, orderID []string
	points                                          []int64
	expiresOn                                       []time.Time
}

func (t *pointRows) add(e *event.Entry) {
	for i := range e.Postings {
		p := &e.Postings[i]
		t.key(e, i)
		t.account = append(t.account, p.Account)
		t.wallet = append(t.wallet, p.Wallet)
		t.reason = append(t.reason, p.Reason)
		t.ruleID = append(t.ruleID, p.RuleID)
		t.lotID = append(t.lotID, p.LotID)
		t.orderID = append(t.orderID, p.OrderID)
		t.points = append(t.points, p.Points)
		t.expiresOn = append(t.expiresOn, date(p.ExpiresOn))
	}
}

func (t *pointRows) take() block {
	return t.block(
		column{Name: "account", Values: t.account},
		column{Name: "wallet", Values: t.wallet},
		column{Name: "reason", Values: t.reason},
		column{Name: "rule_id", Values: t.ruleID},
		column{Name: "lot_id", Values: t.lotID},
		column{Name: "order_id", Values: t.orderID},
		column{Name: "points", Values: t.points},
		column{Name: "expires_on", Values: t.expiresOn},
	)
}

type decisionRows struct {
	rows
	ruleID, reason           []string
	points, baseAmt, percent []int64
	multipliers              [][]string
}

func (t *decisionRows) add(e *event.Entry) {
	for i := range e.Decisions {
		d := &e.Decisions[i]
		t.key(e, i)
		t.ruleID = append(t.ruleID, d.RuleID)
		t.reason = append(t.reason, d.Reason)
		t.points = append(t.points, d.Points)
		t.baseAmt = append(t.baseAmt, d.BaseMinor)
		t.percent = append(t.percent, d.Percent)
		t.multipliers = append(t.multipliers, d.Multipliers)
	}
}

func (t *decisionRows) take() block {
	return t.block(
		column{Name: "rule_id", Values: t.ruleID},
		column{Name: "reason", Values: t.reason},
		column{Name: "points", Values: t.points},
		column{Name: "base_minor", Values: t.baseAmt},
		column{Name: "percent", Values: t.percent},
		column{Name: "multipliers", Values: t.multipliers},
	)
}

type redemptionRows struct {
	rows
	redemptionID, orderID, reason []string
	isAccepted                    []bool
	points, balance               []int64
}

func (t *redemptionRows) add(e *event.Entry) {
	r := e.Redemption
	t.key(e, 0)
	t.redemptionID = append(t.redemptionID, r.RedemptionID)
	t.orderID = append(t.orderID, r.OrderID)
	t.reason = append(t.reason, e.Reason)
	t.isAccepted = append(t.isAccepted, r.Accepted)
	t.points = append(t.points, r.Points)
	t.balance = append(t.balance, r.Balance)
}

func (t *redemptionRows) take() block {
	return t.block(
		column{Name: "redemption_id", Values: t.redemptionID},
		column{Name: "order_id", Values: t.orderID},
		column{Name: "reason", Values: t.reason},
		column{Name: "is_accepted", Values: t.isAccepted},
		column{Name: "points", Values: t.points},
		column{Name: "balance", Values: t.balance},
	)
}

type tierRows struct {
	rows
	money
	from, to, reason []string
	spend            []int64
}

func (t *tierRows) add(e *event.Entry) {
	t.key(e, 0)
	currency := ""
	if e.Standing != nil {
		currency = e.Standing.Currency
	}
	t.money.add(currency)
	t.from = append(t.from, e.Tier.From)
	t.to = append(t.to, e.Tier.To)
	t.reason = append(t.reason, e.Tier.Reason)
	t.spend = append(t.spend, e.Tier.SpendMinor)
}

func (t *tierRows) take() block {
	return t.block(t.columns(
		column{Name: "from_tier", Values: t.from},
		column{Name: "to_tier", Values: t.to},
		column{Name: "reason", Values: t.reason},
		column{Name: "spend_minor", Values: t.spend},
	)...)
}

// scores are three columns.
type scores struct{ r, f, m []int8 }

func (s *scores) add(v event.Scores) {
	s.r, s.f, s.m = append(s.r, v.R), append(s.f, v.F), append(s.m, v.M)
}

type scoreRows struct {
	rows
	from, to scores
	day      []time.Time
	reason   []string
}

func (t *scoreRows) add(e *event.Entry) {
	t.key(e, 0)
	t.from.add(e.Scores.From)
	t.to.add(e.Scores.To)
	t.day = append(t.day, date(e.Scores.Day))
	t.reason = append(t.reason, e.Scores.Reason)
}

func (t *scoreRows) take() block {
	return t.block(
		column{Name: "from_r", Values: t.from.r}, column{Name: "from_f", Values: t.from.f}, column{Name: "from_m", Values: t.from.m},
		column{Name: "to_r", Values: t.to.r}, column{Name: "to_f", Values: t.to.f}, column{Name: "to_m", Values: t.to.m},
		column{Name: "cut_points_day", Values: t.day},
		column{Name: "reason", Values: t.reason},
	)
}

type surveyRows struct {
	rows
	surveyID, kind, orderID []string
	score                   []int64
}

func (t *surveyRows) add(e *event.Entry) {
	t.key(e, 0)
	t.surveyID = append(t.surveyID, e.Survey.SurveyID)
	t.kind = append(t.kind, e.Survey.Kind)
	t.orderID = append(t.orderID, e.Survey.OrderID)
	t.score = append(t.score, e.Survey.Score)
}

func (t *surveyRows) take() block {
	return t.block(
		column{Name: "survey_id", Values: t.surveyID},
		column{Name: "kind", Values: t.kind},
		column{Name: "order_id", Values: t.orderID},
		column{Name: "score", Values: t.score},
	)
}

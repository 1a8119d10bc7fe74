package page

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/punchcard/punchcard/event"
)

func cannedTables(name string) Result {
	switch name {
	case "segments":
		return Result{Columns: columns("segment", "LowCardinality(String)", "customers", "UInt64"), Rows: [][]any{
			{"champions", uint64(612)}, {"loyal", uint64(488)}, {"about-to-lapse", uint64(871)}, {"one-order-only", uint64(1493)}, {"gold-at-risk", uint64(64)}, {"big-spenders", uint64(219)}, {"wants-email", uint64(2890)},
		}}
	case "held":
		return Result{Columns: columns("reason", "String", "runs", "UInt64"), Rows: [][]any{
			{"campaign holdout", uint64(412)}, {"no consent", uint64(389)}, {"capped", uint64(260)}, {"global holdout", uint64(147)}, {"quiet hours ran out", uint64(61)}, {"not in audience any more", uint64(33)},
		}}
	case "channels":
		return Result{Columns: columns("channel", "String", "revenue", "Decimal(18, 2)"), Rows: [][]any{{"web", 6_120_400.12}, {"shop", 1_910_233.40}, {"app", 812_004.50}}}
	case "funnel":
		res := Result{Columns: columns("campaign", "String", "sent", "UInt64", "delivered", "UInt64", "opened", "UInt64", "clicked", "UInt64", "converted", "UInt64")}
		for i, c := range []string{"welcome", "second-order", "win-back", "gold-reached", "birthday"} {
			n := float64(2400 - 380*i)
			res.Rows = append(res.Rows, []any{c, uint64(n), uint64(n * .96), uint64(n * (.44 - .03*float64(i))), uint64(n * .12), uint64(n * .05)})
		}
		return res
	case "cohorts":
		return cannedCohorts()
	case "rfm":
		res := Result{Columns: columns("recency", "String", "frequency", "String", "customers", "UInt64")}
		for r := 5; r >= 1; r-- {
			for f := 1; f <= 5; f++ {
				res.Rows = append(res.Rows, []any{fmt.Sprintf("R%d", r), fmt.Sprintf("F%d", f), uint64(30 + 60*math.Exp(-math.Pow(float64(r-f), 2)/3)*float64(1+r%3))})
			}
		}
		return res
	case "top":
		return cannedTop()
	case "model":
		return Result{Columns: columns("model", "String", "r", "Float64", "alpha", "Float64", "a", "Float64", "b", "Float64"), Rows: [][]any{{"BG/NBD", .2426, 4.414, .793, 2.426}}}
	case "slow":
		return Result{Columns: columns("p95", "Float64"), Rows: [][]any{{.184}}}
	}
	return Result{Columns: columns("nothing", "String")}
}

func cannedCohorts() Result {
	res := Result{Columns: columns("cohort", "Date", "age", "UInt8", "share", "Nullable(Float64)")}
	for c := range 13 {
		month := time.Date(2010, time.Month(12+c), 1, 0, 0, 0, 0, time.UTC)
		for age := range 13 {
			var share any
			if c+age < 13 {
				share = .38*math.Exp(-float64(age)/9) - .008*float64(c) + .02*math.Sin(float64(c*7+age*3))
				if age == 0 {
					share = 1.0
				}
			}
			res.Rows = append(res.Rows, []any{month, uint8(age), share})
		}
	}
	return res
}

func cannedTop() Result {
	res := Result{Columns: columns("customer_id", "String", "tier", "LowCardinality(String)", "orders", "UInt64", "last_order", "DateTime64(3, 'UTC')", "spend", "Decimal(18, 2)", "expected", "Float64", "p_alive", "Nullable(Float64)")}
	for i := range 140 {
		var alive any = math.Round(1000*math.Abs(math.Cos(float64(i)*1.7))) / 1000
		if i%17 == 5 {
			alive = nil
		}
		res.Rows = append(res.Rows, []any{fmt.Sprint(12347 + 37*i), []string{"gold", "silver", "bronze"}[min(2, i/40)], uint64(74 - i/2), cannedNow.Add(-time.Duration(i*31) * time.Hour),
			math.Round(279_489*math.Exp(-float64(i)/22)*100) / 100, math.Round(140_210*math.Exp(-float64(i)/25)*(1+.2*math.Sin(float64(i)))*100) / 100, alive})
	}
	return res
}

// cannedEntries is the ledger of one customer: real amounts, made-up points.
func cannedEntries(id string) []event.Entry {
	at := func(s string) event.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return event.At(t)
	}
	order := func(seq int64, when, orderID string, number, minor, points int64, lot string, expires event.Day) event.Entry {
		return event.Entry{
			V: 1, Partition: 3, Sequence: seq, AccountID: id, Kind: event.KindEvent, Outcome: event.OutcomeApplied, Cause: event.Cause{Type: event.TypeTrack, Name: "Order Completed", ID: orderID}, EventTime: at(when), EntryTime: at(when),
			Order:     &event.OrderFact{OrderID: orderID, Currency: "GBP", Number: number, NetMinor: minor, BaseMinor: minor},
			Decisions: []event.Decision{{RuleID: "spend", Points: points, BaseMinor: minor, Percent: 100}},
			Postings: []event.Posting{
				{Account: event.AccountCustomer, Wallet: "points", Points: points, LotID: lot, ExpiresOn: expires, Reason: event.PostEarn, RuleID: "spend", OrderID: orderID},
				{Account: event.AccountEarned, Wallet: "points", Points: -points, Reason: event.PostEarn, RuleID: "spend", OrderID: orderID},
			},
		}
	}
	list := []event.Entry{
		order(11, "2010-12-07T14:57:00Z", "537626", 1, 71179, 711, "537626", event.DayOn(2011, 12, 7)),
		order(29, "2011-01-26T14:30:00Z", "542237", 2, 47539, 475, "542237", event.DayOn(2012, 1, 26)),
		order(64, "2011-04-07T10:43:00Z", "549222", 3, 63625, 954, "549222", event.DayOn(2012, 4, 7)),
		order(102, "2011-08-02T08:48:00Z", "562032", 4, 58491, 877, "562032", event.DayOn(2012, 8, 2)),
		order(140, "2011-10-31T12:25:00Z", "573511", 5, 129432, 1941, "573511", event.DayOn(2012, 10, 31)),
	}
	list[0].Enrolment = &event.Enrolment{RuleID: "first-order"}
	list[2].Tier = &event.TierChange{From: "bronze", To: "silver", Reason: "reached", SpendMinor: 182343}
	list[2].Standing = &event.Standing{Currency: "GBP"}
	list[2].Decisions[0].Percent, list[2].Decisions[0].Multipliers = 150, []string{"silver-bonus"}
	list[4].Scores = &event.ScoreChange{From: event.Scores{R: 3, F: 4, M: 4}, To: event.Scores{R: 5, F: 4, M: 5}, Reason: "order", Day: event.DayOn(2011, 10, 31)}
	list[4].Segments = []event.SegmentChange{{SegmentID: "champions", Change: event.SegmentEntered, Clause: "r >= 4 and f >= 4", Cause: event.SegmentByEvent}, {SegmentID: "about-to-lapse", Change: event.SegmentLeft, Clause: "days since last order > 60", Cause: event.SegmentByEvent}}
	spend := event.Entry{V: 1, Partition: 3, Sequence: 120, AccountID: id, Kind: event.KindEvent, Outcome: event.OutcomeApplied, EventTime: at("2011-09-14T17:02:00Z"), EntryTime: at("2011-09-14T17:02:00Z"), IsSimulated: true,
		Redemption: &event.Redemption{RedemptionID: "r-1", Points: 500, Accepted: true, Balance: 2517},
		Postings:   []event.Posting{{Account: event.AccountCustomer, Wallet: "points", Points: -500, LotID: "537626", Reason: event.PostSpend}, {Account: event.AccountSpent, Wallet: "points", Points: 500, Reason: event.PostSpend}}}
	survey := event.Entry{V: 1, Partition: 3, Sequence: 131, AccountID: id, Kind: event.KindEvent, Outcome: event.OutcomeApplied, EventTime: at("2011-09-21T09:30:00Z"), EntryTime: at("2011-09-21T09:30:00Z"), IsSimulated: true, Survey: &event.Survey{Kind: "nps", Score: 9}}
	expiry := event.Entry{V: 1, Partition: 3, Sequence: 160, AccountID: id, Kind: event.KindTimer, Outcome: event.OutcomeApplied, Cause: event.Cause{Type: event.TypeTick, Name: "lots_expire"}, EventTime: at("2011-12-08T00:00:00Z"), EntryTime: at("2011-12-08T00:00:00Z"),
		Postings: []event.Posting{{Account: event.AccountCustomer, Wallet: "points", Points: -211, LotID: "537626", ExpiresOn: event.DayOn(2011, 12, 7), Reason: event.PostExpire}, {Account: event.AccountExpired, Wallet: "points", Points: 211, Reason: event.PostExpire}}}
	return append(list, spend, survey, expiry)
}

func cannedCampaigns(id string) []event.CampaignEntry {
	sent := event.CampaignEntry{V: 1, Partition: 3, Sequence: 8, CustomerID: id, Kind: event.CampaignDecided, LedgerSequence: 140, EventTime: event.At(time.Date(2011, 11, 1, 9, 0, 0, 0, time.UTC)), EntryTime: event.At(time.Date(2011, 11, 1, 9, 0, 0, 0, time.UTC)), IsSimulated: true,
		Decision: &event.CampaignDecision{CampaignID: "champions-thanks", RunID: "x", Trigger: "enters", Detail: "champions", Outcome: event.CampaignSent, Arm: "warm", Channel: event.ChannelEmail, Purpose: "marketing"},
		Message:  &event.Message{CampaignID: "champions-thanks", CustomerID: id, Channel: event.ChannelEmail, Subject: "Thank you, from all of us", Text: "Hello {{first_name}}, you are one of 612 customers who make this shop what it is. 3,747 points wait for you."}}
	held := sent
	held.Sequence, held.LedgerSequence, held.Message = 3, 102, nil
	held.Decision = &event.CampaignDecision{CampaignID: "summer", RunID: "y", Trigger: "schedule", Outcome: event.CampaignHeld, Reason: event.HeldGlobalHoldout, Arm: event.ArmGlobalHoldout, Channel: event.ChannelSMS}
	held.EntryTime = event.At(time.Date(2011, 8, 3, 9, 0, 0, 0, time.UTC))
	return []event.CampaignEntry{sent, held}
}

func cannedStory(_ context.Context, id string) (*Story, error) {
	if id == "nobody" {
		return nil, ErrUnknownCustomer
	}
	standing := event.Standing{CustomerID: id, Member: true, EnrolledTime: event.At(time.Date(2010, 12, 7, 14, 57, 0, 0, time.UTC)), Balance: 4247, NextExpiryOn: event.DayOn(2012, 1, 26), NextExpiryPoints: 475,
		Tier: "silver", TierReviewOn: event.DayOn(2012, 4, 7), Scores: event.Scores{R: 5, F: 4, M: 5}, Orders: 5, NetSpendMinor: 370266, Currency: "GBP", Segments: []string{"champions", "wants-email", "big-spenders"},
		FirstOrderTime: event.At(time.Date(2010, 12, 7, 14, 57, 0, 0, time.UTC)), LastOrderTime: event.At(time.Date(2011, 10, 31, 12, 25, 0, 0, time.UTC))}
	return NewStory(standing, event.At(cannedNow), cannedEntries(id), cannedCampaigns(id), false), nil
}

func cannedProgram(context.Context) (*Program, error) {
	return &Program{Name: "Gift shop points", Version: "3f2a9c1d77e0b1", Since: event.At(time.Date(2010, 12, 1, 0, 0, 0, 0, time.UTC)), Currency: "GBP", TimeZone: "Europe/London",
		Rules:     "Gift shop points (version 3f2a)\nMoney in GBP, days and midnights of Europe/London, in force from the beginning.\n\nBecoming a member\n  first-order          at order number 1, which then earns\n\nEarning\n  spend                1 point for each 1.00 GBP of an order, fractions are cut off\n  review               20 points for each event \"Product Reviewed\", at most 2 a day\n  Nothing for the products POST, M; they count as spend.\n\nMultipliers of the points of orders\n  silver-bonus         times 1.50, for tier silver only\n  Of several at once the highest counts: 2 and 1.5 give 2.\n\nKeeping, spending, giving back\n  12 months after they were earned, at the end of the day, unused points expire.\n  The ones that expire first are spent first; at least 100 at once.\n\nTiers, by spend less refunds in the last 365 days\n  bronze               Bronze, from 0.00 GBP on\n  silver               Silver, from 1000.00 GBP on\n  gold                 Gold, from 5000.00 GBP on\n",
		Segments:  []Text{{"about-to-lapse", "About to lapse", "About to lapse (about-to-lapse, version 91ab)\n  Ordered more than once and was not seen for two months.\n  Who is in it:\n    all of these:\n      orders >= 2\n      days since last order > 60\n      not segment: gold-at-risk\n"}, {"champions", "Champions", "Champions (champions, version 77c1)\n  Who is in it:\n    r >= 4 and f >= 4\n"}},
		Campaigns: []Text{{"win-back", "Win back", "Win back (win-back, version 51c0)\nBrings those back who are about to lapse.\n  Starts    when a customer enters segment About to lapse.\n  Goes to   those with consent to e-mail.\n  Held out  10 % of them, to measure by.\n  When      not between 21:00 and 08:00.\n  Success   an order within 14 days, whoever opens it.\n"}},
	}, nil
}

// cannedFeed plays the canned customer's life over and over.
func cannedFeed(ctx context.Context) <-chan Item {
	out := make(chan Item)
	go func() {
		defer close(out)
		for n := int64(0); ; n++ {
			id := fmt.Sprint(12347 + n*13)
			s, _ := cannedStory(ctx, id)
			for i := len(s.Timeline) - 1; i >= 0; i-- {
				it := s.Timeline[i]
				it.ID = fmt.Sprintf("%s-%d", it.ID, n)
				select {
				case out <- it:
				case <-ctx.Done():
					return
				}
				select {
				case <-time.After(300 * time.Millisecond):
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

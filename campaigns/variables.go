package campaigns

import (
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// Values answers what a template's variable is for a customer as it stands at an
// instant; earned are the points of the entry that triggered the run. False: the
// variable has no value. Points and counts are digits, money is in major units
// (12.50), days are 2006-01-02.
func Values(b *program.Book, s *event.Standing, now event.Time, earned int64) func(name string) (value string, ok bool) {
	return func(name string) (string, bool) {
		if b == nil {
			return "", false
		}
		level := rank(b, s.Tier)
		switch name {
		case VarBalance:
			return count(s.Balance)
		case VarPointsName:
			return b.Wallet, b.Wallet != ""
		case VarProgram:
			return b.Name, b.Name != ""
		case VarMinimum:
			return count(b.Redemption.MinimumPoints)
		case VarOrders:
			return count(s.Orders)
		case VarEarned:
			return some(earned)
		case VarExpiring:
			return some(s.NextExpiryPoints)
		case VarExpiresOn:
			return s.NextExpiryOn.String(), s.NextExpiryOn != 0
		case VarDaysSinceLast:
			days := int64(event.DayOf(now, zoneOf(b)) - event.DayOf(s.LastOrderTime, zoneOf(b)))
			return strconv.FormatInt(max(days, 0), 10), s.LastOrderTime != 0
		case VarTier, VarNextTier, VarSpendToNext, VarSpendToKeep, VarTierReview:
			return tierValue(b, s, level, name)
		}
		return "", false
	}
}

func tierValue(b *program.Book, s *event.Standing, level int, name string) (string, bool) {
	levels := b.Tiers.Levels
	next := level + 1 // of who has no tier, the first one
	switch name {
	case VarTier:
		if level < 0 {
			return "", false
		}
		return levelName(&levels[level]), true
	case VarTierReview:
		return s.TierReviewOn.String(), s.TierReviewOn != 0
	case VarSpendToKeep:
		if level < 0 || s.TierReviewOn == 0 {
			return "", false
		}
		return major(s.TierLackingMinor, b.Currency), true
	}
	if !s.Member || next >= len(levels) {
		return "", false
	}
	if name == VarNextTier {
		return levelName(&levels[next]), true
	}
	return major(max(levels[next].SpendMinor-s.TierSpendMinor, 0), b.Currency), true
}

func levelName(l *program.TierLevel) string {
	if l.Name == "" {
		return l.ID
	}
	return l.Name
}

func count(n int64) (string, bool) { return strconv.FormatInt(n, 10), true }

func some(n int64) (string, bool) { return strconv.FormatInt(n, 10), n > 0 }

// major writes minor units of a currency as a decimal number.
func major(minor int64, currency string) string {
	digits := event.MinorDigits(currency)
	text := strconv.FormatInt(minor, 10)
	if digits == 0 {
		return text
	}
	if lack := digits + 1 - len(text); lack > 0 {
		text = strings.Repeat("0", lack) + text
	}
	return text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// Text picks the text of an arm for a customer's language: that very one, then the
// same language without its region, then the default.
func (a *Arm) Text(language string) *Text {
	base, _, _ := strings.Cut(strings.ReplaceAll(language, "_", "-"), "-")
	for _, want := range []string{language, base} {
		for i := range a.Texts {
			if want != "" && strings.EqualFold(a.Texts[i].Locale, want) {
				return &a.Texts[i]
			}
		}
	}
	return &a.Texts[0]
}

// render makes the message; false: a variable has no value, or the text is too long.
func (a *attempt) render() (*event.Message, bool) {
	c, r := a.c, a.run
	values := Values(a.plan.Book, &a.who.standing, a.now, r.earned)
	used := map[string]string{}
	vars := func(name string) (string, bool) {
		v, ok := values(name)
		if ok {
			used[name] = v
		}
		return v, ok
	}
	text := c.Arms[a.variant].Text(a.who.language)
	subject, missing := text.Subject.Render(vars)
	body, missingToo := text.Text.Render(vars)
	if missing != "" || missingToo != "" || len(subject) > MaxTextBytes || len(body) > MaxTextBytes {
		return nil, false
	}
	return &event.Message{
		MessageID: r.id, CustomerID: a.id, CampaignID: c.ID, Version: c.Version, Arm: r.arm, Channel: c.Channel, Purpose: string(c.Purpose),
		Template: c.Template, Locale: text.Locale, Variables: used, Subject: subject, Text: body,
		Trigger: string(r.trigger), Detail: r.detail, Cause: r.cause,
		NotBefore: a.now, ExpiresTime: a.now.Add(c.ExpireAfter), IsSimulated: r.simulated,
	}, true
}

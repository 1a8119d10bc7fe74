package program

import (
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// readRules reads the list earn.
func readRules(p rulefile.Place, b *Book) {
	items := p.Items(MaxRules)
	for _, item := range items {
		f, ok := item.Fields("id", "on", "event", "points", "per", "minimum", "round", "at_most", "tiers")
		if !ok {
			continue
		}
		r := Rule{ID: needID(f)}
		if w, ok := f.Need("on", "order, event or enrolment"); ok {
			switch w.Choice("order", "event", "enrolment") {
			case "order":
				r.Kind = RuleSpend
				readSpendRule(f, b, &r)
			case "event":
				r.Kind = RuleAction
				readActionRule(f, &r)
			case "enrolment":
				r.Kind = RuleSignUp
				onlyWith(f, "enrolment", "event", "per", "minimum", "round", "at_most", "tiers")
			}
		}
		if w, ok := f.Need("points", "how many, such as 25"); ok {
			r.Points = w.Integer(1, MaxRulePoints)
		}
		if w, ok := f.Get("tiers"); ok {
			r.Tiers = texts(w, MaxTiers)
		}
		b.Rules = append(b.Rules, r)
	}
	if items != nil && len(items) == 0 {
		p.Problem("add - {id: base, on: order, points: 1, per: 1.00}", "there is no way to earn")
	}
}

func readSpendRule(f rulefile.Fields, b *Book, r *Rule) {
	onlyWith(f, "order", "event", "at_most")
	r.Rounding = RoundDown
	if w, ok := f.Need("per", "the spend that earns the points once, such as 1.00"); ok {
		r.PerMinor = w.Money(b.Currency, 1)
	}
	if w, ok := f.Get("minimum"); ok {
		r.MinimumMinor = w.Money(b.Currency, 0)
	}
	if w, ok := f.Get("round"); ok {
		r.Rounding = Rounding(w.Choice(string(RoundDown), string(RoundHalfUp)))
	}
}

func readActionRule(f rulefile.Fields, r *Rule) {
	onlyWith(f, "event", "per", "minimum", "round")
	if w, ok := f.Need("event", "the event's name, such as Product Reviewed"); ok {
		switch r.Event = w.Text(); r.Event {
		case event.NameOrderCompleted, event.NameOrderRefunded:
			w.Problem("write on: order", "an order earns by what was spent")
		case event.NameSignedUp:
			w.Problem("write on: enrolment", "signing up earns once, at enrolment")
		}
	}
	if w, ok := f.Get("at_most"); ok {
		r.MaxPerDay = perDay(w)
	}
}

// onlyWith reports keys that mean nothing to a rule of this kind.
func onlyWith(f rulefile.Fields, on string, foreign ...string) {
	for _, key := range foreign {
		if w, ok := f.Get(key); ok {
			w.Problem("remove it", "%s means nothing in a rule on: %s", key, on)
		}
	}
}

func readMultipliers(p rulefile.Place, b *Book) {
	for _, item := range p.Items(MaxMultipliers) {
		f, ok := item.Fields("id", "times", "from", "until", "weekdays", "tiers", "rules")
		if !ok {
			continue
		}
		m := Multiplier{ID: needID(f)}
		if w, ok := f.Need("times", "such as 2, 1.5 or 150%"); ok {
			m.Percent = percent(w)
		}
		if w, ok := f.Get("from"); ok {
			m.From = w.Instant(b.Zone)
		}
		if w, ok := f.Get("until"); ok {
			if m.Until = w.Instant(b.Zone); m.Until != 0 && m.Until <= m.From {
				w.Problem("until is the first instant that no longer counts", "is not after from")
			}
		}
		if w, ok := f.Get("weekdays"); ok {
			m.Weekdays = w.Weekdays()
		}
		if w, ok := f.Get("tiers"); ok {
			m.Tiers = texts(w, MaxTiers)
		}
		if w, ok := f.Get("rules"); ok {
			m.Rules = texts(w, MaxRules)
		}
		b.Multipliers = append(b.Multipliers, m)
	}
}

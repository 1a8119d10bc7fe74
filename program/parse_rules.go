package program

import "github.com/punchcard/punchcard/event"

// readRules reads the list earn.
func readRules(p place, b *Book) {
	items := p.items(MaxRules)
	for _, item := range items {
		f, ok := item.fields("id", "on", "event", "points", "per", "minimum", "round", "at_most", "tiers")
		if !ok {
			continue
		}
		r := Rule{ID: needID(f)}
		if w, ok := f.need("on", "order, event or enrolment"); ok {
			switch w.choice("order", "event", "enrolment") {
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
		if w, ok := f.need("points", "how many, such as 25"); ok {
			r.Points = w.integer(1, MaxRulePoints)
		}
		if w, ok := f.get("tiers"); ok {
			r.Tiers = texts(w, MaxTiers)
		}
		b.Rules = append(b.Rules, r)
	}
	if items != nil && len(items) == 0 {
		p.problem("add - {id: base, on: order, points: 1, per: 1.00}", "there is no way to earn")
	}
}

func readSpendRule(f fields, b *Book, r *Rule) {
	onlyWith(f, "order", "event", "at_most")
	r.Rounding = RoundDown
	if w, ok := f.need("per", "the spend that earns the points once, such as 1.00"); ok {
		r.PerMinor = w.money(b.Currency, 1)
	}
	if w, ok := f.get("minimum"); ok {
		r.MinimumMinor = w.money(b.Currency, 0)
	}
	if w, ok := f.get("round"); ok {
		r.Rounding = Rounding(w.choice(string(RoundDown), string(RoundHalfUp)))
	}
}

func readActionRule(f fields, r *Rule) {
	onlyWith(f, "event", "per", "minimum", "round")
	if w, ok := f.need("event", "the event's name, such as Product Reviewed"); ok {
		switch r.Event = w.text(); r.Event {
		case event.NameOrderCompleted, event.NameOrderRefunded:
			w.problem("write on: order", "an order earns by what was spent")
		case event.NameSignedUp:
			w.problem("write on: enrolment", "signing up earns once, at enrolment")
		}
	}
	if w, ok := f.get("at_most"); ok {
		r.MaxPerDay = w.perDay()
	}
}

// onlyWith reports keys that mean nothing to a rule of this kind.
func onlyWith(f fields, on string, foreign ...string) {
	for _, key := range foreign {
		if w, ok := f.get(key); ok {
			w.problem("remove it", "%s means nothing in a rule on: %s", key, on)
		}
	}
}

func readMultipliers(p place, b *Book) {
	for _, item := range p.items(MaxMultipliers) {
		f, ok := item.fields("id", "times", "from", "until", "weekdays", "tiers", "rules")
		if !ok {
			continue
		}
		m := Multiplier{ID: needID(f)}
		if w, ok := f.need("times", "such as 2, 1.5 or 150%"); ok {
			m.Percent = w.percent()
		}
		if w, ok := f.get("from"); ok {
			m.From = w.instant(b.Zone)
		}
		if w, ok := f.get("until"); ok {
			if m.Until = w.instant(b.Zone); m.Until != 0 && m.Until <= m.From {
				w.problem("until is the first instant that no longer counts", "is not after from")
			}
		}
		if w, ok := f.get("weekdays"); ok {
			m.Weekdays = w.weekdays()
		}
		if w, ok := f.get("tiers"); ok {
			m.Tiers = texts(w, MaxTiers)
		}
		if w, ok := f.get("rules"); ok {
			m.Rules = texts(w, MaxRules)
		}
		b.Multipliers = append(b.Multipliers, m)
	}
}

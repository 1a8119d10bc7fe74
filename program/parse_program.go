package program

import (
	"time"
	_ "time/tzdata" // the same rules of time zones on every machine that lacks its own

	"github.com/punchcard/punchcard/event"
)

// Defaults of what a program.yaml may leave out.
const (
	defaultEveryDays        = 7
	defaultMinimumCustomers = 100
)

// readProgram fills the book from program.yaml.
func readProgram(top place, b *Book) {
	f, ok := top.fields("program", "semantics", "currency", "time_zone", "effective_from", "maximum_age", "enrolment", "points", "exclude",
		"earn", "multipliers", "stacking", "refunds", "redemption", "tiers", "scores")
	if !ok {
		return
	}
	readHead(f, b)
	if p, ok := f.need("enrolment", "how a customer becomes a member, such as: - {id: join, on: sign_up}"); ok {
		readEnrolment(p, b)
	}
	if p, ok := f.need("points", "such as points: {name: points, expire_after: 12 months}"); ok {
		readPoints(p, b)
	}
	if p, ok := f.get("exclude"); ok {
		readExclusions(p, b)
	}
	if p, ok := f.get("tiers"); ok {
		readTiers(p, b)
	}
	if p, ok := f.need("earn", "at least one rule, such as: - {id: base, on: order, points: 1, per: 1.00}"); ok {
		readRules(p, b)
	}
	if p, ok := f.get("multipliers"); ok {
		readMultipliers(p, b)
	}
	b.Stacking = StackMultiply
	if p, ok := f.get("stacking"); ok {
		b.Stacking = Stacking(p.choice(string(StackMultiply), string(StackAdd), string(StackHighest)))
	}
	b.Refunds.Allocate = true
	if p, ok := f.get("refunds"); ok {
		if r, ok := p.fields("without_order"); ok {
			if w, ok := r.need("without_order", "allocate or spend_only"); ok {
				b.Refunds.Allocate = w.choice("allocate", "spend_only") == "allocate"
			}
		}
	}
	if p, ok := f.get("redemption"); ok {
		if r, ok := p.fields("minimum"); ok {
			if w, ok := r.need("minimum", "the fewest points of one redemption, such as 100"); ok {
				b.Redemption.MinimumPoints = w.integer(0, MaxRulePoints)
			}
		}
	}
	if p, ok := f.need("scores", "`punchcard program new` shows the section"); ok {
		readScores(p, b)
	}
	checkReferences(f, b)
}

// readHead reads what the rest of the file depends on.
func readHead(f fields, b *Book) {
	if p, ok := f.need("program", "the program's name"); ok {
		b.Name = p.text()
	}
	b.Semantics = 1
	if p, ok := f.get("semantics"); ok {
		if b.Semantics = int(p.integer(1, 1<<20)); b.Semantics > Semantics {
			p.problem("upgrade punchcard, or write a number that it knows", "%d is newer than this program, which knows up to %d", b.Semantics, Semantics)
		}
	}
	if p, ok := f.need("currency", "an ISO 4217 code such as GBP"); ok {
		code := p.text()
		if event.ValidCurrency(code) {
			b.Currency = code
		} else if code != "" {
			p.problem("three capital letters, such as GBP", "%q is not an ISO 4217 code", clip(code))
		}
	}
	if p, ok := f.need("time_zone", "an IANA name such as Europe/London"); ok {
		readZone(p, b)
	}
	if p, ok := f.get("effective_from"); ok {
		if s, _ := scalar(p.node); s != "always" {
			b.EffectiveFrom = p.instant(b.Zone)
		}
	}
	if p, ok := f.get("maximum_age"); ok {
		if b.MaxAgeDays = p.days(); b.MaxAgeDays > int(event.MaxAge/(24*time.Hour)) {
			p.problem("older events come in by `punchcard import`", "is more than the %d days that an event may be late", int(event.MaxAge/(24*time.Hour)))
		}
	}
}

func readZone(p place, b *Book) {
	name := p.text()
	if name == "" {
		return
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		p.problem("an IANA name such as Europe/London or UTC", "%q is not a time zone", clip(name))
		return
	}
	b.TimeZone, b.Zone = name, zone
}

func readEnrolment(p place, b *Book) {
	signUps, orders := 0, 0
	items := p.items(MaxRules)
	for _, item := range items {
		f, ok := item.fields("id", "on", "number")
		if !ok {
			continue
		}
		r := EnrolmentRule{ID: needID(f)}
		on := ""
		if w, ok := f.need("on", "sign_up or order"); ok {
			on = w.choice("sign_up", "order")
		}
		number, has := f.get("number")
		switch on {
		case "sign_up":
			r.SignUp = true
			signUps++
			if has {
				number.problem("remove it", "only on: order has a number")
			}
		case "order":
			r.Order = 1
			orders++
			if has {
				r.Order = number.integer(1, 1000)
			}
		}
		if signUps > 1 || orders > 1 {
			item.problem("keep one", "a second rule on: %s would never decide", on)
			signUps, orders = min(signUps, 1), min(orders, 1)
		}
		b.Enrolment = append(b.Enrolment, r)
	}
	if items != nil && len(items) == 0 {
		p.problem("add - {id: join, on: sign_up}", "nobody would ever become a member")
	}
}

func needID(f fields) string {
	if p, ok := f.need("id", "a name for explanations, such as double-sunday"); ok {
		return p.id()
	}
	return ""
}

func readPoints(p place, b *Book) {
	f, ok := p.fields("name", "expire_after")
	if !ok {
		return
	}
	if w, ok := f.need("name", "what one calls them, such as points"); ok {
		b.Wallet = w.id()
	}
	if w, ok := f.need("expire_after", "such as 12 months, or never"); ok {
		if s, _ := scalar(w.node); s != "never" {
			b.ExpiryMonths, b.ExpiryDays = w.span()
		}
	}
}

func readExclusions(p place, b *Book) {
	f, ok := p.fields("products", "categories")
	if !ok {
		return
	}
	for _, part := range [...]struct {
		key string
		to  *[]string
	}{{"products", &b.Exclude.Products}, {"categories", &b.Exclude.Categories}} {
		if w, ok := f.get(part.key); ok {
			*part.to = texts(w, MaxExclusions)
		}
	}
}

// texts reads a list of different texts.
func texts(p place, most int) []string {
	var out []string
	seen := make(map[string]bool)
	for _, item := range p.items(most) {
		s := item.text()
		if s == "" {
			continue
		}
		if seen[s] {
			item.problem("keep one", "%q is in the list twice", clip(s))
			continue
		}
		seen[s] = true
		out = append(out, s)
	}
	return out
}

func readTiers(p place, b *Book) {
	f, ok := p.fields("window", "review", "levels")
	if !ok {
		return
	}
	if w, ok := f.need("window", "how far back spend counts, such as 365 days"); ok {
		b.Tiers.WindowDays = w.days()
	}
	if w, ok := f.need("review", "how long a tier is kept before it is looked at again, such as 90 days"); ok {
		b.Tiers.ReviewDays = w.days()
	}
	levels, ok := f.need("levels", "such as - {id: bronze, name: Bronze, spend: 0}")
	if !ok {
		return
	}
	items := levels.items(MaxTiers)
	for i, item := range items {
		l, ok := item.fields("id", "name", "spend")
		if !ok {
			continue
		}
		level := TierLevel{ID: needID(l)}
		if level.Name = level.ID; level.ID != "" {
			if w, ok := l.get("name"); ok {
				level.Name = w.text()
			}
		}
		if w, ok := l.need("spend", "net spend in the window from which on it is held"); ok {
			level.SpendMinor = w.money(b.Currency, 0)
			checkStep(w, b, i, level.SpendMinor)
		}
		b.Tiers.Levels = append(b.Tiers.Levels, level)
	}
	if items != nil && len(items) == 0 {
		levels.problem("leave tiers out when there are none", "has no level")
	}
}

// checkStep: the first level is for everyone, each next one is dearer.
func checkStep(p place, b *Book, i int, spend int64) {
	before := b.Tiers.Levels
	switch {
	case i == 0 && spend != 0:
		p.problem("add a first level with spend: 0", "the first level holds every member, so its spend is 0")
	case len(before) > 0 && spend <= before[len(before)-1].SpendMinor:
		p.problem("order levels from low to high", "must be more than the level before")
	}
}

func readScores(p place, b *Book) {
	f, ok := p.fields("window", "method", "every", "minimum_customers", "fixed")
	if !ok {
		return
	}
	b.RFM = RFMRules{Method: ScorePopulation, EveryDays: defaultEveryDays, MinimumCustomers: defaultMinimumCustomers}
	if w, ok := f.need("window", "how far back orders count, such as 365 days"); ok {
		b.RFM.WindowDays = w.days()
	}
	if w, ok := f.get("method"); ok {
		b.RFM.Method = ScoreMethod(w.choice(string(ScorePopulation), string(ScoreFixed)))
	}
	if w, ok := f.get("every"); ok {
		b.RFM.EveryDays = w.days()
	}
	if w, ok := f.get("minimum_customers"); ok {
		b.RFM.MinimumCustomers = w.integer(5, 1_000_000_000)
	}
	w, ok := f.need("fixed", "used with method: fixed, and while there are few customers")
	if !ok {
		return
	}
	g, ok := w.fields("recency_days", "orders", "spend")
	if !ok {
		return
	}
	for _, c := range [...]struct {
		key  string
		to   *[4]int64
		read func(place) int64
	}{
		{"recency_days", &b.RFM.RecencyDays, func(p place) int64 { return p.integer(0, MaxDays) }},
		{"orders", &b.RFM.OrdersCount, func(p place) int64 { return p.integer(0, 1_000_000) }},
		{"spend", &b.RFM.SpendMinor, func(p place) int64 { return p.money(b.Currency, 0) }},
	} {
		if list, ok := g.need(c.key, "four cuts, ascending, such as [30, 60, 120, 240]"); ok {
			readCuts(list, c.to, c.read)
		}
	}
}

func readCuts(p place, to *[4]int64, read func(place) int64) {
	items := p.items(MaxTiers)
	if len(items) != len(to) {
		p.problem("four cuts make five scores", "has %d numbers, not 4", len(items))
		return
	}
	for i, item := range items {
		before := len(item.complaints.list)
		to[i] = read(item)
		if i > 0 && to[i] <= to[i-1] && len(item.complaints.list) == before {
			item.problem("ascending, all different", "must be more than the number before")
		}
	}
}

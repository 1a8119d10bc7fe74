package program

import (
	"time"
	_ "time/tzdata" // the same rules of time zones on every machine that lacks its own

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// Defaults of what a program.yaml may leave out.
const (
	defaultEveryDays        = 7
	defaultMinimumCustomers = 100
)

// readProgram fills the book from program.yaml.
func readProgram(top rulefile.Place, b *Book) {
	f, ok := top.Fields("program", "semantics", "currency", "time_zone", "effective_from", "maximum_age", "enrolment", "points", "exclude",
		"earn", "multipliers", "stacking", "refunds", "redemption", "tiers", "scores")
	if !ok {
		return
	}
	readHead(f, b)
	if p, ok := f.Need("enrolment", "how a customer becomes a member, such as: - {id: join, on: sign_up}"); ok {
		readEnrolment(p, b)
	}
	if p, ok := f.Need("points", "such as points: {name: points, expire_after: 12 months}"); ok {
		readPoints(p, b)
	}
	if p, ok := f.Get("exclude"); ok {
		readExclusions(p, b)
	}
	if p, ok := f.Get("tiers"); ok {
		readTiers(p, b)
	}
	if p, ok := f.Need("earn", "at least one rule, such as: - {id: base, on: order, points: 1, per: 1.00}"); ok {
		readRules(p, b)
	}
	if p, ok := f.Get("multipliers"); ok {
		readMultipliers(p, b)
	}
	b.Stacking = StackMultiply
	if p, ok := f.Get("stacking"); ok {
		b.Stacking = Stacking(p.Choice(string(StackMultiply), string(StackAdd), string(StackHighest)))
	}
	b.Refunds.Allocate = true
	if p, ok := f.Get("refunds"); ok {
		if r, ok := p.Fields("without_order"); ok {
			if w, ok := r.Need("without_order", "allocate or spend_only"); ok {
				b.Refunds.Allocate = w.Choice("allocate", "spend_only") == "allocate"
			}
		}
	}
	if p, ok := f.Get("redemption"); ok {
		if r, ok := p.Fields("minimum"); ok {
			if w, ok := r.Need("minimum", "the fewest points of one redemption, such as 100"); ok {
				b.Redemption.MinimumPoints = w.Integer(0, MaxRulePoints)
			}
		}
	}
	if p, ok := f.Need("scores", "`punchcard program new` shows the section"); ok {
		readScores(p, b)
	}
	checkReferences(f, b)
}

// readHead reads what the rest of the file depends on.
func readHead(f rulefile.Fields, b *Book) {
	if p, ok := f.Need("program", "the program's name"); ok {
		b.Name = p.Text()
	}
	b.Semantics = 1
	if p, ok := f.Get("semantics"); ok {
		if b.Semantics = int(p.Integer(1, 1<<20)); b.Semantics > Semantics {
			p.Problem("upgrade punchcard, or write a number that it knows", "%d is newer than this program, which knows up to %d", b.Semantics, Semantics)
		}
	}
	if p, ok := f.Need("currency", "an ISO 4217 code such as GBP"); ok {
		code := p.Text()
		if event.ValidCurrency(code) {
			b.Currency = code
		} else if code != "" {
			p.Problem("three capital letters, such as GBP", "%q is not an ISO 4217 code", rulefile.Clip(code))
		}
	}
	if p, ok := f.Need("time_zone", "an IANA name such as Europe/London"); ok {
		readZone(p, b)
	}
	if p, ok := f.Get("effective_from"); ok {
		if s, _ := p.Scalar(); s != "always" {
			b.EffectiveFrom = p.Instant(b.Zone)
		}
	}
	if p, ok := f.Get("maximum_age"); ok {
		if b.MaxAgeDays = p.Days(); b.MaxAgeDays > int(event.MaxAge/(24*time.Hour)) {
			p.Problem("older events come in by `punchcard import`", "is more than the %d days that an event may be late", int(event.MaxAge/(24*time.Hour)))
		}
	}
}

func readZone(p rulefile.Place, b *Book) {
	name := p.Text()
	if name == "" {
		return
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		p.Problem("an IANA name such as Europe/London or UTC", "%q is not a time zone", rulefile.Clip(name))
		return
	}
	b.TimeZone, b.Zone = name, zone
}

func readEnrolment(p rulefile.Place, b *Book) {
	signUps, orders := 0, 0
	items := p.Items(MaxRules)
	for _, item := range items {
		f, ok := item.Fields("id", "on", "number")
		if !ok {
			continue
		}
		r := EnrolmentRule{ID: needID(f)}
		on := ""
		if w, ok := f.Need("on", "sign_up or order"); ok {
			on = w.Choice("sign_up", "order")
		}
		number, has := f.Get("number")
		switch on {
		case "sign_up":
			r.SignUp = true
			signUps++
			if has {
				number.Problem("remove it", "only on: order has a number")
			}
		case "order":
			r.Order = 1
			orders++
			if has {
				r.Order = number.Integer(1, 1000)
			}
		}
		if signUps > 1 || orders > 1 {
			item.Problem("keep one", "a second rule on: %s would never decide", on)
			signUps, orders = min(signUps, 1), min(orders, 1)
		}
		b.Enrolment = append(b.Enrolment, r)
	}
	if items != nil && len(items) == 0 {
		p.Problem("add - {id: join, on: sign_up}", "nobody would ever become a member")
	}
}

func needID(f rulefile.Fields) string {
	if p, ok := f.Need("id", "a name for explanations, such as double-sunday"); ok {
		return p.ID()
	}
	return ""
}

func readPoints(p rulefile.Place, b *Book) {
	f, ok := p.Fields("name", "expire_after")
	if !ok {
		return
	}
	if w, ok := f.Need("name", "what one calls them, such as points"); ok {
		b.Wallet = w.ID()
	}
	if w, ok := f.Need("expire_after", "such as 12 months, or never"); ok {
		if s, _ := w.Scalar(); s != "never" {
			b.ExpiryMonths, b.ExpiryDays = w.Span()
		}
	}
}

func readExclusions(p rulefile.Place, b *Book) {
	f, ok := p.Fields("products", "categories")
	if !ok {
		return
	}
	for _, part := range [...]struct {
		key string
		to  *[]string
	}{{"products", &b.Exclude.Products}, {"categories", &b.Exclude.Categories}} {
		if w, ok := f.Get(part.key); ok {
			*part.to = texts(w, MaxExclusions)
		}
	}
}

// texts reads a list of different texts.
func texts(p rulefile.Place, most int) []string {
	var out []string
	seen := make(map[string]bool)
	for _, item := range p.Items(most) {
		s := item.Text()
		if s == "" {
			continue
		}
		if seen[s] {
			item.Problem("keep one", "%q is in the list twice", rulefile.Clip(s))
			continue
		}
		seen[s] = true
		out = append(out, s)
	}
	return out
}

func readTiers(p rulefile.Place, b *Book) {
	f, ok := p.Fields("window", "review", "levels")
	if !ok {
		return
	}
	if w, ok := f.Need("window", "how far back spend counts, such as 365 days"); ok {
		b.Tiers.WindowDays = w.Days()
	}
	if w, ok := f.Need("review", "how long a tier is kept before it is looked at again, such as 90 days"); ok {
		b.Tiers.ReviewDays = w.Days()
	}
	levels, ok := f.Need("levels", "such as - {id: bronze, name: Bronze, spend: 0}")
	if !ok {
		return
	}
	items := levels.Items(MaxTiers)
	for i, item := range items {
		l, ok := item.Fields("id", "name", "spend")
		if !ok {
			continue
		}
		level := TierLevel{ID: needID(l)}
		if level.Name = level.ID; level.ID != "" {
			if w, ok := l.Get("name"); ok {
				level.Name = w.Text()
			}
		}
		if w, ok := l.Need("spend", "net spend in the window from which on it is held"); ok {
			level.SpendMinor = w.Money(b.Currency, 0)
			checkStep(w, b, i, level.SpendMinor)
		}
		b.Tiers.Levels = append(b.Tiers.Levels, level)
	}
	if items != nil && len(items) == 0 {
		levels.Problem("leave tiers out when there are none", "has no level")
	}
}

// checkStep: the first level is for everyone, each next one is dearer.
func checkStep(p rulefile.Place, b *Book, i int, spend int64) {
	before := b.Tiers.Levels
	switch {
	case i == 0 && spend != 0:
		p.Problem("add a first level with spend: 0", "the first level holds every member, so its spend is 0")
	case len(before) > 0 && spend <= before[len(before)-1].SpendMinor:
		p.Problem("order levels from low to high", "must be more than the level before")
	}
}

func readScores(p rulefile.Place, b *Book) {
	f, ok := p.Fields("window", "method", "every", "minimum_customers", "fixed")
	if !ok {
		return
	}
	b.RFM = RFMRules{Method: ScorePopulation, EveryDays: defaultEveryDays, MinimumCustomers: defaultMinimumCustomers}
	if w, ok := f.Need("window", "how far back orders count, such as 365 days"); ok {
		b.RFM.WindowDays = w.Days()
	}
	if w, ok := f.Get("method"); ok {
		b.RFM.Method = ScoreMethod(w.Choice(string(ScorePopulation), string(ScoreFixed)))
	}
	if w, ok := f.Get("every"); ok {
		b.RFM.EveryDays = w.Days()
	}
	if w, ok := f.Get("minimum_customers"); ok {
		b.RFM.MinimumCustomers = w.Integer(5, 1_000_000_000)
	}
	w, ok := f.Need("fixed", "used with method: fixed, and while there are few customers")
	if !ok {
		return
	}
	g, ok := w.Fields("recency_days", "orders", "spend")
	if !ok {
		return
	}
	for _, c := range [...]struct {
		key  string
		to   *[4]int64
		read func(rulefile.Place) int64
	}{
		{"recency_days", &b.RFM.RecencyDays, func(p rulefile.Place) int64 { return p.Integer(0, rulefile.MaxDays) }},
		{"orders", &b.RFM.OrdersCount, func(p rulefile.Place) int64 { return p.Integer(0, 1_000_000) }},
		{"spend", &b.RFM.SpendMinor, func(p rulefile.Place) int64 { return p.Money(b.Currency, 0) }},
	} {
		if list, ok := g.Need(c.key, "four cuts, ascending, such as [30, 60, 120, 240]"); ok {
			readCuts(list, c.to, c.read)
		}
	}
}

func readCuts(p rulefile.Place, to *[4]int64, read func(rulefile.Place) int64) {
	items := p.Items(MaxTiers)
	if len(items) != len(to) {
		p.Problem("four cuts make five scores", "has %d numbers, not 4", len(items))
		return
	}
	for i, item := range items {
		before := item.Complaints.Len()
		to[i] = read(item)
		if i > 0 && to[i] <= to[i-1] && item.Complaints.Len() == before {
			item.Problem("ascending, all different", "must be more than the number before")
		}
	}
}

package campaigns

import (
	"regexp"
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
	"github.com/punchcard/punchcard/segments"
)

// Defaults of what a campaign's file may leave out.
const (
	defaultPriority       = 50
	defaultAgain          = 30 * day
	defaultMaxAge         = day
	defaultConversionDays = 14
	defaultExpireAfter    = 7 * day
	defaultLocale         = "en"
	onlyArm               = "message" // id of the arm of a campaign without arms
)

// Bounds of what it may say.
const (
	topPriority       = 100
	maxMessages       = 1_000_000_000 // per hour, or in all
	maxConversionDays = 366
	maxWeight         = 1_000_000
)

// readCampaign fills a campaign from its file.
func (r *reader) readCampaign(top rulefile.Place, c *Campaign) {
	f, ok := top.Fields("name", "description", "purpose", "channel", "priority", "paused", "when", "delay", "wait_for", "audience", "again",
		"existing", "holdout", "quiet_hours", "limit", "max_age", "conversion", "expires", "template", "locale", "message", "arms")
	if !ok {
		return
	}
	readHead(f, c)
	if p, ok := f.Need("when", "what starts it, such as when: {enters: champions}"); ok {
		c.Trigger = r.readTrigger(p, c.ID)
	}
	if p, ok := f.Get("delay"); ok {
		c.Delay = length(p, MaxDelay)
	}
	if p, ok := f.Get("wait_for"); ok {
		c.WaitFor = readWaitFor(p)
	}
	if p, ok := f.Get("audience"); ok {
		c.Audience = r.readAudience(p, &c.Trigger)
	}
	c.Again = Again{After: defaultAgain}
	if p, ok := f.Get("again"); ok {
		c.Again = again(p)
	}
	if p, ok := f.Get("existing"); ok {
		if c.Existing = p.Bool(); c.Existing && !c.Trigger.ofMembership() {
			p.Problem("remove it", "existing is for a campaign that starts when a segment is entered")
		}
	}
	readBounds(f, c)
	r.readMessage(f, c)
}

// ofMembership reports whether the trigger is to enter a segment or a condition.
func (t *Trigger) ofMembership() bool {
	switch t.Kind {
	case SegmentEntered, Inactivity, Birthday, PointsExpire, "": // "" has a problem of its own
		return true
	}
	return false
}

func readHead(f rulefile.Fields, c *Campaign) {
	if p, ok := f.Get("name"); ok {
		c.Name = p.Text()
	}
	if p, ok := f.Get("description"); ok {
		c.Description = sentence(p)
	}
	if p, ok := f.Need("purpose", "marketing, service or survey: what consent is asked for"); ok {
		c.Purpose = Purpose(p.Choice(purposes...))
	}
	if p, ok := f.Need("channel", rulefile.List(event.Channels)); ok {
		c.Channel = p.Choice(event.Channels...)
	}
	c.Priority = defaultPriority
	if p, ok := f.Get("priority"); ok {
		c.Priority = p.Integer(0, topPriority)
	}
	if p, ok := f.Get("paused"); ok {
		c.Paused = p.Bool()
	}
}

func readBounds(f rulefile.Fields, c *Campaign) {
	if p, ok := f.Get("holdout"); ok {
		c.HoldoutBP = basisPoints(p)
	}
	if p, ok := f.Get("quiet_hours"); ok {
		q := quietHours(p)
		c.QuietHours = &q
	}
	if p, ok := f.Get("limit"); ok {
		readLimit(p, c)
	}
	c.MaxAge = defaultMaxAge
	if p, ok := f.Get("max_age"); ok {
		c.MaxAge = length(p, MaxDelay)
	}
	c.ConversionDays = defaultConversionDays
	if p, ok := f.Get("conversion"); ok {
		if c.ConversionDays = p.Days(); c.ConversionDays > maxConversionDays {
			p.Problem("", "is more than %d days", maxConversionDays)
		}
	}
	c.ExpireAfter = defaultExpireAfter
	if p, ok := f.Get("expires"); ok {
		c.ExpireAfter = length(p, MaxDelay)
	}
}

func readLimit(p rulefile.Place, c *Campaign) {
	f, ok := p.Fields("per_hour", "budget")
	if !ok {
		return
	}
	hour, isHour := f.Get("per_hour")
	budget, isBudget := f.Get("budget")
	if isHour {
		c.PerHour = hour.Integer(1, maxMessages)
	}
	if isBudget {
		c.Budget = budget.Integer(1, maxMessages)
	}
	if !isHour && !isBudget {
		p.Problem("leave limit out for none", "needs per_hour, budget or both")
	}
}

// readEvent reads an event's name, or {name:, where:}.
func readEvent(p rulefile.Place) (string, []segments.Filter) {
	if !p.IsMap() {
		return p.Text(), nil
	}
	f, ok := p.Fields("name", "where")
	if !ok {
		return "", nil
	}
	w, ok := f.Need("name", "the event's name, such as Product Reviewed")
	if !ok {
		return "", nil
	}
	return w.Text(), readWhere(f, w)
}

func readWhere(f rulefile.Fields, name rulefile.Place) []segments.Filter {
	of, _ := name.Scalar()
	w, ok := f.Get("where")
	if !ok || of == "" {
		return nil
	}
	return segments.ParseFilters(w, of)
}

func readWaitFor(p rulefile.Place) *WaitFor {
	f, ok := p.Fields("event", "where", "within", "if_comes", "if_not")
	if !ok {
		return nil
	}
	out := &WaitFor{SendIfMissing: true}
	if w, ok := f.Need("event", "the event's name, such as Order Completed"); ok {
		out.Event, out.Where = w.Text(), readWhere(f, w)
	}
	if w, ok := f.Need("within", "how long to wait, such as 3 days"); ok {
		out.Within = length(w, MaxDelay)
	}
	if w, ok := f.Get("if_comes"); ok {
		out.SendIfComes = w.Choice("send", "stop") == "send"
	}
	if w, ok := f.Get("if_not"); ok {
		out.SendIfMissing = w.Choice("send", "stop") != "stop"
	}
	if !out.SendIfComes && !out.SendIfMissing {
		p.Problem("write send for if_comes or for if_not", "the campaign would never send")
	}
	return out
}

func (r *reader) readAudience(p rulefile.Place, t *Trigger) Audience {
	var a Audience
	f, ok := p.Fields("in", "not_in", "tiers", "members")
	if !ok {
		return a
	}
	in, hasIn := f.Get("in")
	if hasIn {
		a.In = r.segmentList(in)
	}
	if w, ok := f.Get("not_in"); ok {
		a.NotIn = r.segmentList(w)
		for _, id := range a.NotIn {
			entered := (t.Kind == SegmentEntered || t.Kind == Scheduled) && id == t.Segment
			if entered || slices.Contains(a.In, id) {
				w.Problem("take it out", "nobody is in %q and not in it: the campaign would never send", rulefile.Clip(id))
			}
		}
	}
	if hasIn && t.Kind == SegmentLeft && slices.Contains(a.In, t.Segment) {
		in.Problem("take it out", "who has just left %q is not in it: the campaign would never send", rulefile.Clip(t.Segment))
	}
	if w, ok := f.Get("tiers"); ok {
		a.Tiers = r.tiers(w)
	}
	if w, ok := f.Get("members"); ok {
		a.Members = w.Bool()
	}
	return a
}

// writing is what the texts of one campaign have in common.
type writing struct {
	campaign *Campaign
	allowed  func(string) (string, bool)
}

func (r *reader) readMessage(f rulefile.Fields, c *Campaign) {
	c.Template = c.ID
	if p, ok := f.Get("template"); ok {
		c.Template = p.Text()
	}
	c.DefaultLocale = defaultLocale
	if p, ok := f.Get("locale"); ok {
		c.DefaultLocale = locale(p)
	}
	w := writing{campaign: c, allowed: variablesOf(r.book, c.Trigger.Kind)}
	message, single := f.Get("message")
	arms, several := f.Get("arms")
	switch {
	case single && several:
		arms.Problem("keep message for one variant, arms for more", "stands beside message")
	case single:
		if g, ok := message.Fields("subject", "text", "locales"); ok {
			c.Arms = []Arm{{ID: onlyArm, Weight: 1, Texts: w.texts(g)}}
		}
	case several:
		c.Arms = w.arms(arms)
	default:
		f.Problem(`such as message: {subject: "Hello", text: "You have {{balance}} points."}`, "message is missing")
	}
}

func (w writing) arms(p rulefile.Place) (out []Arm) {
	items := p.Items(MaxArms)
	if items != nil && len(items) == 0 {
		p.Problem("write message: for one variant", "has no variant")
	}
	seen := map[string]bool{event.ArmHoldout: true, event.ArmGlobalHoldout: true}
	for _, item := range items {
		f, ok := item.Fields("id", "weight", "subject", "text", "locales")
		if !ok {
			continue
		}
		a := Arm{Weight: 1}
		if at, ok := f.Need("id", "a name for the variant, such as a"); ok {
			a.ID = at.ID()
			switch {
			case a.ID == event.ArmHoldout || a.ID == event.ArmGlobalHoldout:
				at.Problem("holdout: 10 holds customers back", "%q is the name of those who get nothing", a.ID)
			case a.ID != "" && seen[a.ID]:
				at.Problem("give each its own name", "there is another arm %q", a.ID)
			}
			seen[a.ID] = true
		}
		if at, ok := f.Need("weight", "its share, such as 50"); ok {
			a.Weight = at.Integer(1, maxWeight)
		}
		a.Texts = w.texts(f)
		out = append(out, a)
	}
	return out
}

// texts reads a message in all its locales.
func (w writing) texts(f rulefile.Fields) []Text {
	out := []Text{w.text(f, w.campaign.DefaultLocale)}
	p, ok := f.Get("locales")
	if !ok {
		return out
	}
	pairs, ok := p.Pairs()
	if ok && len(pairs) > MaxLocales {
		p.Problem("", "has %d locales, at most %d", len(pairs), MaxLocales)
		return out
	}
	seen := make(map[string]bool)
	for _, pair := range pairs {
		name := locale(pair.At)
		switch {
		case name == "":
		case name == w.campaign.DefaultLocale:
			pair.At.Problem("its text stands above; locale: says which that is", "%s is the campaign's own locale", name)
		case seen[name]:
			pair.At.Problem("keep one", "%s is given twice", name)
		}
		seen[name] = true
		if g, ok := pair.Value.Fields("subject", "text"); ok {
			out = append(out, w.text(g, name))
		}
	}
	return out
}

func (w writing) text(f rulefile.Fields, locale string) Text {
	t := Text{Locale: locale}
	subject, has := f.Get("subject")
	switch {
	case has && w.campaign.Channel == event.ChannelSMS:
		subject.Problem("remove it", "an sms has no subject")
	case has:
		t.Subject = readTemplate(subject, true, w.allowed)
	case w.campaign.Channel == event.ChannelEmail:
		f.Problem(`such as subject: "We miss you"`, "subject is missing")
	}
	if p, ok := f.Need("text", `such as text: "You have {{balance}} points."`); ok {
		t.Text = readTemplate(p, false, w.allowed)
	}
	return t
}

var localeForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

// locale reads a language, and perhaps a region.
func locale(p rulefile.Place) string {
	s := p.Text()
	if s != "" && !localeForm.MatchString(s) {
		p.Problem("such as en, de or pt-BR", "%q is not a locale", rulefile.Clip(s))
		return ""
	}
	return s
}

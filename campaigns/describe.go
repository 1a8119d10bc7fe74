package campaigns

import (
	"fmt"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
	"github.com/punchcard/punchcard/segments"
)

// Describe says in words that a marketer reads what a campaign does; empty when
// there is none of that id.
func (p *Plan) Describe(id string) string {
	c, ok := p.Find(id)
	if !ok {
		return ""
	}
	w := &words{plan: p}
	fmt.Fprintf(w, "%s (%s, version %s)\n", c.Name, c.ID, c.Version)
	if c.Description != "" {
		fmt.Fprintf(w, "%s\n", c.Description)
	}
	if c.Paused {
		w.line("Paused", "nothing is sent; who would get it is held back as paused")
	}
	w.line("Starts", "%s", w.trigger(c))
	w.waiting(c)
	w.line("Goes to", "%s", w.audience(c))
	w.line("Again", "%s", c.Again.words())
	w.line("Held out", "%s", w.holdout(c))
	w.line("When", "%s", w.quiet(c))
	w.limits(c)
	w.line("Too late", "when more than %s late; the message itself expires %s after it may go", spell(c.MaxAge), spell(c.ExpireAfter))
	w.line("Success", "an order within %s, whoever opens it", plural(int64(c.ConversionDays), "day"))
	w.variants(c)
	return w.String()
}

// words collects the text.
type words struct {
	strings.Builder
	plan *Plan
}

func (w *words) line(title, format string, args ...any) {
	fmt.Fprintf(w, "  %-9s %s.\n", title, fmt.Sprintf(format, args...))
}

func (w *words) trigger(c *Campaign) string {
	t := &c.Trigger
	switch t.Kind {
	case SegmentEntered:
		return "when a customer enters segment " + w.segment(t.Segment) + existing(c)
	case SegmentLeft:
		return "when a customer leaves segment " + w.segment(t.Segment)
	case TierChanged:
		s := "when the tier changes"
		if t.Up != t.Down {
			s = "when the tier goes " + map[bool]string{true: "up", false: "down"}[t.Up]
		}
		if len(t.Tiers) > 0 {
			s += " to " + rulefile.List(t.Tiers)
		}
		return s
	case BalanceCrossed:
		if t.Down {
			return fmt.Sprintf("when the balance falls below %s", w.points(t.Points))
		}
		return fmt.Sprintf("when the balance reaches %s", w.points(t.Points))
	case PointsEarned:
		return fmt.Sprintf("when at least %s are earned at once", w.points(t.Points))
	case PointsExpire:
		return fmt.Sprintf("when at least %s expire within %s%s", w.points(t.Points), plural(int64(t.Days), "day"), existing(c))
	case ScoreChanged:
		name := map[byte]string{'r': "recency", 'f': "frequency", 'm': "monetary value"}[t.Score]
		if t.Up {
			return fmt.Sprintf("when the score of %s rises to %d or more", name, t.Min)
		}
		return fmt.Sprintf("when the score of %s falls to %d or less", name, t.Max)
	case EventSeen:
		return "at each event " + eventWords(t.Event, t.Where)
	case Scheduled:
		return w.schedule(t)
	case Inactivity:
		return fmt.Sprintf("%s after the last order%s", plural(int64(t.Days), "day"), existing(c))
	case Birthday:
		if t.Days == 0 {
			return "on the birthday" + existing(c)
		}
		return fmt.Sprintf("%s before the birthday%s", plural(int64(t.Days), "day"), existing(c))
	}
	return string(t.Kind)
}

func existing(c *Campaign) string {
	if c.Existing {
		return "; once activated, also for those of whom it is true already"
	}
	return "; not for those of whom it is true when the campaign is activated"
}

func (w *words) schedule(t *Trigger) string {
	s := &t.Schedule
	at := fmt.Sprintf("at %s in %s for segment %s", clock(s.Minute), w.zone(), w.segment(t.Segment))
	if s.Date != 0 {
		return "on " + event.Day(s.Date).String() + " " + at
	}
	on := "every day"
	if len(s.Weekdays) > 0 {
		var names []string
		for _, d := range s.Weekdays {
			names = append(names, d.String())
		}
		on = "every " + rulefile.List(names)
	}
	switch {
	case s.MonthDay != 0 && len(s.Weekdays) > 0:
		on += fmt.Sprintf(" that is day %d of a month", s.MonthDay)
	case s.MonthDay != 0:
		on = fmt.Sprintf("on day %d of every month", s.MonthDay)
	}
	return on + " " + at
}

func (w *words) waiting(c *Campaign) {
	if c.Delay > 0 {
		w.line("Waits", "%s", spell(c.Delay))
	}
	if f := c.WaitFor; f != nil {
		do := map[bool]string{true: "the message goes", false: "nothing is sent"}
		w.line("Waits for", "the event %s, up to %s: if it comes, %s; if not, %s", eventWords(f.Event, f.Where), spell(f.Within), do[f.SendIfComes], do[f.SendIfMissing])
	}
}

func eventWords(name string, where []segments.Filter) string {
	s := fmt.Sprintf("%q", name)
	for i := range where {
		s += map[bool]string{true: " where ", false: " and "}[i == 0] + where[i].String()
	}
	return s
}

func (w *words) audience(c *Campaign) string {
	who := "customers"
	if c.Audience.Members {
		who = "members"
	}
	if len(c.Audience.Tiers) > 0 {
		who += " of tier " + rulefile.List(c.Audience.Tiers)
	}
	if len(c.Audience.In) > 0 {
		who += " in " + and(w.segments(c.Audience.In))
	}
	if len(c.Audience.NotIn) > 0 {
		who += " not in " + rulefile.List(w.segments(c.Audience.NotIn))
	}
	if c.Purpose == Service {
		return fmt.Sprintf("%s who have not refused %s by %s", who, c.Purpose, channel(c.Channel))
	}
	return fmt.Sprintf("%s who agreed to %s by %s", who, c.Purpose, channel(c.Channel))
}

func (a Again) words() string {
	switch {
	case a.Never:
		return "never a second time"
	case a.After == 0:
		return "every time"
	}
	return "not within " + spell(a.After)
}

func (w *words) holdout(c *Campaign) string {
	var parts []string
	if w.plan.GlobalHoldoutBP > 0 {
		parts = append(parts, percent(w.plan.GlobalHoldoutBP)+" of all customers, from every campaign")
	}
	if c.HoldoutBP > 0 {
		parts = append(parts, percent(c.HoldoutBP)+" of those reached, from this one")
	}
	if len(parts) == 0 {
		return "nobody: what it brings cannot be measured"
	}
	return and(parts) + "; always the same ones"
}

func (w *words) quiet(c *Campaign) string {
	q := w.plan.QuietHours
	if c.QuietHours != nil {
		q = *c.QuietHours
	}
	if q.From == q.Until {
		return "at any hour"
	}
	return fmt.Sprintf("not from %s to %s by the customer's clock: it waits until %s", clock(q.From), clock(q.Until), clock(q.Until))
}

func (w *words) limits(c *Campaign) {
	for _, limit := range w.plan.Caps {
		if limit.Channel != "" && limit.Channel != c.Channel {
			continue
		}
		bound := limit.Purposes
		if len(bound) == 0 {
			bound = []Purpose{Marketing, Survey}
		}
		if !slices.Contains(bound, c.Purpose) {
			continue
		}
		var names []string
		for _, p := range bound {
			names = append(names, string(p))
		}
		by := "on all channels"
		if limit.Channel != "" {
			by = "by " + channel(limit.Channel)
		}
		w.line("At most", "%s for %s %s in any %s, over all campaigns", plural(limit.Most, "message"), rulefile.List(names), by, spell(limit.Within))
	}
	if c.PerHour > 0 {
		w.line("At most", "%s an hour, over all customers; the others wait", plural(c.PerHour, "message"))
	}
	if c.Budget > 0 {
		w.line("At most", "%s in all", plural(c.Budget, "message"))
	}
	w.line("Priority", "%d of %d, when several campaigns want the same customer at the same moment", c.Priority, topPriority)
}

func (w *words) variants(c *Campaign) {
	total := int64(0)
	for i := range c.Arms {
		total += c.Arms[i].Weight
	}
	for i := range c.Arms {
		a := &c.Arms[i]
		title := "Message"
		if len(c.Arms) > 1 {
			title = fmt.Sprintf("Variant %s, %d of %d", a.ID, a.Weight, total)
		}
		for _, t := range a.Texts {
			fmt.Fprintf(w, "\n  %s, in %s, template %s\n", title, t.Locale, c.Template)
			if s := t.Subject.String(); s != "" {
				fmt.Fprintf(w, "    Subject: %s\n", s)
			}
			for line := range strings.SplitSeq(t.Text.String(), "\n") {
				fmt.Fprintf(w, "%s\n", strings.TrimRight("    | "+line, " "))
			}
		}
	}
}

func (w *words) segment(id string) string {
	if s, ok := w.plan.Set.Find(id); ok && s.Name != "" && s.Name != id {
		return fmt.Sprintf("%s (%q)", id, s.Name)
	}
	return id
}

func (w *words) segments(ids []string) (out []string) {
	for _, id := range ids {
		out = append(out, w.segment(id))
	}
	return out
}

func (w *words) points(n int64) string {
	name := "points"
	if w.plan.Book != nil {
		name = w.plan.Book.Wallet
	}
	if n == 1 {
		name = strings.TrimSuffix(name, "s")
	}
	return fmt.Sprintf("%d %s", n, name)
}

func (w *words) zone() string {
	if w.plan.Book == nil || w.plan.Book.TimeZone == "" {
		return "the program's zone"
	}
	return w.plan.Book.TimeZone
}

// clock writes minutes of the day as 21:00.
func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func channel(c string) string {
	if c == event.ChannelInApp {
		return "message in the app"
	}
	return c
}

// percent writes hundredths of a percent: 500 is 5 %, 250 is 2.5 %.
func percent(bp int64) string {
	s := fmt.Sprintf("%d.%02d", bp/100, bp%100)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " %"
}

// and joins what all holds.
func and(list []string) string {
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
	return strings.Join(list, "")
}

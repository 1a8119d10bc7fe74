package campaigns

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// expectation is one "expect" line about a decision.
type expectation struct {
	outcome       event.CampaignOutcome
	campaign, who string
	channel       string
	reason        string
	from, until   event.Time
	arm, locale   string
	says          string
	simulated     string // "simulated", "real", or ""
}

func (tl *timeline) expect(words []string) error {
	if len(words) == 0 {
		return errors.New("expect what?")
	}
	var x expectation
	var rest []string
	switch {
	case words[0] == "nothing":
		if len(words) > 1 {
			at, _, err := tl.time(words[2:])
			if err != nil {
				return err
			}
			tl.to(at, func() bool { return tl.nothing() != nil })
		}
		return tl.nothing()
	case words[0] == "waiting":
		n, err := strconv.Atoi(words[1])
		if got := tl.waiting(); err == nil && got != n {
			return fmt.Errorf("%d runs wait", got)
		}
		return err
	case words[0] == "held" && len(words) >= 4:
		x = expectation{outcome: event.CampaignHeld, campaign: words[1], who: words[2], reason: words[3]}
		rest = words[4:]
	case words[0] == "postponed" && len(words) >= 6:
		x = expectation{outcome: event.CampaignPostponed, campaign: words[1], who: words[2], reason: words[3]}
		rest = words[4:]
	case len(words) >= 4 && words[2] == "to":
		x = expectation{outcome: event.CampaignSent, channel: words[0], campaign: words[1], who: words[3]}
		rest = words[4:]
	default:
		return errors.New("that is no expectation")
	}
	if err := tl.conditions(&x, rest); err != nil {
		return err
	}
	return tl.met(&x)
}

func (tl *timeline) conditions(x *expectation, words []string) (err error) {
	for len(words) > 0 && err == nil {
		verb, rest := words[0], words[1:]
		switch {
		case verb == "at" || verb == "until":
			x.from, words, err = tl.time(rest)
			x.until = x.from
		case verb == "between":
			if x.from, words, err = tl.time(rest); err == nil {
				x.until, words, err = tl.time(words[1:])
			}
		case verb == "simulated" || verb == "real":
			x.simulated, words = verb, rest
		case len(rest) == 0:
			return fmt.Errorf("%s what?", verb)
		case verb == "arm":
			x.arm, words = rest[0], rest[1:]
		case verb == "locale":
			x.locale, words = rest[0], rest[1:]
		case verb == "says":
			x.says, words = rest[0], rest[1:]
		default:
			return fmt.Errorf("%q is no condition", verb)
		}
	}
	return err
}

// met finds the decision, letting the clock go on if the expectation has times.
func (tl *timeline) met(x *expectation) error {
	found := -1
	look := func() bool {
		found = slices.IndexFunc(tl.entries, func(e event.CampaignEntry) bool {
			d := e.Decision
			return d != nil && !tl.seen[int(e.Sequence)] && d.CampaignID == x.campaign && e.CustomerID == x.who &&
				(d.Outcome == event.CampaignPostponed) == (x.outcome == event.CampaignPostponed)
		})
		return found >= 0
	}
	if x.outcome == event.CampaignPostponed {
		look()
	} else {
		tl.to(x.until, look)
		look()
	}
	if found < 0 {
		return fmt.Errorf("nothing was decided by %s", tl.at(tl.clock))
	}
	e := &tl.entries[found]
	d := e.Decision
	tl.seen[int(e.Sequence)] = true
	when := e.EntryTime
	if x.outcome == event.CampaignPostponed {
		when = d.Until
	}
	switch {
	case d.Outcome != x.outcome || d.Reason != x.reason:
		return fmt.Errorf("was %s %s at %s", d.Outcome, d.Reason, tl.at(e.EntryTime))
	case x.from != 0 && (when < x.from || when > x.until):
		return fmt.Errorf("was at %s", tl.at(when))
	case x.arm != "" && d.Arm != x.arm:
		return fmt.Errorf("was arm %q", d.Arm)
	case x.simulated != "" && e.IsSimulated != (x.simulated == "simulated"):
		return fmt.Errorf("is_simulated is %t", e.IsSimulated)
	case e.Message == nil && x.outcome == event.CampaignSent:
		return errors.New("has no message")
	case e.Message == nil:
		return nil
	}
	m := e.Message
	switch {
	case m.Channel != x.channel:
		return fmt.Errorf("went by %s", m.Channel)
	case x.locale != "" && m.Locale != x.locale:
		return fmt.Errorf("was in %s", m.Locale)
	case !strings.Contains(m.Subject+"\n"+m.Text, x.says):
		return fmt.Errorf("says %q, %q", m.Subject, m.Text)
	case m.NotBefore != e.EntryTime || m.MessageID != d.RunID || m.CustomerID != e.CustomerID || m.Arm != d.Arm || m.IsSimulated != e.IsSimulated || m.ExpiresTime <= m.NotBefore:
		return fmt.Errorf("message %+v does not fit its decision", m)
	}
	return nil
}

func (tl *timeline) at(t event.Time) string { return t.Std().In(tl.zone).Format("2006-01-02 15:04:05") }

// nothing fails when there is a decision that nobody expected.
func (tl *timeline) nothing() error {
	for i := range tl.entries {
		e := &tl.entries[i]
		if d := e.Decision; d != nil && d.Outcome != event.CampaignPostponed && !tl.seen[int(e.Sequence)] {
			return fmt.Errorf("%s of %s was %s %s at %s", d.CampaignID, e.CustomerID, d.Outcome, d.Reason, tl.at(e.EntryTime))
		}
	}
	return nil
}

// balanced checks that every run has ended once, or waits.
func (w *world) balanced() {
	w.t.Helper()
	ended, open := map[string]bool{}, map[string]bool{}
	for i := range w.entries {
		d := w.entries[i].Decision
		switch {
		case d == nil:
		case ended[d.RunID]:
			w.t.Fatalf("run %s of %s is decided again, %s %s", d.RunID, d.CampaignID, d.Outcome, d.Reason)
		case d.Outcome == event.CampaignPostponed:
			open[d.RunID] = true
		default:
			ended[d.RunID] = true
			delete(open, d.RunID)
		}
	}
	if n := w.waiting(); n != len(open) {
		w.t.Fatalf("%d runs are postponed, %d wait", len(open), n)
	}
}

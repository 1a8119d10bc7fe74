package program

import (
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// Names of timers, in an entry's Cause.Name; several are joined with "+".
const (
	timerExpiry  = "lots_expire"
	timerWindow  = "window"
	timerReview  = "tier_review"
	timerRecency = "recency"
	timerNothing = "nothing_due" // another version of the rules moved what was due
)

// NextDue returns when the account next wants to be visited by time alone (0:
// never). It reads a few bytes of the core.
func (l *Library) NextDue(st State, accountID string) event.Time {
	key := l.key.core(accountID)
	value, ok := st.Get(key)
	if !ok {
		return 0
	}
	due, err := dueOfCore(value)
	packed.Must(err, key)
	return due
}

// Fire does all that time does to the account at exactly its NextDue instant: lots
// expire, days leave the windows, the tier is reviewed, R falls. It decides by
// the rules in force at that instant and fills the entry as Apply does, and also
// Cause.Name and EventTime. Nothing happens when nothing is due by m.Clock;
// after it, NextDue is later (or the same, while more than one entry's worth of
// lots is left to expire).
func (l *Library) Fire(st State, m Moment, accountID string, e *event.Entry) {
	due := l.NextDue(st, accountID)
	if due == 0 || due > m.Clock {
		return
	}
	d := l.begin(st, m, accountID, e)
	d.at = due
	if d.book = l.at(due); d.book == nil {
		return
	}
	d.now = d.book
	d.today = l.days.Of(due, d.now.Zone)
	d.eventDay = d.today
	d.load()
	c := d.c
	e.BundleID, e.EventTime, e.IsSimulated = d.book.ID, due, c.simulated
	e.Outcome = event.OutcomeApplied
	var names []string
	if c.nextExpiry != 0 && c.nextExpiry < d.today {
		d.expireLots()
		names = append(names, timerExpiry)
	}
	orders, net, spend := c.windowOrders, c.windowNet, c.tierSpend
	d.measure()
	if orders != c.windowOrders || net != c.windowNet || spend != c.tierSpend {
		names = append(names, timerWindow)
	}
	if c.review != 0 && c.review <= d.today {
		names = append(names, timerReview)
	}
	d.reviewTier()
	before := c.scores.R
	d.finish(scoreTime)
	if c.scores.R < before && c.windowOrders > 0 && c.scores.R > 0 {
		names = append(names, timerRecency)
	}
	if names == nil {
		names = []string{timerNothing}
	}
	e.Cause.Name = strings.Join(names, "+")
}

// Rescore derives tier and scores anew, for a sweep after new cut points or an
// activation, by m.CutPoints and the rules in force at m.Clock; the account's own
// timers due by then have been fired. It reports whether anything changed: then
// the entry is filled and the state written.
func (l *Library) Rescore(st State, m Moment, accountID string, e *event.Entry) bool {
	d := l.begin(st, m, accountID, e)
	d.at = m.Clock
	if d.book = l.at(m.Clock); d.book == nil {
		return false
	}
	if _, ok := st.Get(l.key.core(accountID)); !ok {
		return false
	}
	d.now = d.book
	d.today = l.days.Of(m.Clock, d.now.Zone)
	d.eventDay = d.today
	d.load()
	if d.c == nil {
		return false
	}
	before := d.c.figures()
	d.measure()
	d.adoptTiers()
	after := d.c.figures()
	after.scores, after.nextDue, after.tierLacking = d.derive(), d.nextDue(), d.lacking()
	if after == before {
		return false
	}
	e.BundleID, e.IsSimulated = d.book.ID, d.c.simulated
	e.Outcome = event.OutcomeApplied
	reason := scoreProgram
	if m.CutPoints != nil && d.now.RFM.Method == ScorePopulation {
		reason = scoreCuts
	}
	d.finish(reason)
	return true
}

// figures are what a sweep can change.
type figures struct {
	nextDue                            event.Time
	windowOrders, windowNet, tierSpend int64
	tierLacking                        int64
	tier                               string
	review                             event.Day
	scores                             event.Scores
}

func (c *core) figures() figures {
	return figures{
		nextDue: c.nextDue, windowOrders: c.windowOrders, windowNet: c.windowNet, tierSpend: c.tierSpend,
		tierLacking: c.tierLacking, tier: c.tier, review: c.review, scores: c.scores,
	}
}

// adoptTiers fits a member into the ladder of the version in force: up at once,
// and to what is justified when its tier is not in it.
func (d *decision) adoptTiers() {
	if !d.c.member {
		return
	}
	if len(d.now.Tiers.Levels) == 0 {
		if d.c.tier != "" {
			d.c.tier, d.c.tierSince, d.c.ground, d.c.review = "", 0, 0, 0
			d.tierReason = tierProgram
		}
		return
	}
	d.raiseTier(tierProgram)
}

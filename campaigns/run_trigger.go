package campaigns

import (
	"slices"
	"strconv"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
)

// trigger is why a run starts.
type trigger struct {
	kind   TriggerKind
	detail string
	time   event.Time
	cause  event.Cause
	earned int64
	// simulated: the cause is of the simulated layer.
	simulated bool
	// sequence is that of the ledger entry, 0 for sweeps, which have a discriminator.
	sequence      int64
	discriminator string
	// bundle, when set, is the one by which the customer is triggered as existing.
	bundle string
}

// byProgram is the reason of a tier or score that other rules moved: nothing that
// the customer has done, so that it triggers nothing.
const byProgram = "program"

// triggers starts the runs that the entry triggers, the more important campaigns
// first; before is how the customer stood. An entry triggers a campaign at most
// once.
func (m *Machine) triggers(before *event.Standing) {
	plan := m.plan()
	t := trigger{
		time: m.in.EventTime, cause: m.in.Cause, earned: earned(m.in), sequence: m.in.Sequence,
		simulated: m.in.IsSimulated || m.in.Kind != event.KindEvent && m.who.c.standing.IsSimulated,
	}
	for i := range plan.Campaigns {
		c := &plan.Campaigns[i]
		if kind, detail, ok := m.triggered(c, before, t.earned); ok {
			one := t
			one.kind, one.detail = kind, detail
			if kind == ExistingMembers {
				one = wasThere(detail, m.BundleID(), t.time)
				one.simulated = t.simulated
			}
			m.start(c, &one)
		}
	}
}

// counts reports whether the entry is an event of the customer that counts.
func (m *Machine) counts() bool {
	return m.in.Kind == event.KindEvent && m.in.Cause.Type == event.TypeTrack &&
		(m.in.Outcome == event.OutcomeApplied || m.in.Outcome == event.OutcomeKept)
}

// triggered reports whether the entry triggers a campaign, and by what.
func (m *Machine) triggered(c *Campaign, before *event.Standing, earned int64) (TriggerKind, string, bool) {
	t := &c.Trigger
	if t.Segment != "" && t.Kind != Scheduled {
		return m.segmentChanged(c)
	}
	if m.in.Kind == event.KindSweep && m.in.Cause.Type == event.TypeBundle {
		return "", "", false // other rules, not another customer
	}
	switch t.Kind {
	case TierChanged:
		return t.Kind, tierDetail(m.in.Tier), m.in.Tier != nil && m.in.Tier.Reason != byProgram && t.tier(m.plan().Book, m.in.Tier)
	case BalanceCrossed:
		was, is := before.Balance, m.who.c.standing.Balance
		crossed := was < t.Points && is >= t.Points
		if t.Down {
			crossed = was >= t.Points && is < t.Points
		}
		return t.Kind, strconv.FormatInt(t.Points, 10), crossed
	case PointsEarned:
		return t.Kind, strconv.FormatInt(earned, 10), earned > 0 && earned >= t.Points
	case ScoreChanged:
		return m.scoreChanged(t)
	case EventSeen:
		return t.Kind, t.Event, m.counts() && m.in.Cause.Name == t.Event && segments.MatchEntry(t.Where, m.in)
	}
	return "", "", false
}

// segmentChanged looks for the campaign's segment among those entered and left. By
// an activation nobody enters: who is in the segment then was what it says before;
// only a campaign that came with existing: true, by the plan in force, is for them.
func (m *Machine) segmentChanged(c *Campaign) (TriggerKind, string, bool) {
	want := event.SegmentEntered
	if c.Trigger.Kind == SegmentLeft {
		want = event.SegmentLeft
	}
	for i := range m.in.Segments {
		s := &m.in.Segments[i]
		if s.SegmentID != c.Trigger.Segment || s.Change != want {
			continue
		}
		detail := s.SegmentID
		if c.Trigger.Kind != SegmentEntered && c.Trigger.Kind != SegmentLeft {
			detail = s.Clause
		}
		if s.Cause != event.SegmentByActivation {
			return c.Trigger.Kind, detail, true
		}
		if slices.Contains(m.p.fresh, c.ID) {
			return ExistingMembers, detail, true
		}
	}
	return "", "", false
}

// tier reports whether a move between tiers is one that the trigger asks for.
func (t *Trigger) tier(b *program.Book, change *event.TierChange) bool {
	from, to := rank(b, change.From), rank(b, change.To)
	if t.Up != t.Down && t.Up != (to > from) {
		return false
	}
	return len(t.Tiers) == 0 || slices.Contains(t.Tiers, change.To)
}

// rank of a tier, 0 is the lowest; -1: none, or one that the rules do not know.
func rank(b *program.Book, tier string) int {
	if b == nil {
		return -1
	}
	return slices.IndexFunc(b.Tiers.Levels, func(l program.TierLevel) bool { return l.ID == tier })
}

func tierDetail(c *event.TierChange) string {
	if c == nil {
		return ""
	}
	return orNone(c.From) + " to " + orNone(c.To)
}

func orNone(tier string) string {
	if tier == "" {
		return "none"
	}
	return tier
}

// scoreChanged reports whether the score has crossed the trigger's bound. A score
// that a customer gets for the first time has risen; one that is lost has not
// fallen.
func (m *Machine) scoreChanged(t *Trigger) (TriggerKind, string, bool) {
	if m.in.Scores == nil || m.in.Scores.Reason == byProgram {
		return "", "", false
	}
	from, to := score(m.in.Scores.From, t.Score), score(m.in.Scores.To, t.Score)
	crossed := from > t.Max && 0 < to && to <= t.Max
	if t.Up {
		crossed = from < t.Min && to >= t.Min
	}
	return t.Kind, string(t.Score) + " " + strconv.FormatInt(from, 10) + " to " + strconv.FormatInt(to, 10), crossed
}

func score(s event.Scores, which byte) int64 {
	switch which {
	case 'r':
		return int64(s.R)
	case 'f':
		return int64(s.F)
	}
	return int64(s.M)
}

// earned is how many points the entry gave the customer.
func earned(in *event.Entry) (n int64) {
	for i := range in.Postings {
		if p := &in.Postings[i]; p.Account == event.AccountEarned && p.Reason == event.PostEarn {
			n -= p.Points
		}
	}
	return n
}

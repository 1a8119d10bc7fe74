package campaigns

import (
	"slices"

	"github.com/punchcard/punchcard/event"
)

// verdict is what a stage says: nothing (go on), held, or postponed.
type verdict struct {
	outcome event.CampaignOutcome
	reason  string
	until   event.Time
}

func held(reason string) verdict { return verdict{outcome: event.CampaignHeld, reason: reason} }

// stages in their order. A run that waited passes all of them again, so that what
// has changed meanwhile counts; only its assignment stays.
var stages = []func(*attempt) verdict{
	(*attempt).reEntry,
	(*attempt).audience,
	(*attempt).consent,
	(*attempt).globalHoldout,
	(*attempt).campaignHoldout,
	(*attempt).arm,
	(*attempt).quietHours,
	(*attempt).caps,
	(*attempt).budget,
	(*attempt).hourlyLimit,
	(*attempt).age,
}

// goesAlready holds a trigger at once: the customer is on the way through the
// campaign, or the rule for coming again would hold it even after its waits.
func (a *attempt) goesAlready() bool {
	again := &a.c.Again
	if a.who.waiting >= MaxWaiting {
		return true
	}
	if !again.Never && again.After == 0 {
		return false
	}
	longest := a.c.Delay
	if a.c.WaitFor != nil {
		longest += a.c.WaitFor.Within
	}
	return a.track.waiting > 0 || a.tooSoon(max(a.now, a.run.time.Add(longest)))
}

// tooSoon applies the rule for coming again: it counts from the last assignment.
func (a *attempt) tooSoon(at event.Time) bool {
	again := &a.c.Again
	return a.track.has && (again.Never || at < a.track.assigned.Add(again.After))
}

func (a *attempt) reEntry() verdict {
	if !a.run.assigned && a.tooSoon(a.now) {
		return held(event.HeldReEntry)
	}
	return verdict{}
}

func (a *attempt) audience() verdict {
	want, s := &a.c.Audience, &a.who.standing
	in := !want.Members || s.Member
	for _, id := range want.In {
		in = in && a.who.in(id)
	}
	for _, id := range want.NotIn {
		in = in && !a.who.in(id)
	}
	if len(want.Tiers) > 0 {
		in = in && slices.Contains(want.Tiers, s.Tier)
	}
	if !in {
		return held(event.HeldNotInAudience)
	}
	return verdict{}
}

func (a *attempt) consent() verdict {
	given, known := a.who.consent(a.c.Purpose, a.c.Channel)
	if given || !known && a.c.Purpose == Service {
		return verdict{}
	}
	return held(event.HeldNoConsent)
}

func (a *attempt) globalHoldout() verdict {
	if heldOut(a.plan.GlobalHoldoutBP, GlobalHoldoutPoint(a.id)) {
		a.assign(event.ArmGlobalHoldout)
		return held(event.HeldGlobalHoldout)
	}
	return verdict{}
}

func (a *attempt) campaignHoldout() verdict {
	if heldOut(a.c.HoldoutBP, HoldoutPoint(a.c.ID, a.id)) {
		a.assign(event.ArmHoldout)
		return held(event.HeldCampaignHoldout)
	}
	return verdict{}
}

func (a *attempt) arm() verdict {
	a.variant = a.c.variant(a.id)
	a.assign(a.c.Arms[a.variant].ID)
	return verdict{}
}

// assign notes to what the customer was assigned, and when first by this run.
func (a *attempt) assign(arm string) {
	a.run.arm = arm
	if !a.run.assigned {
		a.run.assigned, a.track.has, a.track.assigned = true, true, a.now
	}
}

func (a *attempt) quietHours() verdict {
	q := &a.plan.QuietHours
	if a.c.QuietHours != nil {
		q = a.c.QuietHours
	}
	if end := q.end(a.now, a.m.zone(a.who.zone)); end > a.now {
		return verdict{outcome: event.CampaignPostponed, reason: event.PostponedQuietHours, until: end}
	}
	return verdict{}
}

func (a *attempt) caps() verdict {
	var went sends
	read := false
	for i := range a.plan.Caps {
		c := &a.plan.Caps[i]
		if !c.counts(a.c.Channel, a.c.Purpose) {
			continue
		}
		if !read {
			went, read = a.sends(), true
		}
		if went.count(c, a.now) >= min(c.Most, maxPerWindow) {
			return held(event.HeldCapped)
		}
	}
	return verdict{}
}

// budget is the partition's share: partitions ask nobody.
func (a *attempt) budget() verdict {
	if a.c.Budget > 0 && a.counter.sent >= share(a.c.Budget, a.m.partition, a.m.partitions) {
		return held(event.HeldBudget)
	}
	return verdict{}
}

// hourlyLimit spreads what is too much over the next hours: those that wait already
// fill the first of them. Nothing waits longer than it may grow old: a partition
// whose share is nothing then holds it.
func (a *attempt) hourlyLimit() verdict {
	if a.c.PerHour == 0 {
		return verdict{}
	}
	most := share(a.c.PerHour, a.m.partition, a.m.partitions)
	if a.counter.inHour < most {
		return verdict{}
	}
	old := a.run.ready.Add(a.c.MaxAge) + 1
	until := old
	if most > 0 {
		until = min(until, event.Time((a.counter.hour+1+a.counter.queued/most)*msPerHour))
	}
	if until <= a.now {
		return verdict{} // it is too old anyway
	}
	a.run.queued = true
	a.counter.queued++
	return verdict{outcome: event.CampaignPostponed, reason: event.PostponedHourlyLimit, until: until}
}

// age counts from when the campaign's own waits were over.
func (a *attempt) age() verdict {
	if a.now > a.run.ready.Add(a.c.MaxAge) {
		return held(event.HeldTooLate)
	}
	return verdict{}
}

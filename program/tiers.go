package program

import "github.com/punchcard/punchcard/event"

// Tiers go by net spend of the days in a rolling window that ends today. Only
// members hold one.
//
//   - Up at once, by any order. The day is the tier's ground.
//   - Down only at the review, ReviewDays after the ground: to what the window
//     then justifies; or the tier is confirmed, and that day is its new ground.
//     Without ReviewDays the tier follows the window day by day.
//   - A refund takes the tier back at once when neither the window that ended on
//     the ground nor today's still reaches it: down to the highest that one of
//     them reaches. A tier held by the old ground keeps its review; one held only
//     by today's window has today as its ground.

// Reasons of tier changes.
const (
	tierEnrolled = "enrolled"
	tierReached  = "reached"
	tierReview   = "review"
	tierRefund   = "refund"
	tierProgram  = "program" // another version of the rules has other tiers
)

// level returns the index of a tier, -1: there is no such tier.
func (b *Book) level(id string) int {
	for i := range b.Tiers.Levels {
		if b.Tiers.Levels[i].ID == id {
			return i
		}
	}
	return -1
}

// justified returns the index of the highest tier that the spend reaches.
func (b *Book) justified(spend int64) int {
	n := 0
	for i := 1; i < len(b.Tiers.Levels); i++ {
		if spend >= b.Tiers.Levels[i].SpendMinor {
			n = i
		}
	}
	return n
}

func (d *decision) hasTiers() bool { return d.c.member && len(d.now.Tiers.Levels) > 0 }

// setTier moves the account to a tier with its ground on the day.
func (d *decision) setTier(level int, ground event.Day, reason string, spend int64) {
	c, t := d.c, &d.now.Tiers
	if id := t.Levels[level].ID; id != c.tier {
		c.tier, c.tierSince = id, d.at
		if d.ev != nil { // a late event moves the tier now, a timer when it was due
			c.tierSince = max(d.at, d.m.Clock)
		}
		if d.tierReason == "" {
			d.tierReason = reason
		}
		d.tierSpend = spend
	}
	c.ground, c.review = ground, 0
	if level > 0 && t.ReviewDays > 0 {
		c.review = ground + event.Day(t.ReviewDays)
	}
}

// raiseTier lifts the account to what the window justifies, when that is higher.
func (d *decision) raiseTier(reason string) {
	if !d.hasTiers() {
		return
	}
	if to := d.now.justified(d.c.tierSpend); to > d.now.level(d.c.tier) {
		d.setTier(to, max(d.today, d.eventDay), reason, d.c.tierSpend)
	}
}

// reviewTier does what time does to a tier.
func (d *decision) reviewTier() {
	if !d.hasTiers() {
		d.c.review = 0
		return
	}
	at, to := d.now.level(d.c.tier), d.now.justified(d.c.tierSpend)
	switch {
	case at < 0:
		d.setTier(to, d.today, tierProgram, d.c.tierSpend)
	case d.now.Tiers.ReviewDays == 0 && to < at:
		d.setTier(to, d.today, tierReview, d.c.tierSpend)
	case d.c.review != 0 && d.c.review <= d.today:
		d.setTier(min(at, to), d.today, tierReview, d.c.tierSpend)
	}
}

// checkGround takes a tier back when a refund has removed its ground.
func (d *decision) checkGround() {
	if !d.hasTiers() {
		return
	}
	c := d.c
	at := d.now.level(c.tier)
	if at <= 0 {
		return
	}
	byWindow := d.now.justified(c.tierSpend)
	byGround, groundSpend := 0, c.tierSpend
	if d.now.Tiers.ReviewDays > 0 {
		_, groundSpend = c.sum(c.ground-event.Day(d.now.tierWindow()), c.ground)
		byGround = d.now.justified(groundSpend)
	}
	to := max(byWindow, byGround)
	if to >= at {
		return
	}
	ground := c.ground
	if byGround < to {
		ground = d.today
	}
	d.setTier(to, ground, tierRefund, max(c.tierSpend, groundSpend))
}

// lacking is what is missing to be confirmed at the review if nothing more is
// bought until then: the window will end on that day.
func (d *decision) lacking() int64 {
	c := d.c
	if c.review == 0 || !d.hasTiers() {
		return 0
	}
	at := d.now.level(c.tier)
	if at < 0 {
		return 0
	}
	_, stays := c.sum(c.review-event.Day(d.now.tierWindow()), 0)
	return max(0, d.now.Tiers.Levels[at].SpendMinor-stays)
}

// reportTier puts the move of this entry, if there was one.
func (d *decision) reportTier() {
	if d.c.tier != d.tierFrom {
		d.e.Tier = &event.TierChange{From: d.tierFrom, To: d.c.tier, Reason: d.tierReason, SpendMinor: d.tierSpend}
	}
}

package campaigns

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// Assignment is a hash, not a draw: it needs no memory, is the same on every
// machine and for ever, and anyone can work it out.
//
// A point is the first 8 bytes, as a big-endian number, of SHA-256 of words joined
// by zero bytes, modulo 10,000:
//
//	global holdout    "global_holdout", customer             held out if point < 100 × percent
//	campaign holdout  "holdout", campaign, customer          held out if point < 100 × percent
//	arm               "arm", campaign, customer              the first arm with point × Σ weights < 10,000 × (its weight + those before)
//
// The points are independent of each other.

// points is how many there are.
const points = 10_000

func pointOf(words ...string) int64 {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return int64(binary.BigEndian.Uint64(sum[:8]) % points)
}

// GlobalHoldoutPoint is a customer's point for the global holdout, 0–9999.
func GlobalHoldoutPoint(customerID string) int64 {
	return pointOf(event.ArmGlobalHoldout, customerID)
}

// HoldoutPoint is a customer's point for a campaign's holdout, 0–9999.
func HoldoutPoint(campaignID, customerID string) int64 {
	return pointOf(event.ArmHoldout, campaignID, customerID)
}

// ArmPoint is a customer's point for a campaign's arms, 0–9999.
func ArmPoint(campaignID, customerID string) int64 { return pointOf("arm", campaignID, customerID) }

func heldOut(basisPoints, point int64) bool { return point < basisPoints }

// Assign is the arm of a customer: a variant's id, event.ArmHoldout or
// event.ArmGlobalHoldout.
func (p *Plan) Assign(c *Campaign, customerID string) string {
	switch {
	case heldOut(p.GlobalHoldoutBP, GlobalHoldoutPoint(customerID)):
		return event.ArmGlobalHoldout
	case heldOut(c.HoldoutBP, HoldoutPoint(c.ID, customerID)):
		return event.ArmHoldout
	}
	return c.Arms[c.variant(customerID)].ID
}

// variant is the index of a customer's arm among those that are none held out.
func (c *Campaign) variant(customerID string) int {
	var total, sum uint64
	for i := range c.Arms {
		total += uint64(max(c.Arms[i].Weight, 0))
	}
	point := uint64(ArmPoint(c.ID, customerID))
	hi, lo := bits.Mul64(point, total)
	for i := range c.Arms {
		sum += uint64(max(c.Arms[i].Weight, 0))
		if h, l := bits.Mul64(points, sum); hi < h || hi == h && lo < l {
			return i
		}
	}
	return 0 // no weights
}

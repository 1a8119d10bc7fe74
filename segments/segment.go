package segments

import (
	"time"

	"github.com/punchcard/punchcard/program"
)

// Limits on segments; the size of all files is event.MaxBundleBytes.
const (
	MaxSegments = 1000
	MaxDepth    = 8  // all, any and not within each other
	MaxLeaves   = 50 // of one segment
	MaxValues   = 200
	// MaxWindowDays is the longest rolling window: program.PaneDays less the room
	// for late events.
	MaxWindowDays = 366
)

// Set is all segments of one bundle, checked. It is never changed.
type Set struct {
	// Segments stand in an order in which each comes after those that it asks for.
	Segments []Segment
	// Leaves and Quantities are shared by all segments: equal ones stand once.
	Leaves     []Leaf
	Quantities []Quantity
	// ID is a hash of everything that membership depends on: a customer whose state
	// is of another ID is looked at anew.
	ID   uint64
	Book *program.Book

	byID map[string]int
	plan *plan
}

// Segment is one segment.
type Segment struct {
	ID          string // file name without .yaml; "trigger:<campaign>" for a campaign's own condition
	Name        string
	Description string
	Version     string // first 16 hex digits of SHA-256 of the file
	Who         Node
}

// Op says how a Node decides.
type Op uint8

// Ops of a Node.
const (
	OpAll     Op = iota + 1 // all Children
	OpAny                   // at least one of Children
	OpNot                   // not Children[0]
	OpLeaf                  // Leaves[Index]
	OpSegment               // Segments[Index], which comes earlier in the Set
)

// Node is a condition.
type Node struct {
	Op       Op
	Children []Node
	Index    int
}

// Leaf compares a quantity with constants. What a comparison means:
//
//	numbers, days, money, points: Min ≤ value ≤ Max (each only if set)
//	words (tier, facts that are text): value is one of Words
//	truth (member, facts that are true or false): value = Truth
//	known: the quantity has a value at all
//
// A quantity without a value (no order yet, no such fact) satisfies no leaf; put
// the leaf under not for "not, or unknown".
type Leaf struct {
	Quantity int
	Form     Form
	Min, Max int64 // inclusive; more_than: 5 is Min 6
	HasMin   bool
	HasMax   bool
	Words    []string
	Truth    bool
	// Text is the clause in one line, as the file has it:
	// "days_since_last_order: more_than 30".
	Text string
}

// Form says which of a Leaf's constants count.
type Form uint8

// Forms of a Leaf.
const (
	FormRange Form = iota + 1
	FormWords
	FormTruth
	FormKnown
)

// Kind says what a Quantity is.
type Kind uint8

// Kinds of quantities. Days are whole days of the program's zone, from a day to
// today, 0 for days ahead of the clock; money is minor units of the program's
// currency. Of who has no account yet (nothing but traits or events is known) Member
// is false, counts, sums, Balance, Orders and Spend are 0, all else has no value.
const (
	Member              Kind = iota + 1 // truth
	Tier                                // word; "" has no value
	TierRank                            // 1 is the lowest level; tier: {at_least: gold}
	Recency                             // 1–5; 0 has no value
	Frequency                           // 1–5
	Monetary                            // 1–5
	Balance                             // points
	Orders                              // not wholly refunded, ever
	Spend                               // net of refunds, ever
	SpendToNextTier                     // what is lacking in the tiers' window; no value at the top, or for who is no member
	SpendToKeepTier                     // what is lacking to be confirmed at the review if nothing more is bought until then; 0: nothing; no value without a review
	DaysSinceFirst                      // first order ever, also one refunded later
	DaysSinceLast                       // latest order not wholly refunded
	DaysSinceEnrolled                   // became a member
	DaysSinceTier                       // reached the tier
	DaysToReview                        // of the tier
	DaysToExpiry                        // until the last day of the points that go next; 0 = today is it
	ExpiringPoints                      // how many those are; no value when none expire
	GapPercent                          // days since the last order, in percent of the mean gap between orders (see Gap); no value below MinOrders orders
	DaysToBirthday                      // next birthday, facts birth_month and birth_day; 0 = today; Feb 29 is Mar 1 in other years
	CountOrders                         // orders in Window, by their own day, not wholly refunded
	SumOrders                           // net spend in Window, by the order's day (a refund without an order: by its own)
	CountEvents                         // events that match, in Window
	SumEvents                           // their numeric Property
	DaysSinceFirstEvent                 // that matches, ever
	DaysSinceLastEvent                  //
	LatestEvent                         // Property of the latest that matches, ever: a number, a word or a truth
	Fact                                // of the customer: a number, a word or a truth
)

// Quantity is something a customer has a value of (or none).
type Quantity struct {
	Kind Kind
	// Event and Where select events (CountEvents …; CountOrders and SumOrders with a
	// Where are filtered orders, Event is then Order Completed).
	Event    string
	Where    []Filter
	Property string
	Window   Window
	// Fact is the fact's flattened name, such as consent.email.
	Fact string
	// MinOrders is GapPercent's.
	MinOrders int64
}

// Filter is a condition on one property of an event; all filters must hold. Of
// orders: channel, country (of the order), product, category, brand (any line
// has it); values are Words. Of other events any declared property; a survey has
// kind, score and survey_id.
type Filter struct {
	Property string
	Form     Form // FormRange, FormWords, FormTruth
	Min, Max int64
	HasMin   bool
	HasMax   bool
	Words    []string
	Truth    bool
}

// Window is the days that count, in the program's zone, none after today (a sender's
// clock may run fast: that day comes). The zero value is ever, days ahead included.
type Window struct {
	Days     int // today and the Days−1 days before
	Calendar Calendar
}

// Calendar is a period of the calendar that holds today, or the one before it.
type Calendar uint8

// Calendar periods; weeks begin on Monday.
const (
	NoCalendar Calendar = iota
	ThisWeek
	LastWeek
	ThisMonth
	LastMonth
	ThisQuarter
	LastQuarter
	ThisYear
)

// Len returns how many segments there are that customers see, without campaigns'
// own conditions.
func (s *Set) Len() (n int) {
	for i := range s.Segments {
		if !s.Segments[i].hidden() {
			n++
		}
	}
	return n
}

// Find returns a segment by its id.
func (s *Set) Find(id string) (*Segment, bool) {
	if s == nil {
		return nil, false
	}
	i, ok := s.byID[id]
	if !ok {
		return nil, false
	}
	return &s.Segments[i], true
}

func (s *Set) zone() *time.Location {
	if s == nil || s.Book == nil || s.Book.Zone == nil {
		return time.UTC
	}
	return s.Book.Zone
}

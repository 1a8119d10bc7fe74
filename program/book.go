package program

import (
	"time"

	"github.com/punchcard/punchcard/event"
)

// Semantics is the highest number of the rules of evaluation that this binary
// knows. Code that changes any output adds a number and keeps the old one.
const Semantics = 1

// Book is one version of the rules, parsed and checked. It is never changed.
type Book struct {
	// ID is the bundle's content hash, EffectiveFrom when it starts (0: always).
	ID            string
	EffectiveFrom event.Time
	Semantics     int

	Name     string
	Currency string // the only currency it counts
	TimeZone string // IANA name
	Zone     *time.Location

	// MaxAgeDays is how old an event may be by the partition's clock to count
	// (outside of history); 0 means event.MaxAge.
	MaxAgeDays int

	Enrolment []EnrolmentRule
	Wallet    string // name of the kind of points
	// ExpiryMonths and ExpiryDays: points expire at the end of the day this long
	// after the earning event; both 0: never.
	ExpiryMonths int
	ExpiryDays   int
	Exclude      Exclusions
	Rules        []Rule
	Multipliers  []Multiplier
	Stacking     Stacking
	Refunds      RefundRules
	Redemption   RedemptionRules
	Tiers        TierRules
	RFM          RFMRules
}

// EnrolmentRule makes a member of a customer: at the event Signed Up
// (SignUp), or at the Order-th order (which then earns).
type EnrolmentRule struct {
	ID     string
	SignUp bool
	Order  int64
}

// Exclusions are what never earns (it still counts as spend).
type Exclusions struct {
	Products   []string
	Categories []string
}

// RuleKind says what a rule listens to.
type RuleKind string

// Kinds of earning rules.
const (
	RuleSpend  RuleKind = "spend"   // points per unit of spend of an order
	RuleAction RuleKind = "action"  // fixed points for an event by name
	RuleSignUp RuleKind = "sign_up" // fixed points at enrolment, usable at once
)

// Rounding says what becomes of a fraction of a point, once per order and rule.
type Rounding string

// Roundings.
const (
	RoundDown   Rounding = "down"
	RoundHalfUp Rounding = "half_up"
)

// Rule is one way to earn.
type Rule struct {
	ID   string
	Kind RuleKind
	// Spend: Points per PerMinor of base, from MinimumMinor on.
	Points       int64
	PerMinor     int64
	MinimumMinor int64
	Rounding     Rounding
	// Action: the event's name.
	Event string
	// MaxPerDay bounds how often an action earns on one day (program's zone);
	// 0: no bound.
	MaxPerDay int64
	// Tiers, when set, limits the rule to members of these tiers.
	Tiers []string
}

// Multiplier raises what spend rules give: within a time window, for tiers, or
// both. Percent 200 doubles.
type Multiplier struct {
	ID      string
	Percent int64
	From    event.Time // 0: open
	Until   event.Time // exclusive; 0: open
	// Weekdays limits it to days of the week in the program's zone; empty: all.
	Weekdays []time.Weekday
	Tiers    []string // empty: all members
	Rules    []string // ids of spend rules; empty: all
}

// Stacking says how several multipliers that apply go together.
type Stacking string

// Stackings.
const (
	StackMultiply Stacking = "multiply" // 200 % and 150 % give 300 %
	StackAdd      Stacking = "add"      // 200 % and 150 % give 250 %
	StackHighest  Stacking = "highest"  // 200 % and 150 % give 200 %
)

// RefundRules say how refunds without an order id are treated.
type RefundRules struct {
	// Allocate spreads them over the customer's own earlier orders: same product,
	// newest first, never more than unrefunded. Otherwise they change spend only.
	Allocate bool
}

// RedemptionRules bound spends.
type RedemptionRules struct {
	MinimumPoints int64
}

// TierRules are one ladder by net spend in a rolling window.
type TierRules struct {
	WindowDays int
	// ReviewDays after a tier was reached or confirmed, it is reviewed: down to
	// what the window then justifies, or confirmed.
	ReviewDays int
	// Levels ascend by SpendMinor; the first has SpendMinor 0 and holds every
	// member that holds no higher one. Empty: no tiers.
	Levels []TierLevel
}

// TierLevel is one step of the ladder.
type TierLevel struct {
	ID         string
	Name       string
	SpendMinor int64
}

// ScoreMethod says where the cuts between scores come from.
type ScoreMethod string

// Methods.
const (
	ScorePopulation ScoreMethod = "population" // quintiles of all customers, through the log
	ScoreFixed      ScoreMethod = "fixed"      // thresholds of the file
)

// RFMRules say how recency, frequency and monetary value are scored 1–5.
type RFMRules struct {
	WindowDays int // default 365
	Method     ScoreMethod
	// EveryDays is the interval of recomputation, counted from Monday 1970-01-05,
	// at midnight in the program's zone; default 7.
	EveryDays int
	// MinimumCustomers: below it the fixed thresholds are used; default 100.
	MinimumCustomers int64
	// Fixed thresholds, ascending: R = 5 − #{days > c}; F, M = 1 + #{value > c}.
	RecencyDays [4]int64
	OrdersCount [4]int64
	SpendMinor  [4]int64
}

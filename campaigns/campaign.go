package campaigns

import (
	"time"

	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/segments"
)

// Limits on campaigns; the size of all files is event.MaxBundleBytes.
const (
	MaxCampaigns = 200
	MaxArms      = 10
	MaxLocales   = 20
	MaxTextBytes = 16 << 10 // one template text, and what is rendered of it
	MaxCaps      = 20
	// MaxCapDays bounds the window of a frequency cap: how long send times are kept.
	MaxCapDays = 90
	MaxDelay   = 366 * 24 * time.Hour
)

// Plan is all campaigns of one bundle and what they share, checked. It is never
// changed.
type Plan struct {
	// Campaigns by descending priority, then id: the order in which runs of one
	// moment are decided, so that the more important ones use up the caps.
	Campaigns []Campaign
	// GlobalHoldoutBP of customers get no campaign at all, in hundredths of a
	// percent (500 is 5 %).
	GlobalHoldoutBP int64
	QuietHours      QuietHours // default of all campaigns
	Caps            []Cap
	Book            *program.Book
	Set             *segments.Set // with the campaigns' own conditions, "trigger:<campaign>"

	byID map[string]int
}

// Campaign is one file campaigns/<id>.yaml.
type Campaign struct {
	ID, Name, Description string
	Version               string // first 16 hex digits of SHA-256 of the file
	Purpose               Purpose
	Channel               string // one of event.Channels
	Priority              int64  // 0–100, default 50
	Paused                bool
	Trigger               Trigger
	Delay                 time.Duration
	WaitFor               *WaitFor
	Audience              Audience
	Again                 Again
	// Existing: activating the campaign also runs it for customers who are in its
	// segment already.
	Existing  bool
	HoldoutBP int64 // hundredths of a percent
	Arms      []Arm // at least one
	// QuietHours of this campaign; nil: the plan's.
	QuietHours *QuietHours
	// PerHour and Budget bound messages of the whole program, 0: no bound. Each
	// partition has its share.
	PerHour, Budget int64
	MaxAge          time.Duration // default 24 h
	ConversionDays  int           // window of a conversion, default 14
	ExpireAfter     time.Duration // of the message, after NotBefore; default 7 days
	Template        string        // name for the tool, default the campaign's id
	DefaultLocale   string        // default "en"
}

// Purpose is what consent is asked for.
type Purpose string

// Purposes. Marketing and survey need consent; service is held only when the
// customer has refused it.
const (
	Marketing Purpose = "marketing"
	Service   Purpose = "service"
	Survey    Purpose = "survey"
)

// TriggerKind is what starts a run.
type TriggerKind string

// Kinds of triggers.
const (
	SegmentEntered  TriggerKind = "segment_entered"
	SegmentLeft     TriggerKind = "segment_left"
	TierChanged     TriggerKind = "tier_changed"
	BalanceCrossed  TriggerKind = "balance_crossed"
	PointsEarned    TriggerKind = "points_earned"
	PointsExpire    TriggerKind = "points_expire" // a condition of its own: see Trigger.Segment
	ScoreChanged    TriggerKind = "score_changed"
	EventSeen       TriggerKind = "event"
	Scheduled       TriggerKind = "schedule"
	Inactivity      TriggerKind = "inactivity" // a condition of its own
	Birthday        TriggerKind = "birthday"   // a condition of its own
	ExistingMembers TriggerKind = "existing"   // activation with existing: true; never written in a file
)

// Trigger says what starts a run. Which fields count depends on Kind.
type Trigger struct {
	Kind TriggerKind
	// Segment entered or left; of points_expire, inactivity and birthday, the
	// condition "trigger:<campaign>" that the customer processor watches.
	Segment string
	// Tier: Up or Down (both: any change), and To one of Tiers if set.
	Up, Down bool
	Tiers    []string
	// Balance crosses Points upwards (Down false) or downwards (Down); earned: at
	// least Points by one entry; points_expire: at least Points.
	Points int64
	// Score: which of r, f, m; rises to at least Min (Up), or falls to at most Max (Down).
	Score    byte
	Min, Max int64
	// Event and Where: as in segments.
	Event string
	Where []segments.Filter
	// Schedule over Segment.
	Schedule Schedule
	// Days of inactivity; within which points expire; before the birthday.
	Days int
}

// Schedule is when a scheduled campaign runs over its segment, in the program's
// zone: on one date, or every day that Weekdays (empty: all) and MonthDay (0: any)
// allow.
type Schedule struct {
	Minute   int // of the day
	Date     int // event.Day; 0: repeats
	Weekdays []time.Weekday
	MonthDay int
}

// WaitFor holds a run until an event comes or the time is over.
type WaitFor struct {
	Event         string
	Where         []segments.Filter
	Within        time.Duration
	SendIfComes   bool // else it is held: event_came
	SendIfMissing bool // else it is held: event_missing
}

// Audience restricts who gets it, as they stand when it is about to go.
type Audience struct {
	In, NotIn []string // segments: in all of In, in none of NotIn
	Tiers     []string // one of; empty: any
	Members   bool     // members only
}

// Again says when a customer may run through the campaign again after an
// assignment.
type Again struct {
	Never bool
	After time.Duration // 0: always
}

// Arm is a variant of the message; Weight is its share of those not held out.
type Arm struct {
	ID     string
	Weight int64
	Texts  []Text // the default locale first
}

// Text is a message in one locale.
type Text struct {
	Locale        string
	Subject, Text Template
}

// QuietHours are when nothing is sent, by the customer's clock. From = Until: none.
type QuietHours struct {
	From, Until int // minutes of the day; may span midnight
}

// Cap bounds messages to one customer on one channel (or all: "") in any window
// of that length.
type Cap struct {
	Channel string
	Most    int64
	Within  time.Duration
	// Purposes that count and are bounded; empty: marketing and survey.
	Purposes []Purpose
}

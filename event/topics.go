package event

// Topic names, without the tenant's prefix.
const (
	TopicEvents      = "events"
	TopicLedger      = "ledger"
	TopicCampaignLog = "campaign-log"
	TopicCustomers   = "customers"
	TopicState       = "state"
	TopicSegments    = "segments"
	TopicProfiles    = "profiles"
	TopicRejects     = "rejects"
)

// Record headers.
const (
	// HeaderClass is "outer" (happened outside, and ticks) or "derived"
	// (commands, cut points, bundles): a replay into a new prefix keeps the outer.
	HeaderClass = "class"
	// HeaderState carries the state writes of an entry (see StateWrites).
	HeaderState = "state"
	// HeaderSource is where a projected record comes from: partition and sequence
	// of the ledger or of campaign-log, see Source.
	HeaderSource = "source"
)

// Class values.
const (
	ClassOuter   = "outer"
	ClassDerived = "derived"
)

// Account id prefixes of those who are not identified customers.
const (
	PrefixAnonymous = "anon:"
	PrefixGuest     = "guest:"
)

// Identified reports whether the account is a customer known by a user id.
func Identified(accountID string) bool {
	return accountID != "" && !hasPrefix(accountID, PrefixAnonymous) && !hasPrefix(accountID, PrefixGuest)
}

func hasPrefix(s, p string) bool { return len(s) >= len(p) && s[:len(p)] == p }

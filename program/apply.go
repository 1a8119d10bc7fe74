package program

import "github.com/punchcard/punchcard/event"

type keyBuffer []byte
type account struct{}

// Apply decides one outer event (track, identify, redeem, ...) of ev.AccountID.
func (l *Library) Apply(st State, m Moment, ev *event.Event, e *event.Entry) {}

// NextDue returns when the account next wants to be visited by time alone (0: never).
func (l *Library) NextDue(st State, accountID string) event.Time { return 0 }

// Fire does all that is due for the account at exactly its NextDue instant.
func (l *Library) Fire(st State, m Moment, accountID string, e *event.Entry) {}

// Rescore re-derives scores under m.CutPoints.
func (l *Library) Rescore(st State, m Moment, accountID string, e *event.Entry) bool { return false }

// CoreRange returns the key range of all account cores.
func CoreRange() (from, to []byte) { return []byte{'c'}, []byte{'d'} }

// AccountOfCore returns the account of a core's key.
func AccountOfCore(key []byte) (string, bool) { return "", false }

// ReadCounts returns this partition's counts for cut points.
func ReadCounts(st State, day event.Day) *event.Counts { return nil }

// CutPointsOf derives the cut points of a day from all partitions' counts.
func CutPointsOf(counts []*event.Counts, day event.Day, minimum int64) *event.CutPoints { return nil }

// ReadStanding returns how an account stands.
func ReadStanding(st State, l *Library, accountID string) (*event.Standing, bool) { return nil, false }

// Lot is points with one origin and one expiry.
type Lot struct {
	ID        string
	OrderID   string
	RuleID    string
	ExpiresOn event.Day // 0: never
	Remaining int64     // negative: the debt lot
}

// Lots returns the open lots of an account, ascending by expiry.
func Lots(st State, accountID string) []Lot { return nil }

// AccountTotals is what ScanAccounts visits: balance and the sum of its lots.
type AccountTotals struct {
	AccountID string
	Balance   int64
	LotsSum   int64
}

// ScanAccounts visits every account core in key order until fn returns false.
func ScanAccounts(st State, fn func(AccountTotals) bool) {}

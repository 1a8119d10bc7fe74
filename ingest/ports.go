package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Outgoing is one record to publish. Topic is a name of package event, without
// the tenant's prefix. Key is the account id, or empty. Class is the record's
// event.HeaderClass, empty for topics that have none.
type Outgoing struct {
	Topic string
	Key   string
	Value []byte
	Class string
}

// Log publishes records. Publish returns nil when the broker has all of them,
// ErrBusy (wrapped or not) when bounded buffers are full and nothing more should
// be sent for a moment. After any other error it is unknown which records
// arrived: the sender repeats, and message ids make that harmless.
type Log interface {
	Publish(ctx context.Context, records []Outgoing) error
}

// ErrBusy says that the log's bounded buffers are full.
var ErrBusy = errors.New("the log is busy")

// Desk asks the owner of an account's partition.
type Desk interface {
	// Expect registers interest in the answer to a message id. It is called
	// before the message is produced. Several tickets for one id may be open.
	Expect(accountID, messageID string) (Ticket, error)
	// Customer returns how the account stands; ErrUnknownCustomer when it has no
	// state.
	Customer(ctx context.Context, accountID string) (CustomerReading, error)
	// After returns when the entry of that message is in (at once, if it was in
	// before), or with ctx's error.
	After(ctx context.Context, accountID, messageID string) error
}

// Ticket waits for one answer. Cancel gives it back, also after Wait.
type Ticket interface {
	Wait(ctx context.Context) (*event.Entry, error)
	Cancel()
}

// ErrUnknownCustomer says that nothing is known of an account.
var ErrUnknownCustomer = errors.New("unknown customer")

// CustomerReading is a standing, and of what it is: entry Sequence of Partition,
// whose clock is Clock.
type CustomerReading struct {
	Standing  event.Standing
	Partition int32
	Sequence  int64
	Clock     event.Time
}

// Entries reads an account's ledger entries from the warehouse, newest first:
// at most limit of those with a sequence below before (0: from the newest).
type Entries interface {
	Entries(ctx context.Context, accountID string, before int64, limit int) ([]json.RawMessage, error)
}

// Gate says whether new events may enter now; if not, why (one of the Closed
// constants) and when to try again.
type Gate interface {
	Check() (reason string, retryAfter time.Duration, ok bool)
}

// Reasons of a closed gate; they are error codes of the API.
const (
	ClosedHistory = "history_import" // the past is being imported
	ClosedDisk    = "disk_full"      // free disk is below the reserve
	ClosedBroker  = "broker_slow"    // the broker does not keep up
)

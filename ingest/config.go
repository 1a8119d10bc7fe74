package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/punchcard/punchcard/event"
)

// Limits of the door. Those with a field in Config are defaults.
const (
	// DefaultBodyBytes bounds a request body, as sent and after decompression
	// (Segment's limit for a batch).
	DefaultBodyBytes = 500 << 10
	// MaxBodyBytes is the largest body limit that may be configured.
	MaxBodyBytes = 4 << 20
	// DefaultBatch bounds the messages of one batch.
	DefaultBatch = 1000
	// MaxBatch is the largest batch limit that may be configured.
	MaxBatch = 20_000
	// MaxRedemptionBytes bounds the body of a redemption.
	MaxRedemptionBytes = 8 << 10
	// MaxDepth bounds how deep a message's JSON may nest.
	MaxDepth = 24
	// MaxProfileTraits bounds the personal traits of one identify.
	MaxProfileTraits = 256
	// MaxContextBytes bounds a context field (library, channel, country); a longer
	// one is left out, for it decides nothing.
	MaxContextBytes = 100
	// MaxErrors bounds the errors listed in one answer; all are in topic rejects.
	MaxErrors = 20
	// DefaultConcurrent bounds the calls whose bodies are held at one time.
	DefaultConcurrent = 256
	// DefaultWaiting bounds the redemptions and readings under way at one time.
	DefaultWaiting = 4096
	// DefaultWait bounds how long a redemption or ?after= waits for its entry.
	DefaultWait = 10 * time.Second
	// MaxWait is the longest wait that may be configured.
	MaxWait = 60 * time.Second
	// DefaultPublish bounds how long the broker may take to confirm a call.
	DefaultPublish = 15 * time.Second
	// DefaultEntries and MaxEntries bound one page of entries.
	DefaultEntries = 50
	MaxEntries     = 500
	// MaxKeys bounds the configured keys, MaxKeyBytes a secret's length.
	MaxKeys     = 256
	MaxKeyBytes = 200
	MinKeyBytes = 12
)

// DefaultDeclared are the traits and properties that may enter the log without
// being asked for: facts that rules use and that identify nobody, and what a
// message's outcome says of it. A page's url is not among them: link_url is what
// was clicked in a message.
var DefaultDeclared = []string{
	"arm", "birth_day", "birth_month", "campaign_id", "channel", "consent", "country", "coupon",
	"language", "link_url", "message_id", "order_id", "product_id", "rating", "source", "time_zone",
}

// personal are names that may not be declared, compared without case and
// separators: the log is kept for ever.
var personal = map[string]bool{
	"address": true, "avatar": true, "birthdate": true, "birthday": true, "dateofbirth": true, "dob": true,
	"email": true, "emailaddress": true, "firstname": true, "fullname": true, "ip": true, "ipaddress": true,
	"lastname": true, "mobile": true, "name": true, "password": true, "phone": true, "phonenumber": true,
	"postalcode": true, "postcode": true, "street": true, "surname": true, "username": true, "zip": true,
}

// Config is what a Door needs. Log and Keys are required; zero values of the
// rest take the defaults above.
type Config struct {
	Keys []Key
	Log  Log
	// Desk, Entries and Gate may be nil: then redemptions and readings answer 503
	// with a reason, and the gate is always open.
	Desk    Desk
	Entries Entries
	Gate    Gate

	// Now is the clock that event times are judged and corrected by (a demo's may
	// differ from the wall clock), Wall the clock of received times, which decide
	// nothing. Both default to time.Now.
	Now  func() time.Time
	Wall func() time.Time
	// NewID makes message ids for senders that sent none; default random UUIDs.
	NewID func() string
	// Report is told of failures that the caller is only told in general: a panic,
	// a log that refuses. Default: nothing.
	Report func(error)

	// Declared are names of traits and properties that may enter the log, beside
	// DefaultDeclared.
	Declared []string
	// IsDeclared says so of further names, as the programs in force change; personal
	// names stay out whatever it says. nil: none.
	IsDeclared func(name string) bool
	// PublicNames are track names that public keys may send whatever ServerOnly
	// says; a name with a typed section or Signed Up stays closed to them.
	PublicNames []string
	// ServerOnly reports whether a program gives anything for an event's name;
	// public keys may track the other names. nil: only PublicNames.
	ServerOnly func(name string) bool

	BodyBytes   int64
	Batch       int
	Concurrent  int
	Waiting     int
	Wait        time.Duration
	Publish     time.Duration
	MaxAge      time.Duration
	MaxFuture   time.Duration
	AllowOrigin string // Access-Control-Allow-Origin of Segment's calls; default *
}

func (c *Config) setDefaults() {
	orInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	if c.BodyBytes == 0 {
		c.BodyBytes = DefaultBodyBytes
	}
	orInt(&c.Batch, DefaultBatch)
	orInt(&c.Concurrent, DefaultConcurrent)
	orInt(&c.Waiting, DefaultWaiting)
	orTime(&c.Wait, DefaultWait)
	orTime(&c.Publish, DefaultPublish)
	orTime(&c.MaxAge, event.MaxAge)
	orTime(&c.MaxFuture, event.MaxFuture)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	if c.NewID == nil {
		c.NewID = uuid.NewString
	}
	if c.Report == nil {
		c.Report = func(error) {}
	}
	if c.AllowOrigin == "" {
		c.AllowOrigin = "*"
	}
}

// validate reports every problem at once.
func (c *Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("ingest: "+format, args...)) }
	if c.Log == nil {
		bad("no Log: the door needs somewhere to publish")
	}
	if c.BodyBytes < 1<<10 || c.BodyBytes > MaxBodyBytes {
		bad("BodyBytes %d is not between %d and %d", c.BodyBytes, 1<<10, MaxBodyBytes)
	}
	if c.Batch < 1 || c.Batch > MaxBatch {
		bad("Batch %d is not between 1 and %d", c.Batch, MaxBatch)
	}
	if c.Concurrent < 1 || c.Waiting < 1 {
		bad("Concurrent %d and Waiting %d must be at least 1", c.Concurrent, c.Waiting)
	}
	if c.Wait < time.Millisecond || c.Wait > MaxWait || c.Publish < time.Millisecond || c.Publish > MaxWait {
		bad("Wait %v and Publish %v must be between 1ms and %v", c.Wait, c.Publish, MaxWait)
	}
	if c.MaxAge < 0 || c.MaxFuture < 0 {
		bad("MaxAge %v and MaxFuture %v must not be negative", c.MaxAge, c.MaxFuture)
	}
	for _, name := range c.Declared {
		if name == "" || len(name) > event.MaxNameBytes {
			bad("declared name %.40q is empty or too long", name)
		} else if personal[plain(name)] {
			bad("declared name %q is personal: the log is kept for ever; leave it to topic %s", name, event.TopicProfiles)
		}
	}
	if err := checkKeys(c.Keys); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// plain lowers a name and drops its separators: firstName = first_name.
func plain(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(strings.ToLower(name))
}

func setOf(lists ...[]string) map[string]bool {
	m := map[string]bool{}
	for _, name := range slices.Concat(lists...) {
		m[name] = true
	}
	return m
}

package subscriber

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/punchcard/punchcard/event"
)

// Limits. Those with a field in Config are defaults.
const (
	// DefaultHorizonMessages is how many records of a partition a repeat may be
	// behind the first.
	DefaultHorizonMessages = 4096
	// MaxHorizonMessages bounds what is remembered of a partition (some 150 bytes
	// each) and read back when it is taken.
	MaxHorizonMessages = 1_000_000
	// DefaultHorizonAge is how long a repeat may come after the first.
	DefaultHorizonAge = 24 * time.Hour
	// MaxHorizonAge is how long the topics keep messages.
	MaxHorizonAge = 30 * 24 * time.Hour
	// DefaultAttempts is how often a handler is called for one message.
	DefaultAttempts = 5
	// MaxAttempts is the most that may be configured.
	MaxAttempts = 1000
	// DefaultPause is the pause after the first failure; it doubles.
	DefaultPause = 200 * time.Millisecond
	// MaxPause bounds the pause between two attempts.
	MaxPause = 30 * time.Second
	// DefaultSession is Config.Session when that is 0; brokers refuse less than
	// MinSession.
	DefaultSession = 30 * time.Second
	MinSession     = 6 * time.Second
	MaxSession     = 30 * time.Minute
	// MaxHeld bounds the messages fetched ahead per partition.
	MaxHeld = 64

	heartbeat   = time.Second            // how soon a member hears of a rebalance
	fetchWait   = 500 * time.Millisecond // of one fetch; bounds how long a partition takes to stop
	joinBackoff = time.Second            // after the group could not be joined
	findWithin  = 30 * time.Second       // bounds the look at the topics when Run begins
)

// Handler sends a message. It is called again, Config.Attempts times at most,
// when it returns an error. Its context ends with Run's, not with a rebalance.
type Handler func(ctx context.Context, m event.CampaignMessage) error

// Horizon is how far back repeats are known; see the package comment.
type Horizon struct {
	Messages int           // records of the partition; 0: DefaultHorizonMessages
	Age      time.Duration // between the records' times; 0: DefaultHorizonAge
}

// Config says what to read. Brokers, Group and Channels are required.
type Config struct {
	Brokers []string // host:port
	// Group is the consumer group's name, without prefix. All tools that share it
	// share the messages; a new one begins with the oldest message kept.
	Group string
	// Channels are event.ChannelEmail and the like.
	Channels []string
	// Prefix is the tenant's, with its dot: "acme."; it stands before topics and
	// group. Empty: no tenant.
	Prefix  string
	Horizon Horizon
	// Attempts and Pause are for handlers that fail: 0 takes the defaults. After
	// the last attempt Run returns the error; the message stays uncommitted.
	Attempts int
	Pause    time.Duration
	// Session is how long the group waits for a silent member, and in a rebalance
	// for a handler under way; 0: DefaultSession.
	Session time.Duration
	// Expired is called instead of the handler with messages that are too old to
	// send; nil drops them. Errors are treated as a handler's.
	Expired Handler
	// Unreadable is called with records that hold no message; nil as its error
	// passes over them. Unreadable nil: Run returns an error.
	Unreadable func(ctx context.Context, m kafka.Message, err error) error
	// Now is the clock that messages expire by; default time.Now.
	Now func() time.Time
	// Report is told of what is tried again: a broker out of reach, a handler
	// that failed. Default: nothing. It may be called from several goroutines.
	Report func(error)
	// Dialer connects to the brokers: TLS, SASL, timeouts. Default: plain TCP.
	Dialer *kafka.Dialer
}

func (c *Config) setDefaults() {
	if c.Horizon.Messages == 0 {
		c.Horizon.Messages = DefaultHorizonMessages
	}
	if c.Horizon.Age == 0 {
		c.Horizon.Age = DefaultHorizonAge
	}
	if c.Attempts == 0 {
		c.Attempts = DefaultAttempts
	}
	if c.Pause == 0 {
		c.Pause = DefaultPause
	}
	if c.Session == 0 {
		c.Session = DefaultSession
	}
	if c.Expired == nil {
		c.Expired = func(context.Context, event.CampaignMessage) error { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Report == nil {
		c.Report = func(error) {}
	}
	if c.Dialer == nil {
		c.Dialer = &kafka.Dialer{Timeout: 10 * time.Second, DualStack: true}
	}
}

// validate reports every problem at once.
func (c *Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("subscriber: "+format, args...)) }
	if len(c.Brokers) == 0 {
		bad("no Brokers: say where Kafka is, as host:port")
	}
	if c.Group == "" {
		bad("no Group: name the consumer group of this tool")
	}
	if len(c.Channels) == 0 {
		bad("no Channels: some of %v", event.Channels)
	}
	for i, channel := range c.Channels {
		if !slices.Contains(event.Channels, channel) {
			bad("channel %.40q is none of %v", channel, event.Channels)
		}
		if slices.Contains(c.Channels[:i], channel) {
			bad("channel %s is named twice", channel)
		}
	}
	if h := c.Horizon; h.Messages < 1 || h.Messages > MaxHorizonMessages || h.Age < 0 || h.Age > MaxHorizonAge {
		bad("Horizon of %d messages and %v is not within 1 and %d, and 0 and %v", h.Messages, h.Age, MaxHorizonMessages, MaxHorizonAge)
	}
	if c.Attempts < 1 || c.Attempts > MaxAttempts || c.Pause < 0 || c.Pause > MaxPause {
		bad("Attempts %d and Pause %v are not within 1 and %d, and 0 and %v", c.Attempts, c.Pause, MaxAttempts, MaxPause)
	}
	if c.Session < MinSession || c.Session > MaxSession {
		bad("Session %v is not within %v and %v", c.Session, MinSession, MaxSession)
	}
	return errors.Join(errs...)
}

func (c *Config) topics() []string {
	var out []string
	for _, channel := range c.Channels {
		out = append(out, c.Prefix+event.TopicCampaigns(channel))
	}
	return out
}

package subscriber

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Limits of reports. Those with a field in DoorConfig are defaults.
const (
	// MaxReport bounds the outcomes of one Report; the door takes more.
	MaxReport = 500
	// DefaultDoorAttempts is how often a call is sent while the door is busy,
	// closed or out of reach.
	DefaultDoorAttempts = 8
	// MaxRetryAfter bounds how long one Retry-After is waited for; a door that
	// asks for more is asked again after this.
	MaxRetryAfter = time.Minute
	// DefaultDoorTimeout bounds one call.
	DefaultDoorTimeout = 60 * time.Second

	maxAnswerBytes = 1 << 20 // read of the door's answer
)

// OutcomeKind says what became of a message.
type OutcomeKind string

// Kinds of outcomes.
const (
	Delivered    OutcomeKind = "delivered"
	Opened       OutcomeKind = "opened"
	Clicked      OutcomeKind = "clicked"
	Bounced      OutcomeKind = "bounced"
	Unsubscribed OutcomeKind = "unsubscribed" // withdraws the consent to the channel at once
	Complained   OutcomeKind = "complained"   // marked as spam: withdraws it too, for e-mail
)

// words of outcomes and channels as Segment's e-mail events have them.
var (
	outcomeWords = map[OutcomeKind]string{Delivered: "Delivered", Opened: "Opened", Clicked: "Link Clicked", Bounced: "Bounced", Complained: "Marked as Spam"}
	channelWords = map[string]string{event.ChannelEmail: "Email", event.ChannelSMS: "SMS", event.ChannelPush: "Push", event.ChannelInApp: "In-App", event.ChannelMail: "Mail"}
)

// Outcome is what became of a message. At is when, zero: now. Link is what was
// clicked.
//
// Its event's id is made of the message's id, the kind and the link, so it counts
// once however often it is reported; a second opening is not told apart from the
// first.
type Outcome struct {
	Kind    OutcomeKind
	Message event.CampaignMessage
	Link    string
	At      time.Time
}

// DoorConfig says where outcomes are reported.
type DoorConfig struct {
	// URL is the door's, such as http://127.0.0.1:8080.
	URL string
	// Key is a server key of the door.
	Key string
	// Attempts bounds how often a call is sent; 0: DefaultDoorAttempts.
	Attempts int
	// Client sends; default one with a timeout of DefaultDoorTimeout.
	Client *http.Client
}

// Outcomes reports to the door. Safe for concurrent use.
type Outcomes struct {
	config DoorConfig
	batch  string
}

// NewOutcomes checks the configuration; it sends nothing.
func NewOutcomes(c DoorConfig) (*Outcomes, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("subscriber: the door's URL %.80q is not like http://127.0.0.1:8080", c.URL)
	case c.Key == "":
		return nil, errors.New("subscriber: no key of the door: give a server key")
	case c.Attempts < 0 || c.Attempts > MaxAttempts:
		return nil, fmt.Errorf("subscriber: Attempts %d is not within 0 and %d", c.Attempts, MaxAttempts)
	}
	if c.Attempts == 0 {
		c.Attempts = DefaultDoorAttempts
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: DefaultDoorTimeout}
	}
	return &Outcomes{c, u.JoinPath("/v1/batch").String()}, nil
}

// Delivered reports that the message arrived. At is when, zero: now; so below.
func (o *Outcomes) Delivered(ctx context.Context, m event.CampaignMessage, at time.Time) error {
	return o.Report(ctx, Outcome{Kind: Delivered, Message: m, At: at})
}

// Opened reports that the customer opened it.
func (o *Outcomes) Opened(ctx context.Context, m event.CampaignMessage, at time.Time) error {
	return o.Report(ctx, Outcome{Kind: Opened, Message: m, At: at})
}

// Clicked reports that the customer followed a link. Only its scheme, host and
// path are sent: the rest often names people, and the log is kept for ever.
func (o *Outcomes) Clicked(ctx context.Context, m event.CampaignMessage, link string, at time.Time) error {
	return o.Report(ctx, Outcome{Kind: Clicked, Message: m, Link: link, At: at})
}

// Bounced reports that it could not be delivered.
func (o *Outcomes) Bounced(ctx context.Context, m event.CampaignMessage, at time.Time) error {
	return o.Report(ctx, Outcome{Kind: Bounced, Message: m, At: at})
}

// Unsubscribed reports that the customer wants no more of the channel.
func (o *Outcomes) Unsubscribed(ctx context.Context, m event.CampaignMessage, at time.Time) error {
	return o.Report(ctx, Outcome{Kind: Unsubscribed, Message: m, At: at})
}

// Complained reports that the customer marked it as spam.
func (o *Outcomes) Complained(ctx context.Context, m event.CampaignMessage, at time.Time) error {
	return o.Report(ctx, Outcome{Kind: Complained, Message: m, At: at})
}

// Report sends up to MaxReport outcomes in one call. It returns nil once the door
// has all of them, and *Rejected when it has taken some or none and will not take
// the others. After any error all may be reported again.
func (o *Outcomes) Report(ctx context.Context, outcomes ...Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	if len(outcomes) > MaxReport {
		return fmt.Errorf("subscriber: %d outcomes in one report, at most %d", len(outcomes), MaxReport)
	}
	var body struct {
		Batch []track `json:"batch"`
	}
	for i := range outcomes {
		t, err := trackOf(&outcomes[i])
		if err != nil {
			return err
		}
		body.Batch = append(body.Batch, t)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("subscriber: writing %d outcomes: %w", len(outcomes), err)
	}
	return o.post(ctx, text)
}

// track is a call of Segment's API.
type track struct {
	Type       string            `json:"type"`
	Event      string            `json:"event"`
	MessageID  string            `json:"messageId"`
	UserID     string            `json:"userId"`
	Timestamp  string            `json:"timestamp,omitempty"`
	Properties map[string]string `json:"properties"`
	Context    map[string]any    `json:"context"`
}

func trackOf(o *Outcome) (track, error) {
	m := &o.Message
	if m.MessageID == "" || m.CustomerID == "" || channelWords[m.Channel] == "" {
		return track{}, fmt.Errorf("subscriber: an outcome of message %q to customer %q by channel %q: report messages as they were read", m.MessageID, m.CustomerID, m.Channel)
	}
	t := track{Type: "track", UserID: m.CustomerID, MessageID: m.MessageID + "/" + string(o.Kind),
		Properties: map[string]string{"message_id": m.MessageID, "campaign_id": m.CampaignID, "arm": m.Arm, "channel": m.Channel},
		Context:    map[string]any{"library": map[string]string{"name": "punchcard-subscriber", "version": "1"}}}
	switch word := outcomeWords[o.Kind]; {
	case o.Kind == Unsubscribed:
		t.Event = "Unsubscribed"
	case word != "":
		t.Event = channelWords[m.Channel] + " " + word
	default:
		return track{}, fmt.Errorf("subscriber: %.40q is no kind of outcome", o.Kind)
	}
	if o.Kind == Clicked {
		link, err := plainLink(o.Link)
		if err != nil {
			return track{}, err
		}
		sum := sha256.Sum256([]byte(link))
		t.Properties["link_url"] = link
		t.MessageID += "/" + hex.EncodeToString(sum[:8])
	}
	if !o.At.IsZero() {
		t.Timestamp = event.At(o.At).String()
	}
	if m.IsSimulated {
		t.Context["is_simulated"] = true
	}
	return t, nil
}

// plainLink leaves out user, query and fragment.
func plainLink(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return "", fmt.Errorf("subscriber: the link that was clicked, %.80q, is no URL", link)
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String(), nil
}

package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
)

// RedeemMessagePrefix begins the message id of a redemption; senders' own
// message ids may not, for they could take a redemption's place.
const RedeemMessagePrefix = "redeem:"

// Names of track events that we read beside those of package event.
const nameOrderCancelled = "Order Cancelled"

// typed names have a typed section or enrol: never for public keys.
var typed = map[string]bool{
	event.NameOrderCompleted: true, event.NameOrderRefunded: true, nameOrderCancelled: true,
	event.NameSurveyAnswered: true, event.NameSignedUp: true,
}

// Profile is the value of a record on topic profiles: personal traits that no
// rule needs, of one identify. Its key is the account id.
type Profile struct {
	V          int                        `json:"v"`
	CustomerID string                     `json:"customer_id"`
	Traits     map[string]json.RawMessage `json:"traits"`
	Time       event.Time                 `json:"time"`
}

// Call is what a message inherits from the request that brought it.
type Call struct {
	// Type is the route's; empty in a batch, where each message says its own.
	Type event.Type
	Key  *Key
	// Envelope holds the batch's sentAt and context; nil for a single call.
	Envelope map[string]any
	// Now is the clock that event times are judged by, Received the wall clock.
	Now, Received event.Time
}

// Message is what became of one raw message.
type Message struct {
	ID string // message id, made here when the sender sent none
	// Event is the canonical event; nil when Invalid says why not.
	Event   *event.Event
	Profile *Profile // nil without personal traits
	Invalid *event.Invalid
}

// Normaliser turns Segment's messages into canonical events. It is a pure
// function of message and call, but for the ids it makes where none was sent.
type Normaliser struct {
	declared    map[string]bool
	isDeclared  func(name string) bool
	publicNames map[string]bool
	serverOnly  func(name string) bool
	newID       func() string
	maxAge      time.Duration
	maxFuture   time.Duration
}

// NewNormaliser takes the settings that concern messages from c; New has
// checked them.
func NewNormaliser(c Config) *Normaliser {
	c.setDefaults()
	return &Normaliser{
		declared:    setOf(DefaultDeclared, c.Declared),
		isDeclared:  c.IsDeclared,
		publicNames: setOf(c.PublicNames),
		serverOnly:  c.ServerOnly,
		newID:       c.NewID,
		maxAge:      c.MaxAge,
		maxFuture:   c.MaxFuture,
	}
}

// Normalise reads one message: {type, messageId, userId, anonymousId, timestamp,
// event, properties, traits, context ...} as Segment's clients send it.
func (n *Normaliser) Normalise(raw []byte, c Call) Message {
	o, bad := parseObject(raw)
	if bad != nil {
		return Message{Invalid: bad}
	}
	m := Message{}
	if m.ID, bad = o.text("messageId"); bad != nil {
		return Message{Invalid: bad}
	}
	if m.ID == "" {
		m.ID = n.newID()
	}
	e := &event.Event{V: event.Version, MessageID: m.ID, ReceivedTime: c.Received}
	if bad := n.fill(e, o, c); bad != nil {
		m.Invalid = bad
		return m
	}
	e.BodyHash = bodyHash(e.Type, o)
	m.Event = e
	if e.Type == event.TypeIdentify {
		m.Profile, m.Invalid = n.profile(e, o)
	}
	if m.Invalid != nil {
		m.Event = nil
	}
	return m
}

// fill sets all of the event but its hash; the order of the checks decides which
// problem a sender is told first.
func (n *Normaliser) fill(e *event.Event, o object, c Call) *event.Invalid {
	if strings.HasPrefix(e.MessageID, RedeemMessagePrefix) {
		return invalid("messageId", "choose another", "begins with %q, which is kept for redemptions", RedeemMessagePrefix)
	}
	for _, step := range [...]func(*event.Event, object, Call) *event.Invalid{
		n.kind, n.permit, n.context, n.time, n.section, n.account, n.facts,
	} {
		if bad := step(e, o, c); bad != nil {
			return bad
		}
	}
	if bad := e.Validate(); bad != nil {
		return renamed(bad)
	}
	return nil
}

// renamed says a canonical field by the name that the sender knows.
func renamed(bad *event.Invalid) *event.Invalid {
	for _, r := range [...][2]string{{"account_id", "userId"}, {"message_id", "messageId"}, {"event_time", "timestamp"}} {
		if bad.Field == r[0] {
			bad.Field = r[1]
		}
	}
	return bad
}

func (n *Normaliser) kind(e *event.Event, o object, c Call) *event.Invalid {
	e.Type = c.Type
	if e.Type == "" {
		s, bad := o.text("type")
		if bad != nil {
			return bad
		}
		e.Type = event.Type(s)
	}
	var bad *event.Invalid
	switch e.Type {
	case event.TypeTrack:
		if e.Name, bad = o.text("event"); bad == nil && e.Name == "" {
			return missing("event", "send the event's name, such as Order Completed")
		}
	case event.TypePage, event.TypeScreen:
		e.Name, bad = o.text("name")
	case event.TypeIdentify, event.TypeGroup, event.TypeAlias:
	default:
		return &event.Invalid{Code: event.RejectUnknownType, Field: "type", Message: fmt.Sprintf("%.40q is not a type of call", e.Type),
			Hint: "track, identify, page, screen, group or alias"}
	}
	return bad
}

// permit holds what a public key may not do: all that could move points.
func (n *Normaliser) permit(e *event.Event, o object, c Call) *event.Invalid {
	if c.Key.Kind == KeyServer {
		return nil
	}
	denied := &event.Invalid{Code: event.RejectKeyNotAllowed, Field: "type", Hint: "send it from a server, with a server key"}
	if c.Key.Kind != KeyPublic || e.Type == event.TypeAlias {
		denied.Message = fmt.Sprintf("a %s key may not send %s", c.Key.Kind, e.Type)
		return denied
	}
	if e.Type == event.TypeTrack && !n.harmless(e.Name) {
		denied.Field = "event"
		denied.Message = fmt.Sprintf("a public key may not track %.80q", e.Name)
		return denied
	}
	return nil
}

// harmless reports whether a public key may track the name. Without knowledge of
// the programs (serverOnly nil) only what the operator named is.
func (n *Normaliser) harmless(name string) bool {
	switch {
	case typed[name]:
		return false
	case n.publicNames[name]:
		return true
	case n.serverOnly == nil:
		return false
	}
	return !n.serverOnly(name)
}

// context keeps where the message came from. IP address, user agent, page and
// device are not kept.
func (n *Normaliser) context(e *event.Event, o object, c Call) *event.Invalid {
	ctx, bad := o.section("context")
	if bad != nil {
		return bad
	}
	envelope, _ := object(c.Envelope).section("context")
	e.Context = &event.Context{Source: c.Key.Name}
	for _, from := range [...]object{ctx, envelope} {
		if e.Context.Library == "" {
			lib, _ := from.section("library")
			name, _ := lib.text("name")
			version, _ := lib.text("version")
			if name != "" && version != "" {
				name += "/" + version
			}
			e.Context.Library = short(name)
		}
		e.IsSimulated = e.IsSimulated || from.isTrue("is_simulated")
	}
	props, _ := o.section("properties")
	location, _ := ctx.section("location")
	e.Context.Channel = first(props, "channel", ctx, "channel", o, "channel")
	e.Context.Country = first(props, "country", location, "country")
	if e.IsSimulated && c.Key.Kind != KeyServer {
		return &event.Invalid{Code: event.RejectKeyNotAllowed, Field: "context.is_simulated",
			Message: "a public key may not send simulated events", Hint: "use a server key"}
	}
	return nil
}

// first returns the first short text among pairs of object and key.
func first(pairs ...any) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if v, bad := pairs[i].(object).text(pairs[i+1].(string)); bad == nil && short(v) != "" {
			return v
		}
	}
	return ""
}

func short(s string) string {
	if len(s) > MaxContextBytes {
		return ""
	}
	return s
}

// time corrects the sender's clock as Segment does: what matters is how long
// before sending it happened, timestamp' = now − (sentAt − timestamp).
func (n *Normaliser) time(e *event.Event, o object, c Call) *event.Invalid {
	at, bad := o.time("timestamp")
	if bad == nil && at == 0 {
		at, bad = o.time("originalTimestamp")
	}
	if bad != nil {
		return bad
	}
	sent, bad := o.time("sentAt")
	if bad == nil && sent == 0 {
		sent, bad = object(c.Envelope).time("sentAt")
	}
	if bad != nil {
		return bad
	}
	switch {
	case at == 0:
		at = c.Now
	case sent != 0:
		at = c.Now - (sent - at)
	}
	e.EventTime = at
	if at > c.Now.Add(n.maxFuture) {
		return &event.Invalid{Code: event.RejectInFuture, Field: "timestamp", Hint: "send sentAt, so that a wrong clock is corrected",
			Message: fmt.Sprintf("is %v ahead of our clock %s; at most %v", span(at-c.Now), c.Now, n.maxFuture)}
	}
	if at < c.Now.Add(-n.maxAge) {
		return &event.Invalid{Code: event.RejectTooOld, Field: "timestamp", Hint: "import the past with punchcard import",
			Message: fmt.Sprintf("is %v behind our clock %s; at most %v", span(c.Now-at), c.Now, n.maxAge)}
	}
	return nil
}

// span shows a length of time to the second; what Duration cannot hold is years
// away all the same.
func span(ms event.Time) time.Duration {
	const most = event.Time(1<<63-1) / event.Time(time.Millisecond)
	return (time.Duration(min(ms, most)) * time.Millisecond).Truncate(time.Second)
}

// account keys the event: userId, else anon:anonymousId, else guest:order id.
func (n *Normaliser) account(e *event.Event, o object, c Call) *event.Invalid {
	user, bad := o.text("userId")
	if bad != nil {
		return bad
	}
	for _, prefix := range [...]string{event.PrefixAnonymous, event.PrefixGuest} {
		if strings.HasPrefix(user, prefix) {
			return invalid("userId", "send the id without it", "begins with %q, which is kept for those without a user id", prefix)
		}
	}
	if e.AccountID = user; user != "" {
		return nil
	}
	anonymous, bad := o.text("anonymousId")
	switch {
	case bad != nil:
		return bad
	case anonymous != "":
		e.AccountID = event.PrefixAnonymous + anonymous
	case e.Order != nil:
		e.AccountID = event.PrefixGuest + e.Order.OrderID
	case e.Refund != nil && e.Refund.OrderID != "":
		e.AccountID = event.PrefixGuest + e.Refund.OrderID
	default:
		return missing("userId", "send userId or anonymousId")
	}
	return nil
}

// facts keeps declared traits and properties; group and alias keep the id they
// are about.
func (n *Normaliser) facts(e *event.Event, o object, c Call) *event.Invalid {
	var bad *event.Invalid
	switch e.Type {
	case event.TypeIdentify:
		e.Traits, bad = n.keep(o, "traits")
		return bad
	case event.TypeGroup:
		return about(e, o, "groupId", "group_id")
	case event.TypeAlias:
		return about(e, o, "previousId", "previous_id")
	}
	e.Properties, bad = n.keep(o, "properties")
	// What a typed section holds is not said twice.
	if e.Order != nil || e.Refund != nil || e.Survey != nil {
		delete(e.Properties, "order_id")
	}
	if e.Order != nil {
		delete(e.Properties, "coupon")
	}
	return bad
}

func about(e *event.Event, o object, field, as string) *event.Invalid {
	id, bad := o.text(field)
	switch {
	case bad != nil:
		return bad
	case id == "":
		return missing(field, "")
	case len(id) > event.MaxIDBytes:
		return invalid(field, "use a shorter id", "longer than %d bytes", event.MaxIDBytes)
	}
	raw, _ := json.Marshal(id)
	e.Properties = map[string]json.RawMessage{as: raw}
	return nil
}

func (n *Normaliser) keep(o object, section string) (map[string]json.RawMessage, *event.Invalid) {
	from, bad := o.section(section)
	if bad != nil {
		return nil, bad
	}
	var kept map[string]json.RawMessage
	for _, name := range slices.Sorted(maps.Keys(from)) {
		v := from[name]
		if !n.mayEnter(name) || v == nil {
			continue
		}
		raw, _ := json.Marshal(v)
		if len(raw) > event.MaxPropertyBytes {
			return nil, invalid(section+"."+name, "send less", "longer than %d bytes", event.MaxPropertyBytes)
		}
		if kept == nil {
			kept = map[string]json.RawMessage{}
		}
		kept[name] = raw
	}
	return kept, nil
}

// mayEnter reports whether a trait or property of that name may enter the log.
func (n *Normaliser) mayEnter(name string) bool {
	return n.declared[name] || n.isDeclared != nil && !personal[plain(name)] && n.isDeclared(name)
}

// profile gathers the traits that may not enter the log.
func (n *Normaliser) profile(e *event.Event, o object) (*Profile, *event.Invalid) {
	traits, bad := o.section("traits")
	if bad != nil {
		return nil, bad
	}
	p := &Profile{V: event.Version, CustomerID: e.AccountID, Traits: map[string]json.RawMessage{}, Time: e.EventTime}
	for name, v := range traits {
		if !n.mayEnter(name) {
			p.Traits[name], _ = json.Marshal(v)
		}
	}
	if len(p.Traits) > MaxProfileTraits {
		return nil, invalid("traits", "send fewer", "%d personal traits, at most %d", len(p.Traits), MaxProfileTraits)
	}
	if len(p.Traits) == 0 {
		return nil, nil
	}
	return p, nil
}

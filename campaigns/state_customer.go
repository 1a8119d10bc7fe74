package campaigns

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// Facts that are kept of a customer, beside what consents to what.
const (
	factConsent  = "consent"
	factTimeZone = "time_zone"
	factLanguage = "language"
)

// maxFactBytes bounds a time zone's name or a language tag: a longer one is none.
const maxFactBytes = 64

// customer is what is known of one customer, from the ledger's standings and facts.
type customer struct {
	// standing has those fields that a stage, a trigger or a variable reads.
	standing event.Standing
	zone     string // IANA name, "": unknown
	language string
	consents []consent // ascending by name
	// waiting is how many runs of the customer wait.
	waiting int64
}

// consent is the customer's word on consent, consent.<channel> or
// consent.<channel>.<purpose>.
type consent struct {
	name  string
	given bool
}

func (c *customer) append(b []byte) []byte {
	w := packed.Encoder{B: append(b, stateFormat)}
	s := &c.standing
	w.Flags(s.Member, s.IsSimulated)
	w.Time(s.EnrolledTime)
	w.Int(s.Balance)
	w.Day(s.NextExpiryOn)
	w.Int(s.NextExpiryPoints)
	w.String(s.Tier)
	w.Time(s.TierSince)
	w.Day(s.TierReviewOn)
	w.Int(s.TierSpendMinor)
	w.Int(s.TierLackingMinor)
	w.Byte(byte(s.Scores.R))
	w.Byte(byte(s.Scores.F))
	w.Byte(byte(s.Scores.M))
	w.Int(s.Orders)
	w.Int(s.NetSpendMinor)
	w.String(s.Currency)
	w.Time(s.LastOrderTime)
	w.Uint(uint64(len(s.Segments)))
	for _, id := range s.Segments {
		w.String(id)
	}
	w.String(c.zone)
	w.String(c.language)
	w.Uint(uint64(len(c.consents)))
	for _, known := range c.consents {
		w.String(known.name)
		w.Flags(known.given)
	}
	w.Int(c.waiting)
	return w.B
}

func (c *customer) decode(id string, b []byte) error {
	r := packed.Decoder{B: b}
	r.Format(stateFormat)
	s := &c.standing
	*s = event.Standing{CustomerID: id}
	flags := r.Byte()
	s.Member, s.IsSimulated = flags&1 != 0, flags&2 != 0
	s.EnrolledTime = r.Time()
	s.Balance = r.Int()
	s.NextExpiryOn, s.NextExpiryPoints = r.Day(), r.Int()
	s.Tier, s.TierSince = r.Text(), r.Time()
	s.TierReviewOn, s.TierSpendMinor, s.TierLackingMinor = r.Day(), r.Int(), r.Int()
	s.Scores = event.Scores{R: int8(r.Byte()), F: int8(r.Byte()), M: int8(r.Byte())}
	s.Orders, s.NetSpendMinor = r.Int(), r.Int()
	s.Currency, s.LastOrderTime = r.Text(), r.Time()
	s.Segments = nil
	for range r.Count() {
		s.Segments = append(s.Segments, r.Text())
	}
	c.zone, c.language, c.consents = r.Text(), r.Text(), nil
	for range r.Count() {
		c.consents = append(c.consents, consent{name: r.Text(), given: r.Byte() == 1})
	}
	c.waiting = r.Int()
	return r.End("customer")
}

// learn takes what a ledger entry says of the customer.
func (c *customer) learn(in *event.Entry) {
	if in.Standing != nil {
		s := *in.Standing
		s.Segments = slices.Clone(s.Segments)
		c.standing = s
	}
	for _, f := range in.Facts {
		c.fact(f.Name, f.Value)
	}
}

func (c *customer) fact(name string, value json.RawMessage) {
	switch {
	case name == factTimeZone:
		c.zone = word(value)
	case name == factLanguage:
		c.language = word(value)
	case isConsent(name):
		at, known := slices.BinarySearchFunc(c.consents, name, func(k consent, name string) int { return strings.Compare(k.name, name) })
		switch forget := string(value) == "null" || len(value) == 0; {
		case forget && known:
			c.consents = slices.Delete(c.consents, at, at+1)
		case forget:
		case known:
			c.consents[at].given = isTrue(value)
		default:
			// Whatever is not true refuses: a value that we do not understand is no consent.
			c.consents = slices.Insert(c.consents, at, consent{name: name, given: isTrue(value)})
		}
	}
}

// word is a JSON string's text; "" for anything else, and for what is too long.
func word(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil || len(s) > maxFactBytes {
		return ""
	}
	return s
}

// isTrue reads a truth as segments do: quoted or not.
func isTrue(value json.RawMessage) bool { return string(value) == "true" || string(value) == `"true"` }

// isConsent reports whether a fact is one that campaigns ask for: the names are a
// closed list, so that what is kept is bounded.
func isConsent(name string) bool {
	if name == factConsent {
		return true
	}
	rest, ok := strings.CutPrefix(name, factConsent+".")
	channel, purpose, narrow := strings.Cut(rest, ".")
	if !ok || !slices.Contains(event.Channels, channel) {
		return false
	}
	switch Purpose(purpose) {
	case Marketing, Service, Survey:
		return narrow
	}
	return !narrow
}

// consent returns what the customer says of a purpose on a channel: the most
// specific fact that is known; known is false when there is none.
func (c *customer) consent(p Purpose, channel string) (given, known bool) {
	narrow := factConsent + "." + channel
	for _, name := range [...]string{narrow + "." + string(p), narrow, factConsent} {
		for i := range c.consents {
			if c.consents[i].name == name {
				return c.consents[i].given, true
			}
		}
	}
	return false, false
}

func (c *customer) in(segment string) bool {
	_, found := slices.BinarySearch(c.standing.Segments, segment)
	return found
}

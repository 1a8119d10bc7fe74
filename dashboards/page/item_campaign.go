package page

import (
	"fmt"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// CampaignItem says in words what a campaign decided; false when it decided
// nothing about a customer.
func CampaignItem(c *event.CampaignEntry) (Item, bool) {
	d := c.Decision
	if d == nil || c.CustomerID == "" {
		return Item{}, false
	}
	it := Item{
		ID: fmt.Sprintf("c%d-%d", c.Partition, c.Sequence), Time: c.EntryTime, Kind: "held", CustomerID: c.CustomerID,
		Simulated: c.IsSimulated, History: c.IsHistory, order: c.LedgerSequence, second: c.Sequence,
	}
	if it.Time == 0 {
		it.Time = c.EventTime
	}
	it.Why = trigger(d.Trigger, d.Detail)
	switch d.Outcome {
	case event.CampaignSent:
		it.Kind, it.Title = "message", words(d.Channel)+" of campaign "+d.CampaignID
		if d.Arm != "" {
			it.Why += ", variant " + d.Arm
		}
	case event.CampaignPostponed:
		it.Title = "Campaign " + d.CampaignID + " waits: " + lower(d.Reason)
		if d.Until != 0 {
			it.Why += ", looked at again " + d.Until.Std().Format("2006-01-02 15:04") + " UTC"
		}
	default:
		it.Title = "Campaign " + d.CampaignID + " held back: " + lower(d.Reason)
	}
	if m := c.Message; m != nil {
		it.Parts = append(it.Parts, messagePart(m))
	}
	return it, true
}

// MessageItem says in words what a message of topic campaigns.<channel> is.
func MessageItem(m *event.CampaignMessage) Item {
	it := Item{
		ID: fmt.Sprintf("c%d-%d", m.Partition, m.Sequence), Time: m.EntryTime, Kind: "message", CustomerID: m.CustomerID,
		Title: words(m.Channel) + " of campaign " + m.CampaignID, Why: trigger(m.Trigger, m.Detail), Simulated: m.IsSimulated,
		Parts: []Part{messagePart(&m.Message)},
	}
	if m.Arm != "" {
		it.Why += ", variant " + m.Arm
	}
	return it
}

func messagePart(m *event.Message) Part {
	if m.Subject == "" {
		return Part{Kind: "words", Text: m.Text}
	}
	return Part{Kind: "words", Text: m.Subject, Why: m.Text}
}

func trigger(kind, detail string) string {
	s := words(kind)
	if detail != "" {
		s += " " + detail
	}
	return s
}

// words turns a name such as not_in_audience into words.
func words(s string) string {
	switch s {
	case "sms":
		return "SMS"
	case "in_app":
		return "In-app message"
	case "email":
		return "E-mail"
	case "":
		return ""
	}
	s = strings.ReplaceAll(s, "_", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

func lower(s string) string { return strings.ReplaceAll(s, "_", " ") }

var symbols = map[string]string{"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹"}

// money writes an amount of minor units as people do: £1,234.50.
func money(minor int64, currency string) string {
	sign := ""
	if minor < 0 {
		sign, minor = "−", -minor
	}
	digits := event.MinorDigits(currency)
	s := fmt.Sprintf("%0*d", digits+1, minor)
	whole, rest := s[:len(s)-digits], s[len(s)-digits:]
	if rest != "" {
		rest = "." + rest
	}
	if symbol, ok := symbols[currency]; ok {
		return sign + symbol + thousands(whole) + rest
	}
	return sign + thousands(whole) + rest + " " + currency
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func count(n int64) string {
	if n == 1 {
		return "1 point"
	}
	return thousands(fmt.Sprint(n)) + " points"
}

// signed writes a change of points with its sign.
func signed(n int64) string {
	if n < 0 {
		return "−" + count(-n)
	}
	return "+" + count(n)
}

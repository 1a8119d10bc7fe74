package sink

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// isActivity says whether the entry is of a track event that segments count: of
// an identified customer, applied or kept, neither an order nor a refund.
func isActivity(e *event.Entry) bool {
	return e.Kind == event.KindEvent && e.Cause.Type == event.TypeTrack && counted(e) && event.Identified(e.AccountID) &&
		e.Order == nil && e.Refund == nil && e.Cause.Name != event.NameOrderCompleted && e.Cause.Name != event.NameOrderRefunded
}

// texts are an activity's properties as text. Those of a survey come from its
// own section.
func texts(e *event.Entry) map[string]string {
	out := make(map[string]string, len(e.Properties)+3)
	for name, value := range e.Properties {
		if text, ok := textOf(value); ok {
			out[name] = text
		}
	}
	if s := e.Survey; s != nil {
		out["kind"], out["score"] = s.Kind, fmt.Sprint(s.Score)
		if s.SurveyID != "" {
			out["survey_id"] = s.SurveyID
		}
	}
	return out
}

// textOf is a JSON value as text: a string without its quotes, all else as it is
// written; null is no value.
func textOf(value json.RawMessage) (string, bool) {
	switch {
	case len(value) == 0 || string(value) == "null":
		return "", false
	case value[0] != '"':
		return string(value), true
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return string(value), true // not JSON: kept as it is
	}
	return text, true
}

// channelNames begin the names of the events that report what became of a
// message, after Segment's e-mail events.
var channelNames = []struct{ prefix, channel string }{
	{"Email ", event.ChannelEmail}, {"SMS ", event.ChannelSMS}, {"Push ", event.ChannelPush}, {"In-App ", event.ChannelInApp}, {"Mail ", event.ChannelMail},
}

var outcomeNames = map[string]string{
	"Delivered": "delivered", "Opened": "opened", "Link Clicked": "clicked", "Bounced": "bounced", "Marked as Spam": "complained", "Unsubscribed": "unsubscribed",
}

// reported is the outcome of a message that an activity reports, and its channel;
// "" for other activities.
func reported(name string, properties map[string]string) (outcome, channel string) {
	if name == "Unsubscribed" {
		if channel = properties["channel"]; channel == "" {
			channel = event.ChannelEmail
		}
		return outcomeNames[name], channel
	}
	for _, c := range channelNames {
		if rest, ok := strings.CutPrefix(name, c.prefix); ok {
			return outcomeNames[rest], c.channel
		}
	}
	return "", ""
}

type activityRows struct {
	rows
	event, messageID []string
	properties       []map[string]string
}

func (t *activityRows) add(e *event.Entry, properties map[string]string) {
	t.key(e, 0)
	t.event = append(t.event, e.Cause.Name)
	t.messageID = append(t.messageID, e.Cause.ID)
	t.properties = append(t.properties, properties)
}

func (t *activityRows) take() block {
	return t.block(
		column{Name: "name", Values: t.event},
		column{Name: "properties", Values: t.properties},
		column{Name: "message_id", Values: t.messageID},
	)
}

type outcomeRows struct {
	rows
	outcome, channel, messageID, causeID []string
}

func (t *outcomeRows) add(e *event.Entry, outcome, channel string, properties map[string]string) {
	t.key(e, 0)
	t.outcome = append(t.outcome, outcome)
	t.channel = append(t.channel, channel)
	t.messageID = append(t.messageID, properties["message_id"])
	t.causeID = append(t.causeID, e.Cause.ID)
}

func (t *outcomeRows) take() block {
	return t.block(
		column{Name: "outcome", Values: t.outcome},
		column{Name: "channel", Values: t.channel},
		column{Name: "message_id", Values: t.messageID},
		column{Name: "cause_id", Values: t.causeID},
	)
}

// factRows is the table customer_facts.
type factRows struct {
	rows
	fact, value []string
}

func (t *factRows) add(e *event.Entry) {
	for i, f := range e.Facts {
		t.key(e, i)
		t.fact = append(t.fact, f.Name)
		value := string(f.Value)
		if value == "" {
			value = "null"
		}
		t.value = append(t.value, value)
	}
}

func (t *factRows) take() block {
	return t.block(column{Name: "name", Values: t.fact}, column{Name: "value", Values: t.value})
}

type segmentRows struct {
	rows
	segmentID, version, change, clause, cause, causeID []string
}

func (t *segmentRows) add(e *event.Entry) {
	index := 0
	for i := range e.Segments {
		c := &e.Segments[i]
		if strings.HasPrefix(c.SegmentID, event.SegmentTrigger) {
			continue
		}
		t.key(e, index)
		index++
		t.segmentID = append(t.segmentID, c.SegmentID)
		t.version = append(t.version, c.Version)
		t.change = append(t.change, c.Change)
		t.clause = append(t.clause, c.Clause)
		t.cause = append(t.cause, c.Cause)
		t.causeID = append(t.causeID, e.Cause.ID)
	}
}

func (t *segmentRows) take() block {
	return t.block(
		column{Name: "segment_id", Values: t.segmentID},
		column{Name: "version", Values: t.version},
		column{Name: "change", Values: t.change},
		column{Name: "clause", Values: t.clause},
		column{Name: "cause", Values: t.cause},
		column{Name: "cause_id", Values: t.causeID},
	)
}

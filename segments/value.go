package segments

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/punchcard/punchcard/event"
)

// A value of a fact or property is compared by its text: of a JSON string its
// characters, of a number, true and false the JSON as it was written, of a list
// its JSON. null is no value. What the text is decides what it can be compared
// with, whether it was quoted or not, so that a table of texts says the same:
//
//   - a word: the text itself, byte by byte
//   - a truth: the texts true and false, nothing else
//   - a number: -?[0-9]{1,12}, then at most a point and digits, which are cut off
//     (4.9 is 4, -4.9 is -4); anything else is no number
//
// Surveys have kind, score and survey_id among their properties, when not empty.

// maxDigits keeps sums of millions of values within int64.
const maxDigits = 12

// textOf returns a JSON value's text; false for null and for what is no JSON.
func textOf(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false
	}
	if raw[0] != '"' {
		return string(raw), true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// numberOf reads a text as a whole number.
func numberOf(s string) (int64, bool) {
	digits := s
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	n := 0
	for n < len(digits) && digits[n]-'0' < 10 {
		n++
	}
	if n == 0 || n > maxDigits {
		return 0, false
	}
	if rest := digits[n:]; rest != "" {
		if rest[0] != '.' || len(rest) == 1 {
			return 0, false
		}
		for _, c := range []byte(rest[1:]) {
			if c-'0' >= 10 {
				return 0, false
			}
		}
	}
	v, err := strconv.ParseInt(s[:len(s)-len(digits)+n], 10, 64)
	return v, err == nil
}

func wholeNumber(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}

func truthOf(s string) (truth, ok bool) { return s == "true", s == "true" || s == "false" }

// holds compares a text with the constants of a Leaf or Filter.
func (c *comparison) holds(text string) bool {
	switch c.Form {
	case FormRange:
		v, ok := numberOf(text)
		return ok && (!c.HasMin || v >= c.Min) && (!c.HasMax || v <= c.Max)
	case FormWords:
		return slices.Contains(c.Words, text)
	case FormTruth:
		v, ok := truthOf(text)
		return ok && v == c.Truth
	}
	return c.Form == FormKnown
}

func (f *Filter) comparison() comparison {
	return comparison{Form: f.Form, Min: f.Min, Max: f.Max, HasMin: f.HasMin, HasMax: f.HasMax, Words: f.Words, Truth: f.Truth}
}

// match reports whether all filters hold; value returns a property.
func match(where []Filter, value func(property string) (json.RawMessage, bool)) bool {
	for i := range where {
		raw, ok := value(where[i].Property)
		if !ok {
			return false
		}
		text, ok := textOf(raw)
		if c := where[i].comparison(); !ok || !c.holds(text) {
			return false
		}
	}
	return true
}

// MatchProperties reports whether an event with these properties meets all
// filters.
func MatchProperties(where []Filter, properties map[string]json.RawMessage) bool {
	return match(where, func(p string) (json.RawMessage, bool) {
		raw, ok := properties[p]
		return raw, ok
	})
}

// MatchEntry reports whether the event of an entry meets all filters: an order by
// what orders have, a survey also by kind, score and survey_id.
func MatchEntry(where []Filter, e *event.Entry) bool {
	switch {
	case len(where) == 0:
		return true
	case e.Order != nil:
		return matchOrder(where, orderOfFact(e.Order))
	case e.Survey != nil:
		return MatchProperties(where, withSurvey(e.Properties, e.Survey))
	}
	return MatchProperties(where, e.Properties)
}

// withSurvey adds what a survey says to the event's own properties.
func withSurvey(properties map[string]json.RawMessage, s *event.Survey) map[string]json.RawMessage {
	if s == nil {
		return properties
	}
	out := make(map[string]json.RawMessage, len(properties)+3)
	for k, v := range properties {
		out[k] = v
	}
	out["kind"], _ = json.Marshal(s.Kind)
	out["score"] = strconv.AppendInt(nil, s.Score, 10)
	if s.SurveyID != "" {
		out["survey_id"], _ = json.Marshal(s.SurveyID)
	}
	return out
}

// orderView is what can be asked of an order.
type orderView struct {
	channel, country string
	lines            int
	line             func(i int) (product, category, brand string)
}

func orderOfFact(o *event.OrderFact) orderView {
	return orderView{channel: o.Channel, country: o.Country, lines: len(o.Lines), line: func(i int) (string, string, string) {
		return o.Lines[i].ProductID, o.Lines[i].Category, o.Lines[i].Brand
	}}
}

// matchOrder reports whether an order meets all filters; product, category and
// brand each by any line.
func matchOrder(where []Filter, o orderView) bool {
	for i := range where {
		f := &where[i]
		switch f.Property {
		case "channel":
			if !slices.Contains(f.Words, o.channel) {
				return false
			}
		case "country":
			if !slices.Contains(f.Words, o.country) {
				return false
			}
		default:
			if !anyLine(f, o) {
				return false
			}
		}
	}
	return true
}

func anyLine(f *Filter, o orderView) bool {
	for i := range o.lines {
		product, category, brand := o.line(i)
		value := product
		switch f.Property {
		case "category":
			value = category
		case "brand":
			value = brand
		}
		if slices.Contains(f.Words, value) {
			return true
		}
	}
	return false
}

package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/punchcard/punchcard/event"
)

// object is a decoded JSON object. Numbers stay the text that was sent
// (json.Number): no amount ever passes through binary floating point.
type object map[string]any

func invalid(field, hint, format string, args ...any) *event.Invalid {
	return &event.Invalid{Code: event.RejectInvalidField, Field: field, Message: fmt.Sprintf(format, args...), Hint: hint}
}

func missing(field, hint string) *event.Invalid {
	return &event.Invalid{Code: event.RejectMissingField, Field: field, Message: "is missing", Hint: hint}
}

// parseObject decodes one message, which must be an object of valid UTF-8 that
// does not nest deeper than MaxDepth.
func parseObject(raw []byte) (object, *event.Invalid) {
	if !utf8.Valid(raw) {
		return nil, &event.Invalid{Code: event.RejectInvalidJSON, Message: "is not UTF-8", Hint: "send UTF-8"}
	}
	if tooDeep(raw, MaxDepth) {
		return nil, &event.Invalid{Code: event.RejectTooLarge, Message: fmt.Sprintf("nests deeper than %d levels", MaxDepth), Hint: "send flat properties"}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, &event.Invalid{Code: event.RejectInvalidJSON, Message: err.Error(), Hint: "send a JSON object"}
	}
	if m, ok := v.(map[string]any); ok {
		if _, err := dec.Token(); err != io.EOF {
			return nil, &event.Invalid{Code: event.RejectInvalidJSON, Message: "goes on after the JSON object", Hint: "send one JSON object"}
		}
		return m, nil
	}
	return nil, &event.Invalid{Code: event.RejectInvalidJSON, Message: "is not a JSON object", Hint: "send a JSON object"}
}

// tooDeep reports whether JSON text opens more than limit brackets at once. It
// looks at bytes only, so that nothing recurses over what a stranger sent.
func tooDeep(raw []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString:
			if c == '\\' {
				i++
			} else if c == '"' {
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// section returns the object under key, nil when it is missing or null.
func (o object) section(key string) (object, *event.Invalid) {
	switch v := o[key].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	default:
		return nil, invalid(key, "", "is not an object")
	}
}

// text returns a string, or a whole number as its digits (ids are often sent as
// numbers); "" when it is missing, null or blank.
func (o object) text(key string) (string, *event.Invalid) {
	switch v := o[key].(type) {
	case nil:
		return "", nil
	case string:
		if strings.TrimSpace(v) == "" {
			return "", nil
		}
		return v, nil
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return v.String(), nil
		}
	}
	return "", invalid(key, "send a string", "is neither a string nor a whole number")
}

// firstText returns the first text among several names of one thing.
func (o object) firstText(keys ...string) (string, *event.Invalid) {
	for _, key := range keys {
		if v, bad := o.text(key); bad != nil || v != "" {
			return v, bad
		}
	}
	return "", nil
}

// texts reads several fields into their targets, in the order of their names.
func (o object) texts(into map[string]*string) (bad *event.Invalid) {
	for _, key := range slices.Sorted(maps.Keys(into)) {
		if *into[key], bad = o.text(key); bad != nil {
			return bad
		}
	}
	return nil
}

// decimal returns a number, or a string that holds one, exactly; nil when it is
// missing or null.
func (o object) decimal(key string) (*big.Rat, *event.Invalid) {
	var s string
	switch v := o[key].(type) {
	case nil:
		return nil, nil
	case json.Number:
		s = v.String()
	case string:
		s = strings.TrimSpace(v)
	}
	const hint = "a number such as 12.50, or a string that holds one, without currency sign or thousands separator"
	if s == "" || strings.Trim(s, "0123456789.+-eE") != "" {
		return nil, invalid(key, hint, "is not a decimal number")
	}
	r, err := event.ParseDecimal(s)
	if err != nil {
		return nil, invalid(key, hint, "%v", err)
	}
	return r, nil
}

// whole returns a whole number that fits int64; given is false when it is
// missing or null.
func (o object) whole(key string) (n int64, given bool, bad *event.Invalid) {
	r, bad := o.decimal(key)
	if bad != nil || r == nil {
		return 0, false, bad
	}
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, true, invalid(key, "send a whole number", "is not a whole number that fits")
	}
	return r.Num().Int64(), true, nil
}

// time returns an RFC 3339 time, zero when it is missing or null.
func (o object) time(key string) (event.Time, *event.Invalid) {
	switch v := o[key].(type) {
	case nil:
		return 0, nil
	case string:
		t, err := event.ParseTime(v)
		if err != nil {
			return 0, invalid(key, "send ISO 8601 with a zone", "%.80v", err)
		}
		return t, nil
	}
	return 0, invalid(key, "send ISO 8601 with a zone, such as 2026-01-31T12:00:00Z", "is not a string")
}

// isTrue reports whether the field is true, JSON's or as text.
func (o object) isTrue(key string) bool { return o[key] == true || o[key] == "true" }

// unhashed are the fields that a repeat of the same message may change: times,
// the client's context, and what addresses the call.
var unhashed = map[string]bool{
	"timestamp": true, "originalTimestamp": true, "sentAt": true, "receivedAt": true,
	"context": true, "messageId": true, "writeKey": true, "integrations": true,
	"_metadata": true, "version": true, "channel": true, "type": true,
}

// bodyHash is xxhash64, as 16 hex digits, of what a message says: its type and
// its fields without those of unhashed, keys sorted. Fields' order and blanks do
// not matter; how a number is written does.
func bodyHash(kind event.Type, o object) string {
	said := make(map[string]any, len(o)+1)
	for k, v := range o {
		if !unhashed[k] {
			said[k] = v
		}
	}
	said["type"] = string(kind)
	// Marshalling what was decoded from JSON does not fail: maps with string keys,
	// slices, strings, numbers, booleans, null.
	b, _ := json.Marshal(said)
	return fmt.Sprintf("%016x", xxhash.Sum64(b))
}

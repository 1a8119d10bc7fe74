package ingest

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/punchcard/punchcard/event"
)

// readBody reads at most limit bytes, as sent and again after decompression.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *problem) {
	tooLarge := &problem{status: http.StatusRequestEntityTooLarge, Code: event.RejectTooLarge,
		Message: fmt.Sprintf("the body is larger than %d bytes", limit), Hint: "send smaller batches"}
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	var from io.Reader = http.MaxBytesReader(w, r.Body, limit)
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip":
		unzip, err := gzip.NewReader(from)
		if err != nil {
			return nil, notRead("is not gzip, though Content-Encoding says so", err, tooLarge)
		}
		defer unzip.Close()
		from = unzip
	default:
		return nil, &problem{status: http.StatusUnsupportedMediaType, Code: "unsupported_encoding", Message: "the body's Content-Encoding is not known", Hint: "gzip or none"}
	}
	body, err := io.ReadAll(io.LimitReader(from, limit+1))
	if int64(len(body)) > limit {
		return nil, tooLarge
	}
	if err != nil {
		return nil, notRead("could not be read to its end", err, tooLarge)
	}
	return body, nil
}

func notRead(what string, err error, tooLarge *problem) *problem {
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return tooLarge
	}
	return &problem{status: http.StatusBadRequest, Code: event.RejectInvalidJSON, Message: "the body " + what}
}

// notJSON says where a body stops being JSON.
func notJSON(err error) *problem {
	p := &problem{status: http.StatusBadRequest, Code: event.RejectInvalidJSON, Message: "the body is not a JSON object", Hint: "send one JSON object"}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		p.Message = fmt.Sprintf("the body is not JSON: byte %d: %v", syntax.Offset, syntax)
	}
	return p
}

// basicKey returns the key of the Authorization header: the user name, as
// Segment's server libraries send it. sent is false without such a header.
func (d *Door) basicKey(r *http.Request) (k *Key, sent bool) {
	user, _, ok := r.BasicAuth()
	if !ok {
		return nil, r.Header.Get("Authorization") != ""
	}
	return d.keys.find(user), true
}

func noKey(sent bool) *problem {
	p := &problem{status: http.StatusUnauthorized, Code: "no_key", Message: "no write key was sent",
		Hint: "send the key as the user name of basic auth, with an empty password"}
	if sent {
		p.Code, p.Message = "unknown_key", "the key is not known"
	}
	return p
}

// writer returns the key that brought the body, in the header or, as browsers
// send it, in the body's writeKey.
func (d *Door) writer(r *http.Request, top map[string]json.RawMessage) (*Key, *problem) {
	k, sent := d.basicKey(r)
	if !sent {
		var inBody string
		if json.Unmarshal(top["writeKey"], &inBody) == nil && inBody != "" {
			k, sent = d.keys.find(inBody), true
		}
	}
	if k == nil {
		return nil, noKey(sent)
	}
	if k.Kind == KeyRead {
		return nil, &problem{status: http.StatusForbidden, Code: event.RejectKeyNotAllowed, Message: "a read key writes nothing", Hint: "use a public or a server key"}
	}
	return k, nil
}

// reader returns an error unless the caller holds a read key.
func (d *Door) reader(r *http.Request) *problem {
	k, sent := d.basicKey(r)
	if k == nil {
		return noKey(sent)
	}
	if k.Kind != KeyRead {
		return &problem{status: http.StatusForbidden, Code: event.RejectKeyNotAllowed, Message: fmt.Sprintf("a %s key reads nothing", k.Kind), Hint: "use a read key"}
	}
	return nil
}

// rejectOf makes the record that says what was refused and why. Keys, which
// browsers send in the body, are blotted out.
func (d *Door) rejectOf(bad *event.Invalid, key *Key, messageID string, received event.Time, original []byte) Outgoing {
	rj := event.Reject{
		V: event.Version, Code: bad.Code, Field: bad.Field, Message: bad.Message, Hint: bad.Hint,
		Source: key.Name, ReceivedTime: received, OriginalBytes: int64(len(original)),
	}
	if len(messageID) <= event.MaxIDBytes {
		rj.MessageID = messageID
	}
	original = d.keys.blot(original) // before the cut, which could leave half a key
	kept := original[:min(len(original), event.MaxRejectBytes)]
	if !utf8.Valid(original) {
		kept = kept[:min(len(kept), event.MaxRejectBytes/4*3)] // so that base64 fits
		rj.Original, rj.OriginalBase64 = base64.StdEncoding.EncodeToString(kept), true
	} else {
		rj.Original = strings.ToValidUTF8(string(kept), "") // a rune cut in two goes
	}
	value, _ := json.Marshal(&rj) // strings and numbers only
	return Outgoing{Topic: event.TopicRejects, Value: d.keys.blot(value)}
}

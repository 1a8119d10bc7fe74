package ingest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// FuzzBodies sends any bytes to every write path: the door does not fall, its
// answer fits openapi.yaml, and what came in was accepted or rejected, no more
// and no less. r.balanced holds each event in the log against the limits.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"userId":"u1","event":"Order Completed","properties":{"order_id":"o","currency":"GBP","products":[{"sku":"a","price":"1.005","quantity":2}]}}`,
		`{"event":"Order Refunded","properties":{"order_id":1,"currency":"jpy","total":1e3,"tax":"0.5"}}`,
		`{"event":"Order Cancelled","properties":{"order_id":"o","currency":"GBP"}}`,
		`{"userId":"u1","event":"Survey Answered","properties":{"kind":"nps","score":9}}`,
		`{"userId":"u1","traits":{"email":"x","consent":{"email":true}},"context":{"library":{"name":"l"}},"timestamp":"2026-03-10T12:00:00+01:00","sentAt":"2026-03-10T12:00:00Z"}`,
		`{"batch":[{"type":"page","userId":1},{"type":"alias","userId":"u","previousId":"p"},null,[[[]]],"\ud800"],"sentAt":"x","context":[]}`,
		`{"idempotency_key":"k","customer_id":"u1","points":5}`,
		`{"batch":[`, `null`, ``, "\xff\xfe", `{"writeKey":"public-secret-1"}`,
	} {
		for path := range len(paths) {
			f.Add(uint8(path), body)
		}
	}
	f.Fuzz(func(t *testing.T, path uint8, body string) {
		r, desk := deskRig(t, nil)
		desk.balance["u1"], r.any = 10, true
		got := r.call("POST", paths[int(path)%len(paths)], serverKey, []byte(body))
		switch got.status {
		case 200, 400, 409, 413, 422:
		default:
			t.Errorf("answered %d %s", got.status, got.body)
		}
		c := r.door.Counts()
		if got.status == 200 && !strings.HasSuffix(paths[int(path)%len(paths)], "redemptions") {
			var v taken
			got.into(t, &v)
			if int64(v.Accepted) != c.Accepted || int64(v.Rejected) != c.Rejected {
				t.Errorf("answered %+v, counted %+v", v, c)
			}
		}
		if c.Panics != 0 || c.TurnedAway != 0 || c.In == 0 && !strings.Contains(body, "batch") {
			t.Errorf("%+v %v", c, r.told)
		}
		for _, rec := range r.log.records {
			if !json.Valid(rec.Value) || rec.Topic == event.TopicEvents && len(rec.Value) > event.MaxEventBytes {
				t.Errorf("record %s", rec.Value)
			}
		}
		r.balanced()
	})
}

var paths = []string{"/v1/track", "/v1/batch", "/v1/identify", "/v1/page", "/v1/group", "/v1/alias", "/v1/redemptions"}

// FuzzDepth holds the byte scanner against the decoder's own nesting.
func FuzzDepth(f *testing.F) {
	for _, s := range []string{`{}`, `[[1],{"a":["}"]}]`, `"\"[["`, `{"\\":[[[]]]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) {
			t.Skip()
		}
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			t.Skip() // a number beyond float64
		}
		d := depth(v)
		// Equal keys may hide a deeper value from the decoder, never a flatter one.
		if d > 0 && !tooDeep([]byte(s), d-1) {
			t.Errorf("%q: depth %d was not seen", s, d)
		}
	})
}

func depth(v any) int {
	most := 0
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			most = max(most, depth(x))
		}
	case map[string]any:
		for _, x := range v {
			most = max(most, depth(x))
		}
	default:
		return 0
	}
	return most + 1
}

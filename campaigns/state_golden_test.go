package campaigns

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// value is a state value of any kind, for the golden file.
type value struct {
	name   string
	bytes  []byte
	decode func(b []byte) (any, error)
	want   any
}

func stateValues() []value {
	who := customer{
		standing: event.Standing{
			CustomerID: "ann", Member: true, EnrolledTime: 1_700_000_000_000, Balance: -5, NextExpiryOn: 20_000, NextExpiryPoints: 120, Tier: "gold",
			TierSince: 1_700_000_000_001, TierReviewOn: 20_090, TierSpendMinor: 123_45, TierLackingMinor: 67_89, Scores: event.Scores{R: 5, F: 4, M: 3}, Orders: 7, NetSpendMinor: 99_999,
			Currency: "GBP", LastOrderTime: 1_700_000_000_002, Segments: []string{"loyal", "vip"}, IsSimulated: true,
		},
		zone: "Europe/London", language: "en-GB", consents: []consent{{"consent", true}, {"consent.sms", false}}, waiting: 2,
	}
	r := run{
		id: strings.Repeat("0123456789abcdef", 2), campaign: "welcome", version: "v1", trigger: SegmentEntered, detail: "vip", time: 1_700_000_000_003,
		cause: event.Cause{Type: event.TypeTrack, Name: "Signed Up", ID: "m1"}, earned: 25, simulated: true, channel: "email", purpose: "marketing", priority: 60,
		phase: phaseReady, due: 1_700_000_000_004, ready: 1_700_000_000_005, came: true, assigned: true, queued: true, arm: "a",
	}
	r.key = runKey("ann", &r)
	tr := track{assigned: 1_700_000_000_006, has: true, waiting: 1, existing: "b1"}
	went := sends{{1_700_000_000_007, "email", Marketing}, {1_700_000_000_009, "sms", Survey}}
	c := counter{hour: 472_222, inHour: 3, sent: 1000, queued: 2}
	p := partition{clock: 1_700_000_000_008, scheduled: 1_700_000_000_010, bundles: 3, inForce: 2, fresh: []string{"welcome"}}
	b := shelved{n: 258, from: 1_700_000_000_011, id: "b1", files: map[string]string{"program.yaml": "x", "a.yaml": ""}}
	jobs := []job{{kind: jobSchedule, campaign: "weekly", time: 1_700_000_000_012, name: "2026-03-02 10:00", next: "ann"}, {kind: jobWithdraw}}
	return []value{
		{"customer", who.append(nil), func(b []byte) (any, error) { var v customer; err := v.decode("ann", b); return v, err }, who},
		{"run", r.append(nil), func(b []byte) (any, error) { var v run; err := v.decode(r.key, b); return v, err }, r},
		{"run key", r.key, nil, nil},
		{"track", tr.append(nil), func(b []byte) (any, error) { var v track; err := v.decode(b); return v, err }, tr},
		{"sends", went.append(nil), func(b []byte) (any, error) { return decodeSends(b) }, went},
		{"counter", c.append(nil), func(b []byte) (any, error) { var v counter; err := v.decode(b); return v, err }, c},
		{"partition", p.append(nil), func(b []byte) (any, error) { var v partition; err := v.decode(b); return v, err }, p},
		{"bundle", b.append(nil), func(raw []byte) (any, error) { var v shelved; err := v.decode(bundleKey(258), raw); return v, err }, b},
		{"bundle key", bundleKey(258), nil, nil},
		{"jobs", appendJobs(nil, jobs), func(b []byte) (any, error) { return decodeJobs(b) }, jobs},
	}
}

// TestStateIsPinned: a state that is on disk somewhere is read for ever.
func TestStateIsPinned(t *testing.T) {
	var b strings.Builder
	for _, v := range stateValues() {
		fmt.Fprintf(&b, "%s %s\n", v.name, hex.EncodeToString(v.bytes))
	}
	golden(t, "testdata/state.txt", b.String())
}

func TestStateIsReadAsWritten(t *testing.T) {
	for _, v := range stateValues() {
		if v.decode == nil {
			continue
		}
		got, err := v.decode(v.bytes)
		if err != nil || !reflect.DeepEqual(got, v.want) {
			t.Errorf("%s: read %+v, %v; wrote %+v", v.name, got, err, v.want)
		}
		// Damage is an error, whatever it is; never a panic.
		for n := range v.bytes {
			if _, err := v.decode(v.bytes[:n]); !errors.Is(err, packed.ErrState) {
				t.Errorf("%s cut to %d bytes is read: %v", v.name, n, err)
			}
		}
		if _, err := v.decode(append(append([]byte{}, v.bytes...), 0)); !errors.Is(err, packed.ErrState) {
			t.Errorf("%s with a byte more is read: %v", v.name, err)
		}
		if _, err := v.decode(append([]byte{99}, v.bytes[1:]...)); !errors.Is(err, packed.ErrState) {
			t.Errorf("%s of an unknown format is read: %v", v.name, err)
		}
	}
}

func TestShares(t *testing.T) {
	for _, total := range []int64{0, 1, 7, 8, 9, 1000} {
		for _, n := range []int32{1, 3, 8, 64} {
			sum, last := int64(0), total
			for p := range n {
				s := share(total, p, n)
				if s > last {
					t.Errorf("partition %d of %d has %d of %d, the one before %d", p, n, s, total, last)
				}
				sum, last = sum+s, s
			}
			if sum != total {
				t.Errorf("%d partitions share %d of %d", n, sum, total)
			}
		}
	}
}

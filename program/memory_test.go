package program

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestMemState compares with a plain map that is sorted for each scan.
func TestMemState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s MemState
		plain := map[string]string{}
		keys := rapid.StringMatching(`[abc]{1,8}`)
		for range rapid.IntRange(0, 3_000).Draw(t, "steps") {
			k := keys.Draw(t, "key")
			if rapid.IntRange(0, 4).Draw(t, "step") == 0 {
				s.Delete([]byte(k))
				delete(plain, k)
				continue
			}
			v := rapid.StringMatching(`[xy]?`).Draw(t, "value")
			s.Put([]byte(k), []byte(v), 0)
			plain[k] = v
		}
		from, to := keys.Draw(t, "from"), keys.Draw(t, "to")
		var want []string
		for _, k := range slices.Sorted(maps.Keys(plain)) {
			if k >= from && k < to {
				want = append(want, k)
			}
		}
		for _, state := range []*MemState{&s, s.Clone()} {
			var got []string
			state.Scan([]byte(from), []byte(to), func(k, v []byte) bool {
				if plain[string(k)] != string(v) {
					t.Fatalf("%s holds %s", k, v)
				}
				got = append(got, string(k))
				return true
			})
			if !slices.Equal(got, want) {
				t.Fatalf("scan from %s to %s: %d keys, want %d", from, to, len(got), len(want))
			}
			for k, v := range plain {
				if got, ok := state.Get([]byte(k)); !ok || !bytes.Equal(got, []byte(v)) {
					t.Fatalf("%s: %s", k, got)
				}
			}
		}
	})
}

package demo

import (
	"slices"
	"testing"

	"github.com/punchcard/punchcard/segments"
)

// Right after the import each segment holds 2 to 30 % of the demo's customers.
func TestSegmentsHoldAShareOfTheCustomers(t *testing.T) {
	y := lived(t)
	sizes := map[string]int{}
	for _, id := range y.accounts {
		for _, s := range segments.ReadSegments(y.st, id) {
			sizes[s]++
		}
	}
	for _, id := range shipped {
		share := float64(sizes[id]) / float64(y.plan.Customers)
		t.Logf("%-24s %5d  %4.1f %%", id, sizes[id], 100*share)
		if share < 0.02 || share > 0.30 {
			t.Errorf("%s holds %.1f %% of the customers, want 2 to 30", id, 100*share)
		}
	}
	for id := range sizes {
		if !slices.Contains(shipped, id) {
			t.Errorf("customers are in %q, which is no segment of the bundle", id)
		}
	}
}

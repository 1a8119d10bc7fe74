package demo

import (
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/punchcard/punchcard/campaigns"
	"github.com/punchcard/punchcard/program/rulefile"
	"github.com/punchcard/punchcard/segments"
)

// bundleFiles are the files of the demo's bundle.
func bundleFiles(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	dir := os.DirFS("bundle")
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(dir, path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// parsed is the demo's bundle; the test ends when it has a problem.
func parsed(t testing.TB) (*segments.Set, *campaigns.Plan) {
	t.Helper()
	files, b, c := bundleFiles(t), book(t), &rulefile.Complaints{}
	conditions := campaigns.Conditions(files, b, c)
	set, problems := segments.Parse(files, b, conditions)
	for _, p := range append(c.Sorted(), problems...) {
		t.Error(p)
	}
	plan, problems := campaigns.Parse(files, b, set)
	for _, p := range problems {
		t.Error(p)
	}
	if t.Failed() {
		t.FailNow()
	}
	return set, plan
}

// shipped are the segments that come with the demo; next-tier-in-reach is a
// campaign's.
var shipped = []string{
	"new-customers", "second-purchase-missing", "champions", "loyal", "lapsing", "win-back-candidates",
	"big-spenders", "about-to-drop-a-tier", "points-about-to-expire", "detractors", "next-tier-in-reach",
}

func TestTheBundleHoldsWhatIsShipped(t *testing.T) {
	set, plan := parsed(t)
	for _, id := range shipped {
		if s, ok := set.Find(id); !ok || s.Description == "" || s.Name == id {
			t.Errorf("segment %s is missing, or has no name and description", id)
		}
	}
	if set.Len() != len(shipped) || len(plan.Campaigns) != 11 {
		t.Errorf("%d segments and %d campaigns", set.Len(), len(plan.Campaigns))
	}
	if plan.GlobalHoldoutBP != 500 || plan.QuietHours != (campaigns.QuietHours{From: 21 * 60, Until: 8 * 60}) || len(plan.Caps) == 0 {
		t.Errorf("global holdout %d, quiet hours %v, %d caps", plan.GlobalHoldoutBP, plan.QuietHours, len(plan.Caps))
	}
	tests, locales := 0, 0
	for i := range plan.Campaigns {
		c := &plan.Campaigns[i]
		if c.HoldoutBP != 1000 {
			t.Errorf("%s holds back %d hundredths of a percent, want a tenth of all", c.ID, c.HoldoutBP)
		}
		if len(c.Arms) > 1 {
			tests++
		}
		for _, a := range c.Arms {
			locales += len(a.Texts) - 1
		}
	}
	if tests != 1 || locales == 0 {
		t.Errorf("%d campaigns with several arms, %d texts in other languages", tests, locales)
	}
}

// Each variant has a planted effect, none is planted for nothing, and an extra
// order falls into the campaign's window of conversion.
func TestEveryMessageHasAPlantedEffect(t *testing.T) {
	_, plan := parsed(t)
	planted := map[[2]string]Effect{}
	for _, e := range PlantedEffects() {
		planted[[2]string{e.Campaign, e.Arm}] = e
	}
	for i := range plan.Campaigns {
		c := &plan.Campaigns[i]
		for _, a := range c.Arms {
			e, ok := planted[[2]string{c.ID, a.ID}]
			if !ok || e.Channel != c.Channel || e.Within > time.Duration(c.ConversionDays)*24*time.Hour {
				t.Errorf("%s, %s (%s, %d days): planted %+v", c.ID, a.ID, c.Channel, c.ConversionDays, e)
			}
			delete(planted, [2]string{c.ID, a.ID})
		}
	}
	for of := range planted {
		t.Errorf("an effect is planted for %v, which is no message", of)
	}
}

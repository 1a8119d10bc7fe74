package bundle

import (
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

const (
	segment = "who:\n  all:\n    - tier: gold\n    - fact: {name: consent.email, is: true}\n" +
		"    - latest: {of: Survey Answered, where: {kind: nps}, property: score, at_most: 6}\n" +
		"    - count: {of: order, where: {category: decor}, at_least: 2}\n"
	campaign = "purpose: marketing\nchannel: email\nwhen: {inactive: 60 days}\n" +
		"wait_for: {event: Product Viewed, where: {colour: blue}, within: 1 day}\n" +
		"audience: {in: unhappy, tiers: [silver]}\nmessage: {subject: Hello, text: \"{{tier}}\"}\n"
)

func files(more map[string]string) map[string]string {
	out := map[string]string{program.ProgramFile: program.Starter()[program.ProgramFile]}
	maps.Copy(out, more)
	return out
}

func TestParse(t *testing.T) {
	all := files(map[string]string{"segments/unhappy.yaml": segment, "campaigns/return.yaml": campaign, "campaigns.yaml": "global_holdout: 5\n"})
	b, problems := Parse(all)
	if b == nil {
		t.Fatal(problems)
	}
	if b.ID != program.BundleID(all) || b.Book.ID != b.ID || b.Campaigns.Book != b.Book || b.Campaigns.Set != b.Segments {
		t.Errorf("%+v", b)
	}
	if b.Segments.Len() != 1 {
		t.Errorf("%d segments that customers see", b.Segments.Len())
	}
	// The condition is a segment with what it asks.
	c, ok := b.Campaigns.Find("return")
	if !ok {
		t.Fatal("no campaign")
	}
	if s, ok := b.Segments.Find(c.Trigger.Segment); !ok || c.Trigger.Segment != "trigger:return" || b.Segments.Leaves[s.Who.Index].Min != 60 {
		t.Errorf("condition %q: %+v", c.Trigger.Segment, s)
	}
	for name, want := range map[string]bool{"consent": true, "consent.email": true, "kind": true, "score": true, "colour": true, "category": false, "tier": false, "": false, "country": false} {
		if b.AsksFor(name) != want {
			t.Errorf("asks for %q: %v", name, !want)
		}
	}
	var none *Bundle
	if none.AsksFor("colour") {
		t.Error("no bundle asks")
	}
}

func TestStarter(t *testing.T) {
	b, problems := Parse(program.Starter())
	if b == nil {
		t.Fatal(problems)
	}
	if b.Segments.Len() != 3 || len(b.Campaigns.Campaigns) != 2 {
		t.Errorf("%d segments, %d campaigns", b.Segments.Len(), len(b.Campaigns.Campaigns))
	}
}

func TestProgramAlone(t *testing.T) {
	b, problems := Parse(files(nil))
	if b == nil {
		t.Fatal(problems)
	}
	if b.Segments.Len() != 0 || len(b.Campaigns.Campaigns) != 0 {
		t.Errorf("%+v", b)
	}
	if _, ok := b.Segments.Find("a"); ok {
		t.Error("a segment is found")
	}
}

// TestProblemsOfAllFiles: one check says what is wrong in every file, and nothing
// that only follows from what is wrong in another.
func TestProblemsOfAllFiles(t *testing.T) {
	good := program.Starter()[program.ProgramFile]
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"each its own", map[string]string{
			program.ProgramFile:     strings.Replace(good, "points: 25", "points: lots", 1),
			"campaigns.yaml":        "global_holdout: 99\n",
			"campaigns/return.yaml": "purpose: marketing\nchannel: email\nwhen: {enters: nobody}\naudience: {tiers: [iron]}\nmessage: {subject: a, text: \"{{x}}\"}\n",
			"segments/unhappy.yaml": "who: {tier: iron}\n",
			"segments/fine.yaml":    "who: {tier: {at_least: silver}}\n",
			"readme.md":             "text",
		}, "campaigns.yaml:1 campaigns/return.yaml:3 campaigns/return.yaml:5 program.yaml:45 readme.md:0 segments/unhappy.yaml:1"},
		{"a segment that is broken is there", map[string]string{
			"campaigns/return.yaml": campaign,
			"segments/unhappy.yaml": "whom: {tier: gold}\n",
		}, "segments/unhappy.yaml:1 segments/unhappy.yaml:1"},
		{"a program that cannot be read", map[string]string{
			program.ProgramFile:     "program: [",
			"campaigns/return.yaml": campaign,
			"segments/unhappy.yaml": segment,
		}, "program.yaml:1"},
		{"a segment that is missing", map[string]string{"campaigns/return.yaml": campaign}, "campaigns/return.yaml:5"},
		{"no levels", map[string]string{
			program.ProgramFile:     strings.Replace(good, "levels:", "steps:", 1),
			"segments/unhappy.yaml": segment,
		}, "program.yaml"},
		{"too large", map[string]string{
			"campaigns/a.yaml": strings.Repeat("# x\n", event.MaxBundleBytes/4),
		}, "program.yaml:0"},
	} {
		b, problems := Parse(files(c.files))
		var got []string
		for _, p := range problems {
			got = append(got, p.File+":"+strconv.Itoa(p.Line))
		}
		line := strings.Join(got, " ")
		if c.name == "no levels" { // the program's own problems, whichever, and no other file's
			for _, p := range problems {
				if p.File != program.ProgramFile {
					t.Errorf("%s: %s", c.name, p)
				}
			}
			line = c.want
		}
		if b != nil || len(problems) == 0 || line != c.want {
			t.Errorf("%s: got %s, want %s: %v", c.name, line, c.want, problems)
		}
	}
}

// TestDemoBundle: what is shipped is right.
func TestDemoBundle(t *testing.T) {
	dir := os.DirFS("../../cmd/punchcard/demo/bundle")
	all := make(map[string]string)
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(dir, path)
		all[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b, problems := Parse(all)
	for _, p := range problems {
		t.Error(p)
	}
	if b == nil {
		t.FailNow()
	}
	if b.Segments.Len() < 10 || len(b.Campaigns.Campaigns) < 11 {
		t.Errorf("%d segments, %d campaigns", b.Segments.Len(), len(b.Campaigns.Campaigns))
	}
}

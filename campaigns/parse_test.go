package campaigns

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/rulefile"
	"github.com/punchcard/punchcard/segments"
)

var fill = flag.Bool("fill", false, "write the expected texts of testdata anew")

// testBook is the starter program: points that expire, three tiers, pounds.
func testBook(t testing.TB) *program.Book {
	t.Helper()
	book, problems := program.Parse(program.Starter())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return book
}

// testSegments are segment files that the tests name.
func testSegments() map[string]string {
	return map[string]string{
		"segments/champions.yaml": "name: Champions\nwho: {recency: {at_least: 4}}\n",
		"segments/lapsing.yaml":   "who: {overdue: {times: 2, orders: 3}}\n",
		"segments/win-back.yaml":  "who: {days_since_last_order: {more_than: 180}}\n",
	}
}

// parseAll reads segments and campaigns as a bundle does.
func parseAll(t testing.TB, files map[string]string) (*Plan, []rulefile.Problem) {
	t.Helper()
	book := testBook(t)
	all := testSegments()
	maps.Copy(all, files)
	c := &rulefile.Complaints{}
	conditions := Conditions(all, book, c)
	if !c.None() {
		t.Fatalf("conditions: %v", c.Sorted())
	}
	set, problems := segments.Parse(all, book, conditions)
	if len(problems) > 0 {
		t.Fatalf("segments: %v", problems)
	}
	return Parse(all, book, set)
}

func read(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *fill {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, name); got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// exampleFiles are testdata/examples: a bundle's campaigns.yaml and a campaign for
// each kind of trigger.
func exampleFiles(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{program.CampaignsFile: read(t, "testdata/examples/campaigns.yaml")}
	names, _ := filepath.Glob("testdata/examples/campaigns/*.yaml")
	for _, name := range names {
		files[program.CampaignsDir+filepath.Base(name)] = read(t, name)
	}
	return files
}

// TestExamples: each example says in words what its file says, and together they
// use every kind of trigger that a file can have.
func TestExamples(t *testing.T) {
	plan, problems := parseAll(t, exampleFiles(t))
	for _, p := range problems {
		t.Error(p)
	}
	if plan == nil {
		t.FailNow()
	}
	seen := make(map[TriggerKind]bool)
	for i := range plan.Campaigns {
		c := &plan.Campaigns[i]
		seen[c.Trigger.Kind] = true
		golden(t, "testdata/examples/"+c.ID+".txt", strings.ReplaceAll(plan.Describe(c.ID), c.Version, "VERSION"))
		if i > 0 && plan.Campaigns[i-1].Priority < c.Priority {
			t.Errorf("%s stands after one of lower priority", c.ID)
		}
		if found, ok := plan.Find(c.ID); !ok || found != c {
			t.Errorf("%s is not found", c.ID)
		}
	}
	for _, kind := range []TriggerKind{SegmentEntered, SegmentLeft, TierChanged, BalanceCrossed, PointsEarned, PointsExpire, ScoreChanged, EventSeen, Scheduled, Inactivity, Birthday} {
		if !seen[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
	if _, ok := plan.Find("nothing"); ok || plan.Describe("nothing") != "" {
		t.Error("a campaign that is not there is found")
	}
}

// TestProblems reads testdata/problems/*.yaml, each a bundle's files as one: a line
// "==> name" begins a file. What is reported stands beside it, whole.
func TestProblems(t *testing.T) {
	names, _ := filepath.Glob("testdata/problems/*.yaml")
	if len(names) < 8 {
		t.Fatalf("only %d files in testdata/problems", len(names))
	}
	for _, name := range names {
		files := make(map[string]string)
		for _, part := range strings.Split(read(t, name), "==> ")[1:] {
			file, content, _ := strings.Cut(part, "\n")
			files[file] = content
		}
		plan, problems := parseAll(t, files)
		if plan != nil || len(problems) == 0 {
			t.Errorf("%s: no problem found", name)
		}
		var lines []string
		for _, p := range problems {
			lines = append(lines, p.String())
		}
		golden(t, strings.TrimSuffix(name, ".yaml")+".txt", strings.Join(lines, "\n")+"\n")
	}
}

func TestDefaults(t *testing.T) {
	content := "purpose: marketing\nchannel: push\nwhen: {earned: 10}\nmessage: {text: Thanks}\n"
	plan, problems := parseAll(t, map[string]string{"campaigns/a.yaml": content})
	if plan == nil {
		t.Fatal(problems)
	}
	c, _ := plan.Find("a")
	if c.Name != "a" || c.Template != "a" || c.Priority != 50 || c.Paused || c.Existing || c.Delay != 0 || c.WaitFor != nil ||
		c.Again != (Again{After: 30 * day}) || c.HoldoutBP != 0 || c.QuietHours != nil || c.PerHour != 0 || c.Budget != 0 ||
		c.MaxAge != day || c.ConversionDays != 14 || c.ExpireAfter != 7*day || c.DefaultLocale != "en" {
		t.Errorf("defaults: %+v", c)
	}
	if len(c.Arms) != 1 || c.Arms[0].ID != "message" || c.Arms[0].Weight != 1 || len(c.Arms[0].Texts) != 1 || c.Arms[0].Texts[0].Text.String() != "Thanks" {
		t.Errorf("arms: %+v", c.Arms)
	}
	if plan.GlobalHoldoutBP != 0 || plan.QuietHours != (QuietHours{}) || len(plan.Caps) != 0 {
		t.Errorf("shared: %+v", plan)
	}
	// Pinned: the first 16 hex digits of SHA-256 of the file.
	if want := "6e6a9afec65604f8"; c.Version != want {
		t.Errorf("version %s, want %s", c.Version, want)
	}
}

func TestNoCampaigns(t *testing.T) {
	plan, problems := Parse(map[string]string{program.ProgramFile: program.Starter()[program.ProgramFile]}, testBook(t), nil)
	if plan == nil || len(problems) > 0 || len(plan.Campaigns) != 0 {
		t.Fatalf("%v %v", plan, problems)
	}
	var none *Plan
	if _, ok := none.Find("a"); ok || none.Describe("a") != "" {
		t.Error("no plan holds a campaign")
	}
}

func TestTooMany(t *testing.T) {
	files := make(map[string]string)
	for i := range MaxCampaigns + 1 {
		files["campaigns/a"+strings.Repeat("b", i%50)+string(rune('a'+i/50))+".yaml"] = "nothing: 1"
	}
	_, problems := Parse(files, testBook(t), nil)
	if len(problems) != 1 || !strings.Contains(problems[0].String(), "there are 201 campaigns, at most 200") {
		t.Error(problems)
	}
}

// TestConditions: what time alone starts is a segment that the customer processor
// watches, and its version is of what it asks, not of the message.
func TestConditions(t *testing.T) {
	files := exampleFiles(t)
	book := testBook(t)
	c := &rulefile.Complaints{}
	conditions := Conditions(files, book, c)
	var ids []string
	versions := make(map[string]string)
	for _, condition := range conditions {
		ids = append(ids, condition.ID)
		versions[condition.ID] = condition.Version
	}
	if want := []string{"trigger:birthday", "trigger:expiring", "trigger:inactive"}; !slices.Equal(ids, want) || !c.None() {
		t.Fatalf("%v %v, want %v", ids, c.Sorted(), want)
	}
	files["campaigns/inactive.yaml"] = strings.Replace(files["campaigns/inactive.yaml"], "subject: ", "subject: Hello, ", 1)
	files["campaigns/birthday.yaml"] = strings.Replace(files["campaigns/birthday.yaml"], "birthday: 3", "birthday: 4", 1)
	files["campaigns/expiring.yaml"] = "when: {points_expire: {within: soon}}"
	for _, condition := range Conditions(files, book, c) {
		if same := versions[condition.ID] == condition.Version; same != (condition.ID == "trigger:inactive") {
			t.Errorf("%s: version %s", condition.ID, condition.Version)
		}
		if condition.ID == "trigger:expiring" {
			t.Error("a broken trigger has a condition")
		}
	}
	if !c.None() {
		t.Error(c.Sorted())
	}
}

// FuzzParse: no input takes Parse down or leaves it without a reason.
func FuzzParse(f *testing.F) {
	for _, content := range exampleFiles(f) {
		f.Add(content)
	}
	names, _ := filepath.Glob("testdata/problems/*.yaml")
	for _, name := range names {
		for _, part := range strings.Split(read(f, name), "==> ")[1:] {
			_, content, _ := strings.Cut(part, "\n")
			f.Add(content)
		}
	}
	f.Add("when: {schedule: {weekdays: [], on: null}}\narms: [{}, null, {locales: {: {}}}]\nmessage: ~")
	book := testBook(f)
	f.Fuzz(func(t *testing.T, content string) {
		files := testSegments()
		files["campaigns/a.yaml"], files["campaigns.yaml"] = content, content
		c := &rulefile.Complaints{}
		Conditions(files, book, c)
		if !c.None() {
			t.Fatalf("a condition of our own making: %v", c.Sorted())
		}
		plan, problems := Parse(files, book, nil)
		if (plan == nil) == (len(problems) == 0) {
			t.Fatalf("plan %v with %d problems", plan != nil, len(problems))
		}
		delete(files, "campaigns.yaml")
		conditions := Conditions(files, book, c)
		set, wrong := segments.Parse(files, book, conditions)
		if len(wrong) > 0 {
			t.Fatalf("conditions that segments refuse: %v", wrong)
		}
		plan, more := Parse(files, book, set)
		for _, p := range append(problems, more...) {
			if p.File == "" || p.Message == "" || (p.Path != "" && (p.Line < 1 || p.Column < 1)) {
				t.Fatalf("problem without a place: %+v", p)
			}
		}
		if plan != nil && plan.Describe("a") == "" {
			t.Fatal("not described")
		}
	})
}

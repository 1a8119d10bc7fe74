package program

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

func mustParse(t *testing.T, files map[string]string) *Book {
	t.Helper()
	b, problems := Parse(files)
	for _, p := range problems {
		t.Error(p)
	}
	if b == nil {
		t.FailNow()
	}
	return b
}

func TestStarterPasses(t *testing.T) {
	b := mustParse(t, Starter())
	if b.ID != BundleID(Starter()) || b.Name != "My program" || b.Zone.String() != "Europe/London" || b.Wallet != "points" || b.ExpiryMonths != 12 {
		t.Errorf("head: %+v", b)
	}
	if len(b.Rules) != 6 || len(b.Multipliers) != 3 || len(b.Tiers.Levels) != 3 || len(b.Enrolment) != 2 {
		t.Errorf("lists: %+v", b)
	}
	want := Rule{ID: "base", Kind: RuleSpend, Points: 1, PerMinor: 100, MinimumMinor: 500, Rounding: RoundDown}
	if got := b.Rules[0]; got.ID != want.ID || got.Kind != want.Kind || got.PerMinor != want.PerMinor || got.MinimumMinor != want.MinimumMinor || got.Rounding != want.Rounding {
		t.Errorf("base: %+v", got)
	}
	// 20 December is winter time: London's midnight is UTC's.
	if m := b.Multipliers[1]; m.Percent != 150 || m.From.String() != "2026-12-20T00:00:00.000Z" || m.Until.String() != "2026-12-27T00:00:00.000Z" {
		t.Errorf("christmas-week: %+v", m)
	}
	if m := b.Multipliers[0]; m.Percent != 200 || len(m.Weekdays) != 1 || m.Weekdays[0] != time.Sunday {
		t.Errorf("double-sunday: %+v", m)
	}
	if b.RFM.SpendMinor != [4]int64{5000, 10000, 25000, 50000} || b.RFM.RecencyDays != [4]int64{30, 60, 120, 240} {
		t.Errorf("scores: %+v", b.RFM)
	}
}

func TestDemoBundlePasses(t *testing.T) {
	content, err := os.ReadFile("../cmd/punchcard/demo/bundle/program.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := mustParse(t, map[string]string{ProgramFile: string(content)})
	if len(b.Exclude.Products) != 11 || b.Exclude.Products[7] != "BANK CHARGES" || b.Tiers.Levels[3].SpendMinor != 584200 {
		t.Errorf("demo: %+v", b)
	}
}

func TestADateIsItsFirstInstant(t *testing.T) {
	for _, c := range []struct{ zone, date, want string }{
		{"UTC", "2026-07-01", "2026-07-01T00:00:00.000Z"},
		{"Europe/London", "2026-07-01", "2026-06-30T23:00:00.000Z"},
		{"Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00.000Z"}, // 00:00 does not exist: the day begins at 01:00
		{"Europe/London", "2026-07-01 09:30", "2026-07-01T08:30:00.000Z"},
		{"Europe/London", "2026-07-01T09:30:00+05:00", "2026-07-01T04:30:00.000Z"},
	} {
		content := strings.NewReplacer("Europe/London ", c.zone+" ", "effective_from: always", "effective_from: "+c.date).Replace(Starter()[ProgramFile])
		if b := mustParse(t, map[string]string{ProgramFile: content}); b.EffectiveFrom.String() != c.want {
			t.Errorf("%s in %s is %s, want %s", c.date, c.zone, b.EffectiveFrom, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	const golden = "testdata/describe/starter.txt"
	got := strings.Replace(mustParse(t, Starter()).Describe(), BundleID(Starter()), "ID", 1)
	want, err := os.ReadFile(golden)
	if *fill {
		err = os.WriteFile(golden, []byte(got), 0o644)
		want = []byte(got)
	}
	if err != nil || got != string(want) {
		t.Errorf("%v; got\n%s", err, got)
	}
}

// TestProblems reads testdata/problems/*.yaml: a rule file whose wrong lines end
// with "#! part of what is said". Exactly these lines are reported.
func TestProblems(t *testing.T) {
	names, _ := filepath.Glob("testdata/problems/*.yaml")
	if len(names) < 10 {
		t.Fatalf("only %d files in testdata/problems", len(names))
	}
	mark := regexp.MustCompile(`#! (.*)$`)
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[int][]string)
		for i, line := range strings.Split(string(content), "\n") {
			if m := mark.FindStringSubmatch(line); m != nil {
				want[i+1] = strings.Split(m[1], " #! ")
			}
		}
		b, problems := Parse(map[string]string{ProgramFile: string(content)})
		if b != nil || len(problems) == 0 {
			t.Errorf("%s: no problem found", name)
		}
		for _, p := range problems {
			found := false
			for i, text := range want[p.Line] {
				if strings.Contains(p.String(), text) {
					want[p.Line] = append(want[p.Line][:i], want[p.Line][i+1:]...)
					found = true
					break
				}
			}
			if !found {
				t.Errorf("%s: unexpected: %s", name, p)
			}
		}
		for line, texts := range want {
			for _, text := range texts {
				t.Errorf("%s:%d: not reported: %s", name, line, text)
			}
		}
	}
}

func TestProblemText(t *testing.T) {
	files := Starter()
	files[ProgramFile] = strings.Replace(files[ProgramFile], "points: 25", "points: lots", 1)
	_, problems := Parse(files)
	if len(problems) != 1 {
		t.Fatal(problems)
	}
	if got, want := problems[0].String(), `program.yaml:45:62: $.earn[2].points: "lots" is not a whole number  hint: digits only, such as 100`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFilesOfABundle(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"nothing", nil, "is missing"},
		{"empty", map[string]string{ProgramFile: ""}, "is empty"},
		{"remarks only", map[string]string{ProgramFile: "# nothing\n"}, "is empty"},
		{"unknown file", map[string]string{ProgramFile: Starter()[ProgramFile], "prizes.yaml": "a: b"}, "prizes.yaml: is not a file of a bundle"},
		{"too large", map[string]string{ProgramFile: Starter()[ProgramFile] + strings.Repeat("# more\n", event.MaxBundleBytes/7)}, "bytes, at most"},
		{"two documents", map[string]string{ProgramFile: Starter()[ProgramFile] + "\n---\na: b\n"}, "more than one document"},
		{"a list", map[string]string{ProgramFile: "- a\n- b\n"}, "is a list, not a set of keys"},
		{"zero byte", map[string]string{ProgramFile: "program: a\x00b\n"}, "zero byte"},
		{"bomb", map[string]string{ProgramFile: "a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n"}, "anchors, aliases"},
		{"merge", map[string]string{ProgramFile: "program: {<<: {a: b}}\n"}, "anchors, aliases and merges"},
		{"tag", map[string]string{ProgramFile: "program: !!binary aGk=\n"}, "tags, directives"},
		{"deep", map[string]string{ProgramFile: "program: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)}, "nests too deeply"},
		{"dashes", map[string]string{ProgramFile: "earn:\n  " + strings.Repeat("- ", 5000) + "a\n"}, "nests too deeply"},
		{"tabs", map[string]string{ProgramFile: "program: a\npoints:\n\tname: b\n"}, "YAML: "},
		{"open quote", map[string]string{ProgramFile: "program: \"a\n"}, "YAML: "},
	} {
		b, problems := Parse(c.files)
		if b != nil || len(problems) == 0 || !strings.Contains(problems[0].String(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, problems, c.want)
		}
	}
}

func TestWindowsLineEnds(t *testing.T) {
	mustParse(t, map[string]string{ProgramFile: strings.ReplaceAll(Starter()[ProgramFile], "\n", "\r\n")})
}

func TestBundleID(t *testing.T) {
	a := BundleID(map[string]string{"a": "bc", "d": "e"})
	if b := BundleID(map[string]string{"d": "e", "a": "bc"}); a != b {
		t.Errorf("%s differs from %s for the same files", a, b)
	}
	for _, other := range []map[string]string{{"a": "bcd", "": "e"}, {"ab": "c", "d": "e"}, {"a": "bc"}, {"a": "bc", "d": "E"}} {
		if b := BundleID(other); a == b {
			t.Errorf("%v has the same id %s", other, b)
		}
	}
	// Pinned: bundles in a log keep their names.
	if got := BundleID(map[string]string{"program.yaml": "program: x\n"}); got != "26046edaefd723b0" {
		t.Errorf("id is now %s", got)
	}
}

// FuzzParse: no input takes Parse down or leaves it without a reason.
func FuzzParse(f *testing.F) {
	f.Add(Starter()[ProgramFile])
	names, _ := filepath.Glob("testdata/problems/*.yaml")
	for _, name := range names {
		if content, err := os.ReadFile(name); err == nil {
			f.Add(string(content))
		}
	}
	f.Add("a: {b: [c, {d: e}]}\n? f\n: g")
	f.Add("earn: [1, {}, null, ~, [], {id: }]\ntiers: {levels: [{}]}\nscores: {fixed: {spend: [,,,]}}")
	f.Fuzz(func(t *testing.T, content string) {
		b, problems := Parse(map[string]string{ProgramFile: content})
		if (b == nil) == (len(problems) == 0) {
			t.Fatalf("book %v with %d problems", b != nil, len(problems))
		}
		for _, p := range problems {
			if p.File == "" || p.Message == "" || (p.Path != "" && (p.Line < 1 || p.Column < 1)) {
				t.Fatalf("problem without a place: %+v", p)
			}
		}
		if b != nil {
			_ = b.Describe()
		}
	})
}

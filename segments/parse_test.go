package segments

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/rulefile"
)

var update = flag.Bool("update", false, "write the files of testdata anew (then read them)")

// testBook reads the program of the tables.
func testBook(t testing.TB) *program.Book {
	t.Helper()
	content, err := os.ReadFile("testdata/tables/program.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b, problems := program.Parse(map[string]string{program.ProgramFile: string(content)})
	for _, p := range problems {
		t.Error(p)
	}
	if b == nil {
		t.FailNow()
	}
	return b
}

// split cuts a text into the files that lines "-- name --" begin.
func split(content string) map[string]string {
	files := map[string]string{}
	name := ""
	for line := range strings.Lines(content) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(n, " --") {
			name = "segments/" + strings.TrimSuffix(n, " --") + ".yaml"
			files[name] = ""
			continue
		}
		if name != "" {
			files[name] += line
		}
	}
	return files
}

func mustParse(t testing.TB, b *program.Book, files map[string]string) *Set {
	t.Helper()
	s, problems := Parse(files, b, nil)
	for _, p := range problems {
		t.Error(p)
	}
	if s == nil {
		t.FailNow()
	}
	return s
}

// golden compares a text with a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s says\n%s\nand this came out\n%s", file, want, got)
	}
}

// TestEveryLeafIsRead: a set with every kind of leaf, described as a marketer
// reads it.
func TestEveryLeafIsRead(t *testing.T) {
	content, err := os.ReadFile("testdata/describe/all.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := mustParse(t, testBook(t), split(string(content)))
	kinds := map[Kind]bool{}
	for i := range s.Quantities {
		kinds[s.Quantities[i].Kind] = true
	}
	for k := Member; k <= Fact; k++ {
		if !kinds[k] {
			t.Errorf("no leaf of kind %d", k)
		}
	}
	golden(t, "testdata/describe/all.golden", s.Describe())
	if s.Describe() != mustParse(t, testBook(t), split(string(content))).Describe() {
		t.Error("read twice, it differs")
	}
}

// TestProblems: each file of testdata/problems is wrong in many ways; the golden
// file beside it has what is said of each.
func TestProblems(t *testing.T) {
	names, _ := filepath.Glob("testdata/problems/*.txt")
	if len(names) == 0 {
		t.Fatal("no files")
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, problems := Parse(split(string(content)), testBook(t), nil)
		if s != nil {
			t.Errorf("%s: a set with problems", name)
		}
		var b strings.Builder
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 {
				t.Errorf("%s: without a position: %s", name, p)
			}
			b.WriteString(p.String() + "\n")
		}
		golden(t, strings.TrimSuffix(name, ".txt")+".golden", b.String())
	}
}

// TestSharing: equal conditions stand once, and a segment comes after those that
// it asks for.
func TestSharing(t *testing.T) {
	s := mustParse(t, testBook(t), map[string]string{
		"segments/a.yaml": "who: {all: [{segment: z}, {count: {of: order, in: 2 weeks, at_least: 2}}]}",
		"segments/m.yaml": "who: {all: [{count: {of: order, in: 14 days, at_least: 3}}, {member: true}]}",
		"segments/z.yaml": "who: {any: [{count: {of: order, in: 14 days, at_least: 2}}, {member: true}]}",
	})
	if len(s.Quantities) != 2 || len(s.Leaves) != 3 {
		t.Errorf("%d quantities, %d leaves", len(s.Quantities), len(s.Leaves))
	}
	var order []string
	for i := range s.Segments {
		order = append(order, s.Segments[i].ID)
	}
	if got := strings.Join(order, " "); got != "z a m" {
		t.Errorf("order %s", got)
	}
}

// TestSetID: it changes with what membership depends on and with nothing else.
func TestSetID(t *testing.T) {
	book := testBook(t)
	id := func(content string) uint64 {
		return mustParse(t, book, map[string]string{"segments/a.yaml": content}).ID
	}
	base := id("who: {balance: {at_least: 5}}")
	if id("name: Other\ndescription: words\nwho: {balance: {at_least: 5}} # remark") != base {
		t.Error("a remark changes the id")
	}
	for _, other := range []string{"who: {balance: {at_least: 6}}", "who: {orders: {at_least: 5}}", "who: {not: {balance: {at_least: 5}}}", "who: {balance: {at_most: 5}}"} {
		if id(other) == base {
			t.Errorf("%s has the same id", other)
		}
	}
	london := *book
	london.TimeZone = "Asia/Tokyo"
	if s, _ := Parse(map[string]string{"segments/a.yaml": "who: {balance: {at_least: 5}}"}, &london, nil); s.ID == base {
		t.Error("another zone has the same id")
	}
}

// TestConditions: campaigns' own conditions are in the set, and nobody sees them.
func TestConditions(t *testing.T) {
	c := &rulefile.Complaints{}
	top, _ := rulefile.Read("campaigns/x.yaml", "days_since_last_order: {more_than: 59}", c)
	s, problems := Parse(map[string]string{"segments/a.yaml": "who: {member: true}"}, testBook(t), []Condition{{ID: "trigger:x", Version: "1", Who: top}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if g, ok := s.Find("trigger:x"); !ok || g.Version != "1" || s.Len() != 1 || strings.Contains(s.Describe(), "trigger") {
		t.Errorf("%v %v %s", g, s.Len(), s.Describe())
	}
	top, _ = rulefile.Read("campaigns/x.yaml", "days_since_last_order: {in: [a]}", c)
	if s, problems := Parse(nil, testBook(t), []Condition{{ID: "trigger:x", Who: top}}); s != nil || len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}

func FuzzParse(f *testing.F) {
	names, _ := filepath.Glob("testdata/*/*.txt")
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range split(string(content)) {
			f.Add(file)
		}
	}
	book := testBook(f)
	f.Fuzz(func(t *testing.T, content string) {
		s, problems := Parse(map[string]string{"segments/a.yaml": content, "segments/b.yaml": "who: {member: true}"}, book, nil)
		if (s == nil) == (len(problems) == 0) {
			t.Fatalf("set %v, problems %v", s, problems)
		}
		if s != nil && s.Describe() == "" {
			t.Fatal("nothing to say")
		}
	})
}

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/program/bundle"
)

// A comparison that cannot fail proves nothing: each kind of difference is found.
func TestSegmentDifferences(t *testing.T) {
	facts := map[string][]string{"same": {"b", "a"}, "more": {"a", "b"}, "unknown": {"a"}}
	stream := map[string][]string{"same": {"a", "b"}, "more": {"a"}, "less": {"c"}, "none": {}}
	want := []string{
		"segments of customer less: by the stream alone [c], by the facts alone []",
		"segments of customer more: by the stream alone [], by the facts alone [b]",
		"segments of customer unknown: by the stream alone [], by the facts alone [a]",
	}
	if have := differences(facts, stream); !slices.Equal(have, want) {
		t.Errorf("%q, want %q", have, want)
	}
}

// answers is a warehouse that says the same to everybody.
type answers [][]any

func (a answers) Ask(context.Context, string, map[string]string) ([]string, [][]any, error) {
	return nil, a, nil
}

func TestCompareSegmentsAsksOfEachPartition(t *testing.T) {
	files, err := readBundle(os.DirFS(filepath.Join("demo", "bundle")))
	if err != nil {
		t.Fatal(err)
	}
	rules, problems := bundle.Parse(files)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	said := map[string][]string{"c1": {"loyal", "loyal"}}
	found, err := compareSegments(t.Context(), answers{{"c1", "loyal"}}, rules.Segments, []segmentCut{{Partition: 0, Clock: 1}, {Partition: 1, Clock: 1}}, said)
	if err != nil || len(found) != 0 {
		t.Errorf("%v %v, want one answer of each partition and no difference", found, err)
	}
	if found, _ = compareSegments(t.Context(), answers{{"c1", "lapsing"}}, rules.Segments, []segmentCut{{Clock: 1}}, said); len(found) != 1 {
		t.Errorf("%v, want a difference", found)
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		n, of int64
		want  string
	}{{0, 0, "-"}, {0, 5, "0.0 %"}, {1, 3, "33.3 %"}, {2, 3, "66.7 %"}, {1, 2000, "0.1 %"}, {7, 7, "100.0 %"}} {
		if have := percent(c.n, c.of); have != c.want {
			t.Errorf("%d of %d: %s, want %s", c.n, c.of, have, c.want)
		}
	}
}

// The commands, beside nothing and with what a wrong file gets.
func TestSegmentCommands(t *testing.T) {
	p := newPlace(t)
	dir := filepath.Join("demo", "bundle")
	p.mustRun("program", "activate", dir)
	if out := p.mustRun("segment", "list"); !strings.Contains(out, "lapsing") || !strings.Contains(out, "of 0 customers") {
		t.Errorf("list: %s", out)
	}
	if out := p.mustRun("segment", "show", "lapsing", "--sql"); !strings.Contains(out, "overdue: times 2") || !strings.Contains(out, "-- parameter as_of") || !strings.Contains(out, "Nobody entered or left") {
		t.Errorf("show: %s", out)
	}
	file := filepath.Join(t.TempDir(), "newest.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("who:\n  orders: {at_leest: 2}\n")
	if out, err := p.run("segment", "preview", file); err == nil || !strings.Contains(out, "segments/newest.yaml:2:") {
		t.Errorf("a wrong file: %v %s", err, out)
	}
	write("who:\n  all:\n    - orders: {at_least: 2}\n    - segment: loyal\n")
	for _, args := range [][]string{{"segment", "preview", file}, {"segment", "preview", file, "--dir", dir}} {
		if out := p.mustRun(args...); !strings.Contains(out, "0 of 0 customers") || !strings.Contains(out, "Overlap") {
			t.Errorf("%v: %s", args, out)
		}
	}
}

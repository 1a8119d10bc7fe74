package sql

import (
	"regexp"
	"strings"
	"testing"
)

func all(t *testing.T) (tables, views []File) {
	t.Helper()
	tables, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	views, err = Views()
	if err != nil {
		t.Fatal(err)
	}
	return tables, views
}

func TestEveryFileHasItsHeader(t *testing.T) {
	tables, views := all(t)
	for _, f := range append(tables, views...) {
		if !strings.HasPrefix(f.Text, "-- "+f.Name+": ") {
			t.Errorf("%s: does not start with %q", f.Path, "-- "+f.Name+": ")
		}
		header, _, _ := strings.Cut(f.Text, "\nCREATE ")
		for _, word := range []string{"Meaning:", "Base:", "Unit:", "Source:"} {
			if !strings.Contains(header, "-- "+word) {
				t.Errorf("%s: its header has no %q", f.Path, word)
			}
		}
		if len(f.Statements) != 1 {
			t.Errorf("%s: %d statements, want 1", f.Path, len(f.Statements))
		}
	}
}

// A view that asks for the time of day answers differently for the same facts.
var clocks = regexp.MustCompile(`(?i)\b(now|now64|today|yesterday|current_timestamp|rand\w*)\s*\(`)

func TestNoViewAsksForTheTime(t *testing.T) {
	_, views := all(t)
	for _, f := range views {
		for _, s := range f.Statements {
			if found := clocks.FindString(s); found != "" {
				t.Errorf("%s: calls %s", f.Path, found)
			}
		}
	}
}

func TestTablesKeepInsertsAtomic(t *testing.T) {
	tables, _ := all(t)
	for _, f := range tables {
		if strings.Contains(f.Text, "PARTITION BY") {
			t.Errorf("%s: PARTITION BY splits an insert into several parts", f.Path)
		}
		if f.Name != "program_versions" && !strings.Contains(f.Text, "non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1") {
			t.Errorf("%s: an insert is not remembered or not on disk when it is answered", f.Path)
		}
		for _, must := range []string{"CREATE TABLE IF NOT EXISTS " + f.Name + "\n", "ENGINE = ReplacingMergeTree"} {
			if !strings.Contains(f.Text, must) {
				t.Errorf("%s: has no %q", f.Path, must)
			}
		}
	}
}

func TestHashSeesTheText(t *testing.T) {
	tables, views := all(t)
	was := Hash(views)
	views[0].Text += " "
	if Hash(views) == was || Hash(tables) == was {
		t.Error("the hash did not change with the text")
	}
}

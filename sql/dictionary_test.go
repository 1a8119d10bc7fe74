package sql

import (
	"strings"
	"testing"
)

func TestDictionary(t *testing.T) {
	tables, views := all(t)
	entries, err := Dictionary()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Entry{}
	for _, e := range entries {
		found[e.Name] = e
		if e.Comment == "" || e.Summary == "" || len(e.Columns) == 0 {
			t.Errorf("%s: comment %q, summary %q, %d columns", e.Name, e.Comment, e.Summary, len(e.Columns))
		}
		for _, c := range e.Columns {
			if c.Type == "" || c.Comment == "" {
				t.Errorf("%s.%s: type %q, comment %q", e.Name, c.Name, c.Type, c.Comment)
			}
		}
	}
	for _, f := range append(tables, views...) {
		if _, ok := found[f.Name]; !ok && strings.Contains(f.Text, "CREATE ") {
			t.Errorf("%s is not in the dictionary", f.Path)
		}
	}
	c := found["campaign_conversions"]
	if !c.IsView || len(c.Parameters) != 1 || c.Parameters[0] != (Parameter{"conversion_days", "UInt32"}) {
		t.Errorf("%+v", c)
	}
	if e := found["entries"]; e.IsView || e.Columns[len(e.Columns)-1] != (Column{"value", "String", "The entry as JSON, as it is in topic ledger"}) {
		t.Errorf("%+v", e)
	}
}

func TestDescribeReadsWhatSQLAllows(t *testing.T) {
	e, err := describe(File{Path: "x", Text: "-- x: a table\n-- of two lines.\n--\n-- Meaning: it's (one), a\n--          test.\n-- Unit:    none.\nCREATE", Statements: []string{`CREATE TABLE IF NOT EXISTS x
(
    ` + "`at`" + ` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, (a) time; the event''s, it\'s',
    m Map(String, Tuple(a Int8, b String)) COMMENT 'Two, or more' CODEC(ZSTD(1)),
    INDEX by_m m TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY at
COMMENT 'The customer''s x'`}})
	if err != nil {
		t.Fatal(err)
	}
	if e.Comment != "The customer's x" || e.Summary != "a table of two lines." || len(e.Sections) != 2 || e.Sections[0] != (Section{"Meaning", "it's (one), a test."}) {
		t.Errorf("%+v", e)
	}
	if len(e.Columns) != 2 || e.Columns[0] != (Column{"at", "DateTime64(3, 'UTC')", "When, (a) time; the event's, it's"}) || e.Columns[1] != (Column{"m", "Map(String, Tuple(a Int8, b String))", "Two, or more"}) {
		t.Errorf("%+v", e.Columns)
	}
	for _, s := range []string{"CREATE VIEW x AS SELECT 1", "CREATE VIEW x (a Int8) AS SELECT 1", "CREATE TABLE x (a Int8 COMMENT 'open"} {
		if _, err := describe(File{Statements: []string{s}}); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
}

func TestColumnsThatWereAddedLater(t *testing.T) {
	entries := []Entry{{Name: "x"}, {Name: "y"}}
	err := alter(entries, File{Statements: []string{"ALTER TABLE y ADD COLUMN IF NOT EXISTS a Int8 COMMENT 'One', ADD COLUMN `b` String DEFAULT '' COMMENT 'Two' AFTER a"}})
	if err != nil || len(entries[0].Columns) != 0 || len(entries[1].Columns) != 2 || entries[1].Columns[1] != (Column{"b", "String", "Two"}) {
		t.Errorf("%+v %v", entries, err)
	}
	for _, s := range []string{"ALTER TABLE z ADD COLUMN a Int8 COMMENT 'x'", "ALTER TABLE x DROP COLUMN a", "ALTER TABLE x ADD COLUMN a Int8"} {
		if alter(entries, File{Statements: []string{s}}) == nil {
			t.Errorf("%s was taken", s)
		}
	}
}

// A question reads like one, and its query answers the same for the same facts.
func TestExamples(t *testing.T) {
	examples, err := Examples()
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) < 20 {
		t.Errorf("%d questions", len(examples))
	}
	for _, e := range examples {
		if found := clocks.FindString(e.Query); found != "" {
			t.Errorf("%s: calls %s", e.Name, found)
		}
		if !strings.Contains(e.Query, "ORDER BY") && !strings.HasPrefix(e.Name, "when_to_worry") {
			t.Errorf("%s: its rows have no order", e.Name)
		}
	}
}

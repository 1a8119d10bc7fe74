package dashboards

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the files that the tests compare with")

// The files are what the definitions make.
func TestFilesAreUpToDate(t *testing.T) {
	for _, b := range boards() {
		made, err := b.encode()
		if err != nil {
			t.Fatal(err)
		}
		path := "json/punchcard-" + b.name + ".json"
		if *update {
			if err := os.WriteFile(path, made, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(have, made) {
			t.Errorf("%s is not what the definitions make (%v): go test ./dashboards -run TestFilesAreUpToDate -update", path, err)
		}
	}
	if len(List()) != len(boards()) && !*update {
		t.Errorf("List gives %d dashboards, there are %d", len(List()), len(boards()))
	}
}

package sql

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the data dictionary anew")

const dictionaryPath = "../docs/DICTIONARY.md"

// The page is what the comments say: go test ./sql -run Page -update.
func TestDictionaryPageIsNew(t *testing.T) {
	page, err := DictionaryPage()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dictionaryPath, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, _ := os.ReadFile(dictionaryPath); string(have) != page {
		t.Errorf("%s is not what the comments say: go test ./sql -run Page -update", dictionaryPath)
	}
}

package demo

import (
	"io/fs"
	"os"
	"testing"

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

func TestSegmentsParse(t *testing.T) {
	set, problems := segments.Parse(bundleFiles(t), book(t), nil)
	for _, p := range problems {
		t.Error(p)
	}
	if set == nil {
		t.FailNow()
	}
	if set.Len() != 11 {
		t.Errorf("%d segments, want the ten shipped and the one that a campaign needs", set.Len())
	}
}

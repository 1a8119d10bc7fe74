package program

import (
	"embed"
	"io/fs"
)

//go:embed starter
var starterFiles embed.FS

// Starter returns the files of a first bundle, with remarks on every line:
// program.yaml, some segments and campaigns. It passes every check.
func Starter() map[string]string {
	files := map[string]string{}
	sub, _ := fs.Sub(starterFiles, "starter")
	_ = fs.WalkDir(sub, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(sub, path)
		files[path] = string(text)
		return err
	})
	return files
}

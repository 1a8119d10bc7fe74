package segments

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// TestPackageIsPure: no clock, randomness, I/O, goroutine or logger, so that a
// replay of the log decides the same for ever.
func TestPackageIsPure(t *testing.T) {
	forbidden := map[string]bool{
		"os": true, "net": true, "net/http": true, "log": true, "log/slog": true, "math/rand": true, "math/rand/v2": true,
		"crypto/rand": true, "io/ioutil": true, "os/exec": true, "sync": true, "sync/atomic": true, "syscall": true, "runtime": true,
	}
	allowed := map[string]bool{"event": true, "program": true, "program/rulefile": true}
	clock := map[string]bool{"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "Tick": true, "NewTimer": true, "NewTicker": true, "AfterFunc": true, "Local": true}
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for name, file := range packages["segments"].Files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		checked++
		for _, imported := range file.Imports {
			path, _ := strconv.Unquote(imported.Path.Value)
			if forbidden[path] {
				t.Errorf("%s imports %s", name, path)
			}
			if own, is := strings.CutPrefix(path, "github.com/punchcard/punchcard/"); is && !allowed[own] {
				t.Errorf("%s imports %s", name, own)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", files.Position(n.Pos()))
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && clock[n.Sel.Name] {
					t.Errorf("%s asks the clock: time.%s", files.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
	if checked < 10 {
		t.Fatalf("only %d files were looked at", checked)
	}
}

package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Style is a test: who may import whom, how long things may be, and that
// everything public says what it is.

const (
	root            = "../.."
	module          = "github.com/punchcard/punchcard/"
	maxFileLines    = 500
	maxFunctionSize = 70
)

// mayImport is the whole list: imports form a star around event.
var mayImport = map[string][]string{
	"event":                 {},
	"event/packed":          {"event"},
	"event/stream":          {"event"},
	"event/stream/embedded": {"event"},
	"program":               {"event", "event/packed", "program/rulefile"},
	"program/rulefile":      {"event"},
	"program/bundle":        {"event", "program", "program/rulefile", "segments", "campaigns"},
	"segments":              {"event", "event/packed", "program", "program/rulefile"},
	"campaigns":             {"event", "event/packed", "program", "program/rulefile", "segments"},
	"campaigns/subscriber":  {"event"},

	"campaigns/subscriber/examples/go": {"event", "campaigns/subscriber"},

	"ingest":               {"event"},
	"ingest/history":       {"event"},
	"processors":           {"event", "event/stream", "processors/table"},
	"processors/table":     {"event", "program"},
	"processors/audit":     {"event", "event/stream", "program"},
	"processors/customer":  {"event", "event/packed", "event/stream", "program", "program/bundle", "segments", "processors", "processors/table"},
	"processors/campaign":  {"event", "event/stream", "program", "program/bundle", "segments", "campaigns", "processors", "processors/table"},
	"processors/desk":      {"event", "event/stream", "program", "processors", "processors/table", "processors/customer"},
	"processors/control":   {"event", "event/stream", "program"},
	"processors/projector": {"event", "event/stream"},
	"processors/sink":      {"event", "event/stream", "warehouse"},
	"sql":                  {},
	"warehouse":            {"event", "sql"},
	"warehouse/embedded":   {},
	"warehouse/export":     {"warehouse"},
	"warehouse/models":     {"event", "warehouse"},
	"dashboards":           {"event", "sql"},
	"dashboards/grafana":   {"dashboards"},
	"dashboards/page":      {"event"},
}

// onlyHere says which packages alone may use a library.
var onlyHere = map[string][]string{
	"github.com/twmb/franz-go":      {"event/stream", "event/stream/embedded"},
	"github.com/ClickHouse/":        {"warehouse"},
	"github.com/cockroachdb/pebble": {"processors"},
	"github.com/ebitengine/purego":  {"warehouse/embedded"},
	"github.com/apache/arrow":       {"ingest/history", "warehouse"},
	"github.com/expr-lang/expr":     {"ingest/history"},
	"gonum.org/v1/gonum":            {"warehouse/models"},
	"github.com/segmentio/":         {"campaigns/subscriber"},
	"github.com/prometheus/":        {"cmd/punchcard"},
	"github.com/alecthomas/kong":    {"cmd/punchcard"},
	"github.com/grafana/":           {"dashboards"},
}

// pure packages decide, and decide the same for ever when the log is replayed: no
// clock, randomness, I/O, goroutine or logger. Each stands on the libraries that
// it names and no others.
var pure = map[string][]string{
	"event/packed":     {},
	"program":          {"github.com/cespare/xxhash/v2"},
	"program/rulefile": {"github.com/goccy/go-yaml"},
	"program/bundle":   {},
	"segments":         {"github.com/cespare/xxhash/v2"},
	"campaigns":        {},
}

// impure may not be imported by what decides, clock not be asked of package time.
var (
	impure = []string{
		"context", "crypto/rand", "hash/maphash", "io", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http",
		"os", "os/exec", "runtime", "sync", "sync/atomic", "syscall", "unsafe",
	}
	clock = []string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc", "Local"}
)

func isPure(s source) bool {
	_, is := pure[s.dir]
	return is && !isTest(s)
}

type source struct {
	path, dir string // relative to the root
	text      []byte
	file      *ast.File
	fset      *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "bin" || name == "punchcard-data") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		out = append(out, source{path: rel, dir: filepath.ToSlash(filepath.Dir(rel)), text: text, file: f, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d Go files found below %s", len(out), root)
	}
	return out
}

func isTest(s source) bool { return strings.HasSuffix(s.path, "_test.go") }

func TestImportsFormAStar(t *testing.T) {
	for _, s := range sources(t) {
		for _, imp := range s.file.Imports {
			path := strings.Trim(imp.Path.Value, `"`)
			if !isTest(s) {
				checkOwn(t, s, path)
				checkLibrary(t, s, path)
			}
			if isPure(s) {
				checkPure(t, s, path)
			}
			if isPure(s) && slices.Contains(impure, path) {
				t.Errorf("%s imports %s: %s is pure", s.path, path, s.dir)
			}
		}
	}
}

func checkOwn(t *testing.T, s source, path string) {
	own, ok := strings.CutPrefix(path, module)
	if !ok || strings.HasPrefix(s.dir, "cmd/") {
		return
	}
	allowed, known := mayImport[s.dir]
	if !known {
		t.Errorf("package %s is not in the import table of this test", s.dir)
	}
	if !slices.Contains(allowed, own) {
		t.Errorf("%s imports %s; %s may import %v", s.path, own, s.dir, allowed)
	}
}

func checkLibrary(t *testing.T, s source, path string) {
	for lib, where := range onlyHere {
		if strings.HasPrefix(path, lib) && !slices.ContainsFunc(where, func(w string) bool { return s.dir == w || strings.HasPrefix(s.dir, w+"/") }) {
			t.Errorf("%s imports %s, which only %v may", s.path, path, where)
		}
	}
}

func checkPure(t *testing.T, s source, path string) {
	host, _, _ := strings.Cut(path, "/")
	if strings.Contains(host, ".") && !strings.HasPrefix(path, module) && !slices.ContainsFunc(pure[s.dir], func(lib string) bool { return strings.HasPrefix(path, lib) }) {
		t.Errorf("%s imports %s: what decides stands on %v alone", s.path, path, pure[s.dir])
	}
}

func TestPurePackagesStartNothing(t *testing.T) {
	checked := map[string]int{}
	for _, s := range sources(t) {
		if !isPure(s) {
			continue
		}
		checked[s.dir]++
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", s.fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s asks the clock", s.fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
	for dir := range pure {
		if checked[dir] == 0 {
			t.Errorf("no file of %s was looked at", dir)
		}
	}
}

func TestFilesAndFunctionsAreSmall(t *testing.T) {
	for _, s := range sources(t) {
		if n := bytes.Count(s.text, []byte("\n")); n > maxFileLines {
			t.Errorf("%s has %d lines, at most %d", s.path, n, maxFileLines)
		}
		if isTest(s) {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > maxFunctionSize {
					t.Errorf("%s: %s has %d lines, at most %d", s.fset.Position(f.Pos()), f.Name.Name, n, maxFunctionSize)
				}
			}
		}
	}
}

func TestPackagesAndPublicNamesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	dirs := map[string]bool{}
	for _, s := range sources(t) {
		if isTest(s) {
			continue
		}
		dirs[s.dir] = true
		if s.file.Doc != nil {
			documented[s.dir] = true
		}
		for _, d := range s.file.Decls {
			checkDocumented(t, s, d)
		}
	}
	for dir := range dirs {
		if !documented[dir] {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

// obvious are methods whose interface says what they do.
var obvious = []string{"String", "GoString", "Error", "Unwrap", "Len", "Less", "Swap"}

func checkDocumented(t *testing.T, s source, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !slices.Contains(obvious, d.Name.Name) {
			t.Errorf("%s: %s has no comment", s.fset.Position(d.Pos()), d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			ts, ok := spec.(*ast.TypeSpec)
			if ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil {
				t.Errorf("%s: %s has no comment", s.fset.Position(ts.Pos()), ts.Name.Name)
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func TestNoVagueNames(t *testing.T) {
	vague := []string{"util", "utils", "common", "types", "helpers", "manager", "misc"}
	for _, s := range sources(t) {
		for _, part := range strings.Split(s.dir, "/") {
			if slices.Contains(vague, part) {
				t.Errorf("%s: a folder named %s says nothing", s.path, part)
			}
		}
	}
}

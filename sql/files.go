package sql

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed schema/*.sql views/*.sql examples/*.sql
var files embed.FS

// File is one SQL file.
type File struct {
	// Number is the leading number of the file's name, dense from 1: the version
	// of a migration, the order of a view.
	Number int
	// Name is the table or view that the file makes.
	Name string
	// Path is the file's path in this package, for errors.
	Path string
	// Statements are run one by one, in the warehouse's database.
	Statements []string
	// Parameters are what a view must be given, such as conversion_days:
	// SELECT * FROM name(conversion_days = 14).
	Parameters []string
	// Text is the whole file.
	Text string
}

// Migrations returns the files of schema/ in order.
func Migrations() ([]File, error) { return read("schema") }

// Views returns the files of views/ in the order in which they build on each
// other.
func Views() ([]File, error) { return read("views") }

// Hash names the content of files: another content has another hash.
func Hash(list []File) string {
	h := sha256.New()
	for _, f := range list {
		fmt.Fprintf(h, "%s %d\n%s", f.Path, len(f.Text), f.Text)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func read(dir string) ([]File, error) {
	entries, err := fs.ReadDir(files, dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	var out []File
	for _, e := range entries {
		f, err := readFile(path.Join(dir, e.Name()), len(out)+1)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func readFile(p string, want int) (File, error) {
	text, err := files.ReadFile(p)
	if err != nil {
		return File{}, fmt.Errorf("sql: %w", err)
	}
	number, name, ok := strings.Cut(strings.TrimSuffix(path.Base(p), ".sql"), "_")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n != want {
		return File{}, fmt.Errorf("sql: %s: its name must start with number %d and an underscore: numbers are dense from 1", p, want)
	}
	f := File{Number: n, Name: name, Path: p, Text: string(text)}
	for s := range strings.SplitSeq(uncommented(f.Text), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			f.Statements = append(f.Statements, s)
		}
		for _, found := range parameter.FindAllStringSubmatch(s, -1) {
			if !slices.Contains(f.Parameters, found[1]) {
				f.Parameters = append(f.Parameters, found[1])
			}
		}
	}
	return f, nil
}

// parameter is a query parameter: {conversion_days:UInt32}.
var parameter = regexp.MustCompile(`\{(\w+):\w+\}`)

// uncommented drops the lines that are comments. Elsewhere in our files no
// semicolon ends a line but that of a statement.
func uncommented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "--") {
			b.WriteString(line)
		}
	}
	return b.String()
}

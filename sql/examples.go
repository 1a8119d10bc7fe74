package sql

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Example is a question of a marketer's, answered.
type Example struct {
	// Number is the file's, dense from 1.
	Number int
	// Name is the file's.
	Name string
	// Question is in a marketer's words.
	Question string
	// Columns are those of the answer, each with what it is.
	Columns []Column
	// Mind is what to keep in mind when reading the answer.
	Mind string
	// Query is one SELECT.
	Query string
	// Text is the whole file.
	Text string
}

// Examples returns the files of examples/ in order.
func Examples() ([]Example, error) {
	entries, err := fs.ReadDir(files, "examples")
	if err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	var out []Example
	for i, entry := range entries {
		e, err := readExample(path.Join("examples", entry.Name()), i+1)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

var (
	answerLine = regexp.MustCompile(`^--   (\w+)\s{2,}(.+)$`)
	mindLine   = regexp.MustCompile(`^-- Mind: (.+)$`)
)

func readExample(p string, want int) (Example, error) {
	text, err := files.ReadFile(p)
	if err != nil {
		return Example{}, fmt.Errorf("sql: %w", err)
	}
	number, name, _ := strings.Cut(strings.TrimSuffix(path.Base(p), ".sql"), "_")
	n, err := strconv.Atoi(number)
	if err != nil || n != want || name == "" {
		return Example{}, fmt.Errorf("sql: %s: its name must start with number %02d and an underscore: numbers are dense from 1", p, want)
	}
	e := Example{Number: n, Name: name, Text: string(text), Query: strings.TrimSuffix(strings.TrimSpace(uncommented(string(text))), ";")}
	first, _, _ := strings.Cut(e.Text, "\n")
	e.Question = strings.TrimPrefix(first, "-- ")
	minding := false
	for line := range strings.Lines(e.Text) {
		line = strings.TrimRight(line, "\n")
		if m := answerLine.FindStringSubmatch(line); m != nil && !minding {
			e.Columns = append(e.Columns, Column{Name: m[1], Comment: m[2]})
		}
		if m := mindLine.FindStringSubmatch(line); m != nil {
			e.Mind, minding = m[1], true
		} else if minding && strings.HasPrefix(line, "--") {
			e.Mind += " " + strings.TrimSpace(strings.TrimPrefix(line, "--"))
		}
	}
	if !strings.HasSuffix(e.Question, "?") || len(e.Columns) == 0 || e.Mind == "" || e.Query == "" {
		return Example{}, fmt.Errorf("sql: %s: it needs a question, the columns of the answer, a line Mind: and a query", p)
	}
	return e, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/bundle"
)

// programCommand is everything about the rule files.
type programCommand struct {
	New      programNew      `cmd:"" help:"Write a commented starter."`
	Check    programCheck    `cmd:"" help:"Check a bundle: every problem with line, column and hint."`
	Show     programShow     `cmd:"" help:"The rules as text: of a folder, or of the active bundle."`
	Activate programActivate `cmd:"" help:"Put a bundle in force in every partition."`
}

// errFindings says that a command printed what it found and must exit with 1.
var errFindings = errors.New("findings")

type programNew struct {
	Dir string `arg:"" help:"Folder to make."`
}

// Run writes the starter; it overwrites nothing.
func (c *programNew) Run() error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	for name, text := range program.Starter() {
		path := filepath.Join(c.Dir, filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			return fmt.Errorf("%s exists: choose an empty folder", path)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", path)
	}
	fmt.Printf("next: punchcard program check %s, then punchcard program activate %s\n", c.Dir, c.Dir)
	return nil
}

type programCheck struct {
	Dir string `arg:"" help:"The bundle's folder."`
}

// Run prints every problem at once.
func (c *programCheck) Run() error {
	_, rules, err := loadBundle(c.Dir)
	if err != nil {
		return err
	}
	fmt.Printf("%s: no problems; bundle %s: %d segments, %d campaigns\n", c.Dir, rules.ID, rules.Segments.Len(), len(rules.Campaigns.Campaigns))
	return nil
}

type programShow struct {
	Dir string `arg:"" optional:"" help:"The bundle's folder; without it, the active one."`
}

// Run prints the rules as a marketer reads them.
func (c *programShow) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	if c.Dir != "" {
		_, rules, err := loadBundle(c.Dir)
		if err != nil {
			return err
		}
		describe(rules)
		return nil
	}
	return withConnection(ctx, s, log, needLog, func(conn *connection) error {
		b, err := conn.control.ActiveBundleFiles(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			return errors.New("no active program: punchcard program new DIR, then punchcard program activate DIR")
		}
		rules, problems := bundle.Parse(b.Files)
		if len(problems) > 0 {
			return fmt.Errorf("the active bundle %s has %d problems in this version of punchcard: %s", b.ID, len(problems), problems[0])
		}
		describe(rules)
		return nil
	})
}

type programActivate struct {
	Dir string `arg:"" help:"The bundle's folder."`
}

// Run publishes the bundle and returns when every partition has it.
func (c *programActivate) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	b, _, err := loadBundle(c.Dir)
	if err != nil {
		return err
	}
	return withConnection(ctx, s, log, needLog|needRoles, func(conn *connection) error {
		if err := conn.control.Activate(ctx, *b); err != nil {
			return err
		}
		fmt.Printf("bundle %s is in every partition\n", b.ID)
		return nil
	})
}

// describe prints the rules, segments and campaigns of a bundle.
func describe(rules *bundle.Bundle) {
	fmt.Print(rules.Book.Describe())
	if rules.Segments.Len() > 0 {
		fmt.Print("\n", rules.Segments.Describe())
	}
	for i := range rules.Campaigns.Campaigns {
		fmt.Print("\n", rules.Campaigns.Describe(rules.Campaigns.Campaigns[i].ID))
	}
}

// loadBundle reads and checks a folder. Problems are printed, one a line.
func loadBundle(dir string) (*event.Bundle, *bundle.Bundle, error) {
	files, err := readBundle(os.DirFS(dir))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	rules, err := parseBundle(files)
	if err != nil {
		return nil, nil, err
	}
	return bundleRecord(files, rules.Book), rules, nil
}

func bundleRecord(files map[string]string, book *program.Book) *event.Bundle {
	return &event.Bundle{ID: book.ID, EffectiveFrom: book.EffectiveFrom, Semantics: book.Semantics, Files: files}
}

func parseBundle(files map[string]string) (*bundle.Bundle, error) {
	rules, problems := bundle.Parse(files)
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(problems) > 0 {
		return nil, errFindings
	}
	return rules, nil
}

// readBundle reads all YAML files below a folder.
func readBundle(dir fs.FS) (map[string]string, error) {
	files := map[string]string{}
	size := 0
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := fs.ReadFile(dir, path)
		if err != nil {
			return err
		}
		if size += len(text); size > event.MaxBundleBytes {
			return fmt.Errorf("the bundle is larger than %d bytes", event.MaxBundleBytes)
		}
		files[path] = string(text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no .yaml file: punchcard program new DIR writes a starter")
	}
	return files, nil
}

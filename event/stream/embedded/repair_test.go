package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"math/rand/v2"

	"github.com/punchcard/punchcard/event/stream"
)

// killed copies the data of a running broker as a kill at this moment would
// leave it.
func killed(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// damage edits the ledger's only index file.
func damage(t *testing.T, dir string, edit func([]byte) []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "log", "partitions", "ledger-0", "*.idx"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("index files: %v, %v", paths, err)
	}
	raw, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(paths[0], edit(raw), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A kill between a batch and its index entry must not make an open
// transaction's records visible, now or after later restarts.
func TestOrphanBatchStaysAborted(t *testing.T) {
	for name, edit := range map[string]func([]byte) []byte{
		"whole":   func(idx []byte) []byte { return idx },
		"missing": func(idx []byte) []byte { return idx[:len(idx)-15] },
		"torn":    func(idx []byte) []byte { return idx[:len(idx)-7] },
		"zeroed":  func(idx []byte) []byte { return append(idx[:len(idx)-15], make([]byte, 15)...) },
		"gone":    func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, dir := testContext(t), t.TempDir()
			b := start(t, dir)
			c := connect(t, b)
			write(t, ctx, c, "one")
			if err := leaveOpen(ctx, b, rand.New(rand.NewPCG(1, 1))); err != nil {
				t.Fatal(err)
			}
			want := "one"
			for _, next := range []string{"two", "three"} {
				dir = killed(t, dir)
				damage(t, dir, edit)
				edit = func(idx []byte) []byte { return idx }
				b = start(t, dir)
				c = connect(t, b)
				if got := tail(t, ctx, c); got != want {
					t.Fatalf("after a kill the ledger holds %.60q, want %q", got, want)
				}
				// Aborted by a marker this time, then killed again.
				if err := leaveOpen(ctx, b, rand.New(rand.NewPCG(1, 1))); err != nil {
					t.Fatal(err)
				}
				write(t, ctx, c, next)
				want += " " + next
			}
			c = connect(t, start(t, killed(t, dir)))
			if got := tail(t, ctx, c); got != want {
				t.Fatalf("after two kills the ledger holds %.60q, want %q", got, want)
			}
			ends, err := c.Ends(ctx, "ledger", stream.ReadCommitted)
			if err != nil || ends[0].End == 0 {
				t.Fatalf("last stable offset %v, %v", ends, err)
			}
		})
	}
}

func TestStrangeFilesAreNoObstacle(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir)
	ctx := testContext(t)
	write(t, ctx, connect(t, b), "one")
	dir = killed(t, dir)
	part := filepath.Join(dir, "log", "partitions", "ledger-0")
	for _, name := range []string{"notes.dat", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(part, name), []byte(strings.Repeat("x", 100)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := tail(t, ctx, connect(t, start(t, dir))); got != "one" {
		t.Fatalf("the ledger holds %q", got)
	}
}

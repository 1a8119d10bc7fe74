package subscriber

// The examples, each with its own client, against the broker.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// clients is where clients are installed, once: it is not in git.
const clients = "../../.clients"

// example is a program that prints messages until it is interrupted.
type example struct {
	name  string
	ready func(t *testing.T) []string // its command; skips when its client cannot be had
	// raw: it prints all records, as JSON, repeated and expired ones too.
	raw bool
}

var examples = []example{
	{"Go", goExample, false},
	{"Node", nodeExample, false},
	{"Python", pythonExample, false},
	{"kcat", kcatExample, true},
}

func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			command := e.ready(t)
			e.prints(t, newRig(t, 3), command)
		})
	}
}

// prints: all messages there are and that come, then, started again, only what is
// new.
func (e *example) prints(t *testing.T, r *rig, command []string) {
	expires := event.At(time.Now()).Add(time.Hour)
	fresh := func(tag string, n int) []*event.Message {
		out := many(tag, n)
		for _, m := range out {
			m.ExpiresTime = expires
		}
		return out
	}
	old := message("old", "1")
	old.ExpiresTime = event.At(time.Now()).Add(-time.Hour)
	before, after, later := fresh("before", 20), fresh("after", 5), fresh("later", 3)
	r.publish(before...)
	r.publish(old, before[7])

	p := r.start(command)
	until(t, "the first messages", func() bool { return len(p.ids()) >= len(before) })
	r.publish(after...)
	until(t, "the messages that came", func() bool { return p.ids()["after-4"] && len(p.ids()) >= len(before)+len(after) })
	p.interrupt()
	want := map[string]int{}
	for _, m := range slices.Concat(before, after) {
		want[m.MessageID] = 1
	}
	if e.raw {
		want["old"], want["before-7"] = 1, 2
	}
	if got := count(p.lines()); !maps.Equal(got, want) {
		t.Errorf("printed %v\nwant %v\n%s", got, want, p.errors)
	}

	r.publish(later...)
	p = r.start(command)
	until(t, "what is new", func() bool { return len(p.ids()) >= len(later) })
	p.interrupt()
	if got := count(p.lines()); !maps.Equal(got, map[string]int{"later-0": 1, "later-1": 1, "later-2": 1}) {
		t.Errorf("started again, it printed %v\n%s", got, p.errors)
	}
}

// printer is a running example.
type printer struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    string // file: read while it is written
	errors *bytes.Buffer
	done   chan error
}

func (r *rig) start(command []string) *printer {
	r.t.Helper()
	out, err := os.CreateTemp(r.t.TempDir(), "out")
	if err != nil {
		r.t.Fatal(err)
	}
	defer out.Close()
	p := &printer{t: r.t, out: out.Name(), errors: &bytes.Buffer{}, done: make(chan error, 1)}
	p.cmd = exec.Command(command[0], command[1:]...)
	if filepath.Base(command[0]) == "go-example" {
		p.cmd.Args = append(p.cmd.Args, "-brokers", r.broker, "-prefix", r.prefix)
	}
	p.cmd.Env = append(os.Environ(), "BROKERS="+r.broker, "PREFIX="+r.prefix, "GROUP=printer", "CHANNEL="+event.ChannelEmail)
	p.cmd.Stdout, p.cmd.Stderr = out, p.errors
	if err := p.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	r.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		if r.t.Failed() {
			r.t.Logf("%v printed:\n%s\n%s", command, p.text(), p.errors)
		}
	})
	return p
}

func (p *printer) text() []byte {
	text, err := os.ReadFile(p.out)
	if err != nil {
		p.t.Error(err)
	}
	return text
}

var printed = regexp.MustCompile(`^(\S+) to customer-(\S+): Welcome$`)

// lines are the ids of the messages that it printed, in whole lines.
func (p *printer) lines() []string {
	var out []string
	for _, line := range strings.SplitAfter(string(p.text()), "\n") {
		line, whole := strings.CutSuffix(line, "\n")
		if !whole {
			continue
		}
		var m event.CampaignMessage
		if id := printed.FindStringSubmatch(line); id != nil && id[1] == id[2] {
			out = append(out, id[1])
		} else if err := json.Unmarshal([]byte(line), &m); err == nil && m.MessageID != "" && m.Subject == "Welcome" {
			out = append(out, m.MessageID)
		} else {
			out = append(out, fmt.Sprintf("no message: %q", line))
		}
	}
	return out
}

func (p *printer) ids() map[string]bool {
	out := map[string]bool{}
	for _, id := range p.lines() {
		if id != "old" {
			out[id] = true
		}
	}
	return out
}

// interrupt is Ctrl-C.
func (p *printer) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.done:
		if err != nil {
			p.t.Errorf("after Ctrl-C: %v\n%s", err, p.errors)
		}
	case <-time.After(within):
		p.t.Fatalf("it did not end after Ctrl-C\n%s", p.errors)
	}
}

// ours is a path in the examples' folder that holds from any folder.
func ours(t *testing.T, path ...string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func goExample(t *testing.T) []string {
	bin := filepath.Join(t.TempDir(), "go-example")
	if out, err := exec.Command("go", "build", "-o", bin, "./examples/go").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return []string{bin}
}

func kcatExample(t *testing.T) []string {
	if _, err := exec.LookPath("kcat"); err != nil {
		t.Skip(err)
	}
	return []string{ours(t, "examples", "kcat", "subscriber.sh")}
}

func nodeExample(t *testing.T) []string {
	dir := install(t, filepath.Join("examples", "node"), "package-lock.json", npmInstall)
	return []string{"node", filepath.Join(dir, "subscriber.js")}
}

func pythonExample(t *testing.T) []string {
	dir := install(t, filepath.Join("examples", "python"), "requirements.txt", func(dir string) ([]byte, error) {
		if out, err := exec.Command("python3", "-m", "venv", dir).CombinedOutput(); err != nil {
			return out, err
		}
		pip := exec.Command(filepath.Join(dir, "bin", "pip"), "install", "--quiet", "-r", "requirements.txt")
		pip.Dir = dir
		return pip.CombinedOutput()
	})
	return []string{filepath.Join(dir, "bin", "python"), filepath.Join(dir, "subscriber.py")}
}

func npmInstall(dir string) ([]byte, error) {
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// install copies a folder to where its client is installed, once for each state of
// its lock file, and returns that place. It skips, with the reason, what cannot
// be had.
func install(t *testing.T, from, lock string, fetch func(dir string) ([]byte, error)) string {
	t.Helper()
	dir := ours(t, clients, "subscriber-"+filepath.Base(from))
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.IsDir() { // node_modules of one who tried it there
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f.Name()), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	wanted, err := os.ReadFile(filepath.Join(from, lock))
	if err != nil {
		t.Fatal(err)
	}
	complete := filepath.Join(dir, ".complete") // holds the lock file that was installed
	if have, _ := os.ReadFile(complete); bytes.Equal(have, wanted) {
		return dir
	}
	if out, err := fetch(dir); err != nil {
		t.Skipf("the client of %s cannot be had here: %v\n%s", from, err, out)
	}
	if err := os.WriteFile(complete, wanted, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAsyncAPIParser: AsyncAPI's own parser takes our file without a complaint.
func TestAsyncAPIParser(t *testing.T) {
	t.Parallel()
	dir := install(t, filepath.Join("testdata", "asyncapi"), "package-lock.json", npmInstall)
	out, err := exec.Command("node", filepath.Join(dir, "check.js"), ours(t, "..", "..", "event", "asyncapi.yaml")).CombinedOutput()
	want := "3.0.0 campaigns.{channel} segments customers rejects events ledger campaign-log\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant %s", err, out, want)
	}
}

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// exits runs a command that must fail: exit code 1, all the words in what it
// says, and no stack trace.
func (p *place) exits(t *testing.T, words []string, args ...string) string {
	t.Helper()
	out, err := p.run(args...)
	mustFail(t, out, err, words, args)
	return out
}

func mustFail(t *testing.T, out string, err error, words, args []string) {
	t.Helper()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("punchcard %s: %v, want exit 1\n%s", strings.Join(args, " "), err, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("punchcard %s does not say %q:\n%s", strings.Join(args, " "), w, out)
		}
	}
	if strings.Contains(out, "goroutine ") || strings.Contains(out, ".go:") {
		t.Errorf("punchcard %s prints a stack trace:\n%s", strings.Join(args, " "), out)
	}
}

// bare runs the program with these arguments alone, and environment. A program that
// takes a setting which it should refuse would run on: it is ended.
func bare(env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.WaitDelay = time.Second // the engine's process may hold the pipe
	cmd.Env = append(append(os.Environ(), beThePunchcard+"=1"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestTakenPorts: each is named with its address and the flag to use.
func TestTakenPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	for flag, take := range map[string]func(*place){
		"--http":              func(p *place) { p.http = taken },
		"--kafka-listen":      func(p *place) { p.broker = taken },
		"--clickhouse-listen": func(p *place) { p.click = taken },
	} {
		t.Run(flag, func(t *testing.T) {
			if kafka() != "" && flag == "--kafka-listen" {
				t.Skip("there is no embedded broker here")
			}
			p := newPlace(t)
			take(p)
			t.Log(p.exits(t, []string{taken, flag}, "serve"))
		})
	}
}

// TestBadSettings: every setting that cannot be says which, and what would do.
func TestBadSettings(t *testing.T) {
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"--http", "nowhere", "serve"}, []string{"--http", "host:port"}},
		{[]string{"--kafka-listen", "0.0.0.0:9092", "serve"}, []string{"--kafka-listen", "this machine only", "--kafka"}},
		{[]string{"--clickhouse-listen", "0.0.0.0:8123", "serve"}, []string{"--clickhouse-listen", "this machine only", "--clickhouse"}},
		{[]string{"--partitions", "5000", "serve"}, []string{"--partitions 5000", "1 to 1024"}},
		{[]string{"--tenant", "Shop A", "serve"}, []string{"--tenant"}},
		{[]string{"--clickhouse", "nowhere", "serve"}, []string{"--clickhouse", "http://"}},
		{[]string{"--log-level", "loud", "serve"}, []string{"--log-level", "debug"}},
		{[]string{"--http", "nowhere", "--partitions", "5000", "serve"}, []string{"--http", "--partitions"}}, // both at once
		{[]string{"serve", "--roles", "cashier"}, []string{"--roles cashier", "door", "processor", "sink"}},
		{[]string{"serve", "--shop"}, []string{"--shop"}},
		{[]string{"open"}, []string{"open"}},
		{[]string{"demo", "--speed", "1ms"}, []string{"--speed", "between"}},
	} {
		args := append([]string{"--data", filepath.Join(t.TempDir(), "data")}, c.args...)
		out, err := bare(nil, args...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Errorf("punchcard %s: %v\n%s", strings.Join(c.args, " "), err, out)
		}
		for _, w := range c.words {
			if !strings.Contains(out, w) {
				t.Errorf("punchcard %s does not say %q:\n%s", strings.Join(c.args, " "), w, out)
			}
		}
	}
}

// TestSettingsFromFileAndEnvironment: a flag beats the environment, which beats
// the file.
func TestSettingsFromFileAndEnvironment(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// The address that the complaint names shows where the setting came from.
	file := write("settings.yaml", "http: from-file\n")
	for _, c := range []struct {
		what string
		env  []string
		args []string
		want string
	}{
		{"a file", nil, []string{"--config", file}, `--http "from-file"`},
		{"a file, with =", nil, []string{"--config=" + file}, `--http "from-file"`},
		{"a file by environment", []string{"PUNCHCARD_CONFIG=" + file}, nil, `--http "from-file"`},
		{"the environment", []string{"PUNCHCARD_HTTP=from-env"}, nil, `--http "from-env"`},
		{"the environment before a file", []string{"PUNCHCARD_HTTP=from-env"}, []string{"--config", file}, `--http "from-env"`},
		{"a flag before all", []string{"PUNCHCARD_HTTP=from-env"}, []string{"--config", file, "--http", "from-flag"}, `--http "from-flag"`},
		{"two words", []string{"PUNCHCARD_CLICKHOUSE_LISTEN=from-env"}, nil, `--clickhouse-listen "from-env"`},
		{"an unknown setting", nil, []string{"--config", write("unknown.yaml", "htpp: 127.0.0.1:1\n")}, `"htpp" is no setting; those are`},
		{"no such file", nil, []string{"--config", filepath.Join(dir, "none.yaml")}, "settings file"},
		{"not YAML", nil, []string{"--config", write("bad.yaml", "http: [\n")}, "settings file"},
		{"a list, not settings", nil, []string{"--config", write("list.yaml", "- http\n")}, "settings file"},
		{"too large", nil, []string{"--config", write("large.yaml", strings.Repeat("# x\n", maxSettingsBytes))}, "larger than"},
	} {
		out, err := bare(c.env, append(append([]string{"--data", filepath.Join(dir, "data")}, c.args...), "serve")...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v, want %s\n%s", c.what, err, c.want, out)
		}
	}
	if out, err := bare(nil, "--data", filepath.Join(dir, "data"), "--config", write("kafka.yaml", "kafka: [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n"), "serve"); err == nil || !strings.Contains(out, "127.0.0.1:1,127.0.0.1:2") {
		t.Errorf("a list: %v\n%s", err, out)
	}
	if out, err := bare(nil, "--config", write("good.yaml", "partitions: 4\nkafka: [a:1, b:2]\nclock-jump: 48h\n"), "version"); err != nil {
		t.Errorf("a good file: %v\n%s", err, out)
	}
}

// TestProgramFolders: new, check and show of a folder need nothing that runs.
func TestProgramFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mine")
	ok := func(args ...string) string {
		t.Helper()
		out, err := bare(nil, args...)
		if err != nil {
			t.Fatalf("punchcard %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	if out := ok("program", "new", dir); !strings.Contains(out, "program.yaml") || !strings.Contains(out, "program check "+dir) {
		t.Errorf("new: %s", out)
	}
	if out := ok("program", "check", dir); !regexp.MustCompile(`no problems; bundle [0-9a-f]{16}: \d+ segments, \d+ campaigns\n$`).MatchString(out) {
		t.Errorf("check: %s", out)
	}
	if out := ok("program", "show", dir); !strings.Contains(out, "GBP") || !strings.Contains(out, "Gold") {
		t.Errorf("show: %s", out)
	}
	fails := func(words []string, args ...string) string {
		t.Helper()
		out, err := bare(nil, args...)
		mustFail(t, out, err, words, args)
		return out
	}
	fails([]string{"exists", "empty folder"}, "program", "new", dir)
	fails([]string{"program new"}, "program", "check", t.TempDir())
	fails([]string{"no such file"}, "program", "check", filepath.Join(dir, "none"))

	bad := strings.NewReplacer("currency: USD", "currency: dollars", "points: 1, per", "points: many, per", "review: 90 days", "revue: 90 days").Replace(smallProgram)
	badDir := bundleDir(t, bad)
	for _, args := range [][]string{{"program", "check", badDir}, {"program", "show", badDir}} {
		out := fails(nil, args...)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) < 3 {
			t.Errorf("not every problem at once: %s", out)
		}
		for _, line := range lines {
			if !regexp.MustCompile(`^program\.yaml:\d+:\d+: .+ hint: .+`).MatchString(line) {
				t.Errorf("no line, column and hint: %q", line)
			}
		}
		if !strings.Contains(out, "program.yaml:2:11: ") {
			t.Errorf("not the place of the currency: %s", out)
		}
		t.Log(out)
	}
	if out := ok("version"); !regexp.MustCompile(`^punchcard \S+.* records v1, semantics \d+, go1\.\S+ \w+/\w+\n$`).MatchString(out) {
		t.Errorf("version: %q", out)
	}
}

// TestCommandsAlone: what a command says when nothing runs, and when the folder is
// held by another process.
func TestCommandsAlone(t *testing.T) {
	p := newPlace(t)
	p.exits(t, []string{"no such customer"}, "customer", "nobody")
	p.exits(t, []string{"no active program", "program activate"}, "program", "show")
	p.exits(t, []string{"no active program", "program activate"}, "import", cdnowFile, "--mapping", "cdnow")
	bad := bundleDir(t, strings.Replace(smallProgram, "currency: USD", "currency: dollars", 1))
	p.exits(t, []string{"program.yaml:2:"}, "program", "activate", bad)
	p.exits(t, []string{"none", "cdnow", "online-retail"}, "import", cdnowFile, "--mapping", "none")
	p.exits(t, []string{"none.csv"}, "import", "none.csv", "--mapping", "cdnow")
	p.readersAreReaders(t)

	dir := bundleDir(t, smallProgram)
	p.mustRun("program", "activate", dir)
	if shown := p.mustRun("program", "show"); shown != p.mustRun("program", "show", dir) || !strings.Contains(shown, "USD") {
		t.Errorf("the active program is not the one that was activated: %s", shown)
	}
	pr := p.spawn("serve")
	p.awaitReady(pr, time.Minute)
	p.exits(t, []string{"in use", p.data, "--data"}, "serve")
	p.exits(t, []string{"in use", p.data, "--data"}, "demo", "--no-live")
	p.exits(t, []string{"no such customer"}, "customer", "nobody") // beside
	p.readersAreReaders(t)
	pr.interrupt()
}

// readersAreReaders: sql writes nothing and reaches no file or network.
func (p *place) readersAreReaders(t *testing.T) {
	t.Helper()
	for _, query := range []string{
		"INSERT INTO entries (partition) VALUES (1)",
		"DROP TABLE orders",
		"ALTER TABLE orders DELETE WHERE 1",
		"CREATE TABLE mine (a Int8) ENGINE = Memory",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"SELECT 1 INTO OUTFILE '/tmp/punchcard-out'",
		"SELECT * FROM no_such_table",
		"nonsense",
	} {
		out := p.exits(t, nil, "sql", query)
		if strings.Contains(out, "root:") {
			t.Errorf("%s: %s", query, out)
		}
	}
	if out := p.mustRun("sql", "SELECT 1 AS one"); out != "one\n1\n" {
		t.Errorf("sql: %q", out)
	}
}

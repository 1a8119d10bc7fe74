package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	engine "github.com/punchcard/punchcard/warehouse/embedded"
)

// The integration suite runs the real binary: this test binary is one (see
// TestMain), so that it is always of the code under test.

const beThePunchcard = "PUNCHCARD_TEST_BE_THE_PROGRAM"

func TestMain(m *testing.M) {
	if engine.IsChild() {
		engine.RunChild()
	}
	if os.Getenv(beThePunchcard) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// kafka is the broker that the suite runs on: empty for the embedded one.
func kafka() string { return os.Getenv("PUNCHCARD_TEST_KAFKA") }

// place is one data folder with its ports; programs come and go in it.
type place struct {
	t      testing.TB
	data   string
	http   string
	broker string // embedded broker's address
	click  string
	tenant string
	extra  []string
}

// newPlace makes a data folder with free ports. On Apache Kafka each place is a
// tenant of its own.
func newPlace(t testing.TB, extra ...string) *place {
	t.Helper()
	p := &place{t: t, data: filepath.Join(t.TempDir(), "data"), http: freePort(t), broker: freePort(t), click: freePort(t), extra: extra}
	if kafka() != "" {
		p.tenant = fmt.Sprintf("t%d", time.Now().UnixNano()%1e12)
	}
	return p
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *place) args(args ...string) []string {
	all := []string{"--data", p.data, "--http", p.http, "--clickhouse-listen", p.click, "--kafka-listen", p.broker}
	if kafka() != "" {
		all = append(all, "--kafka", kafka(), "--tenant", p.tenant, "--partitions", "8")
	}
	return append(append(all, p.extra...), args...)
}

// output is the file that a program prints to. A pipe would keep us waiting for
// the engine's process after the program was killed.
type output struct{ *os.File }

func newOutput(t testing.TB) *output {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &output{f}
}

func (o *output) String() string {
	text, err := os.ReadFile(o.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// process is one running program.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	out  *output
	done chan struct{}
	err  error
}

// spawn starts the program in this place.
func (p *place) spawn(args ...string) *process {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], p.args(args...)...)
	cmd.Env = append(os.Environ(), beThePunchcard+"=1")
	pr := &process{t: p.t, cmd: cmd, out: newOutput(p.t), done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = pr.out.File, pr.out.File
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		pr.err = cmd.Wait()
		close(pr.done)
	}()
	p.t.Cleanup(func() {
		pr.kill()
		if p.t.Failed() {
			p.t.Logf("output of punchcard %s:\n%s", strings.Join(args, " "), pr.out)
		}
	})
	return pr
}

// kill ends the program without warning.
func (pr *process) kill() {
	_ = pr.cmd.Process.Kill()
	<-pr.done
}

// interrupt is Ctrl-C; it returns how long the program took to end.
func (pr *process) interrupt() time.Duration {
	pr.t.Helper()
	began := time.Now()
	_ = pr.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-pr.done:
	case <-time.After(30 * time.Second):
		pr.t.Fatalf("the program did not end within 30 s of Ctrl-C:\n%s", pr.out)
	}
	if pr.err != nil {
		pr.t.Fatalf("after Ctrl-C: %v\n%s", pr.err, pr.out)
	}
	return time.Since(began)
}

// run runs a command to its end and returns what it printed.
func (p *place) run(args ...string) (string, error) {
	cmd := exec.Command(os.Args[0], p.args(args...)...)
	cmd.Env = append(os.Environ(), beThePunchcard+"=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func (p *place) mustRun(args ...string) string {
	p.t.Helper()
	out, err := p.run(args...)
	if err != nil {
		p.t.Fatalf("punchcard %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// until waits for a condition, or fails.
func until(t testing.TB, what string, within time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond) // between looks; the condition decides
	}
}

// awaitReady waits until the program answers 200 on /readyz.
func (p *place) awaitReady(pr *process, within time.Duration) {
	p.t.Helper()
	last := ""
	until(p.t, "ready", within, func() bool {
		select {
		case <-pr.done:
			p.t.Fatalf("the program ended: %v\n%s", pr.err, pr.out)
		default:
		}
		resp, err := http.Get("http://" + p.http + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		last = string(b)
		return resp.StatusCode == http.StatusOK
	})
	_ = last
}

// key reads a key of the door from the data folder.
func (p *place) key(kind string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.data, keysFile))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == kind {
			return f[2]
		}
	}
	p.t.Fatalf("no %s key", kind)
	return ""
}

// call asks the door; body nil: GET.
func (p *place) call(ctx context.Context, kind, path string, body any) (int, map[string]any, error) {
	method, reader := http.MethodGet, io.Reader(nil)
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		method, reader = http.MethodPost, bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.http+path, reader)
	if err != nil {
		return 0, nil, err
	}
	req.SetBasicAuth(p.key(kind), "")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	var answer map[string]any
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return resp.StatusCode, answer, err
}

// sql asks the warehouse through the command, as JSON rows.
func (p *place) sql(query string) []map[string]any {
	p.t.Helper()
	out := p.mustRun("sql", "--format", "json", query)
	var rows []map[string]any
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if line == "" {
			continue
		}
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			p.t.Fatalf("%s: %v in %q", query, err, line)
		}
		rows = append(rows, row)
	}
	return rows
}

package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Rows that were acknowledged survive kill -9 of the engine, which comes back
// on the same port, with the same key.
func TestCrashKeepsRows(t *testing.T) {
	e := startAt(t, t.TempDir())
	write(t, e, "CREATE TABLE default.t (a Int64) ENGINE = MergeTree ORDER BY a")
	total := 0
	for kill := range 3 {
		for range 5 {
			write(t, e, fmt.Sprintf("INSERT INTO default.t SELECT %d", total))
			total++
		}
		pid := e.Pid()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool { return e.Restarts() == kill+1 })
		if got := write(t, e, "SELECT count(), sum(a) FROM default.t"); got != fmt.Sprintf("%d\t%d\n", total, total*(total-1)/2) {
			t.Fatalf("after kill %d: %q of %d rows", kill+1, got, total)
		}
	}
	if got := write(t, e, "SELECT engine FROM system.databases WHERE name = 'default'"); got != "Atomic\n" {
		t.Errorf("default is %q after a restart", got)
	}
}

// Closed and opened again, all is there; and the child is gone in between.
func TestCloseAndReopen(t *testing.T) {
	dir := t.TempDir()
	e := startAt(t, dir)
	conn := openWriter(t, e, clickhouse.CompressionNone)
	if err := conn.Exec(context.Background(), "CREATE DATABASE shop"); err != nil {
		t.Fatal(err)
	}
	write(t, e, "CREATE TABLE shop.t (a Int64) ENGINE = ReplacingMergeTree ORDER BY a")
	write(t, e, "INSERT INTO shop.t SELECT number FROM numbers(1000)")
	key, pid := e.WriterKey(), e.Pid()
	if _, err := Start(context.Background(), Config{Dir: dir, Listen: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("two engines in one folder: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("the child outlived Close")
	}
	again := startAt(t, dir)
	if again.WriterKey() != key {
		t.Error("the key changed")
	}
	if got := write(t, again, "SELECT count() FROM shop.t"); got != "1000\n" {
		t.Errorf("%q rows", got)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	library := needEngine(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = Start(context.Background(), Config{Dir: t.TempDir(), Listen: l.Addr().String(), Library: library})
	if err == nil || !strings.Contains(err.Error(), "--clickhouse-listen") || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Fatal(err)
	}
}

// A library that cannot be loaded is an error of Start, with what the child said.
func TestBadLibrary(t *testing.T) {
	_, err := Start(context.Background(), Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Library: "crash_test.go"})
	if err == nil || !strings.Contains(err.Error(), "crash_test.go") {
		t.Fatal(err)
	}
}

// parentVariable makes this test binary a parent that starts an engine, says
// its process id and waits to be killed.
const parentVariable = "EMBEDDED_TEST_PARENT_DIR"

// Its folder and its port can be opened again at once, however long the child
// takes to be gone.
func TestChildDiesWithItsParent(t *testing.T) {
	library := needEngine(t)
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), parentVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var addr string
	if _, err := fmt.Fscan(out, &pid, &addr); err != nil || pid <= 1 {
		_ = cmd.Process.Kill()
		t.Fatalf("pid %d, %v", pid, err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatal("the child does not run", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	again, err := Start(context.Background(), Config{Dir: dir, Listen: addr, Library: library})
	if err != nil {
		t.Fatal("at once after the kill:", err)
	}
	_ = again.Close()
	_ = cmd.Wait()
	waitFor(t, func() bool { return gone(pid) })
}

// gone tells whether a process ended; one that nobody waited for yet counts.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) != nil
	}
	return strings.Contains(string(stat), ") Z ")
}

func runParent(dir string) {
	e, err := Start(context.Background(), Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(0, err)
		os.Exit(1)
	}
	fmt.Println(e.Pid(), e.Addr())
	select {}
}

// Behind Landlock not even the writer's statements reach files or the network.
func TestConfined(t *testing.T) {
	library := needEngine(t)
	log := &strings.Builder{}
	e, err := Start(context.Background(), Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Library: library, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	if strings.Contains(log.String(), errLandlock.Error()) {
		t.Skip(errLandlock)
	}
	for _, query := range []string{"SELECT * FROM file('/etc/hosts', 'LineAsString')", "SELECT file('/etc/hosts')", "SELECT * FROM file('/proc/1/environ', 'LineAsString')",
		"INSERT INTO FUNCTION file('/tmp/embedded-test-out', 'CSV', 'a String') SELECT 'x'", "SELECT * FROM url('http://" + e.Addr() + "/ping', 'LineAsString')"} {
		status, body, _ := ask(t, e, query, "user", WriterUser, "password", e.WriterKey())
		if status == 200 {
			t.Errorf("%s: %s", query, body)
		}
	}
}

// Beyond localhost readers need a key.
func TestReaderKeyBeyondLocalhost(t *testing.T) {
	library := needEngine(t)
	dir := t.TempDir()
	e, err := Start(context.Background(), Config{Dir: dir, Listen: "0.0.0.0:0", Library: library})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	if status, _, _ := ask(t, e, "SELECT 1"); status != 403 {
		t.Errorf("without a key: %d", status)
	}
	if status, body, _ := ask(t, e, "SELECT 1", "user", "reader", "password", e.ReaderKey()); status != 200 || e.ReaderKey() == "" {
		t.Errorf("with the key: %d %s", status, body)
	}
	if status, _, _ := ask(t, e, "CREATE DATABASE x", "user", "reader", "password", e.ReaderKey()); status != 403 {
		t.Errorf("a reader wrote: %d", status)
	}
	if key, err := ReadReaderKey(dir); key != e.ReaderKey() {
		t.Error(err)
	}
	for _, path := range []string{"writer.key", "reader.key"} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(path, info, err)
		}
	}
}

package embedded

import (
	"context"
	"fmt"
	"net"
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

package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func TestMain(m *testing.M) {
	if IsChild() {
		RunChild()
	}
	if dir := os.Getenv(parentVariable); dir != "" {
		runParent(dir)
	}
	os.Exit(m.Run())
}

// needEngine skips where the library was not fetched; in CI that is a failure.
func needEngine(t testing.TB) string {
	t.Helper()
	path, err := FindLibrary()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	fmt.Fprint(os.Stderr, string(p))
	return len(p), nil
}

func startAt(t testing.TB, dir string) *Engine {
	t.Helper()
	library := needEngine(t)
	e, err := Start(context.Background(), Config{Dir: dir, Listen: "127.0.0.1:0", Library: library, Logger: slog.New(slog.NewTextHandler(logWriter{t}, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func openWriter(t testing.TB, e *Engine, compression clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{e.Addr()},
		Auth:        clickhouse.Auth{Database: "default", Username: WriterUser, Password: e.WriterKey()},
		Compression: &clickhouse.Compression{Method: compression}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

package stream

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event/stream/embedded"
)

// testDeadline bounds each test's waits; nothing in them sleeps for luck.
const testDeadline = 60 * time.Second

// onBrokers runs a test on the embedded broker and, when PUNCHCARD_TEST_KAFKA
// names one, on Apache Kafka, each time under a prefix of its own.
func onBrokers(t *testing.T, run func(t *testing.T, ctx context.Context, c *Cluster)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		b := startEmbedded(t, t.TempDir())
		run(t, testContext(t), openCluster(t, Config{Brokers: []string{b.Addr()}, WriterEpoch: b.Epoch()}))
	})
	addr := os.Getenv("PUNCHCARD_TEST_KAFKA")
	if addr == "" {
		return
	}
	t.Run("apache", func(t *testing.T) {
		run(t, testContext(t), openCluster(t, Config{Brokers: []string{addr}}))
	})
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), testDeadline)
	t.Cleanup(cancel)
	return ctx
}

func startEmbedded(t testing.TB, dir string) *embedded.Broker {
	t.Helper()
	b, err := embedded.Start(context.Background(), embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func openCluster(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	if cfg.Prefix == "" {
		var b [6]byte
		_, _ = rand.Read(b[:])
		cfg.Prefix = "t" + hex.EncodeToString(b[:]) + "-"
	}
	c, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func ensure(t testing.TB, ctx context.Context, c *Cluster, topic string, partitions int32) {
	t.Helper()
	if err := c.EnsureTopics(ctx, []TopicSpec{{Name: topic, Partitions: partitions}}); err != nil {
		t.Fatal(err)
	}
}

func openWriter(t testing.TB, ctx context.Context, c *Cluster, id, topic string) *Writer {
	t.Helper()
	w, err := c.Writer(ctx, WriterOptions{TransactionalID: id, Topic: topic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// numbered makes records with values "tag-from" to "tag-(to-1)".
func numbered(tag string, from, to int) []*Record {
	var out []*Record
	for i := from; i < to; i++ {
		out = append(out, &Record{Key: []byte("k"), Value: fmt.Appendf(nil, "%s-%d", tag, i)})
	}
	return out
}

// values are the data records of partition 0 up to the end that the isolation
// shows now.
func values(t testing.TB, ctx context.Context, c *Cluster, topic string, iso Isolation) []string {
	t.Helper()
	return scanned(t, ctx, c, topic, iso, iso)
}

// committed are the committed records of partition 0 once no transaction is
// open: Apache Kafka answers a commit before its marker is in the partition.
func committed(t testing.TB, ctx context.Context, c *Cluster, topic string) []string {
	t.Helper()
	return scanned(t, ctx, c, topic, ReadCommitted, ReadUncommitted)
}

func scanned(t testing.TB, ctx context.Context, c *Cluster, topic string, iso, end Isolation) []string {
	t.Helper()
	ends, err := c.Ends(ctx, topic, end)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	_, err = c.Scan(ctx, topic, 0, ends[0].Start, ends[0].End, iso, func(r *Record) error {
		out = append(out, string(r.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustBe(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v\nwant %v", err, want)
	}
}

func mustCommit(t testing.TB, ctx context.Context, w *Writer, recs []*Record) {
	t.Helper()
	if err := w.Commit(ctx, recs); err != nil {
		t.Fatal(err)
	}
}

package embedded_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
)

func start(t testing.TB, dir string) *embedded.Broker {
	t.Helper()
	b, err := embedded.Start(context.Background(), embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func connect(t testing.TB, b *embedded.Broker) *stream.Cluster {
	t.Helper()
	c, err := stream.Open(context.Background(), stream.Config{Brokers: []string{b.Addr()}, WriterEpoch: b.Epoch()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// write commits one record with a writer of its own.
func write(t testing.TB, ctx context.Context, c *stream.Cluster, value string) {
	t.Helper()
	if err := c.EnsureTopics(ctx, []stream.TopicSpec{{Name: "ledger", Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	w, err := c.Writer(ctx, stream.WriterOptions{TransactionalID: "w", Topic: "ledger"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Commit(ctx, []*stream.Record{{Value: []byte(value)}}); err != nil {
		t.Fatal(err)
	}
}

func tail(t testing.TB, ctx context.Context, c *stream.Cluster) string {
	t.Helper()
	recs, err := c.Tail(ctx, "ledger", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range recs {
		out = append(out, string(r.Value))
	}
	return strings.Join(out, " ")
}

func TestRestartKeepsDataAndChangesEpoch(t *testing.T) {
	ctx, dir := testContext(t), t.TempDir()
	epochs := map[string]bool{}
	want := ""
	for _, v := range []string{"one", "two", "three"} {
		b := start(t, dir)
		c := connect(t, b)
		write(t, ctx, c, v)
		want = strings.TrimSpace(want + " " + v)
		if got := tail(t, ctx, c); got != want {
			t.Fatalf("the ledger holds %q, want %q", got, want)
		}
		epochs[b.Epoch()] = true
		c.Close()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(epochs) != 3 {
		t.Fatalf("three starts had the epochs %v", epochs)
	}
}

func TestReopenKeepsAddressAndData(t *testing.T) {
	ctx := testContext(t)
	b := start(t, t.TempDir())
	write(t, ctx, connect(t, b), "one")
	addr, epoch := b.Addr(), b.Epoch()
	if err := b.Reopen(ctx); err != nil {
		t.Fatal(err)
	}
	if b.Addr() != addr || b.Epoch() == epoch {
		t.Fatalf("re-opened at %s with epoch %s; was %s and %s", b.Addr(), b.Epoch(), addr, epoch)
	}
	c := connect(t, b)
	write(t, ctx, c, "two")
	if got := tail(t, ctx, c); got != "one two" {
		t.Fatalf("the ledger holds %q", got)
	}
}

// A broker that comes back is no error to those who read it.
func TestReaderGoesOnAfterReopen(t *testing.T) {
	ctx := testContext(t)
	b := start(t, t.TempDir())
	c := connect(t, b)
	write(t, ctx, c, "one")
	r, err := c.Reader(ctx, stream.ReaderOptions{Topic: "ledger"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, want := range []string{"one", "two", "three"} {
		recs, err := r.Poll(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(recs[0].Value); got != want {
			t.Fatalf("read %q, want %q", got, want)
		}
		if err := b.Reopen(ctx); err != nil {
			t.Fatal(err)
		}
		next := map[string]string{"one": "two", "two": "three", "three": "four"}[want]
		write(t, ctx, connect(t, b), next)
	}
}

func TestSecondBrokerOnTheSameDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir)
	_, err := embedded.Start(context.Background(), embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--data") {
		t.Fatalf("second broker: %v", err)
	}
	b.Close()
	start(t, dir)
}

func TestTakenPortIsNamedWithTheFlag(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	_, err = embedded.Start(context.Background(), embedded.Config{Dir: dir, Listen: l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "--kafka-listen") {
		t.Fatalf("taken port: %v", err)
	}
	start(t, dir) // the failed start holds no lock
}

func TestOnlyLoopback(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:9092", ":9092", "192.168.1.5:9092", "example.com:9092", "9092"} {
		_, err := embedded.Start(context.Background(), embedded.Config{Dir: t.TempDir(), Listen: listen})
		if err == nil || !strings.Contains(err.Error(), "--kafka-listen") {
			t.Errorf("listen on %s: %v", listen, err)
		}
	}
}

func TestBrokenStartNumberIsNotGuessed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "starts")
	if err := os.WriteFile(path, []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := embedded.Start(context.Background(), embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("broken start number: %v", err)
	}
}

// Whatever a client asks for, no topic is compacted or expires.
func TestEveryTopicIsKept(t *testing.T) {
	ctx := testContext(t)
	b := start(t, t.TempDir())
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	asked := map[string]*string{"cleanup.policy": kadm.StringPtr("compact"), "retention.ms": kadm.StringPtr("1000"), "max.message.bytes": kadm.StringPtr("2000000")}
	if _, err := adm.CreateTopic(ctx, 1, 1, asked, "customers"); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		rcs, err := adm.DescribeTopicConfigs(ctx, "customers")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range rcs[0].Configs {
			got[c.Key] = c.MaybeValue()
		}
		for k, want := range map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "max.message.bytes": "2000000"} {
			if got[k] != want {
				t.Errorf("%s: %s=%s, want %s", when, k, got[k], want)
			}
		}
	}
	check("created")
	if _, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("5")}}, "customers"); err != nil {
		t.Fatal(err)
	}
	check("altered")
	if _, err := adm.AlterTopicConfigsState(ctx, []kadm.AlterConfig{
		{Name: "cleanup.policy", Value: kadm.StringPtr("compact")}, {Name: "max.message.bytes", Value: kadm.StringPtr("2000000")},
	}, "customers"); err != nil {
		t.Fatal(err)
	}
	check("set whole")
}

func TestFreeDiskAndMemory(t *testing.T) {
	ctx := testContext(t)
	b := start(t, t.TempDir())
	if n, err := b.FreeDisk(); err != nil || n == 0 {
		t.Fatalf("free disk is %d, %v", n, err)
	}
	c := connect(t, b)
	before := b.MemoryBytes()
	write(t, ctx, c, "one")
	after := b.MemoryBytes()
	if before != 0 || after <= before {
		t.Fatalf("memory was %d, is %d after a transaction", before, after)
	}
	if err := b.Reopen(ctx); err != nil {
		t.Fatal(err)
	}
	if b.MemoryBytes() != after {
		t.Fatalf("memory was %d, is %d after opening again", after, b.MemoryBytes())
	}
}

func TestNoRecordIsTakenWithoutRoom(t *testing.T) {
	ctx := testContext(t)
	b, err := embedded.Start(ctx, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Reserve: 1 << 62})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := connect(t, b)
	if err := c.EnsureTopics(ctx, []stream.TopicSpec{{Name: "ledger", Partitions: 1}}); err != nil {
		t.Fatal(err)
	}
	w, err := c.Writer(ctx, stream.WriterOptions{TransactionalID: "w", Topic: "ledger"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := w.Commit(short, []*stream.Record{{Value: []byte("one")}}); !errors.Is(err, stream.ErrAborted) {
		t.Fatalf("commit without room: %v", err)
	}
	ends, err := c.Ends(ctx, "ledger", stream.ReadUncommitted)
	if err != nil || ends[0].End != 0 {
		t.Fatalf("the ledger ends at %v, %v; want nothing in it", ends, err)
	}
}

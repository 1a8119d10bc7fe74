package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/event/stream/embedded"
)

const (
	crashDirEnv  = "PUNCHCARD_CRASH_DIR"
	crashSeedEnv = "PUNCHCARD_CRASH_SEED"
	crashRounds  = 8
)

// TestMain turns the test binary into the process that is to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirEnv); dir != "" {
		if err := writeUntilKilled(dir, os.Getenv(crashSeedEnv)); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeUntilKilled runs a broker and a writer that goes on counting where the
// ledger ends. It prints "at N" when N is known to be committed. Now and then
// it leaves a transaction open, and either prints "stuck" and waits to be
// killed, or prints "open" and goes on with a new writer, which aborts it.
func writeUntilKilled(dir, seedText string) error {
	seed, err := strconv.ParseUint(seedText, 10, 64)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	ctx := context.Background()
	b, err := embedded.Start(ctx, embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	c, err := stream.Open(ctx, stream.Config{Brokers: []string{b.Addr()}, WriterEpoch: b.Epoch()})
	if err != nil {
		return err
	}
	if err := c.EnsureTopics(ctx, []stream.TopicSpec{{Name: "ledger", Partitions: 1}}); err != nil {
		return err
	}
	for {
		w, err := c.Writer(ctx, stream.WriterOptions{TransactionalID: "w", Topic: "ledger"})
		if err != nil {
			return err
		}
		n, err := last(ctx, c)
		if err != nil {
			return err
		}
		for range rnd.IntN(12) {
			recs := make([]*stream.Record, 1+rnd.IntN(200))
			for i := range recs {
				n++
				recs[i] = &stream.Record{Value: strconv.AppendInt(nil, n, 10)}
			}
			if err := w.Commit(ctx, recs); err != nil {
				return err
			}
			fmt.Println("at", n)
		}
		if err := leaveOpen(ctx, b, rnd); err != nil {
			return err
		}
		if rnd.IntN(2) == 0 {
			fmt.Println("stuck")
			select {}
		}
		fmt.Println("open")
		w.Close()
	}
}

func last(ctx context.Context, c *stream.Cluster) (int64, error) {
	recs, err := c.Tail(ctx, "ledger", 0, 1)
	if err != nil || len(recs) == 0 {
		return 0, err
	}
	return strconv.ParseInt(string(recs[0].Value), 10, 64)
}

func TestKilledBrokerBringsNoAbortedRecordBack(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			dir := t.TempDir()
			rnd := rand.New(rand.NewPCG(seed, 2))
			acked := int64(0)
			for round := range crashRounds {
				acked = max(acked, killOnce(t, dir, seed*crashRounds+uint64(round), rnd.IntN(40)))
			}
			ctx := testContext(t)
			c := connect(t, start(t, dir))
			got := int64(0)
			ends, err := c.Ends(ctx, "ledger", stream.ReadUncommitted)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Scan(ctx, "ledger", 0, 0, ends[0].End, stream.ReadCommitted, func(r *stream.Record) error {
				if got++; string(r.Value) != strconv.FormatInt(got, 10) {
					return fmt.Errorf("offset %d holds %s, want %d", r.Offset, r.Value, got)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got < acked {
				t.Fatalf("the ledger ends at %d; %d was confirmed", got, acked)
			}
			t.Logf("%d kills, %d records, %d offsets", crashRounds, got, ends[0].End)
		})
	}
}

// killOnce runs the child, kills it after so many lines or when it is stuck,
// and returns the highest number it confirmed.
func killOnce(t *testing.T, dir string, seed uint64, lines int) int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashDirEnv+"="+dir, crashSeedEnv+"="+strconv.FormatUint(seed, 10))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := int64(0)
	read := bufio.NewScanner(out)
	for i := 0; read.Scan(); i++ {
		line := read.Text()
		if n, ok := strings.CutPrefix(line, "at "); ok {
			acked, _ = strconv.ParseInt(n, 10, 64)
		} else if line != "open" && line != "stuck" {
			t.Fatalf("seed %d: the writer says %q", seed, line)
		}
		if i == lines || line == "stuck" {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed: always an error
	return acked
}

package stream

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/punchcard/punchcard/event"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// begin leaves a transaction open with the records flushed.
func begin(t *testing.T, ctx context.Context, w *Writer, recs []*Record) {
	t.Helper()
	if err := w.cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := w.produce(ctx, recs); err != nil {
		t.Fatal(err)
	}
}

func TestCommitIsVisibleOnlyWhenCommitted(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "ledger", 1)
		w := openWriter(t, ctx, c, "w", "ledger")
		recs := numbered("a", 0, 3)
		begin(t, ctx, w, recs)
		if got := values(t, ctx, c, "ledger", ReadUncommitted); len(got) != 3 {
			t.Fatalf("read_uncommitted sees %v of the open transaction; want its 3", got)
		}
		if got := values(t, ctx, c, "ledger", ReadCommitted); len(got) != 0 {
			t.Fatalf("read_committed sees %v of an open transaction", got)
		}
		if err := w.cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		more := numbered("b", 0, 2)
		mustCommit(t, ctx, w, more)
		want := []string{"a-0", "a-1", "a-2", "b-0", "b-1"}
		if got := committed(t, ctx, c, "ledger"); !slices.Equal(got, want) {
			t.Fatalf("read_committed sees %v, want %v", got, want)
		}
		// Three records and a marker came before.
		if more[0].Offset != 4 || more[1].Offset != 5 || more[0].Topic != c.Topic("ledger") {
			t.Fatalf("committed records are at %s %d and %d, want offsets 4 and 5", more[0].Topic, more[0].Offset, more[1].Offset)
		}
	})
}

func TestSecondWriterFencesTheFirst(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "ledger", 1)
		open := openWriter(t, ctx, c, "w", "ledger")
		mustCommit(t, ctx, open, numbered("first", 0, 1))
		begin(t, ctx, open, numbered("zombie", 0, 5))

		idle := openWriter(t, ctx, c, "w", "ledger")
		if err := open.cl.EndTransaction(ctx, kgo.TryCommit); err == nil {
			t.Fatal("a zombie committed the transaction it had open")
		}
		mustCommit(t, ctx, idle, numbered("second", 0, 1))

		last := openWriter(t, ctx, c, "w", "ledger")
		mustBe(t, idle.Commit(ctx, numbered("zombie", 5, 6)), ErrFenced)
		mustBe(t, idle.Commit(ctx, numbered("zombie", 6, 7)), ErrFenced)
		mustCommit(t, ctx, last, numbered("third", 0, 1))

		want := []string{"first-0", "second-0", "third-0"}
		if got := committed(t, ctx, c, "ledger"); !slices.Equal(got, want) {
			t.Fatalf("committed %v, want %v", got, want)
		}
	})
}

func TestTransactionsOfOneWriterDoNotMix(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "ledger", 1)
		w := openWriter(t, ctx, c, "w", "ledger")
		mustCommit(t, ctx, w, nil)
		want := []string{}
		for i := range 40 {
			recs := numbered("n", i*50, (i+1)*50)
			mustCommit(t, ctx, w, recs)
			for _, r := range recs {
				want = append(want, string(r.Value))
			}
		}
		if got := committed(t, ctx, c, "ledger"); !slices.Equal(got, want) {
			t.Fatalf("%d records committed, want %d in order", len(got), len(want))
		}
	})
}

func TestRecordTooLargeAbortsAll(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "ledger", 1)
		w := openWriter(t, ctx, c, "w", "ledger")
		recs := numbered("a", 0, 3)
		recs[1].Value = []byte(strings.Repeat("x", event.MaxRecordBytes+1))
		err := w.Commit(ctx, recs)
		mustBe(t, err, ErrAborted)
		if again := w.Commit(ctx, numbered("b", 0, 1)); !errors.Is(again, ErrAborted) {
			t.Fatalf("a writer went on after a failed commit: %v", again)
		}
		w = openWriter(t, ctx, c, "w", "ledger")
		mustCommit(t, ctx, w, numbered("c", 0, 1))
		if got := committed(t, ctx, c, "ledger"); !slices.Equal(got, []string{"c-0"}) {
			t.Fatalf("committed %v, want c-0 alone", got)
		}
	})
}

// A broker that never answers the end of a transaction leaves it unknown: the
// only honest word, for it may have been done.
func TestLostAnswerToCommitIsUnknown(t *testing.T) {
	kf, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	ctx := testContext(t)
	c := openCluster(t, Config{Brokers: kf.ListenAddrs()})
	ensure(t, ctx, c, "ledger", 1)
	w := openWriter(t, ctx, c, "w", "ledger")
	mustCommit(t, ctx, w, numbered("a", 0, 1))
	kf.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		kf.KeepControl()
		return nil, errors.New("connection lost"), true
	})
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	mustBe(t, w.Commit(short, numbered("b", 0, 1)), ErrUnknownOutcome)
}

// A broker that takes no record cannot have committed any.
func TestRefusedProduceIsAborted(t *testing.T) {
	kf, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	ctx := testContext(t)
	c := openCluster(t, Config{Brokers: kf.ListenAddrs()})
	ensure(t, ctx, c, "ledger", 1)
	w := openWriter(t, ctx, c, "w", "ledger")
	kf.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		kf.KeepControl()
		return nil, errors.New("connection lost"), true
	})
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	mustBe(t, w.Commit(short, numbered("b", 0, 1)), ErrAborted)
}

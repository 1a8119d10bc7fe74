package embedded_test

import (
	"context"
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/punchcard/punchcard/event/stream/embedded"
)

// leaveOpen begins a transaction as the ledger's writer does, flushes some
// records that must never be seen, and does not end it. Its connection stays.
func leaveOpen(ctx context.Context, b *embedded.Broker, rnd *rand.Rand) error {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(b.Addr()),
		kgo.TransactionalID("w-"+b.Epoch()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)
	if err != nil {
		return err
	}
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	for range 1 + rnd.IntN(300) {
		cl.Produce(ctx, &kgo.Record{Topic: "ledger", Value: []byte("open")}, nil)
	}
	return cl.Flush(ctx)
}

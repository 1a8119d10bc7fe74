package stream

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestEnsureTopicsChecksPartitions(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		specs := []TopicSpec{
			{Name: "events", Partitions: 3, Config: map[string]string{"retention.ms": "-1"}},
			{Name: "customers", Partitions: 2, Config: map[string]string{"cleanup.policy": "compact"}},
		}
		for range 2 {
			if err := c.EnsureTopics(ctx, specs); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := c.Partitions(ctx, "events"); n != 3 || err != nil {
			t.Fatalf("events has %d partitions, %v; want 3", n, err)
		}
		specs[0].Partitions, specs[1].Partitions = 4, 5
		err := c.EnsureTopics(ctx, specs)
		if err == nil {
			t.Fatal("a topic with 3 partitions passed as one with 4")
		}
		for _, want := range []string{c.Topic("events") + " ", "has 3", "say 4", c.Topic("customers") + " ", "say 5"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q: %v", want, err)
			}
		}
		if _, err := c.Partitions(ctx, "nothing"); err == nil || !strings.Contains(err.Error(), c.Topic("nothing")) {
			t.Errorf("partitions of a topic that is not there: %v", err)
		}
	})
}

func TestPartitionOfIsThePublishers(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		const n = 7
		ensure(t, ctx, c, "events", n)
		p, err := c.Publisher(PublisherOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		var recs []*Record
		for i := range 500 {
			recs = append(recs, &Record{Topic: c.Topic("events"), Key: []byte(strings.Repeat("é", i%5) + fmt.Sprint(i))})
		}
		if err := p.Publish(ctx, recs...); err != nil {
			t.Fatal(err)
		}
		used := map[int32]int{}
		for _, r := range recs {
			if got := PartitionOf(r.Key, n); got != r.Partition {
				t.Fatalf("PartitionOf(%q) = %d, the publisher chose %d", r.Key, got, r.Partition)
			}
			used[r.Partition]++
		}
		if len(used) != n {
			t.Fatalf("500 keys fell on %d of %d partitions", len(used), n)
		}
	})
}

// The values are those of org.apache.kafka.common.utils.UtilsTest.testMurmur2.
func TestMurmur2IsKafkas(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
}

func FuzzPartitionOf(f *testing.F) {
	f.Add([]byte("customer-17850"), uint8(8))
	part := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	f.Fuzz(func(t *testing.T, key []byte, n uint8) {
		if len(key) == 0 || n == 0 {
			return
		}
		if got, want := PartitionOf(key, int32(n)), part.Partition(&kgo.Record{Key: key}, int(n)); int(got) != want {
			t.Fatalf("PartitionOf(%q, %d) = %d, the client's partitioner says %d", key, n, got, want)
		}
	})
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	if _, err := Open(context.Background(), Config{}); err == nil || !strings.Contains(err.Error(), "--kafka") {
		t.Errorf("no broker: %v", err)
	}
	_, err := Open(context.Background(), Config{Brokers: []string{"127.0.0.1:1"}})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("no broker there: %v", err)
	}
}

// A broker with transactions of the old kind is refused, and told how.
func TestOpenRefusesOldTransactions(t *testing.T) {
	kf, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	ctx := testContext(t)
	c := openCluster(t, Config{Brokers: kf.ListenAddrs()})
	if _, err := c.adm.UpdateFeatures(ctx, false, kadm.FeatureUpdate{Feature: "transaction.version", MaxVersionLevel: 1, UpgradeType: 3}); err != nil {
		t.Fatal(err)
	}
	_, err = Open(ctx, Config{Brokers: kf.ListenAddrs()})
	if err == nil || !strings.Contains(err.Error(), "transaction.version=1") || !strings.Contains(err.Error(), "kafka-features.sh") {
		t.Fatalf("transaction.version 1: %v", err)
	}
}

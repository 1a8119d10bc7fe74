package stream

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestSendRefusesWhatDoesNotFit(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "events", 1)
		p, err := c.Publisher(PublisherOptions{MaxBuffered: 1, Linger: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		first, second := make(chan error, 1), make(chan error, 1)
		p.Send(ctx, &Record{Topic: c.Topic("events"), Value: []byte("1")}, func(_ *Record, err error) { first <- err })
		p.Send(ctx, &Record{Topic: c.Topic("events"), Value: []byte("2")}, func(_ *Record, err error) { second <- err })
		mustBe(t, <-second, ErrBufferFull)
		if err := p.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		if got := values(t, ctx, c, "events", ReadCommitted); len(got) != 1 || got[0] != "1" {
			t.Fatalf("the broker has %v, want 1 alone", got)
		}
	})
}

func TestPublishReportsTheBrokersRefusal(t *testing.T) {
	onBrokers(t, func(t *testing.T, ctx context.Context, c *Cluster) {
		ensure(t, ctx, c, "events", 1)
		for _, codec := range []string{"", "none", "snappy", "lz4", "zstd"} {
			p, err := c.Publisher(PublisherOptions{Compression: codec})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Publish(ctx, &Record{Topic: c.Topic("events"), Value: []byte(codec)}); err != nil {
				t.Fatal(err)
			}
			if err := p.Publish(ctx, &Record{Topic: c.Topic("events"), Value: make([]byte, 2<<20)}); err == nil && codec == "none" {
				t.Fatal("a record over the broker's limit was published")
			}
			p.Close()
		}
		if got := values(t, ctx, c, "events", ReadCommitted); len(got) < 5 {
			t.Fatalf("the broker has %d records, want one for each codec", len(got))
		}
		if _, err := c.Publisher(PublisherOptions{Compression: "rar"}); err == nil {
			t.Fatal("compression rar accepted")
		}
	})
}

// The door must be able to say "later" while the broker says nothing.
func TestPublishEndsWithItsContext(t *testing.T) {
	kf, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer kf.Close()
	ctx := testContext(t)
	c := openCluster(t, Config{Brokers: kf.ListenAddrs()})
	ensure(t, ctx, c, "events", 1)
	p, err := c.Publisher(PublisherOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	asked := make(chan struct{}, 1)
	kf.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		kf.KeepControl()
		select {
		case asked <- struct{}{}:
		default:
		}
		return nil, nil, true // never answered
	})
	short, cancel := context.WithCancel(ctx)
	go func() { <-asked; cancel() }()
	mustBe(t, p.Publish(short, &Record{Topic: c.Topic("events"), Value: []byte("v")}), context.Canceled)
}

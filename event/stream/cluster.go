package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// dialTimeout bounds one connection attempt.
	dialTimeout = 5 * time.Second
	// openTimeout bounds Open when the caller's context has no deadline.
	openTimeout = 15 * time.Second
	// requestTimeout bounds one admin request including its retries.
	requestTimeout = 30 * time.Second
	// metadataAge is how often a client asks for topics and leaders at most
	// while something is missing; the library's own 5 s make new topics slow.
	metadataAge = 100 * time.Millisecond
	// minTransactionVersion is the lowest transaction.version feature level
	// under which each transaction has its own producer epoch, so a late
	// write of an earlier one cannot join it.
	minTransactionVersion = 2
)

// Record is a Kafka record. An alias, so nothing is copied and nobody else
// needs to import franz-go.
type Record = kgo.Record

// Header is one header of a [Record].
type Header = kgo.RecordHeader

// Config says which cluster to talk to, and as whom.
type Config struct {
	// Brokers are host:port seeds; at least one.
	Brokers []string
	// ClientID appears in the broker's logs; "punchcard" when empty.
	ClientID string
	// Prefix is put before every topic, group and transactional id.
	Prefix string
	// WriterEpoch is appended to transactional ids. The embedded broker's
	// start number; empty on Apache Kafka.
	WriterEpoch string
	// Logger receives the client library's own warnings; nil drops them.
	Logger *slog.Logger
}

// Cluster is a connection to one Kafka cluster. Safe for concurrent use.
type Cluster struct {
	cfg   Config
	admin *kgo.Client
	adm   *kadm.Client
}

// Open connects and checks that a broker answers and, unless WriterEpoch says
// it is the embedded one, that its transaction.version is at least 2.
func Open(ctx context.Context, c Config) (*Cluster, error) {
	if len(c.Brokers) == 0 {
		return nil, errors.New("stream: no Kafka broker given: name at least one host:port (--kafka host:port)")
	}
	if c.ClientID == "" {
		c.ClientID = "punchcard"
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	cl := &Cluster{cfg: c}
	admin, err := kgo.NewClient(cl.options("admin", kgo.RetryTimeout(requestTimeout))...)
	if err != nil {
		return nil, fmt.Errorf("stream: client settings for %s: %w", cl.where(), err)
	}
	cl.admin, cl.adm = admin, kadm.NewClient(admin)
	if err := admin.Ping(ctx); err != nil {
		admin.Close()
		return nil, fmt.Errorf("stream: no Kafka broker answers at %s: is it running, is the address right? %w", cl.where(), err)
	}
	if err := cl.checkTransactions(ctx); err != nil {
		admin.Close()
		return nil, err
	}
	return cl, nil
}

// Close ends the admin connection. Publishers, writers, readers and groups
// have their own connections and are closed by their owners.
func (c *Cluster) Close() { c.admin.Close() }

// Topic is the topic's name on the broker: the prefix applied.
func (c *Cluster) Topic(name string) string { return c.cfg.Prefix + name }

// where names the brokers in errors.
func (c *Cluster) where() string { return strings.Join(c.cfg.Brokers, ",") }

// isEmbedded says that the broker is ours, in this process.
func (c *Cluster) isEmbedded() bool { return c.cfg.WriterEpoch != "" }

// options are those that every client shares. role tells connections apart in
// the broker's logs.
func (c *Cluster) options(role string, more ...kgo.Opt) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.cfg.Brokers...),
		kgo.ClientID(c.cfg.ClientID + "-" + role),
		kgo.DialTimeout(dialTimeout),
		kgo.MetadataMinAge(metadataAge),
		// A broker of ours counts nothing from clients.
		kgo.DisableClientMetrics(),
	}
	if c.cfg.Logger != nil {
		opts = append(opts, kgo.WithLogger(logger{c.cfg.Logger.With("kafka_client", role)}))
	}
	return append(opts, more...)
}

// checkTransactions refuses a broker whose transactions are of the old kind.
func (c *Cluster) checkTransactions(ctx context.Context) error {
	if c.isEmbedded() {
		return nil
	}
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "punchcard", "1"
	resp, err := req.RequestWith(ctx, c.admin)
	if err != nil {
		return fmt.Errorf("stream: asking %s for its features: %w", c.where(), err)
	}
	level := int16(0)
	for _, f := range resp.FinalizedFeatures {
		if f.Name == "transaction.version" {
			level = f.MaxVersionLevel
		}
	}
	if level < minTransactionVersion {
		return fmt.Errorf("stream: the broker at %s has transaction.version=%d; at least %d is needed: use Apache Kafka 4.0 or later and run "+
			"`kafka-features.sh --bootstrap-server %s upgrade --feature transaction.version=%d`",
			c.where(), level, minTransactionVersion, c.cfg.Brokers[0], minTransactionVersion)
	}
	return nil
}

// logger hands the client library's log to slog. What it calls information
// (every rebalance, every transaction) is detail to us.
type logger struct{ to *slog.Logger }

func (l logger) Level() kgo.LogLevel {
	switch {
	case l.to.Enabled(context.Background(), slog.LevelDebug):
		return kgo.LogLevelInfo
	case l.to.Enabled(context.Background(), slog.LevelWarn):
		return kgo.LogLevelWarn
	}
	return kgo.LogLevelError
}

func (l logger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	at := slog.LevelDebug
	switch level {
	case kgo.LogLevelError:
		at = slog.LevelError
	case kgo.LogLevelWarn:
		at = slog.LevelWarn
	}
	l.to.Log(context.Background(), at, msg, keyvals...)
}

package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	// DefaultListen is the address when Config.Listen is empty.
	DefaultListen = "127.0.0.1:9092"
	// DefaultPartitions is the partition count of topics whose creator leaves
	// it to the broker.
	DefaultPartitions = 8
	// DefaultReserve is the free disk, in bytes, below which the broker takes
	// no records, so that the end of a transaction always finds room.
	DefaultReserve = 64 << 20
	clusterID      = "punchcard"

	logDir     = "log"    // kfake's own files
	lockFile   = "lock"   // held while a broker runs on the directory
	startsFile = "starts" // how often it was started, as text
)

// ErrInUse says that another process runs a broker on the same directory.
var ErrInUse = errors.New("embedded: the data directory is in use")

// Config says where the broker keeps its data and where it listens.
type Config struct {
	// Dir is made when missing. One process at a time.
	Dir string
	// Listen is a loopback host:port; [DefaultListen] when empty, port 0 for
	// any free one.
	Listen string
	// Partitions is for topics created without a number;
	// [DefaultPartitions] when 0.
	Partitions int
	// Reserve is the free disk, in bytes, below which records are refused;
	// [DefaultReserve] when 0. Who takes events from outside should stop them
	// well before.
	Reserve uint64
	// Logger receives the broker's warnings; nil drops them.
	Logger *slog.Logger
}

// Broker is a running broker.
type Broker struct {
	cfg   Config
	lock  *os.File
	mu    sync.Mutex // guards what Reopen replaces
	kf    *kfake.Cluster
	addr  string
	epoch string

	batches atomic.Int64 // stored batches and markers, about
}

// Start opens the data directory and serves it. Every start has a new
// [Broker.Epoch].
func Start(_ context.Context, c Config) (*Broker, error) {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Partitions == 0 {
		c.Partitions = DefaultPartitions
	}
	if c.Reserve == 0 {
		c.Reserve = DefaultReserve
	}
	if err := checkLoopback(c.Listen); err != nil {
		return nil, err
	}
	if c.Dir == "" {
		return nil, errors.New("embedded: no data directory given (--data DIR)")
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("embedded: making the data directory: %w", err)
	}
	lock, err := lockDir(filepath.Join(c.Dir, lockFile))
	if err != nil {
		return nil, err
	}
	b := &Broker{cfg: c, lock: lock}
	if err := b.open(c.Listen); err != nil {
		lock.Close()
		return nil, err
	}
	return b, nil
}

// Addr is the host:port that clients connect to.
func (b *Broker) Addr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addr
}

// Epoch is the start number: stream.Config.WriterEpoch wants it.
func (b *Broker) Epoch() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch
}

// Reopen closes the broker and starts it again on the same port, with a new
// Epoch. Close writers first and open new clusters after: transactional ids
// of the former Epoch must not be used again.
func (b *Broker) Reopen(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kf.Close()
	return b.open(b.addr)
}

// Close stops the broker and gives the directory free. Close writers first: a
// transaction still open is aborted.
func (b *Broker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kf.Close()
	return b.lock.Close()
}

// open counts the start, then serves the directory at listen.
func (b *Broker) open(listen string) error {
	epoch, err := nextStart(filepath.Join(b.cfg.Dir, startsFile))
	if err != nil {
		return err
	}
	logs := filepath.Join(b.cfg.Dir, logDir)
	if err := repair(logs); err != nil {
		return err
	}
	stored, err := storedBatches(logs)
	if err != nil {
		return err
	}
	b.batches.Store(stored)
	kf, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID(clusterID),
		kfake.DefaultNumPartitions(b.cfg.Partitions),
		kfake.DataDir(logs),
		kfake.SyncWrites(),
		// The address is ours, not only the port.
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, listen) }),
		kfake.WithLogger(logger{b.cfg.Logger}),
	)
	if err != nil {
		return openError(listen, b.cfg.Dir, err)
	}
	b.guard(kf)
	b.kf, b.addr, b.epoch = kf, kf.ListenAddrs()[0], epoch
	return nil
}

func openError(listen, dir string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("embedded: the port of %s is taken by another program: choose another with --kafka-listen host:port, "+
			"or use the Kafka that runs there with --kafka %s: %w", listen, listen, err)
	}
	return fmt.Errorf("embedded: starting the Kafka broker at %s on %s: %w", listen, dir, err)
}

// checkLoopback refuses an address that others on the network could reach.
func checkLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("embedded: --kafka-listen %q is not host:port: %w", listen, err)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("embedded: --kafka-listen %s: the embedded broker asks for no password and listens on loopback addresses only "+
			"(127.0.0.1:port); for other machines run Apache Kafka and give --kafka host:port", listen)
	}
	return nil
}

// nextStart adds one to the number in the file and returns it, once it is on
// disk.
func nextStart(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("embedded: reading the start number: %w", err)
	}
	n := uint64(0)
	if err == nil {
		if n, err = strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64); err != nil {
			return "", fmt.Errorf("embedded: %s does not hold a number: %w; write one that is higher than any used before", path, err)
		}
	}
	epoch := strconv.FormatUint(n+1, 10)
	if err := writeSynced(path, epoch+"\n"); err != nil {
		return "", fmt.Errorf("embedded: writing the start number: %w", err)
	}
	return epoch, nil
}

// writeSynced replaces a file whole: after a crash it is the old or the new.
func writeSynced(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, werr := f.WriteString(text)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// logger hands kfake's log to slog: warnings and errors only.
type logger struct{ to *slog.Logger }

func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	if l.to == nil || level > kfake.LogLevelWarn {
		return
	}
	at := slog.LevelWarn
	if level == kfake.LogLevelError {
		at = slog.LevelError
	}
	l.to.Log(context.Background(), at, "embedded broker: "+fmt.Sprintf(format, args...))
}

package warehouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	// DefaultDatabase is the database when Config names none.
	DefaultDatabase = "punchcard"
	dialTimeout     = 5 * time.Second
	openTimeout     = 15 * time.Second
	readTimeout     = 5 * time.Minute
	maxConnections  = 8
)

// Config says which ClickHouse, and as whom.
type Config struct {
	// URL is http://host:8123, https://host:8443, clickhouse://host:9000 (native)
	// or clickhouses://host:9440 (native with TLS). It may carry user and password.
	URL string
	// User and Password are used when the URL has none.
	User, Password string
	// Database is the tenant's database; DefaultDatabase when empty.
	Database string
	// ReadOnly asks the server to refuse everything that writes, even if the user
	// may.
	ReadOnly bool
	// Logger receives the client library's own messages; nil drops them.
	Logger *slog.Logger
}

// Warehouse is a connection to one database. Safe for concurrent use.
type Warehouse struct {
	cfg    Config
	where  string
	conn   driver.Conn // in the database, which may not exist yet
	server driver.Conn // in the database "default"
	limits clickhouse.Settings

	mu      sync.Mutex
	columns map[string]map[string]string // table → column → type
}

var validDatabase = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// Open connects and checks that ClickHouse answers. The database need not exist:
// Migrate makes it.
func Open(ctx context.Context, c Config) (*Warehouse, error) {
	if c.Database == "" {
		c.Database = DefaultDatabase
	}
	if !validDatabase.MatchString(c.Database) {
		return nil, fmt.Errorf("warehouse: database %q: use letters, digits and underscores, at most 64", c.Database)
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	w := &Warehouse{cfg: c, where: options.Addr[0], columns: make(map[string]map[string]string)}
	if w.server, err = connect(options, "default"); err != nil {
		return nil, err
	}
	if w.conn, err = connect(options, c.Database); err != nil {
		return nil, errors.Join(err, w.server.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := w.Ping(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.limit(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func connect(o *clickhouse.Options, database string) (driver.Conn, error) {
	own := *o
	own.Auth.Database = database
	conn, err := clickhouse.Open(&own)
	if err != nil {
		return nil, fmt.Errorf("warehouse: settings for ClickHouse at %s: %w", o.Addr[0], err)
	}
	return conn, nil
}

// Close ends the connections.
func (w *Warehouse) Close() error { return errors.Join(w.conn.Close(), w.server.Close()) }

// Database is the name of the database.
func (w *Warehouse) Database() string { return w.cfg.Database }

// Ping asks whether ClickHouse answers.
func (w *Warehouse) Ping(ctx context.Context) error {
	ctx, cancel := bound(ctx, openTimeout)
	defer cancel()
	var one uint8
	// Not the protocol's ping, which needs no right user.
	if err := w.server.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("warehouse: no ClickHouse answers at %s: is it running, are address, user and password right (--clickhouse)? %w", w.where, err)
	}
	return nil
}

// limit asks for a read-only session where the user could write. A user who is
// read-only already may not even say so again.
func (w *Warehouse) limit(ctx context.Context) error {
	if !w.cfg.ReadOnly {
		return nil
	}
	ctx, cancel := bound(ctx, openTimeout)
	defer cancel()
	var level string
	if err := w.server.QueryRow(ctx, "SELECT toString(getSetting('readonly'))").Scan(&level); err != nil {
		return w.failed("asking for the user's rights", err)
	}
	if level == "0" {
		w.limits = clickhouse.Settings{"readonly": 2}
	}
	return nil
}

func (w *Warehouse) failed(what string, err error) error {
	return fmt.Errorf("warehouse: %s in database %s at %s: %w", what, w.cfg.Database, w.where, err)
}

func (c Config) options() (*clickhouse.Options, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("warehouse: the ClickHouse URL must look like http://127.0.0.1:8123 or clickhouse://127.0.0.1:9000 (--clickhouse)")
	}
	o := &clickhouse.Options{
		Auth:         clickhouse.Auth{Username: c.User, Password: c.Password},
		Logger:       c.Logger,
		DialTimeout:  dialTimeout,
		ReadTimeout:  readTimeout,
		MaxOpenConns: maxConnections,
		MaxIdleConns: maxConnections,
		Compression:  &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	}
	if u.User != nil {
		o.Auth.Username = u.User.Username()
		o.Auth.Password, _ = u.User.Password()
	}
	port := ""
	switch u.Scheme {
	case "http":
		o.Protocol, port = clickhouse.HTTP, "8123"
	case "https":
		o.Protocol, port, o.TLS = clickhouse.HTTP, "8443", &tls.Config{MinVersion: tls.VersionTLS12}
	case "clickhouse":
		o.Protocol, port = clickhouse.Native, "9000"
	case "clickhouses":
		o.Protocol, port, o.TLS = clickhouse.Native, "9440", &tls.Config{MinVersion: tls.VersionTLS12}
	default:
		return nil, fmt.Errorf("warehouse: ClickHouse URL scheme %q: use http, https, clickhouse or clickhouses", u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if o.Protocol == clickhouse.HTTP {
		o.HttpUrlPath = u.Path
		if isLoopback(u.Hostname()) {
			o.Compression = nil // costs more than it saves
		}
	}
	o.Addr = []string{net.JoinHostPort(u.Hostname(), port)}
	return o, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// bound ends the context after d. Other than context.WithTimeout it shows no
// deadline: the client would turn that into a setting, which a read-only user
// may not send.
func bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	plain, cancel := context.WithCancelCause(hidden{ctx})
	timer := time.AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	return plain, func() {
		timer.Stop()
		cancel(context.Canceled)
	}
}

// hidden is a context without its deadline.
type hidden struct{ context.Context }

func (hidden) Deadline() (time.Time, bool) { return time.Time{}, false }

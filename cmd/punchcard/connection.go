package main

import (
	"context"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/processors/control"
	"github.com/punchcard/punchcard/warehouse"
)

// need says what a command needs of the engine.
type need int

const (
	needLog       need = 1 << iota // topics, and to follow the ledger
	needRoles                      // someone who decides, projects and sinks
	needWarehouse                  // ClickHouse, read-only
	needDoor                       // the HTTP door
)

// connection is what a command talks to: the process that holds the data folder,
// or parts started for the command alone.
type connection struct {
	cluster   *stream.Cluster
	control   *control.Control
	warehouse *warehouse.Warehouse
	door      string // http://host:port
	readKey   string
	// alone says that nothing else runs.
	alone bool
}

// withConnection runs fn beside a running demo or serve, through its ports; when
// none runs, it starts what is needed for as long as fn takes.
func withConnection(ctx context.Context, s *Settings, log *slog.Logger, n need, fn func(*connection) error) error {
	r, err := findRunning(s)
	if err != nil {
		return err
	}
	if r != nil {
		return beside(ctx, s, log, n, r, fn)
	}
	if n == needWarehouse {
		return withWarehouse(ctx, s, log, fn)
	}
	a := &app{settings: s, log: log, roles: allRoles, now: wallClock}
	a.stillClock = true
	if err := start(ctx, a); err != nil {
		return err
	}
	defer a.stop()
	if err := a.caughtUp(ctx); err != nil {
		return err
	}
	err = beside(ctx, s, log, n, a.running(), func(c *connection) error {
		c.alone = true
		return fn(c)
	})
	if err != nil || n&needRoles == 0 {
		return err
	}
	return a.caughtUp(ctx) // nobody is left to bring what fn published to ClickHouse
}

// beside connects to a running process.
func beside(ctx context.Context, s *Settings, log *slog.Logger, n need, r *running, fn func(*connection) error) error {
	c := &connection{door: r.HTTP}
	if n&(needLog|needRoles) != 0 {
		cluster, err := stream.Open(ctx, stream.Config{Brokers: r.Kafka, ClientID: "punchcard-command", Prefix: s.prefix(), Logger: log})
		if err != nil {
			return err
		}
		defer cluster.Close()
		c.cluster = cluster
	}
	if n&needWarehouse != 0 {
		cfg := warehouse.Config{URL: s.Clickhouse, Database: s.database(), Logger: log, ReadOnly: true}
		if r.EmbeddedEngine {
			cfg.URL = r.Clickhouse
		}
		w, err := warehouse.Open(ctx, cfg)
		if err != nil {
			return err
		}
		defer w.Close()
		c.warehouse = w
	}
	if n&needDoor != 0 {
		if r.HTTP == "" {
			return fmt.Errorf("the running punchcard has no door: start one with --roles door")
		}
		keys, err := readKeys(s)
		if err != nil {
			return err
		}
		c.readKey = keyOf(keys, ingest.KeyRead)
	}
	if c.cluster == nil {
		return fn(c)
	}
	return c.withControl(ctx, r.Partitions, fn)
}

// withControl runs fn while a watcher follows the ledger.
func (c *connection) withControl(ctx context.Context, partitions int32, fn func(*connection) error) error {
	w := control.NewWatcher(c.cluster, partitions)
	ctl, err := control.New(c.cluster, w)
	if err != nil {
		return err
	}
	defer ctl.Close()
	c.control = ctl
	ctx, cancel := context.WithCancel(ctx)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.Run(gctx) })
	err = fn(c)
	cancel()
	if werr := g.Wait(); err == nil {
		err = werr
	}
	return err
}

// withWarehouse starts ClickHouse alone.
func withWarehouse(ctx context.Context, s *Settings, log *slog.Logger, fn func(*connection) error) error {
	unlock, err := lock(s)
	if err != nil {
		return err
	}
	defer unlock()
	w, e, err := openWarehouse(ctx, s, log)
	if err != nil {
		return err
	}
	if e == nil {
		defer w.Close()
		return fn(&connection{warehouse: w, alone: true})
	}
	defer e.Close()
	w.Close()
	reader, err := warehouse.Open(ctx, warehouse.Config{URL: e.URL(), Database: s.database(), Logger: log, ReadOnly: true})
	if err != nil {
		return err
	}
	defer reader.Close()
	return fn(&connection{warehouse: reader, alone: true})
}

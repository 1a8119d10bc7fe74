package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	broker "github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/control"
	"github.com/punchcard/punchcard/processors/desk"
	"github.com/punchcard/punchcard/processors/projector"
	"github.com/punchcard/punchcard/processors/sink"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/bundle"
	"github.com/punchcard/punchcard/warehouse"
	engine "github.com/punchcard/punchcard/warehouse/embedded"
)

// Roles of a process.
const (
	roleDoor      = "door"
	roleProcessor = "processor"
	roleProjector = "projector"
	roleCampaigns = "campaigns"
	roleSink      = "sink"
	roleControl   = "control"
)

var allRoles = []string{roleDoor, roleProcessor, roleCampaigns, roleProjector, roleSink, roleControl}

// writerUser may write to the embedded engine; readers need no key.
const writerUser = "punchcard"

// app is one running process:
//
//	door ─▶ events ─▶ processor ─▶ ledger ──┬────────▶ sink ─▶ ClickHouse
//	          ▲ control (ticks,             ├────────▶ projector ─▶ customers, segments, state
//	            rules, cut points)          └─▶ campaigns ─▶ campaign-log ─▶ sink
//	                                                            └─▶ projector ─▶ campaigns.<channel>
type app struct {
	settings *Settings
	log      *slog.Logger
	roles    []string
	now      func() event.Time // the log's time: wall clock, or the demo's
	poll     time.Duration     // between looks at now; 0: the clock's own
	// stillClock leaves the clock to others: to the demo, or to nobody while a
	// command runs alone.
	stillClock bool

	broker    *broker.Broker // nil: Apache Kafka
	engine    *engine.Engine // nil: a ClickHouse server
	cluster   *stream.Cluster
	warehouse *warehouse.Warehouse
	watcher   *control.Watcher
	control   *control.Control
	customers *processors.Runtime
	campaigns *processors.Runtime
	desk      *desk.Desk
	projector *projector.Projector
	sink      *sink.Sink
	doorLog   *doorLog
	door      *ingest.Door
	keys      []ingest.Key
	page      *pages
	rules     atomic.Pointer[bundle.Bundle] // the active rules, nil: none
	leading   sync.Map                      // role → whether this process runs it now

	listener net.Listener
	group    *errgroup.Group
	cancel   context.CancelFunc
	closers  []func()
}

func (a *app) has(role string) bool { return slices.Contains(a.roles, role) }

// onClose remembers what to undo, last first.
func (a *app) onClose(fn func()) { a.closers = append(a.closers, fn) }

// start brings a process up. What was started is stopped again on an error.
func start(ctx context.Context, a *app) (err error) {
	defer func() {
		if err != nil {
			a.stop()
		}
	}()
	unlock, err := lock(a.settings)
	if err != nil {
		return err
	}
	a.onClose(unlock)
	if err := nameInstance(a.settings); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		a.openListener, a.openBroker, a.openCluster, a.openWarehouse, a.openControl,
		a.openProcessor, a.openCampaigns, a.openProjector, a.openSink, a.openDoor, a.openPage, a.runAll, a.announce,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when the process ends: nil when it was asked to.
func (a *app) wait() error { return a.group.Wait() }

// stop ends everything in order: first what writes, then what it writes to.
func (a *app) stop() {
	if a.cancel != nil {
		a.cancel()
		_ = a.group.Wait() // wait reports it
	}
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
	a.closers = nil
}

// openListener takes the port first: a taken one is the likeliest trouble.
func (a *app) openListener(context.Context) error {
	if !a.has(roleDoor) {
		return nil
	}
	l, err := net.Listen("tcp", a.settings.HTTP)
	if err != nil {
		return fmt.Errorf("the HTTP door cannot listen on %s: %w; choose another address with --http", a.settings.HTTP, err)
	}
	a.listener = l
	a.onClose(func() { l.Close() })
	return nil
}

func (a *app) openBroker(ctx context.Context) error {
	if !a.settings.embeddedBroker() {
		return nil
	}
	b, err := broker.Start(ctx, broker.Config{Dir: a.settings.path("broker"), Listen: a.settings.KafkaListen, Logger: brokerLog(a.log)})
	if err != nil {
		return err
	}
	a.broker = b
	a.onClose(func() { b.Close() })
	return nil
}

// brokerLog keeps the embedded broker's warnings (slow commits and the like) for
// those who debug.
func brokerLog(log *slog.Logger) *slog.Logger {
	if log.Enabled(context.Background(), slog.LevelDebug) {
		return log
	}
	return slog.New(slog.DiscardHandler)
}

func (a *app) brokers() []string {
	if a.broker != nil {
		return []string{a.broker.Addr()}
	}
	return a.settings.Kafka
}

func (a *app) openCluster(ctx context.Context) error {
	cfg := stream.Config{Brokers: a.brokers(), ClientID: "punchcard", Prefix: a.settings.prefix(), Logger: a.log}
	if a.broker != nil {
		cfg.WriterEpoch = a.broker.Epoch()
	}
	c, err := stream.Open(ctx, cfg)
	if err != nil {
		return err
	}
	a.cluster = c
	a.onClose(c.Close)
	return c.EnsureTopics(ctx, topics(a.settings))
}

func (a *app) openWarehouse(ctx context.Context) error {
	w, e, err := openWarehouse(ctx, a.settings, a.log)
	if err != nil {
		return err
	}
	a.warehouse, a.engine = w, e
	if e != nil {
		a.onClose(func() { e.Close() })
	}
	a.onClose(func() { w.Close() })
	return w.Migrate(ctx)
}

// openWarehouse starts the embedded engine, unless there is a ClickHouse, and
// connects to it as the one who writes.
func openWarehouse(ctx context.Context, s *Settings, log *slog.Logger) (*warehouse.Warehouse, *engine.Engine, error) {
	cfg := warehouse.Config{URL: s.Clickhouse, Database: s.database(), Logger: log}
	var e *engine.Engine
	if s.embeddedEngine() {
		var err error
		e, err = engine.Start(ctx, engine.Config{Dir: s.path("engine"), Listen: s.ClickhouseListen, Library: s.Engine, Logger: log})
		if err != nil {
			return nil, nil, err
		}
		cfg.URL, cfg.User, cfg.Password = e.URL(), writerUser, e.WriterKey()
	}
	w, err := warehouse.Open(ctx, cfg)
	if err != nil && e != nil {
		e.Close()
	}
	return w, e, err
}

func (a *app) openControl(ctx context.Context) error {
	a.watcher = control.NewWatcher(a.cluster, a.settings.partitions())
	c, err := control.New(a.cluster, a.watcher)
	if err != nil {
		return err
	}
	a.control = c
	a.onClose(c.Close)
	return nil
}

func (a *app) openProjector(context.Context) error {
	// The embedded broker keeps the ledger beside the state: nobody needs topic state.
	a.projector = projector.New(a.cluster, a.settings.partitions(), a.log, projector.Ledger(a.broker == nil), projector.CampaignLog())
	return nil
}

// runAll starts the roles; the first that fails ends the others.
func (a *app) runAll(ctx context.Context) error {
	ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.group, ctx = errgroup.WithContext(ctx)
	run := func(fn func(context.Context) error) { a.group.Go(func() error { return fn(ctx) }) }
	run(a.watcher.Run)
	run(a.followProgram)
	if a.has(roleProcessor) {
		run(a.customers.Run)
	}
	if a.has(roleCampaigns) {
		run(a.campaigns.Run)
	}
	if a.has(roleProjector) {
		run(a.once(roleProjector, a.projector.Run))
	}
	if a.has(roleSink) {
		run(a.once(roleSink, a.sink.Run))
	}
	if a.has(roleControl) {
		run(a.once(roleControl, a.runControl))
	}
	if a.has(roleDoor) {
		run(a.serveDoor)
	}
	if a.engine != nil {
		run(a.watchEngine)
	}
	return nil
}

func (a *app) runControl(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if !a.stillClock {
		g.Go(func() error { return a.runClock(ctx) })
	}
	g.Go(func() error { return a.control.RunCutPoints(ctx) })
	g.Go(func() error { return a.fitDaily(ctx) })
	return g.Wait()
}

func (a *app) runClock(ctx context.Context) error {
	return a.control.RunClock(ctx, control.ClockConfig{
		Now: a.now, Poll: a.poll, MaxJump: a.settings.ClockJump,
		Warn: func(msg string) { a.log.Warn("clock: " + msg) },
	})
}

func (a *app) watchEngine(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-a.engine.Done():
		return a.engine.Err()
	}
}

func (a *app) serveDoor(ctx context.Context) error {
	srv := a.door.Server(a.settings.HTTP, a.handler())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second) // Ctrl-C ends within 5 s
		defer cancel()
		if srv.Shutdown(end) != nil {
			srv.Close()
		}
	}()
	err := srv.Serve(a.listener)
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the HTTP door: %w", err)
	}
	<-stopped
	return nil
}

// running says where this process listens.
func (a *app) running() *running {
	r := &running{Pid: pid(), Kafka: a.brokers(), Partitions: a.settings.partitions(), EmbeddedBroker: a.broker != nil, EmbeddedEngine: a.engine != nil}
	if a.listener != nil {
		r.HTTP = "http://" + a.listener.Addr().String()
	}
	if a.engine != nil {
		r.Clickhouse = a.engine.URL()
	}
	return r
}

// announce tells other commands where this process listens.
func (a *app) announce(context.Context) error { return writeRunning(a.settings, *a.running()) }

const (
	// caughtUpWithin bounds how long a command that runs alone waits for the log to
	// be decided; caughtUpPoll is how often it looks.
	caughtUpWithin = 10 * time.Minute
	caughtUpPoll   = 50 * time.Millisecond
)

// caughtUp waits until all that is in events is decided and in ClickHouse. A role
// that fails meanwhile ends the wait with its error.
func (a *app) caughtUp(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(caughtUpWithin, func() { cancel(fmt.Errorf("the log was not decided within %s", caughtUpWithin)) })
	defer late.Stop()
	go func() { cancel(a.wait()) }()
	for err := a.customers.CaughtUp(ctx); err != nil; err = a.customers.CaughtUp(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (the customer processor: %w)", context.Cause(ctx), err)
		case <-time.After(caughtUpPoll):
		}
	}
	if err := a.settled(ctx); err != nil {
		return err
	}
	for err := a.campaigns.CaughtUp(ctx); err != nil; err = a.campaigns.CaughtUp(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (the campaign processor: %w)", context.Cause(ctx), err)
		case <-time.After(caughtUpPoll):
		}
	}
	return nil
}

// followProgram keeps the active program at hand: the door asks which names earn,
// and the warehouse's views its time zone and currency.
func (a *app) followProgram(ctx context.Context) error {
	if err := a.watcher.CaughtUp(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	known, nag := "", time.NewTicker(time.Minute)
	defer nag.Stop()
	for {
		changed := a.watcher.Changed()
		if id := a.watcher.ActiveBundle(); id != "" && id != known {
			if err := a.takeProgram(ctx); err != nil && ctx.Err() == nil {
				return err
			}
			known = id
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-nag.C:
			if known == "" {
				a.log.Warn("no active program: events are kept without effect; punchcard program activate DIR")
			}
		}
	}
}

func (a *app) takeProgram(ctx context.Context) error {
	b, err := a.control.ActiveBundleFiles(ctx)
	if err != nil || b == nil {
		return err
	}
	rules, problems := bundle.Parse(b.Files)
	if len(problems) > 0 {
		return fmt.Errorf("the active bundle %s does not pass this version's checks: %s", b.ID, problems[0])
	}
	a.rules.Store(rules)
	book := rules.Book
	err = a.warehouse.NoteProgram(ctx, warehouse.ProgramVersion{
		BundleID: b.ID, EffectiveFrom: b.EffectiveFrom, Name: book.Name, Currency: book.Currency, TimeZone: book.TimeZone,
	})
	if err != nil {
		a.log.Warn("the warehouse was not told of the program; it will be at the next start", "err", err)
	}
	return nil
}

// serverOnly reports whether the program gives anything for an event's name.
func (a *app) serverOnly(name string) bool {
	rules := a.rules.Load()
	if rules == nil {
		return true
	}
	return slices.ContainsFunc(rules.Book.Rules, func(r program.Rule) bool { return strings.EqualFold(r.Event, name) })
}

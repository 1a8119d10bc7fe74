package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/cmd/punchcard/demo"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/ingest/history"
	"github.com/punchcard/punchcard/program"
)

//go:embed demo/bundle
var demoBundle embed.FS

const (
	// demoPoll is how often the demo's clock is looked at: at an hour a second,
	// ticks are 12 minutes apart.
	demoPoll = 200 * time.Millisecond
	// demoJump lets the demo's clock go on after this machine was busy or asleep.
	demoJump    = 48 * time.Hour
	demoMapping = "online-retail"
)

// demoCommand imports Online Retail and goes live.
type demoCommand struct {
	NoLive bool          `name:"no-live" help:"Stay up after the import, with nothing more coming in."`
	Speed  time.Duration `help:"Log time that passes in a second, until the present is reached." default:"1h"`
	Seed   uint64        `help:"Seed of the simulated shoppers." default:"1"`
}

// Validate bounds the speed.
func (c *demoCommand) Validate() error {
	if c.Speed < time.Second || c.Speed > 24*time.Hour {
		return fmt.Errorf("--speed %s: between 1s and 24h a second", c.Speed)
	}
	return nil
}

// Run is the whole demo.
func (c *demoCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	clock := demo.NewClock(time.Now, c.Speed.Seconds())
	a := &app{settings: s, log: log, roles: allRoles, now: clock.Now, poll: demoPoll, stillClock: true}
	s.ClockJump = max(s.ClockJump, demoJump)
	began := time.Now()
	if err := start(ctx, a); err != nil {
		return err
	}
	defer a.stop()
	fmt.Println(a.where())
	asked := ctx // ends with Ctrl-C
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(a.wait()) }()
	err := c.run(ctx, a, clock, began)
	switch cause := context.Cause(ctx); {
	case asked.Err() != nil:
		return nil
	case cause != nil && cause != context.Canceled:
		return cause // a role failed
	}
	return err
}

// run imports, reports, and goes live.
func (c *demoCommand) run(ctx context.Context, a *app, clock *demo.Clock, began time.Time) error {
	plan, err := c.prepare(ctx, a)
	if err != nil {
		return err
	}
	fmt.Printf("import to the last ClickHouse row: %.1f s after start\n", time.Since(began).Seconds())
	if err := c.report(ctx, a); err != nil {
		return err
	}
	c.whereToLook(a)
	if c.NoLive {
		fmt.Println("\nnothing more is coming in (--no-live); Ctrl-C stops")
		<-ctx.Done()
		return nil
	}
	return c.live(ctx, a, clock, plan)
}

// prepare activates the demo's rules and imports the history, once.
func (c *demoCommand) prepare(ctx context.Context, a *app) (*history.Plan, error) {
	sub, err := fs.Sub(demoBundle, "demo/bundle")
	if err != nil {
		return nil, err
	}
	files, err := readBundle(sub)
	if err != nil {
		return nil, err
	}
	book, err := parseBundle(files)
	if err != nil {
		return nil, err
	}
	if err := a.control.Activate(ctx, *bundleRecord(files, book)); err != nil {
		return nil, err
	}
	text, _ := history.BuiltinMapping(demoMapping)
	m, problems := history.ParseMapping(demoMapping, text)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s", problems[0])
	}
	bar := newBar("reading")
	plan, err := history.ReadFS(ctx, history.Data, history.OnlineRetail, m, bar.set)
	bar.done()
	if err != nil {
		return nil, err
	}
	plan.Shift(history.ShiftToEnd(plan.Last, wallClock()))
	if err := plan.Table(os.Stdout); err != nil {
		return nil, err
	}
	result, err := importPlan(ctx, a.settings, a.cluster, a.control, plan)
	if err != nil {
		return nil, err
	}
	printImported(result)
	return plan, a.settled(ctx)
}

// settled waits until all that was decided is in ClickHouse and on the topics.
func (a *app) settled(ctx context.Context) error {
	if err := a.watcher.CaughtUp(ctx); err != nil {
		return err
	}
	want := map[int32]int64{}
	for p, q := range a.watcher.Snapshot() {
		want[int32(p)] = q.Sequence
	}
	if a.broker != nil {
		return a.sink.WaitFor(ctx, want)
	}
	return awaitPositions(ctx, a.warehouse, want) // another process may be the one that inserts
}

// report prints what each rule gave.
func (c *demoCommand) report(ctx context.Context, a *app) error {
	_, _, rows, err := a.warehouse.Query(ctx, "SELECT rule_id, sum(times), sum(points) FROM rules_fired WHERE NOT is_simulated GROUP BY rule_id")
	if err != nil {
		return err
	}
	fired := map[string][]any{}
	for _, r := range rows {
		fired[fmt.Sprint(r[0])] = r[1:]
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nrule\ttimes fired\tpoints")
	var waiting []string
	for _, id := range ruleIDs(a.book.Load()) {
		if r, ok := fired[id.id]; ok {
			fmt.Fprintf(t, "%s\t%v\t%v\n", id.id, r[0], r[1])
		} else if id.live {
			waiting = append(waiting, id.id)
		} else {
			fmt.Fprintf(t, "%s\t0\t0\n", id.id)
		}
	}
	t.Flush()
	if len(waiting) > 0 {
		fmt.Printf("waiting for live events, which history does not have: %s\n", strings.Join(waiting, ", "))
	}
	return printTiers(ctx, a)
}

// printTiers prints who is where, lowest tier first.
func printTiers(ctx context.Context, a *app) error {
	_, _, rows, err := a.warehouse.Query(ctx, "SELECT tier, members, round(100 * members_share, 1), balance FROM tier_mix WHERE NOT is_simulated")
	if err != nil {
		return err
	}
	byTier := map[string][]any{}
	for _, r := range rows {
		byTier[fmt.Sprint(r[0])] = r
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\ntier\tmembers\tshare\tpoints outstanding")
	for _, level := range a.book.Load().Tiers.Levels {
		if r, ok := byTier[level.ID]; ok {
			fmt.Fprintf(t, "%s\t%v\t%v %%\t%v\n", level.Name, r[1], r[2], r[3])
		} else {
			fmt.Fprintf(t, "%s\t0\t0 %%\t0\n", level.Name)
		}
	}
	return t.Flush()
}

// ruleID names a rule; live ones listen to events that history does not have.
type ruleID struct {
	id   string
	live bool
}

func ruleIDs(b *program.Book) []ruleID {
	if b == nil {
		return nil
	}
	var out []ruleID
	for _, e := range b.Enrolment {
		out = append(out, ruleID{e.ID, e.SignUp})
	}
	for _, r := range b.Rules {
		out = append(out, ruleID{r.ID, r.Kind == program.RuleAction})
	}
	for _, m := range b.Multipliers {
		out = append(out, ruleID{m.ID, false})
	}
	return out
}

// whereToLook prints lines to paste.
func (c *demoCommand) whereToLook(a *app) {
	data := ""
	if a.settings.Data != "./punchcard-data" {
		data = " --data " + a.settings.Data
	}
	fmt.Printf("\nlook around (in a second terminal):\n")
	fmt.Printf("  kcat -C -b %s -t %s -o beginning -c 3\n", a.brokers()[0], a.settings.prefix()+event.TopicLedger)
	if a.engine != nil {
		fmt.Printf("  curl '%s/?database=%s' --data 'SELECT * FROM purchase_kpis FORMAT Vertical'\n", a.engine.URL(), a.settings.database())
	}
	fmt.Printf("  bin/punchcard%s customer 12748\n", data)
	fmt.Printf("  bin/punchcard%s sql 'SELECT * FROM rfm_grid'\n", data)
	fmt.Printf("  bin/punchcard%s verify\n", data)
}

// live walks the clock to the present while simulated shoppers shop.
func (c *demoCommand) live(ctx context.Context, a *app, clock *demo.Clock, plan *history.Plan) error {
	from := a.watcher.Clock()
	clock.Start(from)
	fmt.Printf("\nlive: simulated shoppers (is_simulated) from %s, %s a second until the present, then at real speed; Ctrl-C stops\n", from, c.Speed)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.runClock(ctx) })
	g.Go(func() error {
		live := &demo.Live{
			Shop: demo.Learn(plan.Events), Seed: c.Seed, Door: "http://" + a.listener.Addr().String(), Key: keyOf(a.keys, ingest.KeyServer), Now: clock.Now,
		}
		return live.Run(ctx, from)
	})
	return g.Wait()
}

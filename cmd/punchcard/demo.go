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
	"github.com/punchcard/punchcard/event/stream"
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
	demoJump = 48 * time.Hour
	// demoAgain is how far before the clock a restarted demo begins: what the last run
	// had not posted yet when it was stopped; the rest comes again and changes nothing.
	demoAgain   = 72 * time.Hour
	demoMapping = "online-retail"
)

// demoCommand imports Online Retail and goes live.
type demoCommand struct {
	NoLive   bool          `name:"no-live" help:"Stay up after the import, with nothing more coming in."`
	RealOnly bool          `name:"real-only" help:"Import the data set alone: no simulated consent, surveys, redemptions or shoppers."`
	Speed    time.Duration `help:"Log time that passes in a second, until the present is reached." default:"1h"`
	Seed     uint64        `help:"Seed of the simulated shoppers." default:"1"`
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
	shop, err := c.prepare(ctx, a)
	if err != nil {
		return err
	}
	fmt.Printf("import to the last ClickHouse row: %.1f s after start\n", time.Since(began).Seconds())
	if err := c.report(ctx, a); err != nil {
		return err
	}
	a.fitModels(ctx)
	c.whereToLook(a)
	if c.NoLive || c.RealOnly {
		fmt.Println("\nnothing more is coming in; Ctrl-C stops")
		<-ctx.Done()
		return nil
	}
	return c.live(ctx, a, clock, shop)
}

// prepare activates the demo's rules and imports the history, once.
func (c *demoCommand) prepare(ctx context.Context, a *app) (*demo.Shop, error) {
	sub, err := fs.Sub(demoBundle, "demo/bundle")
	if err != nil {
		return nil, err
	}
	files, err := readBundle(sub)
	if err != nil {
		return nil, err
	}
	rules, err := parseBundle(files)
	if err != nil {
		return nil, err
	}
	if err := a.control.Activate(ctx, *bundleRecord(files, rules.Book)); err != nil {
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
	if !c.RealOnly {
		fmt.Printf("simulated layer: %d events (consent, time zones, birthdays, surveys, reviews, redemptions), each marked is_simulated; --real-only leaves them out\n", demo.AddLayer(plan, c.Seed))
	}
	result, err := importPlan(ctx, a.settings, a.cluster, a.control, plan)
	if err != nil {
		return nil, err
	}
	printImported(result)
	// The import may have moved the plan to an earlier run's place in time.
	return demo.Learn(plan.Events), a.settled(ctx)
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
	return awaitPositions(ctx, a.warehouse.LedgerPositions, want) // another process may be the one that inserts
}

// report prints what each rule gave.
func (c *demoCommand) report(ctx context.Context, a *app) error {
	_, _, rows, err := a.warehouse.Query(ctx, "SELECT rule_id, sum(times), sum(points) FROM rules_fired GROUP BY rule_id")
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
	for _, id := range ruleIDs(a.rules.Load().Book) {
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
	if err := printTiers(ctx, a); err != nil {
		return err
	}
	return printSegments(ctx, a)
}

// printTiers prints who is where, lowest tier first.
func printTiers(ctx context.Context, a *app) error {
	_, _, rows, err := a.warehouse.Query(ctx, "SELECT tier, sum(members) AS m, round(100 * m / sum(m) OVER (), 1), sum(balance) FROM tier_mix GROUP BY tier")
	if err != nil {
		return err
	}
	byTier := map[string][]any{}
	for _, r := range rows {
		byTier[fmt.Sprint(r[0])] = r
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\ntier\tmembers\tshare\tpoints outstanding")
	for _, level := range a.rules.Load().Book.Tiers.Levels {
		if r, ok := byTier[level.ID]; ok {
			fmt.Fprintf(t, "%s\t%v\t%v %%\t%v\n", level.Name, r[1], r[2], r[3])
		} else {
			fmt.Fprintf(t, "%s\t0\t0 %%\t0\n", level.Name)
		}
	}
	return t.Flush()
}

// printSegments prints how many customers each segment holds.
func printSegments(ctx context.Context, a *app) error {
	_, _, rows, err := a.warehouse.Query(ctx, "SELECT segment_id, sum(members), round(100 * sum(members) / (SELECT count() FROM customers), 1) FROM segment_sizes GROUP BY segment_id")
	if err != nil {
		return err
	}
	sizes := map[string][]any{}
	for _, r := range rows {
		sizes[fmt.Sprint(r[0])] = r
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nsegment\tcustomers\tshare")
	for _, s := range a.rules.Load().Segments.Visible() {
		if r, ok := sizes[s.ID]; ok {
			fmt.Fprintf(t, "%s\t%v\t%v %%\n", s.Name, r[1], r[2])
		} else {
			fmt.Fprintf(t, "%s\t0\t0 %%\n", s.Name)
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
	fmt.Printf("\ndashboards, live feed, customers' stories:  http://%s/#key=%s\n", a.listener.Addr(), keyOf(a.keys, ingest.KeyRead))
	fmt.Printf("\nlook around (in a second terminal):\n")
	fmt.Printf("  kcat -C -b %s -t %s -o beginning -c 3\n", a.brokers()[0], a.settings.prefix()+event.TopicLedger)
	fmt.Printf("  kcat -C -b %s -t %s -o end      # messages for the campaign tool, as they are decided\n", a.brokers()[0], a.settings.prefix()+event.TopicCampaigns(event.ChannelEmail))
	if a.engine != nil {
		fmt.Printf("  curl '%s/?database=%s' --data 'SELECT * FROM purchase_kpis FORMAT Vertical'\n", a.engine.URL(), a.settings.database())
	}
	fmt.Printf("  bin/punchcard%s customer 12748\n", data)
	fmt.Printf("  bin/punchcard%s sql 'SELECT * FROM rfm_grid'\n", data)
	fmt.Printf("  bin/punchcard%s verify\n", data)
}

// live walks the clock to the present while simulated shoppers shop, and receive
// messages.
func (c *demoCommand) live(ctx context.Context, a *app, clock *demo.Clock, shop *demo.Shop) error {
	from := a.watcher.Clock()
	clock.Start(from)
	fmt.Printf("\nwhat the simulated receivers of messages do (planted; lift and rates can be compared with it):\n")
	if err := demo.PrintEffects(os.Stdout, demo.PlantedEffects()); err != nil {
		return err
	}
	fmt.Printf("\nlive: simulated shoppers (is_simulated) from %s, %s a second until the present, then at real speed; Ctrl-C stops\n", from, c.Speed)
	door, key := "http://"+a.listener.Addr().String(), keyOf(a.keys, ingest.KeyServer)
	messages := make(chan event.CampaignMessage, 1024)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.runClock(ctx) })
	g.Go(func() error {
		return (&demo.Live{Shop: shop, Seed: c.Seed, Door: door, Key: key, Now: clock.Now}).Run(ctx, from.Add(-demoAgain))
	})
	g.Go(func() error {
		return (&demo.Audience{Shop: shop, Seed: c.Seed, Door: door, Key: key, Now: clock.Now}).Run(ctx, messages)
	})
	for _, channel := range event.Channels {
		g.Go(func() error { return a.readMessages(ctx, channel, messages) })
	}
	return g.Wait()
}

// readMessages hands on every message of a channel, from the first one on: the
// audience remembers nothing.
func (a *app) readMessages(ctx context.Context, channel string, to chan<- event.CampaignMessage) error {
	from := map[int32]int64{}
	for p := range a.settings.partitions() {
		from[p] = 0
	}
	r, err := a.cluster.Reader(ctx, stream.ReaderOptions{Topic: event.TopicCampaigns(channel), Partitions: from, Isolation: stream.ReadCommitted})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		recs, err := r.Poll(ctx, 1000)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, rec := range recs {
			var m event.CampaignMessage
			if err := event.DecodeCampaignMessage(rec.Value, &m); err != nil {
				return fmt.Errorf("campaigns.%s/%d offset %d: %w", channel, rec.Partition, rec.Offset, err)
			}
			select {
			case to <- m:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

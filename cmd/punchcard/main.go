package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/punchcard/punchcard/warehouse/embedded"
)

// commands is the command line.
type commands struct {
	Settings
	Demo       demoCommand       `cmd:"" help:"Import a real year of purchases, then go live with simulated shoppers."`
	Serve      serveCommand      `cmd:"" help:"Run the engine."`
	Import     importCommand     `cmd:"" help:"Import history from a Parquet or CSV file."`
	Program    programCommand    `cmd:"" help:"Rules: new, check, show, activate."`
	Segment    segmentCommand    `cmd:"" help:"Who is in which segment: list, show, preview."`
	Campaign   campaignCommand   `cmd:"" help:"Campaigns: list, show, preview."`
	Customer   customerCommand   `cmd:"" help:"How a customer stands, and why."`
	Model      modelCommand      `cmd:"" help:"What customers will buy: fit, show."`
	Dashboards dashboardsCommand `cmd:"" help:"Grafana dashboards: list, show, apply."`
	SQL        sqlCommand        `cmd:"" name:"sql" help:"Ask the warehouse (read-only)."`
	Export     exportCommand     `cmd:"" help:"Write a table, a view or an answer to a Parquet, Arrow or CSV file."`
	Verify     verifyCommand     `cmd:"" help:"Check that nothing is lost, doubled or different; exit 1 if it is."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

func main() {
	if embedded.IsChild() {
		embedded.RunChild()
	}
	collectLessOften()
	os.Exit(run(os.Args[1:]))
}

// Memory is cheaper here than the collector's time: records and rows come in
// large batches that die at once. The limit keeps a burst bounded.
const (
	collectAt   = 300 // GOGC: percent of the live heap
	memoryLimit = 2 << 30
)

func collectLessOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

func run(args []string) int {
	var c commands
	parser := kong.Must(&c,
		kong.Name("punchcard"),
		kong.Description("A loyalty engine that runs as a stream: points, tiers and scores from Kafka, facts in ClickHouse."),
		kong.UsageOnError(),
		kong.DefaultEnvars("PUNCHCARD"),
		kong.Resolvers(fileResolver(args)),
	)
	k, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.Settings.level()}))
	k.BindTo(ctx, (*context.Context)(nil))
	k.Bind(&c.Settings, log)
	if err := k.Run(); err != nil {
		if !errors.Is(err, errFindings) {
			fmt.Fprintln(os.Stderr, "punchcard:", err)
		}
		return 1
	}
	return 0
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/punchcard/punchcard/dashboards"
	"github.com/punchcard/punchcard/dashboards/grafana"
	"github.com/punchcard/punchcard/warehouse"
)

// maxTokenBytes bounds a token's file.
const maxTokenBytes = 4 << 10

// dashboardsCommand is everything about the dashboards.
type dashboardsCommand struct {
	List  dashboardsList  `cmd:"" help:"The dashboards."`
	Show  dashboardsShow  `cmd:"" help:"A dashboard as Grafana imports it (JSON)."`
	Apply dashboardsApply `cmd:"" help:"Put dashboards, data source, alert rules and annotations into a Grafana; again: change only what differs."`
}

type dashboardsList struct{}

// Run prints a line for each dashboard.
func (c *dashboardsList) Run() error {
	for _, d := range dashboards.List() {
		fmt.Printf("%-28s %2d panels  %s: %s\n", d.UID, len(dashboards.Panels(d.UID)), d.Title, d.Description)
	}
	return nil
}

type dashboardsShow struct {
	UID string `arg:"" help:"The dashboard, such as punchcard-overview (or overview)."`
}

// Run prints the JSON.
func (c *dashboardsShow) Run() error {
	for _, d := range dashboards.List() {
		if d.UID == c.UID || d.UID == "punchcard-"+c.UID {
			_, err := os.Stdout.Write(d.JSON)
			return err
		}
	}
	return fmt.Errorf("there is no dashboard %q: punchcard dashboards list", c.UID)
}

type dashboardsApply struct {
	Grafana   string `help:"Address of the Grafana, such as http://127.0.0.1:3000." required:"" placeholder:"URL" env:"PUNCHCARD_GRAFANA"`
	Token     string `help:"Token of a service account with the role Admin; better in PUNCHCARD_GRAFANA_TOKEN or a file: others on this machine can read a command line." placeholder:"TOKEN" env:"PUNCHCARD_GRAFANA_TOKEN"`
	TokenFile string `help:"File with the token." placeholder:"FILE" env:"PUNCHCARD_GRAFANA_TOKEN_FILE"`
	Source    string `help:"ClickHouse as the Grafana reaches it, with a user who may only read; this one's by default." placeholder:"URL" env:"PUNCHCARD_GRAFANA_SOURCE"`
	NoFacts   bool   `help:"Do not ask the warehouse: amounts are in GBP, no campaign or program version is marked."`
	DryRun    bool   `help:"Change nothing; print what differs."`
}

// Run prints every change, one a line, and what stayed as it is as a number.
func (c *dashboardsApply) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	// With it the library would log bodies, and a password is in one of them.
	if err := os.Unsetenv("GF_LOG"); err != nil {
		return err
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	source, err := c.source(s)
	if err != nil {
		return err
	}
	wanted := grafana.Wanted{Source: source, Dashboards: dashboards.List(), Alerts: dashboards.Alerts()}
	if !c.NoFacts {
		err := withConnection(ctx, s, log, needWarehouse, func(conn *connection) error { return addFacts(ctx, conn.warehouse, &wanted) })
		if err != nil {
			return fmt.Errorf("asking for currency, campaigns and program versions (--no-facts does without): %w", err)
		}
	}
	changes, err := grafana.Apply(ctx, grafana.Config{URL: c.Grafana, Token: token}, wanted, c.DryRun)
	printDifferences(changes, c.DryRun)
	return err
}

func (c *dashboardsApply) token() (string, error) {
	if c.TokenFile == "" {
		return strings.TrimSpace(c.Token), nil
	}
	if info, err := os.Stat(c.TokenFile); err != nil || info.Size() > maxTokenBytes {
		return "", fmt.Errorf("--token-file %s: not a file of at most %d bytes", c.TokenFile, maxTokenBytes)
	}
	raw, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// source is where the Grafana finds ClickHouse.
func (c *dashboardsApply) source(s *Settings) (grafana.Source, error) {
	address := c.Source
	if address == "" {
		address = s.Clickhouse
	}
	if address == "" {
		address = "http://" + s.ClickhouseListen
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return grafana.Source{}, errors.New("--source: write a URL such as http://reader:password@clickhouse:8123")
	}
	out := grafana.Source{Host: u.Hostname(), Database: s.database(), User: u.User.Username()}
	out.Password, _ = u.User.Password()
	port := 0
	switch u.Scheme {
	case "http":
		port = 8123
	case "https":
		port, out.Secure = 8443, true
	case "clickhouse":
		port, out.Native = 9000, true
	case "clickhouses":
		port, out.Native, out.Secure = 9440, true, true
	default:
		return grafana.Source{}, fmt.Errorf("--source: scheme %q: use http, https, clickhouse or clickhouses", u.Scheme)
	}
	if out.Port = port; u.Port() != "" {
		if out.Port, err = strconv.Atoi(u.Port()); err != nil {
			return grafana.Source{}, fmt.Errorf("--source: port %q is no number", u.Port())
		}
	}
	return out, nil
}

// addFacts writes amounts in the program's currency and marks when campaigns began
// and rules changed.
func addFacts(ctx context.Context, w *warehouse.Warehouse, wanted *grafana.Wanted) error {
	_, _, rows, err := w.Query(ctx, "SELECT currency FROM program")
	if err != nil {
		return err
	}
	for i, d := range wanted.Dashboards {
		if code, ok := rows[0][0].(string); ok {
			wanted.Dashboards[i].JSON = dashboards.InCurrency(d.JSON, code)
		}
	}
	for kind, sql := range map[string]string{"campaign": dashboards.CampaignStarts, "program": dashboards.ProgramVersions} {
		_, _, rows, err := w.Query(ctx, "SELECT time, id, title, text FROM ("+sql+") WHERE time > toDateTime64(0, 3) ORDER BY time, id")
		if err != nil {
			return err
		}
		for _, row := range rows {
			at, ok := row[0].(time.Time)
			if !ok {
				return fmt.Errorf("the time of a %s is a %T", kind, row[0])
			}
			wanted.Annotations = append(wanted.Annotations, grafana.Annotation{ID: fmt.Sprint(row[1]), Kind: kind, Text: fmt.Sprintf("%s: %s", row[2], row[3]), TimeMs: at.UnixMilli()})
		}
	}
	return nil
}

func printDifferences(changes []grafana.Change, dry bool) {
	kept := 0
	for _, c := range changes {
		if c.Action == grafana.Keep {
			kept++
			continue
		}
		detail := ""
		if c.Detail != "" {
			detail = " (" + c.Detail + ")"
		}
		said := map[string]string{grafana.Make: "made", grafana.Edit: "changed"}[c.Action]
		if dry {
			said = "would " + c.Action
		}
		fmt.Printf("%s %s: %s%s\n", said, c.What, c.Name, detail)
	}
	fmt.Printf("%d as wanted, %d differed\n", kept, len(changes)-kept)
}

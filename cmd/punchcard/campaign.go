package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/punchcard/punchcard/campaigns"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/bundle"
)

// campaignDays is how far back list counts.
const campaignDays = 7

// campaignCommand is everything about campaigns.
type campaignCommand struct {
	List    campaignList    `cmd:"" help:"The active campaigns, and what became of their runs lately."`
	Show    campaignShow    `cmd:"" help:"A campaign in words, and why runs were held back lately."`
	Preview campaignPreview `cmd:"" help:"The message as one customer would get it."`
}

type campaignList struct{}

// Run prints a line for each campaign.
func (campaignList) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needLog|needWarehouse, func(conn *connection) error {
		rules, err := conn.activeRules(ctx)
		if err != nil {
			return err
		}
		if len(rules.Campaigns.Campaigns) == 0 {
			fmt.Println("the active program has no campaigns: put files into its folder campaigns")
			return nil
		}
		counts, err := campaignCounts(ctx, conn.warehouse, "")
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "id\tname\ttrigger\tchannel\tsent\theld\twaiting\t")
		for i := range rules.Campaigns.Campaigns {
			c := &rules.Campaigns.Campaigns[i]
			n, paused := counts[c.ID], ""
			if c.Paused {
				paused = "paused"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", c.ID, c.Name, c.Trigger.Kind, c.Channel, n.sent, n.held, n.waiting, paused)
		}
		fmt.Fprintf(t, "\nruns that began in the last %d days\n", campaignDays)
		return t.Flush()
	})
}

// runCounts is what became of a campaign's runs.
type runCounts struct {
	sent, held, waiting uint64
	reasons             map[string]uint64
}

// campaignCounts counts runs of the last days, of one campaign or of all.
func campaignCounts(ctx context.Context, w asker, id string) (map[string]*runCounts, error) {
	query := fmt.Sprintf(`SELECT campaign_id, last_outcome, last_reason, count() FROM
		(SELECT campaign_id, run_id, argMax(outcome, (sequence, index)) AS last_outcome, argMax(reason, (sequence, index)) AS last_reason, min(trigger_time) AS began
		 FROM campaign_log WHERE {campaign:String} IN ('', campaign_id) GROUP BY campaign_id, run_id)
		WHERE began > (SELECT max(entry_time) FROM entries WHERE kind = 'tick') - INTERVAL %d DAY
		GROUP BY campaign_id, last_outcome, last_reason`, campaignDays)
	_, rows, err := w.Ask(ctx, query, map[string]string{"campaign": id})
	if err != nil {
		return nil, err
	}
	out := map[string]*runCounts{}
	for _, row := range rows {
		campaign, outcome, reason := fmt.Sprint(row[0]), event.CampaignOutcome(fmt.Sprint(row[1])), fmt.Sprint(row[2])
		c := out[campaign]
		if c == nil {
			c = &runCounts{reasons: map[string]uint64{}}
			out[campaign] = c
		}
		n, _ := row[3].(uint64)
		switch outcome {
		case event.CampaignSent:
			c.sent += n
		case event.CampaignHeld:
			c.held += n
			c.reasons[reason] += n
		case event.CampaignPostponed:
			c.waiting += n
		}
	}
	return out, nil
}

type campaignShow struct {
	ID string `arg:"" help:"The campaign's id: its file's name without .yaml."`
}

// Run prints all about one campaign.
func (c *campaignShow) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needLog|needWarehouse, func(conn *connection) error {
		rules, err := conn.activeRules(ctx)
		if err != nil {
			return err
		}
		if _, err := findCampaign(rules, c.ID); err != nil {
			return err
		}
		fmt.Print(rules.Campaigns.Describe(c.ID))
		counts, err := campaignCounts(ctx, conn.warehouse, c.ID)
		if err != nil {
			return err
		}
		n := counts[c.ID]
		if n == nil {
			fmt.Printf("\nNothing triggered it in the last %d days.\n", campaignDays)
			return nil
		}
		fmt.Printf("\nLast %d days: %d sent, %d waiting, %d held back\n", campaignDays, n.sent, n.waiting, n.held)
		t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, reason := range slices.Sorted(maps.Keys(n.reasons)) {
			fmt.Fprintf(t, "  %s\t%d\n", reason, n.reasons[reason])
		}
		return t.Flush()
	})
}

func findCampaign(rules *bundle.Bundle, id string) (*campaigns.Campaign, error) {
	c, ok := rules.Campaigns.Find(id)
	if !ok {
		return nil, fmt.Errorf("there is no campaign %q: punchcard campaign list", id)
	}
	return c, nil
}

type campaignPreview struct {
	ID       string `arg:"" help:"The campaign's id: its file's name without .yaml."`
	Customer string `required:"" help:"The customer whose standing fills the variables."`
	Dir      string `help:"Folder of the bundle; without it, the active one." type:"existingdir"`
}

// Run renders every arm for the customer. It sends nothing.
func (c *campaignPreview) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needLog|needWarehouse|needDoor, func(conn *connection) error {
		rules, err := c.rules(ctx, conn)
		if err != nil {
			return err
		}
		campaign, err := findCampaign(rules, c.ID)
		if err != nil {
			return err
		}
		var r reading
		if _, err := conn.get(ctx, "/v1/customers/"+url.PathEscape(c.Customer), &r); err != nil {
			return err
		}
		facts, err := readFacts(ctx, conn.warehouse, c.Customer)
		if err != nil {
			return err
		}
		return previewCampaign(os.Stdout, rules, campaign, &r, facts)
	})
}

func (c *campaignPreview) rules(ctx context.Context, conn *connection) (*bundle.Bundle, error) {
	if c.Dir == "" {
		return conn.activeRules(ctx)
	}
	_, rules, err := loadBundle(c.Dir)
	return rules, err
}

// readFacts reads a customer's facts as ClickHouse has them.
func readFacts(ctx context.Context, w asker, customerID string) (map[string]string, error) {
	_, rows, err := w.Ask(ctx, `SELECT name, argMax(value, (sequence, index)) AS v FROM customer_facts
		WHERE account_id = {customer:String} GROUP BY name HAVING v != 'null'`, map[string]string{"customer": customerID})
	if err != nil {
		return nil, err
	}
	facts := map[string]string{}
	for _, row := range rows {
		value := fmt.Sprint(row[1])
		var text string
		if json.Unmarshal([]byte(value), &text) == nil {
			value = text
		}
		facts[fmt.Sprint(row[0])] = value
	}
	return facts, nil
}

// previewPoints stand for {{points_earned}}, which only a trigger knows.
const previewPoints = 100

func previewCampaign(w io.Writer, rules *bundle.Bundle, c *campaigns.Campaign, r *reading, facts map[string]string) error {
	arm := rules.Campaigns.Assign(c, r.Standing.CustomerID)
	fmt.Fprintf(w, "customer %s, as of %s\n", r.Standing.CustomerID, r.Clock)
	switch arm {
	case event.ArmHoldout, event.ArmGlobalHoldout:
		fmt.Fprintf(w, "is in the %s: this customer gets none of it, ever\n", strings.ReplaceAll(arm, "_", " "))
	default:
		fmt.Fprintf(w, "would get arm %s, if audience, consent (%s for %s on %s), hours and caps allow\n", arm, consentText(facts, c), c.Purpose, c.Channel)
	}
	values := campaigns.Values(rules.Book, &r.Standing, r.Clock, previewPoints)
	for i := range c.Arms {
		a := &c.Arms[i]
		text := a.Text(facts["language"])
		subject, noSubject := text.Subject.Render(values)
		body, noBody := text.Text.Render(values)
		fmt.Fprintf(w, "\narm %s, %s\n", a.ID, text.Locale)
		if missing := noSubject + noBody; missing != "" {
			fmt.Fprintf(w, "  cannot be rendered for this customer: {{%s}} has no value; the run would be held: %s\n", missing, event.HeldNotRendered)
			continue
		}
		if subject != "" {
			fmt.Fprintf(w, "  %s\n\n", subject)
		}
		fmt.Fprintln(w, "  "+strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n  "))
	}
	return nil
}

// consentText names the most specific fact that says something.
func consentText(facts map[string]string, c *campaigns.Campaign) string {
	for _, name := range []string{"consent." + c.Channel + "." + string(c.Purpose), "consent." + c.Channel, "consent"} {
		if v, ok := facts[name]; ok {
			return name + " is " + v
		}
	}
	return "none is known"
}

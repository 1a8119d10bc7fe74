package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/punchcard/punchcard/event"
)

const (
	// maxAnswerBytes bounds what is read of an answer of the door.
	maxAnswerBytes = 64 << 20
	doorTimeout    = 30 * time.Second
)

// customerCommand shows how a customer stands, and why.
type customerCommand struct {
	ID    string `arg:"" help:"Customer id."`
	Last  int    `help:"How many entries of the ledger to show." default:"20"`
	Plain bool   `name:"json" help:"JSON, as the door gives it."`
}

// reading is the door's answer.
type reading struct {
	Standing  event.Standing `json:"standing"`
	Partition int32          `json:"partition"`
	Sequence  int64          `json:"sequence"`
	Clock     event.Time     `json:"clock"`
}

// Run asks the door.
func (c *customerCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needDoor, func(conn *connection) error {
		path := "/v1/customers/" + url.PathEscape(c.ID)
		var r reading
		raw, err := conn.get(ctx, path, &r)
		if err != nil {
			return err
		}
		var list struct {
			Entries []event.Entry `json:"entries"`
		}
		rawEntries, err := conn.get(ctx, fmt.Sprintf("%s/entries?limit=%d", path, c.Last), &list)
		if err != nil {
			return err
		}
		if c.Plain {
			fmt.Printf("%s\n%s\n", raw, rawEntries)
			return nil
		}
		printCustomer(os.Stdout, &r, list.Entries)
		return nil
	})
}

// get asks the door with the read key and decodes the answer.
func (c *connection) get(ctx context.Context, path string, into any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, doorTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.door+path, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(c.readKey, "")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the door: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, errors.New("no such customer")
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the door answered %s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return text, json.Unmarshal(text, into)
}

// printCustomer writes standing and story, newest first.
func printCustomer(w io.Writer, r *reading, entries []event.Entry) {
	s := &r.Standing
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("customer", "%s (partition %d, as of entry %d, clock %s)", s.CustomerID, r.Partition, r.Sequence, r.Clock)
	if s.Member {
		line("member", "since %s", s.EnrolledTime)
	} else {
		line("member", "no")
	}
	line("balance", "%d points", s.Balance)
	if s.NextExpiryPoints > 0 {
		line("next expiry", "%d points after %s", s.NextExpiryPoints, s.NextExpiryOn)
	}
	if s.Tier != "" {
		review := ""
		if s.TierReviewOn != 0 {
			review = ", review on " + s.TierReviewOn.String()
		}
		line("tier", "%s since %s%s, spend that counts %s", s.Tier, s.TierSince, review, amount(s.TierSpendMinor, s.Currency))
	}
	line("scores", "%s", scores(s.Scores))
	line("segments", "%s", strings.Join(s.Segments, ", "))
	line("orders", "%d, net %s; first %s, last %s", s.Orders, amount(s.NetSpendMinor, s.Currency), s.FirstOrderTime, s.LastOrderTime)
	if s.IsSimulated {
		line("simulated", "yes: this customer is not real")
	}
	t.Flush()
	fmt.Fprintf(w, "\nwhy (newest first; %d entries)\n", len(entries))
	for i := range entries {
		printEntry(w, &entries[i])
	}
}

// printEntry writes one entry: cause, then each effect with its rule.
func printEntry(w io.Writer, e *event.Entry) {
	mark := ""
	if e.IsSimulated {
		mark = " [simulated]"
	}
	fmt.Fprintf(w, "%s  #%d %s%s: %s", e.EventTime, e.Sequence, causeOf(e), mark, e.Outcome)
	if e.Reason != "" {
		fmt.Fprintf(w, " (%s)", e.Reason)
	}
	if e.BundleID != "" {
		fmt.Fprintf(w, ", rules %.12s", e.BundleID)
	}
	fmt.Fprintln(w)
	say := func(format string, args ...any) { fmt.Fprintf(w, "    "+format+"\n", args...) }
	if e.Enrolment != nil {
		say("enrolled by %s", e.Enrolment.RuleID)
	}
	if o := e.Order; o != nil {
		say("order %s: %d lines, net %s, earning base %s", o.OrderID, len(o.Lines), amount(o.NetMinor, o.Currency), amount(o.BaseMinor, o.Currency))
	}
	if f := e.Refund; f != nil {
		say("refund %s: %s, found in orders %s", f.RefundID, amount(f.NetMinor, f.Currency), amount(f.MatchedMinor, f.Currency))
	}
	if q := e.Redemption; q != nil {
		say("redemption %s of %d points: balance %d", q.RedemptionID, q.Points, q.Balance)
	}
	for _, d := range e.Decisions {
		say("%+d points by %s%s", d.Points, d.RuleID, why(&d))
	}
	for _, p := range e.Postings {
		if p.Account == event.AccountCustomer && p.Reason != event.PostEarn {
			say("%+d points: %s of lot %s", p.Points, p.Reason, p.LotID)
		}
	}
	for _, f := range e.Facts {
		say("fact %s is %s", f.Name, f.Value)
	}
	for _, c := range e.Segments {
		say("%s segment %s: %s (%s)", c.Change, c.SegmentID, c.Clause, c.Cause)
	}
	if c := e.Tier; c != nil {
		say("tier %s → %s: %s", orNone(c.From), orNone(c.To), c.Reason)
	}
	if c := e.Scores; c != nil {
		say("scores %s → %s: %s", scores(c.From), scores(c.To), c.Reason)
	}
}

func causeOf(e *event.Entry) string {
	if e.Cause.Name != "" {
		return string(e.Kind) + " " + e.Cause.Name
	}
	return string(e.Kind) + " " + string(e.Cause.Type)
}

func why(d *event.Decision) string {
	s := ""
	if d.Percent != 0 && d.Percent != 100 {
		s += fmt.Sprintf(" × %d %%", d.Percent)
	}
	if len(d.Multipliers) > 0 {
		s += " (" + strings.Join(d.Multipliers, ", ") + ")"
	}
	if d.Reason != "" {
		s += ": " + d.Reason
	}
	return s
}

func scores(s event.Scores) string {
	if s == (event.Scores{}) {
		return "none"
	}
	return fmt.Sprintf("R%d F%d M%d", s.R, s.F, s.M)
}

func orNone(tier string) string {
	if tier == "" {
		return "none"
	}
	return tier
}

// amount writes minor units as an exact decimal with its currency.
func amount(minor int64, currency string) string {
	digits := event.MinorDigits(currency)
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	s := fmt.Sprintf("%0*d", digits+1, minor)
	if digits > 0 {
		s = s[:len(s)-digits] + "." + s[len(s)-digits:]
	}
	return strings.TrimSpace(sign + s + " " + currency)
}

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/punchcard/punchcard/campaigns/subscriber"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/bundle"
)

// shopBundle are the segments and campaigns of the shop in TestShopsDay. It is
// quiet for an hour on both sides of now, so that who is in UTC has to wait and who is in
// Tokyo has not.
func shopBundle(now time.Time) map[string]string {
	quiet := fmt.Sprintf("{from: %q, until: %q}", now.Add(-time.Hour).Format("15:04"), now.Add(time.Hour).Format("15:04"))
	return map[string]string{
		"program.yaml":             smallProgram,
		"segments/regulars.yaml":   "name: Regulars\nwho: {orders: {at_least: 2}}\n",
		"segments/detractors.yaml": "who: {latest: {of: Survey Answered, where: {kind: nps}, property: score, at_most: 6}}\n",
		"campaigns/regular.yaml": `name: Good to see you again
purpose: marketing
channel: email
when: {enters: regulars}
again: never
holdout: 30
conversion: 14 days
quiet_hours: none
arms:
  - {id: a, weight: 1, subject: "Again!", text: "Hello {{first_name}}, {{orders}} orders make {{balance}} points.", locales: {de: {subject: "Wieder da!", text: "Hallo {{first_name}}, {{orders}} Bestellungen, {{balance}} Punkte."}}}
  - {id: b, weight: 1, subject: "Nice", text: "You are {{tier}} now."}
`,
		"campaigns/sorry.yaml": `purpose: service
channel: email
when: {enters: detractors}
quiet_hours: none
message: {subject: "What went wrong?", text: "Just answer this message."}
`,
		"campaigns/thanks.yaml": `purpose: marketing
channel: email
when: {event: Order Completed}
again: always
quiet_hours: ` + quiet + `
message: {subject: "Thank you", text: "Your order is on its way."}
`,
	}
}

// writeFiles makes a folder of these files.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shop is the running program, with a campaign tool beside it.
type shop struct {
	*place
	t    *testing.T
	n    int
	tool *subscriber.Outcomes

	mu       sync.Mutex
	received []event.CampaignMessage
}

// assigned finds a customer whom a campaign assigns to an arm: it is a hash, and no
// draw.
func assigned(t *testing.T, rules *bundle.Bundle, campaign, name, arm string) string {
	t.Helper()
	c, err := findCampaign(rules, campaign)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if id := fmt.Sprintf("%s-%d", name, i); rules.Campaigns.Assign(c, id) == arm {
			return id
		}
	}
	t.Fatalf("nobody of a thousand is in arm %s of %s", arm, campaign)
	return ""
}

// TestShopsDay: what a shop does with segments and campaigns, on the real program,
// with a campaign tool on the topic.
func TestShopsDay(t *testing.T) {
	p := newPlace(t)
	files := shopBundle(time.Now().UTC())
	rules, problems := bundle.Parse(files)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	pr := p.spawn("serve")
	p.awaitDoor(pr, time.Minute)
	p.mustRun("program", "activate", writeFiles(t, files))
	p.awaitReady(pr, time.Minute)
	s := &shop{place: p, t: t}
	stopTool := s.startTool()
	who := map[string]string{
		"ann": assigned(t, rules, "regular", "ann", "a"), "bob": assigned(t, rules, "regular", "bob", "b"),
		"hal": assigned(t, rules, "regular", "hal", event.ArmHoldout), "cat": assigned(t, rules, "regular", "cat", "a"), "quin": "quin",
	}
	s.identify(who["ann"], `{"consent":{"email":true},"time_zone":"Asia/Tokyo","language":"de","email":"ann@shop.example","firstName":"Ann"}`)
	s.identify(who["bob"], `{"consent":{"email":{"marketing":true}},"time_zone":"Asia/Tokyo"}`)
	s.identify(who["hal"], `{"consent":{"email":true},"time_zone":"Asia/Tokyo"}`)
	s.identify(who["cat"], `{"time_zone":"Asia/Tokyo"}`)
	s.identify(who["quin"], `{"consent":{"email":true},"time_zone":"UTC"}`)
	step := func(name string, fn func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			s.t = t
			fn(t)
		})
	}
	step("messages", func(t *testing.T) { s.messages(t, who) })
	step("outcomes", func(t *testing.T) { s.outcomes(t, who) })
	step("unsubscribed", func(t *testing.T) { s.unsubscribed(t, who["ann"]) })
	step("commands", func(t *testing.T) { s.commands(t, who) })
	step("second bundle", func(t *testing.T) { s.secondBundle(t, files) })
	step("a broken campaign", func(t *testing.T) { s.broken(t, files) })
	t.Run("kafka-go", p.kafkaGoMessages)
	t.Run("schemas", p.campaignTopicsKeepTheirSchemas)
	stopTool()
	verified(t, p)
	pr.interrupt()
	verified(t, p) // alone
}

// startTool runs the campaign tool: it reports that all messages arrived, and that
// those of arm a were opened and clicked.
func (s *shop) startTool() (stop func()) {
	t := s.t
	t.Helper()
	var err error
	if s.tool, err = subscriber.NewOutcomes(subscriber.DoorConfig{URL: "http://" + s.http, Key: s.key("server")}); err != nil {
		t.Fatal(err)
	}
	sub, err := subscriber.New(subscriber.Config{
		Brokers: []string{s.kafkaBroker()}, Prefix: s.topic(""), Group: "tool", Channels: []string{event.ChannelEmail},
		Report: func(err error) { t.Log(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- sub.Run(ctx, func(ctx context.Context, m event.CampaignMessage) error {
			if err := s.tool.Delivered(ctx, m, time.Time{}); err != nil {
				return err
			}
			if m.Arm == "a" {
				if err := s.tool.Opened(ctx, m, time.Time{}); err != nil {
					return err
				}
				if err := s.tool.Clicked(ctx, m, "https://shop.example/sale?who=ann", time.Time{}); err != nil {
					return err
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.received = append(s.received, m)
			return nil
		})
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("the campaign tool: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// got are the messages of a campaign to a customer that the tool has received.
func (s *shop) got(campaign, customer string) (out []event.CampaignMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.received {
		if m.CampaignID == campaign && m.CustomerID == customer {
			out = append(out, m)
		}
	}
	return out
}

func (s *shop) await(campaign, customer string, n int) []event.CampaignMessage {
	s.t.Helper()
	until(s.t, fmt.Sprintf("%d messages of %s to %s", n, campaign, customer), time.Minute, func() bool { return len(s.got(campaign, customer)) >= n })
	return s.got(campaign, customer)
}

func (s *shop) identify(customer, traits string) {
	s.t.Helper()
	s.n++
	s.send(s.t, "server", "/v1/identify", fmt.Sprintf(`{"userId":%q,"messageId":"i%d","traits":%s}`, customer, s.n, traits))
}

// track posts an event and returns its id.
func (s *shop) track(customer, name, properties string) string {
	s.t.Helper()
	s.n++
	id := fmt.Sprintf("m%d", s.n)
	s.send(s.t, "server", "/v1/track", fmt.Sprintf(`{"userId":%q,"messageId":%q,"event":%q,"properties":%s}`, customer, id, name, properties))
	return id
}

// order is an order of ten dollars.
func (s *shop) order(customer string) string {
	s.t.Helper()
	return s.track(customer, event.NameOrderCompleted, fmt.Sprintf(`{"order_id":"o%d","currency":"USD","total":10,"products":[{"product_id":"p","price":10,"quantity":1}]}`, s.n))
}

// decision is the newest decision on the run that an event began.
func (s *shop) decision(campaign, causeID, want string) {
	s.t.Helper()
	query := fmt.Sprintf("SELECT argMax(outcome, sequence) AS outcome, argMax(reason, sequence) AS reason, argMax(arm, sequence) AS arm FROM campaign_log WHERE campaign_id = '%s' AND cause_id = '%s' GROUP BY run_id", campaign, causeID)
	s.settles(query, want)
}

// settles waits until a query has one row, which must be this one: ClickHouse follows.
func (s *shop) settles(query, want string) {
	s.t.Helper()
	var rows []map[string]any
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if rows = s.sql(query); len(rows) == 1 && fmt.Sprint(rows[0]) == want {
			return
		}
		time.Sleep(50 * time.Millisecond) // between looks
	}
	s.t.Errorf("%s\nhave %v\nwant [%s]", query, rows, want)
}

// messages: who gets what, who is held back or has to wait, and why.
func (s *shop) messages(t *testing.T, who map[string]string) {
	first, second := map[string]string{}, map[string]string{}
	for name, id := range who {
		first[name] = s.order(id)
		if name != "quin" {
			second[name] = s.order(id)
		}
	}
	survey := s.track(who["cat"], "Survey Answered", `{"kind":"nps","score":3,"survey_id":"s1"}`)
	m := s.await("regular", who["ann"], 1)[0]
	if m.Subject != "Wieder da!" || m.Text != "Hallo {{first_name}}, 2 Bestellungen, 20 Punkte." || m.Locale != "de" || m.Arm != "a" || m.Cause.ID != second["ann"] {
		t.Errorf("to ann: %+v", m)
	}
	if m = s.await("regular", who["bob"], 1)[0]; m.Text != "You are Bronze now." || m.Arm != "b" || m.Locale != "en" {
		t.Errorf("to bob: %+v", m)
	}
	if m = s.await("sorry", who["cat"], 1)[0]; m.Cause.ID != survey {
		t.Errorf("to cat: %+v", m)
	}
	s.await("thanks", who["ann"], 2)
	sent, noConsent := "map[arm:message outcome:sent reason:]", "map[arm: outcome:held reason:no_consent]"
	s.decision("thanks", first["ann"], sent)
	s.decision("thanks", second["hal"], sent)
	s.decision("thanks", first["cat"], noConsent)
	s.decision("thanks", first["quin"], "map[arm:message outcome:postponed reason:quiet_hours]")
	s.decision("regular", second["cat"], noConsent)
	s.decision("regular", second["hal"], "map[arm:holdout outcome:held reason:campaign_holdout]")
	s.decision("sorry", survey, sent)
	for _, none := range [][2]string{{"regular", who["hal"]}, {"regular", who["cat"]}, {"thanks", who["cat"]}, {"thanks", who["quin"]}} {
		if got := s.got(none[0], none[1]); len(got) > 0 {
			t.Errorf("%s got %+v", none[1], got)
		}
	}
	s.settles("SELECT change, cause, cause_id FROM segment_changes WHERE segment_id = 'regulars' AND account_id = '"+who["ann"]+"'", "map[cause:event cause_id:"+second["ann"]+" change:entered]")
}

// outcomes: what the tool reports, and orders as conversions by assignment.
func (s *shop) outcomes(t *testing.T, who map[string]string) {
	s.order(who["ann"])
	s.order(who["hal"]) // got nothing, and converts all the same
	columns := "runs, held, sent, delivered, opened, clicked, unsubscribed, converted_14_days AS converted"
	funnel := func(arm, want string) {
		t.Helper()
		s.settles("SELECT "+columns+" FROM campaign_funnel WHERE campaign_id = 'regular' AND arm = '"+arm+"' AND NOT is_simulated", want)
	}
	funnel(event.ArmHoldout, "map[clicked:0 converted:1 delivered:0 held:1 opened:0 runs:1 sent:0 unsubscribed:0]")
	funnel("b", "map[clicked:0 converted:0 delivered:1 held:0 opened:0 runs:1 sent:1 unsubscribed:0]")
	funnel("", "map[clicked:0 converted:0 delivered:0 held:1 opened:0 runs:1 sent:0 unsubscribed:0]")
	funnel("a", "map[clicked:1 converted:1 delivered:1 held:0 opened:1 runs:1 sent:1 unsubscribed:0]")
	m := s.await("regular", who["ann"], 1)[0]
	s.settles("SELECT arrayStringConcat(arraySort(groupArray(toString(outcome))), ' ') AS all, any(channel) AS channel FROM outcomes WHERE message_id = '"+m.MessageID+"' AND account_id = '"+who["ann"]+"'",
		"map[all:clicked delivered opened channel:email]")
	s.settles("SELECT properties['link_url'] AS link FROM activities WHERE startsWith(message_id, '"+m.MessageID+"/clicked/')", "map[link:https://shop.example/sale]")
	s.settles("SELECT converted, orders, toString(spend) AS spend FROM campaign_conversions(conversion_days = 14) WHERE campaign_id = 'regular' AND arm = 'holdout'", "map[converted:1 orders:1 spend:10]")
}

// unsubscribed: the very next marketing run is held.
func (s *shop) unsubscribed(t *testing.T, ann string) {
	if err := s.tool.Unsubscribed(context.Background(), s.await("regular", ann, 1)[0], time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.decision("thanks", s.order(ann), "map[arm: outcome:held reason:no_consent]")
	s.settles("SELECT argMax(value, sequence) AS value FROM customer_facts WHERE account_id = '"+ann+"' AND name = 'consent.email'", "map[value:false]")
	s.settles("SELECT unsubscribed FROM campaign_funnel WHERE campaign_id = 'regular' AND arm = 'a' AND unsubscribed > 0", "map[unsubscribed:1]")
	s.identify(ann, `{"consent":{"email":true}}`)
	s.decision("thanks", s.order(ann), "map[arm:message outcome:sent reason:]")
}

// commands: what a person asks beside the running program.
func (s *shop) commands(t *testing.T, who map[string]string) {
	file := filepath.Join(t.TempDir(), "twice.yaml")
	if err := os.WriteFile(file, []byte("who: {all: [{orders: {at_least: 2}}, {segment: detractors}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"campaign", "list"}, []string{"Good to see you again", "segment_entered", "thanks", "sorry"}},
		{[]string{"campaign", "show", "regular"}, []string{"Good to see you again", "held back", event.HeldCampaignHoldout, event.HeldNoConsent}},
		{[]string{"campaign", "preview", "regular", "--customer", who["ann"]}, []string{"would get arm a", "consent.email is true", "arm b", "Wieder da!", "Bestellungen"}},
		{[]string{"campaign", "preview", "regular", "--customer", who["hal"]}, []string{"is in the holdout"}},
		{[]string{"campaign", "preview", "regular", "--customer", who["cat"]}, []string{"none is known"}},
		{[]string{"segment", "list"}, []string{"Regulars", "detractors", "of 5 customers"}},
		{[]string{"segment", "show", "regulars"}, []string{"4 of 5 customers", "entered"}},
		{[]string{"segment", "preview", file}, []string{"1 of 5 customers", "Overlap", "regulars", who["cat"]}},
	} {
		out := s.mustRun(c.args...)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("punchcard %s does not say %q:\n%s", strings.Join(c.args, " "), want, out)
			}
		}
	}
	if out, err := s.run("campaign", "show", "nobody"); err == nil || !strings.Contains(out, "campaign list") {
		t.Errorf("a campaign that is not there: %v %s", err, out)
	}
}

// reviewers have reviewed before the second bundle; walkIns order while it comes.
const (
	reviewers = 20
	walkIns   = 10
)

// secondBundle activates another one in mid-traffic: a new segment knows the past,
// its first members enter by activation, and only the campaign with existing: true
// is for them.
func (s *shop) secondBundle(t *testing.T, files map[string]string) {
	for i := range reviewers {
		s.track(fmt.Sprintf("rev-%d", i), "Product Reviewed", `{"product_id":"tea","rating":5}`)
	}
	stop := s.walkIn(t)
	next := maps.Clone(files)
	delete(next, "campaigns/thanks.yaml")
	next["segments/reviewers.yaml"] = "who: {count: {of: Product Reviewed, at_least: 1}}\n"
	next["campaigns/fresh.yaml"] = "purpose: service\nchannel: push\nwhen: {enters: reviewers}\nmessage: {text: \"Your first review.\"}\n"
	next["campaigns/catch-up.yaml"] = "purpose: service\nchannel: push\nexisting: true\nwhen: {enters: reviewers}\nmessage: {text: \"You have reviewed.\"}\n"
	t.Log(s.mustRun("program", "activate", writeFiles(t, next)))
	count := func(query, want string) {
		t.Helper()
		s.settles("SELECT toString(count()) AS n FROM "+query, "map[n:"+want+"]")
	}
	all := strconv.Itoa(reviewers)
	count("(SELECT DISTINCT account_id FROM segment_changes WHERE segment_id = 'reviewers' AND change = 'entered' AND cause = 'activation')", all)
	count("messages WHERE campaign_id = 'catch-up' AND trigger = 'existing'", all)
	late := s.track("late", "Product Reviewed", `{"product_id":"tea","rating":5}`)
	s.decision("fresh", late, "map[arm:message outcome:sent reason:]")
	s.decision("catch-up", late, "map[arm:message outcome:sent reason:]")
	count("campaign_log WHERE campaign_id = 'fresh'", "1")
	count("(SELECT DISTINCT account_id FROM messages WHERE campaign_id = 'catch-up')", strconv.Itoa(reviewers+1))
	// The run that waited for the end of the quiet has no campaign any more.
	s.settles("SELECT outcome, reason, toString(count()) AS n FROM campaign_runs WHERE campaign_id = 'thanks' AND customer_id = 'quin' GROUP BY ALL", "map[n:1 outcome:held reason:withdrawn]")
	orders := stop()
	until(t, "all orders in ClickHouse", time.Minute, func() bool {
		return fmt.Sprint(s.sql("SELECT toString(count()) AS n FROM orders WHERE startsWith(account_id, 'walk-')")[0]["n"]) == fmt.Sprint(orders)
	})
	t.Logf("%d orders came meanwhile", orders)
}

// walkIn posts orders until it is stopped, and returns how many were taken.
func (s *shop) walkIn(t *testing.T) (stop func() int64) {
	ctx, cancel := context.WithCancel(context.Background())
	var taken atomic.Int64
	var wg sync.WaitGroup
	for i := range walkIns {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("walk-%d-%d", i, n)
				status, answer, err := s.call(context.Background(), "server", "/v1/track", message{"messageId": id, "userId": fmt.Sprintf("walk-%d", i), "event": event.NameOrderCompleted,
					"properties": map[string]any{"order_id": id, "currency": "USD", "products": []any{product(0, 500)}}})
				if err != nil || status != 200 {
					t.Errorf("order %s: %d %v %v", id, status, answer, err)
					return
				}
				taken.Add(1)
			}
		})
	}
	t.Cleanup(cancel)
	until(t, "traffic", time.Minute, func() bool { return taken.Load() > 50 })
	return func() int64 {
		before := taken.Load()
		until(t, "traffic afterwards", time.Minute, func() bool { return taken.Load() > before+20 })
		cancel()
		wg.Wait()
		return taken.Load()
	}
}

// broken: each problem at its place; nothing is activated.
func (s *shop) broken(t *testing.T, files map[string]string) {
	wrong := maps.Clone(files)
	wrong["campaigns/broken.yaml"] = `purpose: marketing
channel: fax
when: {enters: regular}
message:
  subject: "Hello"
  text: "You have {{balanse}} points."
`
	dir := writeFiles(t, wrong)
	out, err := s.run("program", "check", dir)
	if err == nil {
		t.Error("a broken campaign passes the check")
	}
	for _, want := range []string{"campaigns/broken.yaml:2:10: ", "campaigns/broken.yaml:3:16: ", "campaigns/broken.yaml:6:19: "} {
		if !strings.Contains(out, want) {
			t.Errorf("no problem at %s in:\n%s", want, out)
		}
	}
	before := s.mustRun("campaign", "list")
	if out, err := s.run("program", "activate", dir); err == nil {
		t.Errorf("a broken bundle was activated: %s", out)
	}
	ids := func(list string) (out []string) {
		for _, line := range strings.Split(list, "\n") {
			if f := strings.Fields(line); len(f) > 0 {
				out = append(out, f[0])
			}
		}
		return out
	}
	if after := s.mustRun("campaign", "list"); !slices.Equal(ids(after), ids(before)) {
		t.Errorf("the campaigns after a broken bundle:\n%s", after)
	}
}

// campaignsWereAtWork: under load runs were sent, waited, were held for the
// holdout and after the wait; and prints how many. Otherwise a test of kills has not tested
// them.
func (p *place) campaignsWereAtWork(t *testing.T) {
	t.Helper()
	n := map[string]int{}
	for _, row := range p.sql("SELECT outcome, reason, toString(uniqExact(run_id)) AS n FROM campaign_log GROUP BY ALL ORDER BY ALL") {
		runs, err := strconv.Atoi(fmt.Sprint(row["n"]))
		if err != nil {
			t.Fatal(err)
		}
		n[strings.TrimSpace(fmt.Sprint(row["outcome"], " ", row["reason"]))] = runs
	}
	t.Logf("runs of campaigns: %v", n)
	for _, want := range []string{"sent", "postponed " + event.PostponedWaiting, "held " + event.HeldCampaignHoldout} {
		if n[want] == 0 {
			t.Errorf("the load made no run that was %s", want)
		}
	}
	p.kafkaGoMessages(t)
}

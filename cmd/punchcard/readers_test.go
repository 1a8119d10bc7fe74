package main

// Clients that read: Kafka consumers, ClickHouse clients, operators. Part of
// TestClientsOfTheRunningProgram.

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/warehouse"
)

// kafkaBroker and topic are what a Kafka client is told.
func (p *place) kafkaBroker() string {
	if kafka() != "" {
		return kafka()
	}
	return p.broker
}

func (p *place) topic(name string) string {
	if p.tenant != "" {
		return p.tenant + "." + name
	}
	return name
}

// kafkaGo reads customers and ledger as a plain consumer group.
func (p *place) kafkaGo(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r := kafkago.NewReader(kafkago.ReaderConfig{
		Brokers: []string{p.kafkaBroker()}, GroupID: p.topic("kafka-go"), GroupTopics: []string{p.topic(event.TopicCustomers), p.topic(event.TopicLedger)},
		StartOffset: kafkago.FirstOffset, MaxWait: 100 * time.Millisecond, ErrorLogger: kafkago.LoggerFunc(func(format string, args ...any) { t.Logf("kafka-go: "+format, args...) }),
	})
	defer r.Close()
	markers := 0
	entries, standings := map[string]event.Entry{}, map[string]event.Customer{}
	all := make([]int, 8)
	for i := range all {
		all[i] = i
	}
	done := func() bool {
		_, goEntry := entries["go-m2"]
		return goEntry && standings["go-1"].Balance == 85 && standings["node-1"].Balance == 40 && standings["curl-1"].Balance == 5
	}
	for !done() {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("%v; seen %d entries, %d customers", err, len(entries), len(standings))
		}
		if isMarker(m) {
			markers++
			continue
		}
		if len(m.Key) > 0 {
			if want := (kafkago.Murmur2Balancer{}).Balance(kafkago.Message{Key: m.Key}, all...); m.Partition != want {
				t.Errorf("key %q is in partition %d, every Kafka client would look in %d", m.Key, m.Partition, want)
			}
		}
		if m.Topic == p.topic(event.TopicLedger) {
			var e event.Entry
			if err := json.Unmarshal(m.Value, &e); err != nil {
				t.Fatalf("ledger/%d@%d: %v", m.Partition, m.Offset, err)
			}
			entries[e.Cause.ID] = e
			continue
		}
		var c event.Customer
		if err := json.Unmarshal(m.Value, &c); err != nil {
			t.Fatalf("customers/%d@%d: %v", m.Partition, m.Offset, err)
		}
		if c.CustomerID != string(m.Key) || c.Sequence < standings[c.CustomerID].Sequence {
			t.Errorf("key %s: customer %s at %d after %d", m.Key, c.CustomerID, c.Sequence, standings[c.CustomerID].Sequence)
		}
		standings[c.CustomerID] = c
	}
	if e := entries["go-m2"]; e.Order == nil || e.Order.OrderID != "go-o1" || len(e.Postings) == 0 || e.AccountID != "go-1" {
		t.Errorf("the entry of go-m2: %+v", e)
	}
	t.Logf("%d entries, %d customers read, %d markers of transactions passed over", len(entries), len(standings), markers)
}

// kafkaGoMessages reads every campaigns.<channel> that has messages, with the
// isolation that clients have by default, read uncommitted: each message is one
// committed decision, and none is missing. A message may come again, with the same
// id and content.
func (p *place) kafkaGoMessages(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	decided := p.decidedMessages(t)
	var topics []string
	for _, e := range decided {
		if name := p.topic(event.TopicCampaigns(e.Decision.Channel)); !slices.Contains(topics, name) {
			topics = append(topics, name)
		}
	}
	r := kafkago.NewReader(kafkago.ReaderConfig{
		Brokers: []string{p.kafkaBroker()}, GroupID: p.topic("kafka-go-messages"), GroupTopics: topics, IsolationLevel: kafkago.ReadUncommitted,
		StartOffset: kafkago.FirstOffset, MaxWait: time.Second, CommitInterval: time.Second, ErrorLogger: kafkago.LoggerFunc(func(format string, args ...any) { t.Logf("kafka-go: "+format, args...) }),
	})
	defer r.Close()
	seen, again := map[string]bool{}, 0
	for len(seen) < len(decided) {
		rec, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("%v; seen %d of %d messages", err, len(seen), len(decided))
		}
		var m event.CampaignMessage
		if err := json.Unmarshal(rec.Value, &m); err != nil {
			t.Fatalf("%s/%d@%d: %v", rec.Topic, rec.Partition, rec.Offset, err)
		}
		e, ok := decided[m.MessageID]
		switch {
		case !ok:
			t.Errorf("%s/%d@%d: message %s was never decided", rec.Topic, rec.Partition, rec.Offset, m.MessageID)
		case m.Sequence != e.Sequence || m.CustomerID != e.CustomerID || string(rec.Key) != e.CustomerID || m.Text != e.Message.Text || rec.Topic != p.topic(event.TopicCampaigns(e.Decision.Channel)):
			t.Errorf("%s/%d@%d: %+v was decided as %+v", rec.Topic, rec.Partition, rec.Offset, m, e)
		}
		if seen[m.MessageID] {
			again++
		}
		seen[m.MessageID] = true
	}
	t.Logf("%d messages read, %d came again", len(seen), again)
}

// decidedMessages are the committed decisions to send, by id.
func (p *place) decidedMessages(t *testing.T) map[string]*event.CampaignEntry {
	t.Helper()
	out := map[string]*event.CampaignEntry{}
	c, ctx := p.cluster(), context.Background()
	ends, err := c.Ends(ctx, event.TopicCampaignLog, stream.ReadCommitted)
	if err != nil {
		t.Fatal(err)
	}
	for part, r := range ends {
		_, err := c.Scan(ctx, event.TopicCampaignLog, part, r.Start, r.End, stream.ReadCommitted, func(rec *stream.Record) error {
			e := &event.CampaignEntry{}
			if err := event.DecodeCampaignEntry(rec.Value, e); err != nil || e.Message == nil {
				return err
			}
			if out[e.Message.MessageID] != nil {
				t.Errorf("message %s was decided twice", e.Message.MessageID)
			}
			out[e.Message.MessageID] = e
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) == 0 {
		t.Error("no message was decided: nothing was tested")
	}
	return out
}

// isMarker: kafka-go knows no control batches, on any broker, and hands their
// records out like all others: key version 0 and type (0 abort, 1 commit), 2 bytes
// each, and a value of 6 bytes. Ours have no key or an id, and JSON values.
func isMarker(m kafkago.Message) bool {
	return len(m.Key) == 4 && m.Key[0] == 0 && m.Key[1] == 0 && m.Key[2] == 0 && m.Key[3] <= 1 && len(m.Value) == 6
}

func (p *place) database() string {
	if p.tenant != "" {
		return "punchcard_" + p.tenant
	}
	return "punchcard"
}

// clickhouseHTTP asks as `curl` does, by POST and by GET.
func (p *place) clickhouseHTTP(t *testing.T) {
	query := "SELECT customer_id, balance, tier FROM customers WHERE customer_id IN ('go-1', 'node-1', 'curl-1') ORDER BY customer_id FORMAT JSONEachRow"
	want := `{"customer_id":"curl-1","balance":5,"tier":"bronze"}
{"customer_id":"go-1","balance":85,"tier":"gold"}
{"customer_id":"node-1","balance":40,"tier":"bronze"}
`
	address := "http://" + p.click + "/?database=" + p.database()
	for name, ask := range map[string]func() (int, string){
		"POST": func() (int, string) { return plain(t, "POST", address, "", query) },
		"GET":  func() (int, string) { return plain(t, "GET", address+"&query="+url.QueryEscape(query), "", "") },
	} {
		status, text := ask()
		// 64-bit numbers are quoted or not as the server's settings say.
		if plainText := strings.NewReplacer(`"5"`, "5", `"85"`, "85", `"40"`, "40").Replace(text); status != 200 || plainText != want {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	for _, refused := range []string{
		"INSERT INTO entries (partition) VALUES (1)", "DROP TABLE orders", "SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", "CREATE TABLE mine (a Int8) ENGINE = Memory",
	} {
		if status, text := plain(t, "POST", address, "", refused); status == 200 {
			t.Errorf("a reader may %s: %s", refused, text)
		}
	}
}

func (p *place) clickhouseGo(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w, err := warehouse.Open(ctx, warehouse.Config{URL: "http://" + p.click, Database: p.database(), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	columns, _, rows, err := w.Query(ctx, "SELECT customer_id, balance FROM customers WHERE customer_id = 'go-1'")
	if err != nil || fmt.Sprint(columns, rows) != "[customer_id balance] [[go-1 85]]" {
		t.Errorf("%v %v %v", columns, rows, err)
	}
	if _, _, _, err := w.Query(ctx, "DROP TABLE orders"); err == nil {
		t.Error("a read-only client dropped a table")
	}
}

// operators: /healthz, /readyz, /metrics and the OpenAPI file.
func (p *place) operators(t *testing.T) {
	get := func(path string) string {
		status, text := plain(t, "GET", "http://"+p.http+path, "", "")
		if status != 200 {
			t.Errorf("GET %s: %d %s", path, status, text)
		}
		return text
	}
	if text := get("/healthz") + get("/readyz"); text != "ok\nready\n" {
		t.Errorf("%q", text)
	}
	api, err := os.ReadFile(filepath.Join(root, "ingest", "openapi.yaml"))
	if err != nil || get("/v1/openapi.yaml") != string(api) {
		t.Errorf("/v1/openapi.yaml is not the file (%v)", err)
	}
	values := map[string]float64{}
	for _, line := range strings.Split(get("/metrics"), "\n") {
		name, value, ok := strings.Cut(line, " ")
		if ok && strings.HasPrefix(name, "punchcard_") {
			var v float64
			if _, err := fmt.Sscan(value, &v); err != nil {
				t.Errorf("/metrics: %q", line)
			}
			values[name] = v
		}
	}
	outcome := func(s string) float64 { return values[`punchcard_door_events_total{outcome="`+s+`"}`] }
	// Accepted: 1 early, 5 of Go, 4 of Node, 4 of the batch, and 3 redemptions
	// (their answers come from the ledger). Rejected: 1 of the batch, 1 public.
	if outcome("in") != outcome("accepted")+outcome("rejected")+outcome("turned_away") || outcome("accepted") != 17 || outcome("rejected") != 2 || outcome("turned_away") != 0 {
		t.Errorf("at the door: in %v, accepted %v, rejected %v, turned away %v", outcome("in"), outcome("accepted"), outcome("rejected"), outcome("turned_away"))
	}
	for i := range 8 {
		for _, name := range []string{
			fmt.Sprintf(`punchcard_clock_seconds{partition="%d"}`, i), fmt.Sprintf(`punchcard_ledger_sequence{partition="%d"}`, i),
			fmt.Sprintf(`punchcard_commits_total{partition="%d",role="%s"}`, i, roleProcessor), fmt.Sprintf(`punchcard_commits_total{partition="%d",role="%s"}`, i, roleCampaigns),
		} {
			if values[name] <= 0 {
				t.Errorf("/metrics: %s is %v", name, values[name])
			}
		}
		for _, role := range []string{roleProcessor, roleCampaigns, roleProjector, roleSink} {
			name := fmt.Sprintf(`punchcard_lag_records{role="%s",partition="%d"}`, role, i)
			other := fmt.Sprintf(`punchcard_lag_records{partition="%d",role="%s"}`, i, role)
			if _, ok := values[name]; !ok {
				if _, ok := values[other]; !ok {
					t.Errorf("/metrics has no %s", other)
				}
			}
		}
	}
	t.Logf("%d metrics of ours", len(values))
}

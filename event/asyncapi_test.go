package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// asyncTopic is a topic as asyncapi.yaml tells of it.
type asyncTopic struct {
	channel, address string
	schema, name     string // JSON Schema, and the Go type that it is of
	key, headers     string
	keep             string // compact, days or ever
	title, text      string
	example          string // of testdata
}

const (
	keepCompact = "compact"
	keepDays    = "days"
	keepEver    = "ever"

	keyAccount  = "Account id: the customer's id, or anon:… or guest:… for one without. Partition by Kafka's murmur2."
	keyCustomer = "Customer id. Partition by Kafka's murmur2, as in topic events."
)

var asyncTopics = []asyncTopic{
	{"campaigns", "campaigns.{channel}", "campaign_message.json", "CampaignMessage", keyCustomer, HeaderSource, keepDays, "Messages to send",
		"One topic a channel. A campaign tool reads it as a consumer group, sends what it reads, and reports what became of it to the door (POST /v1/track: " +
			"Email Delivered, Email Opened, Email Link Clicked, Email Bounced, Email Marked as Spam, Unsubscribed; with properties message_id, campaign_id, arm, channel).\n\n" +
			"The promise: each decision has one id, message_id. The topic never shows a decision that was not committed, whatever isolation a client uses. " +
			"A crash may repeat an id; so send once per message_id.\n\n" +
			"The tool holds addresses and names, and fills {{first_name}}, {{last_name}} and {{email}}. Do not send after expires_time.", "campaign_message.json"},
	{"segments", TopicSegments, "segment.json", "SegmentRecord", keyCustomer, HeaderSource, keepDays, "Who entered and left a segment, when and why",
		"Committed changes only; a crash may repeat one, with the same partition and sequence.", "segment.json"},
	{"customers", TopicCustomers, "customer.json", "Customer", keyCustomer, HeaderSource, keepCompact, "How each customer stands",
		"The newest record of a key holds. A crash may repeat one; partition and sequence say which is newer.", "customer.json"},
	{"rejects", TopicRejects, "reject.json", "Reject", "", "", keepDays, "What was refused, why, and what to do about it",
		"Holds what was sent, so it may hold personal data.", ""},
	{"events", TopicEvents, "event.json", "Event", keyAccount, HeaderClass, keepEver, "All that happened",
		"Written by Punchcard alone: send to the door. Besides customers' events it holds ticks, bundles, cut points and history brackets.", ""},
	{"ledger", TopicLedger, "entry.json", "Entry", keyAccount, HeaderState, keepEver, "All that was decided (internal, but open)",
		"The truth, one transactional writer a partition: read it with isolation.level=read_committed. sequence is dense in a partition: 1, 2, 3 …", "entry_least.json"},
	{"campaignLog", TopicCampaignLog, "campaign_entry.json", "CampaignEntry", keyCustomer, HeaderState, keepEver, "Every campaign decision, also those that sent nothing, with the reason (internal, but open)",
		"One transactional writer a partition: read it with isolation.level=read_committed.", "campaign_entry.json"},
}

var asyncHeaders = map[string]string{
	HeaderSource: "The entry it was made from, big endian: partition (4 bytes), sequence (8), offset (8).",
	HeaderClass:  "outer: happened outside, and ticks; derived: commands, cut points, bundles.",
	HeaderState:  "The state keys that the entry wrote; binary, for Punchcard's own machines.",
}

const asyncAbout = `Punchcard's topics, for whoever reads them with any Kafka client. All values are JSON with "v": 1; ignore fields that you
do not know. Times are UTC with milliseconds, money is in minor units, points are whole.

A tenant's topics have its name and a dot before them: acme.campaigns.email.

Decisions are made in transactions on ledger and campaign-log. What is copied from there to campaigns.*, segments and
customers is written after the commit and outside transactions: each decision has one id, the topic never shows an
uncommitted one, and a crash may repeat an id.
`

// pairs makes an ordered mapping of key, value, key, value ...
func pairs(kv ...any) yaml.MapSlice {
	var out yaml.MapSlice
	for i := 0; i < len(kv); i += 2 {
		if kv[i+1] != nil {
			out = append(out, yaml.MapItem{Key: kv[i], Value: kv[i+1]})
		}
	}
	return out
}

func pointer(path ...string) yaml.MapSlice { return pairs("$ref", "#/"+strings.Join(path, "/")) }

// asyncDocument makes the whole file from the JSON Schemas and the texts above.
func asyncDocument(t *testing.T) []byte {
	t.Helper()
	schemas := asyncSchemas(t)
	var channels, operations, messages yaml.MapSlice
	for _, a := range asyncTopics {
		channels = append(channels, yaml.MapItem{Key: a.channel, Value: asyncChannel(a)})
		action, verb := "send", "read"
		if a.channel == "events" {
			verb = "follow"
		}
		operations = append(operations, yaml.MapItem{Key: verb + strings.ToUpper(a.channel[:1]) + a.channel[1:], Value: pairs(
			"action", action, "channel", pointer("channels", a.channel), "summary", a.title,
			"messages", []any{pointer("channels", a.channel, "messages", a.name)})})
		messages = append(messages, yaml.MapItem{Key: a.name, Value: asyncMessage(t, a)})
	}
	doc := pairs(
		"asyncapi", "3.0.0",
		"info", pairs("title", "Punchcard, the topics", "version", fmt.Sprint(Version), "description", asyncAbout,
			"license", pairs("name", "Apache-2.0", "url", "https://www.apache.org/licenses/LICENSE-2.0")),
		"defaultContentType", "application/json",
		"servers", pairs("embedded", pairs("host", "127.0.0.1:9092", "protocol", "kafka",
			"description", "The broker inside Punchcard, on loopback only; or the Kafka that it was given with --kafka.")),
		"channels", channels, "operations", operations,
		"components", pairs("messages", messages, "schemas", schemas))
	out, err := yaml.MarshalWithOptions(doc, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("# Made from the Go types by go test ./event -update; do not edit.\n"), out...)
}

func asyncChannel(a asyncTopic) yaml.MapSlice {
	var parameters any
	if a.channel == "campaigns" {
		parameters = pairs("channel", pairs("enum", Channels, "description", "How the message is to reach the customer."))
	}
	settings := pairs("cleanup.policy", []string{"delete"}, "retention.ms", -1)
	switch a.keep {
	case keepDays:
		settings = pairs("cleanup.policy", []string{"delete"}, "retention.ms", NewsKept.Milliseconds())
	case keepCompact:
		settings = pairs("cleanup.policy", []string{"compact"})
	}
	settings = append(settings, yaml.MapItem{Key: "max.message.bytes", Value: MaxRecordBytes})
	return pairs("address", a.address, "title", a.title, "description", a.text, "messages", pairs(a.name, pointer("components", "messages", a.name)),
		"parameters", parameters, "bindings", pairs("kafka", pairs("topicConfiguration", settings, "bindingVersion", "0.5.0")))
}

func asyncMessage(t *testing.T, a asyncTopic) yaml.MapSlice {
	var headers, key, examples any
	if a.headers != "" {
		headers = pairs("type", "object", "properties", pairs(a.headers, pairs("type", "string", "description", asyncHeaders[a.headers])))
	}
	if a.key != "" {
		key = pairs("kafka", pairs("key", pairs("type", "string", "description", a.key), "bindingVersion", "0.5.0"))
	}
	if a.example != "" {
		text, err := os.ReadFile(filepath.Join("testdata", a.example))
		if err != nil {
			t.Fatal(err)
		}
		examples = []any{pairs("name", "whole", "payload", ordered(t, text))}
	}
	return pairs("name", a.name, "title", a.title, "contentType", "application/json", "headers", headers,
		"payload", pointer("components", "schemas", a.name), "bindings", key, "examples", examples)
}

// ordered reads JSON and keeps the order of its keys.
func ordered(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.UnmarshalWithOptions(text, &v, yaml.UseOrderedMap()); err != nil {
		t.Fatal(err)
	}
	return v
}

// asyncSchemas puts the schemas of all topics and what they refer to side by side.
func asyncSchemas(t *testing.T) yaml.MapSlice {
	t.Helper()
	var out yaml.MapSlice
	known := map[string]string{}
	add := func(name string, v any) {
		text, err := json.Marshal(fmt.Sprint(v))
		if err != nil {
			t.Fatal(err)
		}
		if was, ok := known[name]; ok {
			if was != string(text) {
				t.Errorf("two schemas are called %s", name)
			}
			return
		}
		known[name] = string(text)
		out = append(out, yaml.MapItem{Key: name, Value: v})
	}
	for _, a := range asyncTopics {
		text, err := Schemas.ReadFile("schema/" + a.schema)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte(`"#/$defs/`), []byte(`"#/components/schemas/`))
		var root yaml.MapSlice
		for _, item := range ordered(t, text).(yaml.MapSlice) {
			switch item.Key {
			case "$schema":
			case "$defs":
				for _, def := range item.Value.(yaml.MapSlice) {
					add(def.Key.(string), def.Value)
				}
			default:
				root = append(root, item)
			}
		}
		add(a.name, root)
	}
	slices.SortFunc(out, func(a, b yaml.MapItem) int { return strings.Compare(a.Key.(string), b.Key.(string)) })
	return out
}

func TestAsyncAPIIsMadeFromTheSchemas(t *testing.T) {
	const path = "asyncapi.yaml"
	got := asyncDocument(t)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the schemas say (%v): run go test ./event -update", path, err)
	}
}

// TestAsyncAPI: every reference leads somewhere, every topic that is open is
// there, and golden values fit the payloads of their messages.
func TestAsyncAPI(t *testing.T) {
	file, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(file, &doc); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = validator.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	refs := 0
	walk(doc, func(m map[string]any) {
		if ref, ok := m["$ref"].(string); ok {
			refs++
			if at(doc, ref) == nil {
				t.Errorf("%s leads nowhere", ref)
			}
		}
	})
	if refs < 30 {
		t.Errorf("only %d references", refs)
	}
	compiler := validator.NewCompiler()
	if err := compiler.AddResource("asyncapi", doc); err != nil {
		t.Fatal(err)
	}
	for _, a := range asyncTopics {
		payload := at(doc, "#/components/messages/"+a.name).(map[string]any)["payload"].(map[string]any)["$ref"].(string)
		s, err := compiler.Compile("asyncapi" + payload)
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
			continue
		}
		if s.Validate(map[string]any{"v": "not a number"}) == nil {
			t.Errorf("%s fits anything", a.name)
		}
		if a.example == "" {
			continue
		}
		golden, err := os.ReadFile(filepath.Join("testdata", a.example))
		if err != nil {
			t.Fatal(err)
		}
		v, err := validator.UnmarshalJSON(bytes.NewReader(golden))
		if err == nil {
			err = s.Validate(v)
		}
		if err != nil {
			t.Errorf("%s against %s: %v", a.example, a.name, err)
		}
		example := at(doc, "#/components/messages/"+a.name+"/examples").([]any)[0].(map[string]any)["payload"]
		if fmt.Sprint(example) != fmt.Sprint(v) {
			t.Errorf("the example of %s is not %s:\n%v\n%v", a.name, a.example, example, v)
		}
	}
	for _, topic := range []string{TopicEvents, TopicLedger, TopicCampaignLog, TopicCustomers, TopicSegments, TopicRejects} {
		if !slices.ContainsFunc(asyncTopics, func(a asyncTopic) bool { return a.address == topic }) {
			t.Errorf("topic %s is not in the file", topic)
		}
	}
}

// walk visits every object.
func walk(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, child := range v {
			walk(child, visit)
		}
	case []any:
		for _, child := range v {
			walk(child, visit)
		}
	}
}

// at follows a reference within the document; nil: it leads nowhere.
func at(doc any, ref string) any {
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	for _, name := range strings.Split(path, "/") {
		m, _ := doc.(map[string]any)
		doc = m[name]
	}
	return doc
}

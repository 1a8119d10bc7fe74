package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// topicSchema says which schema, and which Go type, the values of a topic have.
type topicSchema struct {
	topic, schema string
	value         func() any
}

var topicSchemas = []topicSchema{
	{event.TopicEvents, "schema/event.json", func() any { return new(event.Event) }},
	{event.TopicLedger, "schema/entry.json", func() any { return new(event.Entry) }},
	{event.TopicCustomers, "schema/customer.json", func() any { return new(event.Customer) }},
	{event.TopicRejects, "schema/reject.json", func() any { return new(event.Reject) }},
}

// campaignSchemas are those of what campaigns and segments make.
var campaignSchemas = []topicSchema{
	{event.TopicEvents, "schema/event.json", func() any { return new(event.Event) }},
	{event.TopicLedger, "schema/entry.json", func() any { return new(event.Entry) }},
	{event.TopicSegments, "schema/segment.json", func() any { return new(event.SegmentRecord) }},
	{event.TopicCampaignLog, "schema/campaign_entry.json", func() any { return new(event.CampaignEntry) }},
	{event.TopicCampaigns(event.ChannelEmail), "schema/campaign_message.json", func() any { return new(event.CampaignMessage) }},
	{event.TopicCampaigns(event.ChannelPush), "schema/campaign_message.json", func() any { return new(event.CampaignMessage) }},
}

func (p *place) topicsKeepTheirSchemas(t *testing.T) { p.keepSchemas(t, topicSchemas) }

func (p *place) campaignTopicsKeepTheirSchemas(t *testing.T) { p.keepSchemas(t, campaignSchemas) }

// keepSchemas holds every record that the run has made against the schemas, and
// wants no field that they do not know.
func (p *place) keepSchemas(t *testing.T, schemas []topicSchema) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cfg := stream.Config{Brokers: []string{p.kafkaBroker()}}
	if p.tenant != "" {
		cfg.Prefix = p.tenant + "."
	}
	c, err := stream.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, s := range schemas {
		schema := compileSchema(t, s.schema)
		ends, err := c.Ends(ctx, s.topic, stream.ReadUncommitted)
		if err != nil {
			t.Fatal(err)
		}
		n, bytesRead := 0, 0
		for partition, r := range ends {
			_, err := c.Scan(ctx, s.topic, partition, r.Start, r.End, stream.ReadCommitted, func(rec *stream.Record) error {
				n, bytesRead = n+1, bytesRead+len(rec.Value)
				holds(t, schema, s.value(), rec)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n == 0 {
			t.Errorf("topic %s is empty: nothing was tested", s.topic)
		}
		t.Logf("%-15s %6d records, %8d bytes", s.topic, n, bytesRead)
	}
}

func compileSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, err := event.Schemas.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// holds tests one record: valid, of this version, and nothing unknown in it.
func holds(t *testing.T, schema *jsonschema.Schema, value any, rec *stream.Record) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(rec.Value))
	if err == nil {
		err = schema.Validate(doc)
	}
	if err == nil {
		strict := json.NewDecoder(bytes.NewReader(rec.Value))
		strict.DisallowUnknownFields()
		err = strict.Decode(value)
	}
	if err != nil {
		t.Errorf("%s/%d@%d: %v\n%s", rec.Topic, rec.Partition, rec.Offset, err, rec.Value)
		return
	}
	if v, _ := doc.(map[string]any)["v"].(json.Number); v.String() != "1" {
		t.Errorf("%s/%d@%d: v is %q, want 1", rec.Topic, rec.Partition, rec.Offset, v)
	}
}
